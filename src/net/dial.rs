//! How an attempt is connected over HTTP/1.1 without TLS: with a connection out of the [`Pool`] or a new one,
//! on which a header waits for its body.
//!
//! Pingora writes a header, flushes it, and then writes the body: two system calls, two packets, and a vendor's
//! server that wakes up twice. Here the header is kept until the body comes.
//!
//! Pingora has a pool of its own, and asks a connection before it is put there whether its vendor has closed it.
//! One whose answer has been read says that it is closed, is dropped for that, and goes to the other pool.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use pingora_core::{
    connectors::l4::Connect,
    protocols::l4::{
        socket::SocketAddr as Address,
        stream::Stream,
        virt::{VirtualSockOpt, VirtualSocket, VirtualSocketStream},
    },
};
use pingora_error::{Error, ErrorType, Result};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};

use super::pool::{Key, Line, Pool};

/// Room for a header of ordinary size.
const HEADER: usize = 1024;
/// Room that is kept with an idle connection, at most.
const MOST_HEADER: usize = 4 * 1024;

/// The connection of one attempt, before and after it stands.
#[derive(Debug)]
pub struct Dial {
    this: Weak<Self>,
    pool: Arc<Pool>,
    key: Key,
    way: Way,
    was_pooled: AtomicBool,
    holds_header: AtomicBool,
    answer_ended: AtomicBool,
}

/// How a connection is come by.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// A new one must stand within this. Pingora has no limit of its own for it: it would copy the 8 KB of what
    /// connecting may come to (TLS, too) twice for each request, also where the connection comes out of the pool.
    pub within: Duration,
    /// Never a pooled one.
    pub fresh: bool,
}

impl Dial {
    /// To `key`'s address.
    pub fn new(pool: &Arc<Pool>, key: Key, way: Way) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            pool: Arc::clone(pool),
            key,
            way,
            was_pooled: AtomicBool::new(false),
            holds_header: AtomicBool::new(false),
            answer_ended: AtomicBool::new(false),
        })
    }

    /// See [`Way::within`].
    #[cfg(test)]
    pub const fn within(&self) -> Duration {
        self.way.within
    }

    /// Whether the connection had been used before.
    pub fn was_pooled(&self) -> bool {
        self.was_pooled.load(Ordering::Relaxed)
    }

    /// Has the header that is written next wait for its body, which must follow.
    pub fn hold_header(&self) {
        self.holds_header.store(true, Ordering::Relaxed);
    }

    /// Notes that the vendor's answer has been read to its end.
    pub fn end_answer(&self) {
        self.answer_ended.store(true, Ordering::Relaxed);
    }

    async fn line(&self) -> Result<Line> {
        let pooled = if self.way.fresh { None } else { self.pool.take(&self.key) };
        if let Some(line) = pooled {
            self.was_pooled.store(true, Ordering::Relaxed);
            return Ok(line);
        }
        let connecting = timeout(self.way.within, TcpStream::connect(self.key.address)).await;
        let socket = connecting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let socket = socket.map_err(unreached)?;
        socket.set_nodelay(true).map_err(unreached)?;
        Ok(Line { socket, held: Vec::with_capacity(HEADER) })
    }
}

#[async_trait]
impl Connect for Dial {
    /// The address is the one that the dial was made for.
    async fn connect(&self, _: &Address) -> Result<Stream> {
        let Some(dial) = self.this.upgrade() else {
            return Error::e_explain(ErrorType::InternalError, "a dial outlived itself");
        };
        let line = Some(self.line().await?);
        let connection = Connection { line, dial, sent: 0, is_idle: false, is_shut: false };
        Ok(VirtualSocketStream::new(Box::new(connection)).into())
    }
}

/// In Pingora's words.
#[expect(clippy::unnecessary_box_returns, reason = "Pingora's errors are boxed")]
fn unreached(error: io::Error) -> Box<Error> {
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => ErrorType::ConnectRefused,
        io::ErrorKind::TimedOut => ErrorType::ConnectTimedout,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            ErrorType::ConnectNoRoute
        }
        _ => ErrorType::ConnectError,
    };
    Error::because(kind, "connecting to the vendor", error)
}

/// What Pingora takes for a socket.
#[derive(Debug)]
struct Connection {
    /// There until it is dropped.
    line: Option<Line>,
    dial: Arc<Dial>,
    /// Bytes of the waiting header that have left.
    sent: usize,
    /// Pingora was told that it is closed, and the pool has it next.
    is_idle: bool,
    /// Nothing more may be written.
    is_shut: bool,
}

impl Connection {
    fn line(&mut self) -> io::Result<&mut Line> {
        self.line.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn socket(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.line().map(|line| Pin::new(&mut line.socket))
    }

    fn holds_header(&self) -> bool {
        self.line.as_ref().is_some_and(|line| !line.held.is_empty())
    }

    /// Writes the header that waits, and of `body` what goes with it: how much.
    fn poll_together(&mut self, cx: &mut Context<'_>, body: &[u8]) -> Poll<io::Result<usize>> {
        let sent = self.sent;
        let line = self.line()?;
        let header = line.held.get(sent..).unwrap_or_default();
        let header_length = header.len();
        let pieces = [IoSlice::new(header), IoSlice::new(body)];
        let written = ready!(Pin::new(&mut line.socket).poll_write_vectored(cx, &pieces))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        let Some(of_body) = written.checked_sub(header_length) else {
            self.sent += written;
            return Poll::Ready(Ok(0));
        };
        line.held.clear();
        self.sent = 0;
        Poll::Ready(Ok(of_body))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.dial.answer_ended.load(Ordering::Relaxed) {
            self.is_idle = !self.is_shut;
            return Poll::Ready(Ok(()));
        }
        let nothing_sent = self.sent == 0 && self.holds_header();
        ready!(self.socket()?.poll_read(cx, buf))?;
        // Said before it was asked: it is no answer, and must not be taken for one.
        Poll::Ready(if nothing_sent { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) })
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.dial.holds_header.load(Ordering::Relaxed) {
            self.dial.holds_header.store(false, Ordering::Relaxed);
            self.line()?.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        while self.holds_header() {
            let of_body = ready!(self.poll_together(cx, bytes))?;
            if of_body > 0 {
                return Poll::Ready(Ok(of_body));
            }
        }
        self.socket()?.poll_write(cx, bytes)
    }

    /// A header that waits goes with its body.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_shut = true;
        self.socket()?.poll_shutdown(cx)
    }
}

impl VirtualSocket for Connection {
    /// Pingora sets what it wants of a connection each time it is given one: it is set once.
    fn set_socket_option(&self, _: VirtualSockOpt) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.is_idle || self.holds_header() {
            return;
        }
        let Some(mut line) = self.line.take() else { return };
        if line.held.capacity() > MOST_HEADER {
            line.held = Vec::with_capacity(HEADER);
        }
        self.dial.pool.put(self.dial.key, line);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    struct Vendor {
        listener: TcpListener,
        pool: Arc<Pool>,
        key: Key,
    }

    impl Vendor {
        async fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let key = Key { group: 1, address: listener.local_addr().unwrap() };
            Self { listener, pool: Arc::default(), key }
        }

        fn dial(&self, fresh: bool) -> Arc<Dial> {
            Dial::new(&self.pool, self.key, Way { within: Duration::from_secs(20), fresh })
        }

        async fn connect(&self, dial: &Dial) -> Stream {
            dial.connect(&self.key.address.into()).await.unwrap()
        }

        /// Ends a connection as Pingora does once the answer has been read.
        async fn end(dial: &Dial, mut connection: Stream) {
            dial.end_answer();
            assert_eq!(connection.read(&mut [0]).await.unwrap(), 0, "Pingora is to drop it");
        }

        async fn is_pooled(&self) -> bool {
            let next = self.dial(false);
            let _connection = self.connect(&next).await;
            next.was_pooled()
        }
    }

    #[tokio::test]
    async fn header_and_body_leave_in_one_write() {
        let vendor = Vendor::start().await;
        let dial = vendor.dial(false);
        let mut connection = vendor.connect(&dial).await;
        // Asked in the system itself: what was sent over the loopback is there.
        let mut far = vendor.listener.accept().await.unwrap().0.into_std().unwrap();
        for round in 0..3 {
            dial.hold_header();
            connection.write_all(b"header ").await.unwrap();
            connection.flush().await.unwrap();
            let mut read = [0; 100];
            let waits = far.read(&mut read).unwrap_err();
            assert_eq!(waits.kind(), io::ErrorKind::WouldBlock, "round {round}");

            connection.write_all(b"body").await.unwrap();
            let length = far.read(&mut read).unwrap();
            assert_eq!(&read[..length], b"header body");
        }
    }

    #[tokio::test]
    async fn what_a_vendor_says_before_it_is_asked_is_no_answer() {
        let vendor = Vendor::start().await;
        let dial = vendor.dial(false);
        let mut connection = vendor.connect(&dial).await;
        let (mut far, _) = vendor.listener.accept().await.unwrap();
        dial.hold_header();
        connection.write_all(b"header").await.unwrap();
        far.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
        let error = connection.read(&mut [0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn a_connection_that_was_shut_is_not_pooled() {
        let vendor = Vendor::start().await;
        let dial = vendor.dial(false);
        let mut connection = vendor.connect(&dial).await;
        AsyncWriteExt::shutdown(&mut connection).await.unwrap();
        Vendor::end(&dial, connection).await;
        assert!(!vendor.is_pooled().await);
    }

    #[tokio::test]
    async fn what_has_no_body_leaves_at_once() {
        let vendor = Vendor::start().await;
        let mut connection = vendor.connect(&vendor.dial(false)).await;
        let (mut far, _) = vendor.listener.accept().await.unwrap();
        connection.write_all(b"header").await.unwrap();
        let mut read = [0; 6];
        far.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"header");
    }

    #[tokio::test]
    async fn a_header_and_a_body_beyond_what_a_socket_takes_arrive_in_order() {
        const BYTES: usize = 8 * 1024 * 1024;
        let vendor = Vendor::start().await;
        let dial = vendor.dial(false);
        let mut connection = vendor.connect(&dial).await;
        let (mut far, _) = vendor.listener.accept().await.unwrap();
        let (header, body) = (vec![b'h'; BYTES], vec![b'b'; BYTES]);
        let write = async {
            dial.hold_header();
            connection.write_all(&header).await.unwrap();
            connection.write_all(&body).await.unwrap();
        };
        let mut read = vec![0; 2 * BYTES];
        let ((), told) = tokio::join!(write, far.read_exact(&mut read));
        told.unwrap();
        assert!(read == [header, body].concat());
    }

    #[tokio::test]
    async fn a_connection_is_pooled_once_its_answer_has_been_read_and_never_before() {
        let vendor = Vendor::start().await;
        let first = vendor.dial(false);
        drop(vendor.connect(&first).await);
        assert!(!vendor.is_pooled().await, "its answer may still come");

        let dial = vendor.dial(false);
        let connection = vendor.connect(&dial).await;
        dial.end_answer();
        drop(connection);
        assert!(!vendor.is_pooled().await, "Pingora did not want to have it back");

        let dial = vendor.dial(false);
        let connection = vendor.connect(&dial).await;
        Vendor::end(&dial, connection).await;
        assert!(!dial.was_pooled());
        assert!(vendor.is_pooled().await);
    }

    #[tokio::test]
    async fn a_fresh_connection_is_none_of_the_pools_but_goes_there() {
        let vendor = Vendor::start().await;
        let dials = [vendor.dial(false), vendor.dial(true)];
        let first = vendor.connect(&dials[0]).await;
        Vendor::end(&dials[0], first).await;

        let fresh = vendor.connect(&dials[1]).await;
        assert!(!dials[1].was_pooled());
        Vendor::end(&dials[1], fresh).await;
        let (one, other) = (vendor.dial(false), vendor.dial(false));
        let _both = (vendor.connect(&one).await, vendor.connect(&other).await);
        assert!(one.was_pooled() && other.was_pooled());
    }

    #[tokio::test]
    async fn a_header_whose_body_never_came_spoils_the_connection() {
        let vendor = Vendor::start().await;
        let dial = vendor.dial(false);
        let mut connection = vendor.connect(&dial).await;
        dial.hold_header();
        connection.write_all(b"header").await.unwrap();
        Vendor::end(&dial, connection).await;
        assert!(!vendor.is_pooled().await);
    }

    #[tokio::test]
    async fn the_room_of_a_huge_header_is_not_kept() {
        let vendor = Vendor::start().await;
        let dial = vendor.dial(false);
        let mut connection = vendor.connect(&dial).await;
        let (mut far, _) = vendor.listener.accept().await.unwrap();
        dial.hold_header();
        connection.write_all(&vec![b'h'; 2 * MOST_HEADER]).await.unwrap();
        connection.write_all(b"body").await.unwrap();
        far.read_exact(&mut vec![0; 2 * MOST_HEADER + 4]).await.unwrap();
        Vendor::end(&dial, connection).await;
        assert!(vendor.pool.take(&vendor.key).unwrap().held.capacity() <= MOST_HEADER);
    }

    #[tokio::test]
    async fn a_connection_that_does_not_stand_in_time_is_given_up() {
        // Its queue holds so few that the system answers the next ones no more.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let key = Key { group: 1, address: listener.local_addr().unwrap() };
        let pool = Arc::default();
        let way = Way { within: Duration::from_millis(100), fresh: true };
        let mut held = Vec::new();
        let error = loop {
            let dial = Dial::new(&pool, key, way);
            match dial.connect(&key.address.into()).await {
                Ok(connection) => held.push(connection),
                Err(error) => break error,
            }
            assert!(held.len() < 100, "the queue never fills");
        };
        assert_eq!(*error.etype(), ErrorType::ConnectTimedout);
    }

    #[tokio::test]
    async fn a_refused_connection_is_told_in_pingoras_words() {
        let vendor = Vendor::start().await;
        let (dial, address) = (vendor.dial(false), vendor.key.address);
        drop(vendor.listener);
        let error = dial.connect(&address.into()).await.err().unwrap();
        assert_eq!(*error.etype(), ErrorType::ConnectRefused);
    }
}

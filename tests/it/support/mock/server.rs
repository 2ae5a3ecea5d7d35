//! The mock as a whole: listening, queueing scripts, answering with HTTP/1.1 or HTTP/2.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{
    calls::{Call, Calls},
    h1, h2,
    reply::Reply,
};
use crate::support::{tls, until};

/// What the mock shows of itself at its door.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Faces {
    /// Plain HTTP/1.1.
    Plain,
    /// HTTP/2 without TLS, by prior knowledge.
    PlainH2,
    /// TLS with a certificate that the gateway trusts; HTTP/1.1 only.
    Tls,
    /// The same, HTTP/2 preferred by ALPN.
    TlsH2,
    /// TLS with a certificate by an authority that nobody trusts.
    Untrusted,
}

pub(super) struct Inner {
    pub calls: Calls,
    queue: Mutex<VecDeque<Reply>>,
    always: Mutex<Reply>,
    probes: Mutex<Reply>,
    connections: AtomicU64,
}

impl Inner {
    /// The script for a request; probes (GET) have one of their own.
    pub fn reply_to(&self, method: &str) -> Reply {
        if method == "GET" {
            return self.probes.lock().unwrap().clone();
        }
        let queued = self.queue.lock().unwrap().pop_front();
        queued.unwrap_or_else(|| self.always.lock().unwrap().clone())
    }
}

/// A simulated vendor on a port of its own.
#[derive(Clone)]
pub struct MockVendor {
    address: SocketAddr,
    faces: Faces,
    inner: Arc<Inner>,
}

impl MockVendor {
    /// Starts one that speaks plain HTTP/1.1 and answers everything well.
    pub async fn start() -> Self {
        Self::facing(Faces::Plain).await
    }

    pub async fn facing(faces: Faces) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            calls: Calls::default(),
            queue: Mutex::default(),
            always: Mutex::new(Reply::answers()),
            probes: Mutex::new(Reply::answers()),
            connections: AtomicU64::new(0),
        });
        tokio::spawn(accept(listener, faces, Arc::clone(&inner)));
        Self { address, faces, inner }
    }

    /// What goes into `base_url`.
    pub fn url(&self) -> String {
        match self.faces {
            Faces::Plain | Faces::PlainH2 => format!("http://{}", self.address),
            Faces::Tls | Faces::TlsH2 | Faces::Untrusted => {
                format!("https://localhost:{}", self.address.port())
            }
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next request gets this answer (after those that were said before).
    pub fn will(&self, reply: Reply) -> &Self {
        self.inner.queue.lock().unwrap().push_back(reply);
        self
    }

    /// Drops the answers that were said for requests to come.
    pub fn forget_what_was_said(&self) {
        self.inner.queue.lock().unwrap().clear();
    }

    /// Every request for which nothing else was said gets this answer.
    pub fn always(&self, reply: Reply) -> &Self {
        *self.inner.always.lock().unwrap() = reply;
        self
    }

    /// Every health probe gets this answer, in place of a good one.
    pub fn answers_probes(&self, reply: Reply) -> &Self {
        *self.inner.probes.lock().unwrap() = reply;
        self
    }

    /// The health probes that it has seen so far.
    pub fn probes(&self) -> Vec<Arc<Call>> {
        self.inner.calls.probes()
    }

    /// What it has seen so far.
    pub fn saw(&self) -> Vec<Arc<Call>> {
        self.inner.calls.worked()
    }

    /// Waits until it has seen so many requests.
    pub async fn wait_for_calls(&self, count: usize) -> Vec<Arc<Call>> {
        let what = format!("the vendor has seen {count} requests");
        until(&what, async || Some(self.saw()).filter(|calls| calls.len() >= count)).await
    }

    /// The one request that it saw.
    pub fn saw_one(&self) -> Arc<Call> {
        let mut calls = self.saw();
        assert_eq!(calls.len(), 1, "the vendor should have seen one request");
        calls.remove(0)
    }

    pub fn saw_nothing(&self) {
        assert_eq!(self.saw().len(), 0, "the vendor should have seen nothing");
    }

    /// How many connections were opened to it.
    pub fn connections(&self) -> u64 {
        self.inner.connections.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, faces: Faces, inner: Arc<Inner>) {
    let acceptor: Option<TlsAcceptor> = match faces {
        Faces::Plain | Faces::PlainH2 => None,
        Faces::Tls => Some(tls::TRUSTED.acceptor(&["http/1.1"])),
        Faces::TlsH2 => Some(tls::TRUSTED.acceptor(&["h2", "http/1.1"])),
        Faces::Untrusted => Some(tls::STRANGER.acceptor(&["http/1.1"])),
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let number = inner.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let (acceptor, inner) = (acceptor.clone(), Arc::clone(&inner));
        tokio::spawn(async move { serve(stream, faces, acceptor, number, &inner).await });
    }
}

async fn serve(
    stream: TcpStream,
    faces: Faces,
    acceptor: Option<TlsAcceptor>,
    number: u64,
    inner: &Arc<Inner>,
) {
    stream.set_nodelay(true).ok();
    let Some(acceptor) = acceptor else {
        return if faces == Faces::PlainH2 {
            h2::serve(stream, number, inner).await;
        } else {
            h1::serve(stream, number, inner).await;
        };
    };
    let Ok(stream) = acceptor.accept(stream).await else { return };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        h2::serve(stream, number, inner).await;
    } else {
        h1::serve(stream, number, inner).await;
    }
}

/// An address where connections are refused: a port that is taken but never listened on.
pub fn nobody() -> (String, TcpSocket) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (format!("http://{address}"), socket)
}

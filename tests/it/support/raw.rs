//! A client's connection, byte by byte: what well-behaved libraries will not send.

use std::net::SocketAddr;

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Answer, Ending, Headers, tls, within};

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// One HTTP/1.1 connection to the gateway.
pub struct Wire {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
    Done,
}

/// Status line and headers of an answer.
pub struct Head {
    pub status: u16,
    pub headers: Headers,
    pub(super) framing: Framing,
}

impl Wire {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).await.expect("the gateway accepts connections")
    }

    /// Unless nobody listens.
    pub async fn try_connect(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        Some(Self { stream: Box::new(stream), buffer: BytesMut::new() })
    }

    /// Over TLS, trusting the tests' authority.
    pub async fn connect_tls(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the gateway accepts connections");
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = tls::TRUSTED.connector(&["http/1.1"]);
        let stream = connector.connect(name, stream).await.expect("a TLS handshake");
        Self { stream: Box::new(stream), buffer: BytesMut::new() }
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.expect("the gateway reads what is sent");
    }

    /// Sends bytes; an error when the gateway has closed.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        self.stream.flush().await
    }

    /// Reads the next answer whole.
    pub async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("an answer, but the gateway closed the connection")
    }

    /// Reads the next answer, to a HEAD: whatever length it tells, no body follows.
    pub async fn answer_without_body(&mut self) -> Answer {
        let head = within("the head of an answer", self.head()).await.expect("an answer");
        let (status, headers) = (head.status, head.headers);
        Answer { status, headers, body: Bytes::new(), ending: Ending::Complete }
    }

    /// Reads the next answer whole; none when the connection ends before its head.
    pub async fn try_answer(&mut self) -> Option<Answer> {
        let mut head = within("the head of an answer", self.head()).await?;
        let mut body = BytesMut::new();
        let ending = loop {
            match within("the rest of an answer", self.piece(&mut head.framing)).await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break Ending::Complete,
                Err(_) => break Ending::Cut,
            }
        };
        Some(Answer { status: head.status, headers: head.headers, body: body.freeze(), ending })
    }

    /// The head of the next answer that is not informational; none when the connection ended.
    pub async fn head(&mut self) -> Option<Head> {
        loop {
            let head = self.any_head().await?;
            if head.status >= 200 {
                return Some(head);
            }
        }
    }

    /// The head of the next answer, 1xx included.
    pub async fn any_head(&mut self) -> Option<Head> {
        let end = loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            if !matches!(self.stream.read_buf(&mut self.buffer).await, Ok(read) if read > 0) {
                return None;
            }
        };
        let text = String::from_utf8(self.buffer.split_to(end + 4)[..end].to_vec()).unwrap();
        let mut lines = text.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
        let pairs = lines.filter_map(|line| line.split_once(':'));
        let headers = Headers(
            pairs
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
        );
        let framing = framing(status, &headers);
        Some(Head { status, headers, framing })
    }

    /// The next piece of a body; none at its proper end, an error where it is cut.
    pub(super) async fn piece(&mut self, framing: &mut Framing) -> std::io::Result<Option<Bytes>> {
        match *framing {
            Framing::Done | Framing::Length(0) => Ok(None),
            Framing::Length(left) => {
                self.fill(1).await?;
                let piece = self.buffer.split_to(left.min(self.buffer.len())).freeze();
                *framing = Framing::Length(left - piece.len());
                Ok(Some(piece))
            }
            Framing::UntilClose => match self.fill(1).await {
                Ok(()) => Ok(Some(self.buffer.split().freeze())),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
                Err(error) => Err(error),
            },
            Framing::Chunked => {
                let piece = self.chunk().await?;
                if piece.is_empty() {
                    *framing = Framing::Done;
                    return Ok(None);
                }
                Ok(Some(piece))
            }
        }
    }

    async fn chunk(&mut self) -> std::io::Result<Bytes> {
        let end = loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n") {
                break end;
            }
            self.fill(self.buffer.len() + 1).await?;
        };
        let line = String::from_utf8(self.buffer.split_to(end).to_vec()).expect("a chunk size");
        self.buffer.advance(2);
        let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
            .expect("a chunk size");
        self.fill(size + 2).await?;
        let piece = self.buffer.split_to(size).freeze();
        self.buffer.advance(2);
        Ok(piece)
    }

    async fn fill(&mut self, length: usize) -> std::io::Result<()> {
        while self.buffer.len() < length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Waits until the gateway closes the connection; gives what it still said.
    pub async fn closed(&mut self) -> Bytes {
        let reading = async {
            while matches!(self.stream.read_buf(&mut self.buffer).await, Ok(read) if read > 0) {}
        };
        within("the gateway to close the connection", reading).await;
        self.buffer.split().freeze()
    }

    /// Takes leave: the connection is closed.
    pub fn leave(self) -> std::time::Instant {
        drop(self);
        std::time::Instant::now()
    }
}

fn framing(status: u16, headers: &Headers) -> Framing {
    if status < 200 || status == 204 || status == 304 {
        return Framing::Done;
    }
    if headers.get("transfer-encoding").is_some() {
        return Framing::Chunked;
    }
    match headers.get("content-length") {
        Some(length) => Framing::Length(length.parse().expect("a length")),
        None => Framing::UntilClose,
    }
}

//! A small HTTP/1.1 client over a raw socket: a load generator must cost little and hide nothing.

use std::io;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use memchr::memmem;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::chunked::{Framing, Step, broken};
use crate::fault::Outcome;

/// The head of an answer.
#[derive(Debug)]
pub struct Head {
    /// Status code.
    pub status: u16,
    /// The other side closes the connection behind this answer.
    pub close: bool,
    raw: Bytes,
}

impl Head {
    /// The value of header `name` (lower case), if it is there.
    pub fn field(&self, name: &str) -> Option<&str> {
        let text = std::str::from_utf8(&self.raw).ok()?;
        text.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn parse(raw: Bytes) -> io::Result<Self> {
        let status = raw
            .get(9..12)
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
            .ok_or_else(|| broken("an answer without a status"))?;
        let mut head = Self { status, close: false, raw };
        head.close =
            head.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        Ok(head)
    }

    fn framing(&self) -> Framing {
        if self.field("transfer-encoding").is_some() {
            return Framing::ChunkSize;
        }
        match self.field("content-length").and_then(|value| value.parse().ok()) {
            Some(length) => Framing::Length(length),
            None => Framing::UntilClose,
        }
    }
}

/// One client connection; answers are read in the order of the requests.
pub struct Connection {
    socket: TcpStream,
    buffer: BytesMut,
    framing: Framing,
}

impl Connection {
    /// Connects, without delay for small writes.
    pub async fn open(addr: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(addr).await?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: BytesMut::new(), framing: Framing::Done })
    }

    /// Sends the bytes of a request, or a part of them.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await
    }

    /// Waits until the answer's first byte is here.
    pub async fn first_byte(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            self.fill().await?;
        }
        Ok(())
    }

    /// Reads the head of the next answer; its body follows by [`Self::piece`].
    pub async fn head(&mut self) -> io::Result<Head> {
        let end = loop {
            if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await?;
        };
        let head = Head::parse(self.buffer.split_to(end).freeze())?;
        self.framing = head.framing();
        Ok(head)
    }

    /// The next bytes of the body, as they arrive; `None` at its end.
    pub async fn piece(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match self.framing.step(&mut self.buffer)? {
                Step::Piece(piece) => return Ok(Some(piece)),
                Step::End => return Ok(None),
                Step::NeedMore => match self.fill().await {
                    Err(_) if self.framing == Framing::UntilClose => return Ok(None),
                    filled => filled?,
                },
            }
        }
    }

    /// Reads the body to its end and tells its length.
    pub async fn body_length(&mut self) -> io::Result<usize> {
        let mut length = 0;
        while let Some(piece) = self.piece().await? {
            length += piece.len();
        }
        Ok(length)
    }

    /// Reads the whole body.
    pub async fn body(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.reserve(4096);
        match self.socket.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// One request on a connection of its own, for set-up and figures: status and body.
pub async fn call(
    addr: SocketAddr,
    method: &str,
    path: &str,
    bearer: &str,
    body: Option<&Value>,
) -> Outcome<(u16, Vec<u8>)> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {addr}\r\nauthorization: Bearer {bearer}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut connection = Connection::open(addr).await?;
    connection.send(request.as_bytes()).await?;
    let head = connection.head().await?;
    Ok((head.status, connection.body().await?))
}

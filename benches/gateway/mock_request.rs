//! Reading requests for the mock vendor: only what it must know to answer, at little cost.

use std::io;

use memchr::memmem;
use tokio::net::TcpStream;

use crate::mock_wire::UPSTREAM_MODEL;

/// How much of a body is looked at; the bench's own requests say all that matters early.
const LOOKED_AT: usize = 512;
/// A head longer than this is not read.
const LONGEST_HEAD: usize = 16 * 1024;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A plain answer.
    Plain,
    /// A paced stream.
    Stream,
    /// A stream that says one thing and then nothing.
    Idle,
    /// A quick 503.
    Failure,
    /// The list of models.
    Models,
    /// The mock's own counters.
    Counters,
    /// It cannot be read.
    Unreadable,
}

/// One request, its body read and dropped.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What it asks for.
    pub wish: Wish,
    /// It asks for usage in its stream.
    pub usage: bool,
    /// Length of its body.
    pub body_bytes: usize,
    /// It came with a caller's key.
    pub caller_key: bool,
    /// The model is not the upstream's name.
    pub alias: bool,
}

/// The reading side of a connection. `scratch` is shared by all of them: nothing is held between
/// reads but the head and the first bytes of a body, so thousands of idle connections cost little.
#[derive(Default)]
pub struct Reader {
    pending: Vec<u8>,
}

impl Reader {
    /// The next request, or `None` when the other side has closed.
    pub async fn next(&mut self, socket: &TcpStream) -> io::Result<Option<Request>> {
        let head_len = loop {
            if let Some(end) = memmem::find(&self.pending, b"\r\n\r\n") {
                break end + 4;
            }
            if self.pending.len() > LONGEST_HEAD || self.read_more(socket, usize::MAX).await? == 0 {
                return Ok(None);
            }
        };
        let head: Vec<u8> = self.pending.drain(..head_len).collect();
        let Some(length) = content_length(&head) else {
            return Ok(Some(Request::unreadable()));
        };
        let sample_len = self.read_body(socket, length).await?;
        let request =
            Request::read(&head, self.pending.get(..sample_len).unwrap_or_default(), length);
        self.pending.drain(..sample_len);
        Ok(Some(request))
    }

    /// Reads a body of `length`; leaves its first bytes in `pending` and tells how many they are.
    async fn read_body(&mut self, socket: &TcpStream, length: usize) -> io::Result<usize> {
        if self.pending.len() >= length {
            // All here. A next request may follow, so the surplus of the body is cut out.
            let keep = length.min(LOOKED_AT);
            self.pending.drain(keep..length);
            return Ok(keep);
        }
        let mut left = length - self.pending.len();
        while left > 0 {
            let keep = LOOKED_AT.saturating_sub(self.pending.len());
            match self.read_more(socket, keep).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => left = left.saturating_sub(read),
            }
        }
        let keep = length.min(LOOKED_AT).min(self.pending.len());
        self.pending.truncate(keep);
        Ok(keep)
    }

    /// One read; at most `keep` bytes of it are added to `pending`, the rest is dropped.
    async fn read_more(&mut self, socket: &TcpStream, keep: usize) -> io::Result<usize> {
        loop {
            socket.readable().await?;
            let read = SCRATCH.with_borrow_mut(|scratch| {
                let read = socket.try_read(scratch)?;
                let kept = scratch.get(..read.min(keep)).unwrap_or_default();
                self.pending.extend_from_slice(kept);
                Ok::<_, io::Error>(read)
            });
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }
}

thread_local! {
    static SCRATCH: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![0; 256 * 1024]);
}

impl Request {
    fn read(head: &[u8], body: &[u8], body_bytes: usize) -> Self {
        let stream = contains(body, b"\"stream\":true");
        let wish = Wish::of(head, stream);
        Self {
            wish,
            usage: stream && contains(body, b"\"include_usage\":true"),
            body_bytes,
            caller_key: contains(head, b" bd-"),
            alias: !contains(body, UPSTREAM_MODEL.as_bytes()),
        }
    }

    fn unreadable() -> Self {
        Self {
            wish: Wish::Unreadable,
            usage: false,
            body_bytes: 0,
            caller_key: false,
            alias: false,
        }
    }
}

impl Wish {
    fn of(head: &[u8], stream: bool) -> Self {
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        if contains(line, b"/fail") && !contains(line, b"/models") {
            Self::Failure
        } else if contains(line, b"/chat/completions") && contains(line, b"/idle") {
            Self::Idle
        } else if contains(line, b"/chat/completions") {
            if stream { Self::Stream } else { Self::Plain }
        } else if contains(line, b"/models") {
            Self::Models
        } else if contains(line, b"/counters") {
            Self::Counters
        } else {
            Self::Unreadable
        }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memmem::find(haystack, needle).is_some()
}

/// The body's length: that of the header, 0 without a body, `None` for a framing it does not take.
fn content_length(head: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(head).ok()?;
    let mut length = 0;
    for line in text.split("\r\n").skip(1) {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return None;
        }
    }
    Some(length)
}

//! How an answer's body ends on the wire, and its bytes without the framing (RFC 9112, section 6).

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

/// What is left to read of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes more.
    Length(usize),
    /// A chunk-size line comes next.
    ChunkSize,
    /// Inside a chunk: so many bytes more, then a line end.
    Chunk(usize),
    /// The line end behind a chunk's data.
    ChunkEnd,
    /// Trailer lines until an empty one.
    Trailer,
    /// Everything until the other side closes.
    UntilClose,
    /// The body is complete.
    Done,
}

/// What one step over the buffer found.
pub enum Step {
    /// Bytes of the body.
    Piece(Bytes),
    /// The buffer must grow first.
    NeedMore,
    /// The body is complete.
    End,
}

impl Framing {
    /// Takes the next piece of body off `buffer`.
    pub fn step(&mut self, buffer: &mut BytesMut) -> io::Result<Step> {
        loop {
            match *self {
                Self::Done | Self::Length(0) => {
                    *self = Self::Done;
                    return Ok(Step::End);
                }
                _ if buffer.is_empty() => return Ok(Step::NeedMore),
                Self::Length(left) => {
                    let piece = take(buffer, left);
                    *self = Self::Length(left - piece.len());
                    return Ok(Step::Piece(piece));
                }
                Self::Chunk(left) => {
                    let piece = take(buffer, left);
                    let left = left - piece.len();
                    *self = if left == 0 { Self::ChunkEnd } else { Self::Chunk(left) };
                    return Ok(Step::Piece(piece));
                }
                Self::UntilClose => return Ok(Step::Piece(take(buffer, usize::MAX))),
                Self::ChunkSize | Self::ChunkEnd | Self::Trailer => {
                    let Some(line) = take_line(buffer) else { return Ok(Step::NeedMore) };
                    *self = self.after_line(&line)?;
                }
            }
        }
    }

    fn after_line(self, line: &[u8]) -> io::Result<Self> {
        match self {
            Self::ChunkEnd if line.is_empty() => Ok(Self::ChunkSize),
            Self::ChunkSize => match chunk_size(line) {
                Some(0) => Ok(Self::Trailer),
                Some(size) => Ok(Self::Chunk(size)),
                None => Err(broken("a chunk size that is no number")),
            },
            Self::Trailer if line.is_empty() => Ok(Self::Done),
            Self::Trailer => Ok(Self::Trailer),
            _ => Err(broken("bytes behind a chunk's end")),
        }
    }
}

fn take(buffer: &mut BytesMut, most: usize) -> Bytes {
    let len = buffer.len().min(most);
    buffer.split_to(len).freeze()
}

/// One line without its CR LF, if it has arrived completely.
fn take_line(buffer: &mut BytesMut) -> Option<Bytes> {
    let end = memchr(b'\n', buffer)?;
    let mut line = buffer.split_to(end).freeze();
    buffer.advance(1);
    if line.last() == Some(&b'\r') {
        line.truncate(line.len() - 1);
    }
    Some(line)
}

fn chunk_size(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b';').next()?;
    usize::from_str_radix(std::str::from_utf8(digits).ok()?.trim(), 16).ok()
}

/// An answer that breaks HTTP's own rules.
pub fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

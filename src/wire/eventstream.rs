//! `application/vnd.amazon.eventstream`: length-prefixed frames with two checksums each.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html> (the format),
//! <https://smithy.io/2.0/aws/amazon-eventstream.html> (its headers).
//!
//! A frame: length of all of it (u32), length of the headers (u32), CRC-32 of these eight bytes, headers,
//! payload, CRC-32 of everything before. Numbers are big-endian. A frame that lies in one piece is
//! handed over without a copy.

/// The longest frame that AWS sends, bytes.
/// <https://github.com/awslabs/aws-c-event-stream/blob/main/include/aws/event-stream/event_stream.h>
pub const MAX_FRAME: usize = 16 * 1024 * 1024;
/// Both lengths and their checksum, bytes.
const PRELUDE: usize = 12;
/// What a frame has beside headers and payload: the prelude and the checksum at its end, bytes.
const OVERHEAD: usize = PRELUDE + 4;
/// A buffer larger than this is given back after its frame: an idle stream holds little.
const KEPT_CAPACITY: usize = 4096;
/// The type of a header whose value is a string.
const STRING: u8 = 7;

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// `:message-type` `event`.
    Event {
        /// `:event-type`.
        name: &'a [u8],
        /// Its payload.
        payload: &'a [u8],
    },
    /// `:message-type` `exception` or `error`.
    Exception {
        /// `:exception-type` or `:error-code`.
        name: &'a [u8],
        /// Its payload, or `:error-message`.
        payload: &'a [u8],
    },
    /// A checksum or a length is wrong: nothing after this can be read.
    Broken,
}

/// Cuts bytes into frames, at any split.
#[derive(Debug, Default)]
pub struct Frames {
    /// The beginning of a frame that did not end with its piece.
    held: Vec<u8>,
    broken: bool,
}

impl Frames {
    /// Reads the next piece and hands over every frame that ends in it. After [`Frame::Broken`] it hands
    /// over nothing any more.
    pub fn push(&mut self, piece: &[u8], to: &mut dyn FnMut(Frame<'_>)) {
        if self.broken {
            return;
        }
        if self.cut(piece, to).is_none() {
            self.broken = true;
            self.held = Vec::new();
            to(Frame::Broken);
        }
    }

    /// Whether the bytes so far end inside a frame.
    #[must_use]
    pub const fn in_frame(&self) -> bool {
        !self.held.is_empty()
    }

    /// None where the bytes are broken.
    fn cut(&mut self, piece: &[u8], to: &mut dyn FnMut(Frame<'_>)) -> Option<()> {
        let mut rest = self.complete_held(piece, to)?;
        while let Length::Known(length) = frame_length(rest)? {
            let Some((frame, after)) = rest.split_at_checked(length) else { break };
            to(read_frame(frame)?);
            rest = after;
        }
        self.held.extend_from_slice(rest);
        Some(())
    }

    /// Ends the frame that an earlier piece began, as far as `piece` goes; answers what is left of it.
    fn complete_held<'p>(
        &mut self,
        mut piece: &'p [u8],
        to: &mut dyn FnMut(Frame<'_>),
    ) -> Option<&'p [u8]> {
        while !self.held.is_empty() {
            let (whole, length) = match frame_length(&self.held)? {
                Length::Unknown => (false, PRELUDE),
                Length::Known(length) => (true, length),
            };
            let missing = length.saturating_sub(self.held.len());
            let (more, after) = piece.split_at(missing.min(piece.len()));
            self.held.extend_from_slice(more);
            piece = after;
            if more.len() < missing {
                break;
            }
            if whole {
                to(read_frame(&self.held)?);
                self.held.clear();
                self.held.shrink_to(KEPT_CAPACITY);
            }
        }
        Some(piece)
    }
}

/// How long the frame is that begins here.
enum Length {
    /// There is not enough of it to say.
    Unknown,
    /// So many bytes.
    Known(usize),
}

/// None where no frame begins here.
fn frame_length(bytes: &[u8]) -> Option<Length> {
    let Some(prelude) = bytes.get(..PRELUDE) else { return Some(Length::Unknown) };
    let (lengths, checksum) = prelude.split_at(PRELUDE - 4);
    if crc32fast::hash(lengths) != u32_at(checksum, 0)? {
        return None;
    }
    let length = usize::try_from(u32_at(lengths, 0)?).ok()?;
    let headers = usize::try_from(u32_at(lengths, 4)?).ok()?;
    let fits = length <= MAX_FRAME && headers.checked_add(OVERHEAD)? <= length;
    fits.then_some(Length::Known(length))
}

/// Reads a whole frame, whose prelude is known to be right; none where the rest is not.
fn read_frame(frame: &[u8]) -> Option<Frame<'_>> {
    let (signed, checksum) = frame.split_at_checked(frame.len().checked_sub(4)?)?;
    if crc32fast::hash(signed) != u32_at(checksum, 0)? {
        return None;
    }
    let headers = usize::try_from(u32_at(frame, 4)?).ok()?;
    let (headers, payload) = signed.get(PRELUDE..)?.split_at_checked(headers)?;
    let headers = Headers::read(headers)?;
    Some(match headers.message_type {
        b"exception" => Frame::Exception { name: headers.exception_type, payload },
        b"error" => {
            let payload = if payload.is_empty() { headers.error_message } else { payload };
            Frame::Exception { name: headers.error_code, payload }
        }
        _ => Frame::Event { name: headers.event_type, payload },
    })
}

/// The headers that say what a frame is; empty where it has them not.
#[derive(Default)]
struct Headers<'a> {
    message_type: &'a [u8],
    event_type: &'a [u8],
    exception_type: &'a [u8],
    error_code: &'a [u8],
    error_message: &'a [u8],
}

impl<'a> Headers<'a> {
    fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut headers = Self::default();
        while let Some((&length, after)) = bytes.split_first() {
            let (name, after) = after.split_at_checked(usize::from(length))?;
            let (&kind, after) = after.split_first()?;
            let (value, after) = split_value(kind, after)?;
            bytes = after;
            if kind != STRING {
                continue;
            }
            match name {
                b":message-type" => headers.message_type = value,
                b":event-type" => headers.event_type = value,
                b":exception-type" => headers.exception_type = value,
                b":error-code" => headers.error_code = value,
                b":error-message" => headers.error_message = value,
                _ => {}
            }
        }
        Some(headers)
    }
}

/// A header's value and what stands after it; none for a type that the format does not have.
fn split_value(kind: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = match kind {
        // True and false are their types.
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        // A long, and a time in milliseconds.
        5 | 8 => 8,
        // Bytes and strings say how long they are.
        6 | STRING => {
            let (length, after) = bytes.split_first_chunk::<2>()?;
            return after.split_at_checked(usize::from(u16::from_be_bytes(*length)));
        }
        // A UUID.
        9 => 16,
        _ => return None,
    };
    bytes.split_at_checked(length)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|four| u32::from_be_bytes(*four))
}

/// Writes a frame whose headers are strings. Names are cut at 255 bytes and values at 65535, as the
/// format has it; a payload must leave the frame shorter than [`MAX_FRAME`] to be read.
#[must_use]
pub fn encode(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        let name = name.as_bytes().get(..name.len().min(0xff)).unwrap_or_default();
        let value = value.as_bytes().get(..value.len().min(0xffff)).unwrap_or_default();
        block.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        block.extend_from_slice(name);
        block.push(STRING);
        block.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        block.extend_from_slice(value);
    }
    let length = OVERHEAD + block.len() + payload.len();
    let mut frame = Vec::with_capacity(length);
    frame.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend_from_slice(&u32::try_from(block.len()).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&block);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame
}

#[cfg(test)]
#[path = "eventstream_tests.rs"]
mod tests;

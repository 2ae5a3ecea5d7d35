//! How a record lies in a segment: `length u32 ‖ crc32 u32 ‖ payload`, little-endian.
//!
//! The checksum covers length and payload, so a frame of which any part is missing is seen. It carries
//! the stamp of its segment, so that what a file held in an earlier life is no record. A prefix of zeros
//! ends a segment: each frame puts one behind itself. Pure: bytes in, bytes out.

use std::ops::Range;

/// Bytes before the payload.
pub(super) const PREFIX: usize = 8;

/// What tells the frames of one segment from those of another in the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(u64);

impl Stamp {
    /// That of a file whose space was used by no other segment before.
    pub const NONE: Self = Self(0);

    /// That of the segment with this number: another for each of the next 2^32.
    pub const fn of(segment: u64) -> Self {
        Self(segment.wrapping_mul(0x9e37_79b9) << 32)
    }

    /// A prefix with this stamp on its checksum, or without it if it had it.
    const fn on(self, prefix: u64) -> u64 {
        prefix ^ self.0
    }
}

/// A record, ready to be copied into a segment.
pub(super) struct Frame<'a> {
    prefix: u64,
    payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// `None` for a payload that no frame can hold: an empty one, or one of 4 GiB.
    pub fn new(payload: &'a [u8]) -> Option<Self> {
        let length = u32::try_from(payload.len()).ok().filter(|length| *length > 0)?;
        let prefix = u64::from(checksum(length, payload)) << 32 | u64::from(length);
        Some(Self { prefix, payload })
    }

    /// Bytes that it takes.
    pub const fn len(&self) -> usize {
        PREFIX + self.payload.len()
    }

    /// Copies it to the beginning of `space`; `false`, and nothing done, if it does not fit.
    ///
    /// The prefix goes last: until it is there, a reader sees the end of the segment.
    pub fn copy_to(&self, space: &mut [u8], stamp: Stamp) -> bool {
        let Some((prefix, rest)) = space.split_at_mut_checked(PREFIX) else { return false };
        let Some((payload, rest)) = rest.split_at_mut_checked(self.payload.len()) else {
            return false;
        };
        payload.copy_from_slice(self.payload);
        end(rest);
        prefix.copy_from_slice(&stamp.on(self.prefix).to_le_bytes());
        true
    }
}

/// Makes the beginning of `space` the end of a segment, whatever is behind it.
pub(super) fn end(space: &mut [u8]) {
    let length = space.len().min(PREFIX);
    space.get_mut(..length).unwrap_or_default().fill(0);
}

/// What lies at a position of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An intact record: where its payload lies.
    Record(Range<usize>),
    /// Nothing more was written.
    End,
    /// A record whose bytes are not all there (or not yet read).
    Torn,
}

/// Reads what lies at `at` of a segment with this stamp.
pub(super) fn read(bytes: &[u8], at: usize, stamp: Stamp) -> Found {
    let Some((prefix, rest)) = bytes.get(at..).and_then(|tail| tail.split_first_chunk::<PREFIX>())
    else {
        return if bytes.get(at..).is_some_and(|tail| tail.iter().any(|byte| *byte != 0)) {
            Found::Torn
        } else {
            Found::End
        };
    };
    let prefix = u64::from_le_bytes(*prefix);
    if prefix == 0 {
        return Found::End;
    }
    match intact(stamp.on(prefix), rest) {
        Some(length) => Found::Record(at + PREFIX..at + PREFIX + length),
        None => Found::Torn,
    }
}

/// The length of the payload at the beginning of `rest`, if it is all there.
fn intact(prefix: u64, rest: &[u8]) -> Option<usize> {
    let length = u32::try_from(prefix & u64::from(u32::MAX)).ok()?;
    let payload = rest.get(..usize::try_from(length).ok()?)?;
    let sound = length > 0 && u64::from(checksum(length, payload)) == prefix >> 32;
    sound.then_some(payload.len())
}

fn checksum(length: u32, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&length.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp::of(7);

    #[test]
    fn a_frame_reads_back_and_is_followed_by_the_end() {
        // Whatever the space held before, and however little of it is left behind the frame.
        for length in 16..64 {
            let mut space = vec![0xff; length];
            let frame = Frame::new(b"{\"id\":1}").unwrap();
            assert!(frame.copy_to(&mut space, STAMP));
            assert_eq!(read(&space, 0, STAMP), Found::Record(8..16));
            assert_eq!(&space[8..16], b"{\"id\":1}");
            assert_eq!(read(&space, frame.len(), STAMP), Found::End);
        }
    }

    #[test]
    fn a_frame_that_does_not_fit_leaves_no_trace() {
        let mut space = vec![0; 15];
        assert!(!Frame::new(b"{\"id\":1}").unwrap().copy_to(&mut space, STAMP));
        assert_eq!(space, vec![0; 15]);
    }

    #[test]
    fn a_frame_of_another_segment_is_no_record() {
        let mut space = vec![0; 64];
        let frame = Frame::new(b"{\"id\":1}").unwrap();
        frame.copy_to(&mut space, STAMP);
        for other in (0..1000).filter(|segment| *segment != 7) {
            assert_eq!(read(&space, 0, Stamp::of(other)), Found::Torn, "segment {other}");
        }
    }

    #[test]
    fn no_frame_holds_an_empty_record() {
        assert!(Frame::new(b"").is_none());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        let frame = Frame::new(b"{\"id\":\"x\"}").unwrap();
        let mut whole = vec![0; frame.len()];
        frame.copy_to(&mut whole, STAMP);
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&flipped, 0, STAMP), Found::Torn, "bit {bit}");
        }
        for cut in 1..whole.len() {
            assert_eq!(read(&whole[..cut], 0, STAMP), Found::Torn, "cut at {cut}");
        }
        assert_eq!(read(&whole[..0], 0, STAMP), Found::End);
        assert_eq!(read(&whole, 1000, STAMP), Found::End);
    }
}

//! Takes the usage chunk that the gateway asked for, and the client did not, out of a stream, and puts
//! a chunk of the gateway's own before its end where one is wanted.
//!
//! A block is forwarded when it is complete (a client can do nothing with half of one), so that
//! its fate is known; a block that outgrows any usage chunk goes on at once. Bytes are copied only
//! where a block came in several pieces or stands on both sides of one that is taken out.

use bytes::Bytes;
use smallvec::SmallVec;

use crate::wire::sse::MAX_HELD;

/// The state between two pieces.
#[derive(Debug, Default)]
pub(super) struct Hider {
    held: SmallVec<[Bytes; 1]>,
    held_bytes: usize,
    /// The open block outgrew the bound: its start is with the client already.
    passing: bool,
    dropped_last: bool,
}

/// The end of a block in a piece, and what becomes of the block.
pub(super) type BlockEnd = (usize, Fate);

/// What becomes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on.
    Pass,
    /// It is taken out.
    TakeOut,
    /// It goes on, behind the gateway's own chunk.
    Last,
}

impl Hider {
    /// What of `piece` and of what was held is to be forwarded now. `lf_owed`: the piece begins
    /// with the LF of the block before.
    /// `own` is the gateway's chunk, for a block that is the last.
    pub(super) fn push(
        &mut self,
        piece: &Bytes,
        ends: &[BlockEnd],
        lf_owed: bool,
        own: &Bytes,
    ) -> Bytes {
        let mut out = Parts::new(piece);
        let mut from = 0;
        if lf_owed {
            from = 1;
            if !self.dropped_last {
                out.range(0, 1);
            }
        }
        for &(end, fate) in ends {
            let gone = fate == Fate::TakeOut && !self.passing;
            if gone {
                self.forget();
            } else {
                if fate == Fate::Last && !self.passing {
                    out.part(own.clone());
                }
                self.release(&mut out);
                out.range(from, end);
            }
            self.dropped_last = gone;
            self.passing = false;
            from = end;
        }
        if from < piece.len() {
            if self.passing {
                out.range(from, piece.len());
            } else {
                self.hold(piece.slice(from..));
                if self.held_bytes > MAX_HELD {
                    self.passing = true;
                    self.release(&mut out);
                }
            }
        }
        out.join()
    }

    /// The stream has ended; `extra`: what is held is the block to take out.
    pub(super) fn finish(&mut self, extra: bool) -> Bytes {
        let none = Bytes::new();
        let mut out = Parts::new(&none);
        if !extra || self.passing {
            self.release(&mut out);
        }
        self.forget();
        out.join()
    }

    /// Whether a part of the open block has been forwarded.
    pub(super) const fn is_passing(&self) -> bool {
        self.passing
    }

    fn hold(&mut self, bytes: Bytes) {
        self.held_bytes += bytes.len();
        self.held.push(bytes);
    }

    fn release(&mut self, out: &mut Parts<'_>) {
        self.held_bytes = 0;
        for part in self.held.drain(..) {
            out.part(part);
        }
    }

    fn forget(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
    }
}

/// Parts that are joined at the end, with as few copies as can be.
struct Parts<'a> {
    piece: &'a Bytes,
    parts: SmallVec<[Bytes; 2]>,
    /// A range of the piece that is not in `parts` yet.
    open: (usize, usize),
}

impl<'a> Parts<'a> {
    fn new(piece: &'a Bytes) -> Self {
        Self { piece, parts: SmallVec::new(), open: (0, 0) }
    }

    /// A range of the piece, behind all that came before.
    fn range(&mut self, from: usize, to: usize) {
        if self.open.1 == from && self.open.0 < self.open.1 {
            self.open.1 = to;
        } else {
            self.close();
            self.open = (from, to);
        }
    }

    fn part(&mut self, part: Bytes) {
        self.close();
        self.parts.push(part);
    }

    fn close(&mut self) {
        let (from, to) = std::mem::take(&mut self.open);
        if from < to {
            self.parts.push(self.piece.slice(from..to));
        }
    }

    fn join(mut self) -> Bytes {
        self.close();
        if self.parts.len() < 2 {
            return self.parts.pop().unwrap_or_default();
        }
        let mut joined = Vec::with_capacity(self.parts.iter().map(Bytes::len).sum());
        self.parts.iter().for_each(|part| joined.extend_from_slice(part));
        joined.into()
    }
}

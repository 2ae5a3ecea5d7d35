//! Cuts a `text/event-stream` into its blocks, at any split of the bytes.
//!
//! Grammar: <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>
//! (lines end in CR, LF or CRLF; a byte order mark may lead; a line that starts with a colon is a
//! comment; a blank line ends the block). The bytes themselves are forwarded elsewhere: this only
//! looks. A block that lies in one piece is looked at without a copy.

use memchr::{memchr, memchr2};
use smallvec::SmallVec;

/// The most data of one block that is held between pieces, bytes. What is longer is handed over
/// piece by piece.
pub const MAX_HELD: usize = 64 * 1024;
/// The longest event name that is kept, bytes; those in use are shorter.
const MAX_NAME: usize = 64;
/// A buffer larger than this is given back after its block: an idle stream holds little.
const KEPT_CAPACITY: usize = 1024;

/// Takes what [`Framer`] finds.
pub trait Blocks {
    /// A part of the data of a block that is longer than [`MAX_HELD`].
    fn piece(&mut self, data: &[u8]);
    /// A block has ended.
    fn block(&mut self, block: Block<'_>);
}

/// What stands between two blank lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Value of the last `event` line; empty if there was none.
    pub name: &'a [u8],
    /// Its data.
    pub data: Data<'a>,
    /// How many bytes of the piece being pushed belong to this block and those before it.
    pub end: usize,
}

/// The data lines of a block, joined by line feeds.
#[derive(Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// There were none: comments, or just a blank line. A client sees no event.
    None,
    /// All of it.
    Whole(&'a [u8]),
    /// It went through [`Blocks::piece`].
    Pieces,
}

/// The state between two pieces.
#[derive(Debug, Default)]
pub struct Framer {
    line: Line,
    /// A line ended in CR with the piece: an LF that leads the next one belongs to it.
    after_cr: bool,
    /// Bytes of a byte order mark seen at the very start; 3 once that is over.
    mark: u8,
    in_block: bool,
    name: SmallVec<[u8; 24]>,
    gathered: Gathered,
    held: Vec<u8>,
}

/// What is known of the open block's data.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Gathered {
    /// There has been no data line.
    #[default]
    Nothing,
    /// It is in `held`, or is a line of the piece being read.
    Held,
    /// It is handed over as it comes.
    InPieces,
}

/// Where in a line the last piece ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Line {
    #[default]
    Start,
    /// In the field's name; so much of it has been seen.
    Field([u8; 5], usize),
    Value {
        field: Field,
        /// One space may lead the value.
        fresh: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Data,
    Event,
    Other,
}

impl Field {
    const fn named(name: &[u8]) -> Self {
        match name {
            b"data" => Self::Data,
            b"event" => Self::Event,
            _ => Self::Other,
        }
    }
}

impl Framer {
    /// Reads the next piece and hands over every block that ends in it.
    pub fn push(&mut self, piece: &[u8], to: &mut impl Blocks) {
        let mut at = self.skip_mark(piece);
        if self.after_cr && at < piece.len() {
            self.after_cr = false;
            at += usize::from(piece.get(at) == Some(&b'\n'));
        }
        // The block's only data line so far, while it lies in this piece.
        let mut direct: Option<&[u8]> = None;
        while let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(length) = memchr2(b'\n', b'\r', rest) else {
                self.part(rest, to, &mut direct);
                break;
            };
            let (line, _) = rest.split_at(length);
            let blank = line.is_empty() && self.line == Line::Start;
            if !blank {
                self.line_ended(line, to, &mut direct);
            }
            at += length + 1;
            if rest.get(length) == Some(&b'\r') {
                match piece.get(at) {
                    Some(b'\n') => at += 1,
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            if blank {
                self.block_ended(direct.take(), at, to);
            }
        }
        if let Some(line) = direct {
            self.hold(line, to);
        }
    }

    /// The stream has ended: an unfinished block is handed over as it stands. (A browser drops it,
    /// but clients of the vendors do not.)
    pub fn finish(&mut self, to: &mut impl Blocks) {
        if self.line != Line::Start {
            self.line_ended(b"", to, &mut None);
        }
        if self.in_block {
            self.block_ended(None, 0, to);
        }
        self.after_cr = false;
    }

    /// Whether the bytes so far end inside a block.
    #[must_use]
    pub const fn in_block(&self) -> bool {
        self.in_block
    }

    /// Whether an LF that leads the next piece still belongs to the block that has ended.
    #[must_use]
    pub const fn owes_lf(&self) -> bool {
        self.after_cr && !self.in_block
    }

    fn skip_mark(&mut self, piece: &[u8]) -> usize {
        const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
        let mut at = 0;
        while self.mark < 3 {
            match piece.get(at) {
                None => break,
                Some(byte) if MARK.get(usize::from(self.mark)) == Some(byte) => {
                    self.mark += 1;
                    at += 1;
                }
                Some(_) => self.mark = 3,
            }
        }
        at
    }

    /// A line, or the rest of one, with its end.
    fn line_ended<'a>(
        &mut self,
        rest: &'a [u8],
        to: &mut impl Blocks,
        direct: &mut Option<&'a [u8]>,
    ) {
        self.in_block = true;
        if self.line == Line::Start {
            let (name, value) = match memchr(b':', rest) {
                Some(colon) => (
                    rest.get(..colon).unwrap_or_default(),
                    rest.get(colon + 1..).unwrap_or_default(),
                ),
                None => (rest, &b""[..]),
            };
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match Field::named(name) {
                Field::Data if self.gathered == Gathered::Nothing => {
                    self.gathered = Gathered::Held;
                    *direct = Some(value);
                }
                Field::Data => self.next_data_line(value, to, direct),
                Field::Event => self.rename(value, true),
                Field::Other => {}
            }
            return;
        }
        self.part(rest, to, direct);
        if let Line::Field(name, length) = self.line {
            // A line without a colon is a field with an empty value.
            if name.get(..length) == Some(b"data") {
                self.begin_data(to, direct);
            } else if name.get(..length) == Some(b"event") {
                self.name.clear();
            }
        }
        self.line = Line::Start;
    }

    /// A part of a line that goes on.
    fn part<'a>(
        &mut self,
        mut rest: &'a [u8],
        to: &mut impl Blocks,
        direct: &mut Option<&'a [u8]>,
    ) {
        self.in_block = true;
        if self.line == Line::Start {
            self.line = Line::Field([0; 5], 0);
        }
        if let Line::Field(name, length) = &mut self.line {
            let before = memchr(b':', rest);
            let more = rest.get(..before.unwrap_or(rest.len())).unwrap_or_default();
            let fits = *length + more.len() <= name.len();
            if fits {
                for (slot, byte) in name.iter_mut().skip(*length).zip(more) {
                    *slot = *byte;
                }
                *length += more.len();
            }
            let field = match (fits, before) {
                (false, _) => Field::Other,
                (true, None) => return,
                (true, Some(_)) => Field::named(name.get(..*length).unwrap_or_default()),
            };
            rest = before.and_then(|colon| rest.get(colon + 1..)).unwrap_or_default();
            self.line = Line::Value { field, fresh: true };
            match field {
                Field::Data => self.begin_data(to, direct),
                Field::Event => self.name.clear(),
                Field::Other => {}
            }
        }
        self.value_part(rest, to);
    }

    fn value_part(&mut self, mut rest: &[u8], to: &mut impl Blocks) {
        let Line::Value { field, fresh } = &mut self.line else { return };
        if rest.is_empty() {
            return;
        }
        if std::mem::take(fresh) {
            rest = rest.strip_prefix(b" ").unwrap_or(rest);
        }
        match field {
            Field::Data => self.hold(rest, to),
            Field::Event => self.rename(rest, false),
            Field::Other => {}
        }
    }

    fn next_data_line(&mut self, value: &[u8], to: &mut impl Blocks, direct: &mut Option<&[u8]>) {
        self.begin_data(to, direct);
        self.hold(value, to);
    }

    /// Before a data line whose bytes go to the buffer: the first one stands there already or is
    /// put there now.
    fn begin_data(&mut self, to: &mut impl Blocks, direct: &mut Option<&[u8]>) {
        if let Some(first) = direct.take() {
            self.hold(first, to);
        }
        match self.gathered {
            Gathered::Nothing => self.gathered = Gathered::Held,
            Gathered::Held | Gathered::InPieces => self.hold(b"\n", to),
        }
    }

    fn rename(&mut self, name: &[u8], whole: bool) {
        if whole {
            self.name.clear();
        }
        let room = MAX_NAME.saturating_sub(self.name.len());
        self.name.extend_from_slice(name.get(..name.len().min(room)).unwrap_or_default());
    }

    fn hold(&mut self, data: &[u8], to: &mut impl Blocks) {
        if self.gathered != Gathered::InPieces && self.held.len() + data.len() > MAX_HELD {
            self.gathered = Gathered::InPieces;
            to.piece(&self.held);
            self.held = Vec::new();
        }
        if self.gathered == Gathered::InPieces {
            to.piece(data);
        } else {
            self.held.extend_from_slice(data);
        }
    }

    fn block_ended(&mut self, direct: Option<&[u8]>, end: usize, to: &mut impl Blocks) {
        let data = match (direct, self.gathered) {
            (Some(line), _) => Data::Whole(line),
            (None, Gathered::Nothing) => Data::None,
            (None, Gathered::Held) => Data::Whole(&self.held),
            (None, Gathered::InPieces) => Data::Pieces,
        };
        to.block(Block { name: &self.name, data, end });
        self.in_block = false;
        self.gathered = Gathered::Nothing;
        self.name.clear();
        self.held.clear();
        if self.held.capacity() > KEPT_CAPACITY {
            self.held = Vec::new();
        }
    }
}

#[cfg(test)]
#[path = "sse_tests.rs"]
mod tests;

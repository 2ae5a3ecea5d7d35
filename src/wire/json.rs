//! A validating walk over JSON text (RFC 8259) that builds nothing.
//!
//! Accepts exactly what `serde_json` accepts when it skips a value, and limits nesting. It exists
//! because a request's body is looked at before anything else can happen: this walk gives byte
//! positions, and takes less than half of `serde_json`'s time where strings are long and about
//! the same where they are short. It knows what is ASCII; that the rest is UTF-8, others check.

use std::ops::Range;

use super::{plain::text_extent, words::Words};

/// Containers that may be open at a time, the outermost included.
pub(super) const MAX_DEPTH: usize = 256;

/// Why the text is not acceptable JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub(super) struct Fault {
    /// In words.
    pub what: &'static str,
    /// Offset from the start of the text.
    pub at: usize,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

/// A value's kind and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub kind: Kind,
    pub span: Range<usize>,
}

/// A position in the text.
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether all strings so far are ASCII, and with them all that was walked over.
    ascii: bool,
    /// The words that were met, where they are looked for.
    words: Option<Words>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, ascii: true, words: None }
    }

    /// Takes note of the words that it meets.
    pub(super) fn noting(text: &'a [u8]) -> Self {
        Self { words: Some(Words::default()), ..Self::new(text) }
    }

    /// Whether what was walked over is ASCII for sure.
    pub(super) const fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// The words that were met.
    pub(super) fn words(&self) -> Words {
        self.words.unwrap_or_default()
    }

    /// Walks over one object, giving each member's key (its literal, quotes included) and value.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(Range<usize>, Value),
    ) -> Result<(), Fault> {
        self.space();
        self.expect(b'{', "expected an object")?;
        self.space();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            self.space();
            let value = self.value()?;
            member(key, value);
            self.space();
            if self.eat(b'}') {
                return Ok(());
            }
            self.expect(b',', "expected `,` or `}`")?;
            self.space();
        }
    }

    /// Walks over one list, giving each element.
    pub(super) fn array(&mut self, mut element: impl FnMut(Value)) -> Result<(), Fault> {
        self.space();
        self.expect(b'[', "expected a list")?;
        self.space();
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            element(self.value()?);
            self.space();
            if self.eat(b']') {
                return Ok(());
            }
            self.expect(b',', "expected `,` or `]`")?;
            self.space();
        }
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.space();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(self.fault("unexpected data after the object"))
        }
    }

    /// One value inside the object or the list that is walked over.
    fn value(&mut self) -> Result<Value, Fault> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            _ => self.scalar()?,
        };
        if matches!(kind, Kind::Object | Kind::Array) {
            self.container()?;
        }
        Ok(Value { kind, span: start..self.at })
    }

    /// A container with all it holds, without recursion.
    fn container(&mut self) -> Result<(), Fault> {
        let mut open = Nesting::default();
        loop {
            match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    open.push(true).map_err(|()| self.fault(TOO_DEEP))?;
                    self.space();
                    if self.peek() != Some(b'}') {
                        self.key()?;
                        self.space();
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    open.push(false).map_err(|()| self.fault(TOO_DEEP))?;
                    self.space();
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                _ => {
                    self.scalar()?;
                }
            }
            if self.behind_value(&mut open)? {
                return Ok(());
            }
        }
    }

    /// Closes what closes here. True when nothing is open any more, else stands before a value.
    fn behind_value(&mut self, open: &mut Nesting) -> Result<bool, Fault> {
        while let Some(in_object) = open.top() {
            self.space();
            match (self.peek(), in_object) {
                (Some(b','), true) => {
                    self.at += 1;
                    self.space();
                    self.key()?;
                    self.space();
                    return Ok(false);
                }
                (Some(b','), false) => {
                    self.at += 1;
                    self.space();
                    return Ok(false);
                }
                (Some(b'}'), true) | (Some(b']'), false) => {
                    self.at += 1;
                    open.pop();
                }
                (_, true) => return Err(self.fault("expected `,` or `}`")),
                (_, false) => return Err(self.fault("expected `,` or `]`")),
            }
        }
        Ok(true)
    }

    /// A member's name and the colon behind it.
    fn key(&mut self) -> Result<Range<usize>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("expected a member name in quotes"));
        }
        let start = self.at;
        self.string()?;
        let key = start..self.at;
        self.space();
        self.expect(b':', "expected `:`")?;
        Ok(key)
    }

    fn scalar(&mut self) -> Result<Kind, Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(|()| Kind::String),
            Some(b't') => self.word(b"true").map(|()| Kind::True),
            Some(b'f') => self.word(b"false").map(|()| Kind::False),
            Some(b'n') => self.word(b"null").map(|()| Kind::Null),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| Kind::Number),
            Some(_) => Err(self.fault("expected a value")),
            None => Err(self.fault("unexpected end of the body")),
        }
    }

    /// From the opening quote to behind the closing one.
    fn string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        let start = self.at;
        let text = text_extent(self.rest());
        self.at += text.len;
        self.ascii &= text.ascii;
        match self.peek() {
            Some(b'"') => {
                if let Some(words) = &mut self.words {
                    words.note(self.text.get(start..self.at).unwrap_or_default());
                }
                self.at += 1;
                Ok(())
            }
            Some(b'\\') => Err(self.fault("invalid escape in a string")),
            Some(_) => Err(self.fault("unescaped control character in a string")),
            None => Err(self.fault("unexpected end of the body inside a string")),
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        // Also refuses `01`, whose second digit would otherwise be read as rubbish behind it.
        if matches!(self.peek(), Some(b'0'..=b'9')) {
            Err(self.fault("invalid number"))
        } else {
            Ok(())
        }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(self.fault("invalid number")) } else { Ok(()) }
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), Fault> {
        if !self.rest().starts_with(word) {
            return Err(self.fault("expected a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Fault> {
        if self.eat(byte) {
            Ok(())
        } else if self.at >= self.text.len() {
            Err(self.fault("unexpected end of the body"))
        } else {
            Err(self.fault(what))
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    const fn fault(&self, what: &'static str) -> Fault {
        Fault { what, at: self.at }
    }
}

const TOO_DEEP: &str = "nested deeper than 256 levels";

/// The open containers inside the outermost object, one bit each: set for an object.
#[derive(Default)]
struct Nesting {
    kinds: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Nesting {
    fn push(&mut self, object: bool) -> Result<(), ()> {
        // The object that is walked over is the first level.
        if self.depth + 1 >= MAX_DEPTH {
            return Err(());
        }
        let word = self.kinds.get_mut(self.depth / 64).ok_or(())?;
        let bit = 1 << (self.depth % 64);
        *word = if object { *word | bit } else { *word & !bit };
        self.depth += 1;
        Ok(())
    }

    const fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn top(&self) -> Option<bool> {
        let index = self.depth.checked_sub(1)?;
        self.kinds.get(index / 64).map(|word| word & (1 << (index % 64)) != 0)
    }
}

//! The calls of a streamed answer: what has come of their arguments.

use std::borrow::Cow;

/// All calls, by their number.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Call>);

/// One call.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    /// Arguments that came before the call's block was open.
    pub(super) held: String,
    custom: bool,
    progress: Progress,
    closed: bool,
}

impl Call {
    pub(super) fn new(id: &str, name: &str, custom: bool) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), custom, ..Self::default() }
    }
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls are numbered without gaps: a number that was there is not begun twice.
    pub(super) fn begin(&mut self, number: usize, call: Call) {
        if number == self.0.len() {
            self.0.push(call);
        }
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut Call> {
        self.0.get_mut(number)
    }

    /// Whether the arguments are one whole object: nothing can follow.
    pub(super) fn is_complete(&self, number: usize) -> bool {
        self.0.get(number).is_none_or(|call| call.progress.is_complete())
    }

    /// What of a fragment belongs to the arguments; none where the call is closed, or nothing does.
    pub(super) fn add<'f>(&mut self, number: usize, fragment: &'f str) -> Option<Cow<'f, str>> {
        let call = self.0.get_mut(number).filter(|call| !call.closed && !fragment.is_empty())?;
        if call.custom {
            // Free text becomes the string of an object's only member.
            let quoted = serde_json::to_string(fragment).unwrap_or_default();
            let inside = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
            let first = if call.progress.begun { "" } else { "{\"input\":\"" };
            call.progress.begun = true;
            return Some(Cow::Owned([first, inside].concat()));
        }
        let length = call.progress.read(fragment.as_bytes());
        let own = fragment.get(..length).unwrap_or(fragment);
        (!own.is_empty()).then_some(Cow::Borrowed(own))
    }

    /// Ends a call and answers what is missing of its arguments: all, where none came.
    pub(super) fn close(&mut self, number: usize) -> Option<&'static str> {
        let call = self.0.get_mut(number)?;
        call.closed = true;
        match (call.progress.begun, call.custom) {
            (false, false) => Some("{}"),
            (false, true) => Some("{\"input\":\"\"}"),
            (true, true) => Some("\"}"),
            (true, false) => None,
        }
    }
}

/// How far into a JSON value the arguments are.
#[derive(Debug, Default)]
struct Progress {
    /// Something other than white space has come.
    begun: bool,
    /// Its end has.
    complete: bool,
    depth: usize,
    string: InString,
}

/// Where in a string the arguments are.
#[derive(Clone, Copy, Debug, Default)]
enum InString {
    #[default]
    Not,
    Inside,
    /// Behind a backslash.
    Escaped,
}

impl Progress {
    const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Reads on, and answers how many of the bytes belong to the value: white space that leads it and
    /// what follows its end do not count.
    fn read(&mut self, bytes: &[u8]) -> usize {
        for (index, byte) in bytes.iter().enumerate() {
            if self.complete {
                return index;
            }
            match (self.string, byte) {
                (InString::Escaped, _) | (InString::Not, b'"') => self.string = InString::Inside,
                (InString::Inside, b'\\') => self.string = InString::Escaped,
                (InString::Inside, b'"') => self.string = InString::Not,
                (InString::Not, b'{' | b'[') => self.depth += 1,
                (InString::Not, b'}' | b']') => {
                    self.depth = self.depth.saturating_sub(1);
                    self.complete = self.depth == 0;
                }
                _ => {}
            }
            self.begun |= !byte.is_ascii_whitespace();
        }
        // White space alone is no argument yet.
        if self.begun { bytes.len() } else { 0 }
    }
}

//! Cutting members and elements out of JSON, however deep they are; every other byte stays, so that numbers
//! keep their digits.

use std::{borrow::Cow, ops::Range};

use super::{
    json::Cursor,
    members::{Member, members},
};

/// A value inside a JSON text.
#[derive(Clone, Debug)]
pub struct Place<'t> {
    text: &'t [u8],
    at: Range<usize>,
}

impl<'t> Place<'t> {
    /// The value that the text is.
    #[must_use]
    pub const fn whole(text: &'t [u8]) -> Self {
        Self { text, at: 0..text.len() }
    }

    /// Where in the text it stands.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.at.clone()
    }

    fn bytes(&self) -> &'t [u8] {
        self.text.get(self.span()).unwrap_or_default()
    }

    fn inside(&self, part: &Range<usize>) -> Range<usize> {
        self.at.start + part.start..self.at.start + part.end
    }

    /// Its members, placed in the whole text; none where it is no object.
    fn members(&self) -> Vec<Member> {
        let mut members = members(self.bytes()).unwrap_or_default();
        for Member { key, value } in &mut members {
            (*key, *value) = (self.inside(key), self.inside(value));
        }
        members
    }

    /// The member of a name; of several the last, as for most readers.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Self> {
        let members = self.members();
        let found = members.iter().rev().find(|member| member.is_named(self.text, name))?;
        Some(Self { text: self.text, at: found.value.clone() })
    }

    /// Its elements; none where it is no list.
    #[must_use]
    pub fn elements(&self) -> Vec<Self> {
        let mut elements = Vec::new();
        let mut cursor = Cursor::new(self.bytes());
        let walked = cursor.array(|value| {
            elements.push(Self { text: self.text, at: self.inside(&value.span) });
        });
        if walked.and_then(|()| cursor.end()).is_err() {
            elements.clear();
        }
        elements
    }

    /// What it says; none where it is no string.
    #[must_use]
    pub fn string(&self) -> Option<Cow<'t, str>> {
        let inner = self.bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        if memchr::memchr(b'\\', inner).is_none() {
            return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
        }
        serde_json::from_slice(self.bytes()).ok().map(Cow::Owned)
    }
}

/// What goes out of a text: places that do not overlap.
#[derive(Debug, Default)]
pub struct Cuts(Vec<Range<usize>>);

impl Cuts {
    /// Takes those of an object's members, or of a list's elements, that go, each with one comma. All of
    /// them are given in their order.
    pub fn take(&mut self, siblings: impl IntoIterator<Item = (Range<usize>, bool)>) {
        let (mut first, mut kept, mut end) = (None, None, 0);
        for (span, goes) in siblings {
            end = span.end;
            if goes {
                first = first.or(Some(span.start));
                continue;
            }
            // Up to the next one that stays, the comma before that included.
            self.0.extend(first.take().map(|first| first..span.start));
            kept = Some(span.end);
        }
        // At the end it is the comma before them.
        self.0.extend(first.map(|first| kept.unwrap_or(first)..end));
    }

    /// Takes the members of these names out of an object.
    pub fn take_members(&mut self, object: &Place<'_>, names: &[&str]) {
        let goes = |one: &Member| names.iter().any(|name| one.is_named(object.text, name));
        let members = object.members();
        self.take(members.iter().map(|one| (one.key.start..one.value.end, goes(one))));
    }

    /// Whether nothing goes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without what goes.
    #[must_use]
    pub fn apply(mut self, text: &[u8]) -> Vec<u8> {
        self.0.sort_unstable_by_key(|cut| cut.start);
        let mut out = Vec::with_capacity(text.len());
        let mut from = 0;
        for cut in self.0 {
            out.extend_from_slice(text.get(from..cut.start).unwrap_or_default());
            from = cut.end;
        }
        out.extend_from_slice(text.get(from..).unwrap_or_default());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text` without the elements of its list `a` that are `null`.
    fn without_nulls(text: &str) -> String {
        let list = Place::whole(text.as_bytes()).member("a").unwrap();
        let mut cuts = Cuts::default();
        let elements = list.elements();
        cuts.take(elements.iter().map(|one| (one.span(), one.bytes() == b"null")));
        String::from_utf8(cuts.apply(text.as_bytes())).unwrap()
    }

    #[test]
    fn elements_go_with_one_comma_wherever_they_stand() {
        for (list, left) in [
            ("[ null , 1.0, 2 ]", "[ 1.0, 2 ]"),
            ("[1, null,2]", "[1, 2]"),
            ("[1, null, null ,2, null ]", "[1, 2 ]"),
            ("[1,2 , null]", "[1,2]"),
            ("[ null , null ]", "[  ]"),
            ("[]", "[]"),
            ("[1e400,-0]", "[1e400,-0]"),
        ] {
            let text = |list| format!(r#" {{"n":1E5, "a":{list} }}"#);
            assert_eq!(without_nulls(&text(list)), text(left));
        }
    }

    #[test]
    fn what_goes_at_different_depths_goes_at_once() {
        let text = br#"{"a":[{"x":1,"y":2},{"x":1}],"b":0,"c":0}"#;
        let whole = Place::whole(text);
        let mut cuts = Cuts::default();
        cuts.take_members(&whole, &["b", "c"]);
        for element in whole.member("a").unwrap().elements() {
            cuts.take_members(&element, &["x"]);
        }
        assert_eq!(cuts.apply(text), br#"{"a":[{"y":2},{}]}"#);
    }

    #[test]
    fn values_are_found_and_read_however_they_are_spelled() {
        let whole = Place::whole(br#"{"a":1, "\u0061" : ["\u0062","c", 1]}"#);
        let list = whole.member("a").unwrap().elements();
        let strings: Vec<_> = list.iter().map(Place::string).collect();
        assert_eq!(strings, [Some("b".into()), Some("c".into()), None]);
        for none in [&b"{}"[..], b"[1", b"[1]]", b"", b"\""] {
            let place = Place::whole(none);
            assert!(place.elements().is_empty() && place.member("a").is_none());
            assert_eq!(place.string(), None);
        }
    }
}

//! Where members can be added to an object, and to objects in it.

use std::ops::Range;

use super::json::{Cursor, Kind};

/// A place for further members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Behind the last member.
    pub insert_at: usize,
    /// Whether there is none.
    pub empty: bool,
}

/// A member's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it stands.
    pub span: Range<usize>,
    /// Where members can be added to it; none where it is no object.
    pub end: Option<End>,
}

/// The places in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends<const N: usize> {
    /// That of the object itself.
    pub outer: End,
    /// Its members, in the order of the names; none where one is missing.
    pub members: [Option<Found>; N],
}

/// Finds them; none where `text` is no JSON object. Of a member that is there twice the last counts, as
/// for most parsers.
#[must_use]
pub fn object_ends<const N: usize>(text: &[u8], names: [&str; N]) -> Option<Ends<N>> {
    let mut members = [const { None }; N];
    let mut empty = true;
    let mut cursor = Cursor::new(text);
    cursor
        .object(|key, value| {
            empty = false;
            let name = text.get(key.start + 1..key.end.saturating_sub(1)).unwrap_or_default();
            let slot = names.iter().position(|wanted| wanted.as_bytes() == name);
            if let Some(slot) = slot.and_then(|at| members.get_mut(at)) {
                let object = text.get(value.span.clone()).filter(|_| value.kind == Kind::Object);
                let end = object.map(|object| end_of(object, value.span.start));
                *slot = Some(Found { span: value.span, end });
            }
        })
        .ok()?;
    cursor.end().ok()?;
    let outer = end_of(text, 0);
    Some(Ends { outer: End { empty, ..outer }, members })
}

/// `object` is an object that has been walked over, with white space around it at most.
fn end_of(object: &[u8], start: usize) -> End {
    let brace = memchr::memrchr(b'}', object).unwrap_or_default();
    let inside = object.get(..brace).unwrap_or_default().trim_ascii_end();
    // Nothing else that an object can end with.
    let empty = inside.last() == Some(&b'{');
    End { insert_at: start + if empty { inside.len() } else { brace }, empty }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_go_behind_the_last_one() {
        let text = br#"{"a":{ },"b":{"c":{}},"d":1 }"#;
        let Ends { outer, members } = object_ends(text, ["a", "b", "d", "e"]).unwrap();
        let ends = members.clone().map(|found| found?.end);
        assert_eq!(outer, End { insert_at: text.len() - 1, empty: false });
        assert_eq!(ends[0], Some(End { insert_at: 6, empty: true }));
        assert_eq!(ends[1], Some(End { insert_at: 20, empty: false }));
        assert_eq!(ends[2..], [None, None]);
        let spans = members.map(|found| text.get(found?.span));
        assert_eq!(spans, [Some(&b"{ }"[..]), Some(b"{\"c\":{}}"), Some(b"1"), None]);
        assert!(object_ends(b"[]", []).is_none());
        assert!(object_ends(b" {} ", []).unwrap().outer.empty);
    }
}

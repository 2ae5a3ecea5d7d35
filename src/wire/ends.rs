//! Where members can be added to an object, and to objects in it.

use super::json::{Cursor, Kind};

/// A place for further members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Behind the last member.
    pub insert_at: usize,
    /// Whether there is none.
    pub empty: bool,
}

/// The places in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// That of the object itself.
    pub outer: End,
    /// Those of its members, in the order of the names; none where a member is missing or no object.
    pub members: Vec<Option<End>>,
}

/// Finds them; none where `text` is no JSON object. Of a member that is there twice the last counts, as
/// for most parsers.
#[must_use]
pub fn object_ends(text: &[u8], names: &[&str]) -> Option<Ends> {
    let mut members = vec![None; names.len()];
    let mut empty = true;
    let mut cursor = Cursor::new(text);
    cursor
        .object(|key, value| {
            empty = false;
            let name = text.get(key.start + 1..key.end.saturating_sub(1)).unwrap_or_default();
            let slot = names.iter().position(|wanted| wanted.as_bytes() == name);
            if let Some(slot) = slot.and_then(|at| members.get_mut(at)) {
                let object = text.get(value.span.clone()).filter(|_| value.kind == Kind::Object);
                *slot = object.map(|object| end_of(object, value.span.start));
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
        let ends = object_ends(text, &["a", "b", "d", "e"]).unwrap();
        assert_eq!(ends.outer, End { insert_at: text.len() - 1, empty: false });
        assert_eq!(ends.members[0], Some(End { insert_at: 6, empty: true }));
        assert_eq!(ends.members[1], Some(End { insert_at: 20, empty: false }));
        assert_eq!(ends.members[2..], [None, None]);
        assert!(object_ends(b"[]", &[]).is_none());
        assert!(object_ends(b" {} ", &[]).unwrap().outer.empty);
    }
}

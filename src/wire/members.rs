//! Finding and replacing single members of a JSON object; every other byte stays.

use std::ops::Range;

use super::json::Cursor;

/// One member of an object. Both are byte ranges of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its key's literal, quotes included.
    pub key: Range<usize>,
    /// Its value.
    pub value: Range<usize>,
}

impl Member {
    /// Whether it has this name, however that is escaped.
    #[must_use]
    pub fn is_named(&self, text: &[u8], name: &str) -> bool {
        let literal = text.get(self.key.clone()).unwrap_or_default();
        let plain = literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default();
        plain == name.as_bytes()
            || memchr::memchr(b'\\', plain).is_some()
                && serde_json::from_slice::<String>(literal).is_ok_and(|key| key == name)
    }
}

/// The members of the object that `text` is, in their order; none where it is not one object.
#[must_use]
pub fn members(text: &[u8]) -> Option<Vec<Member>> {
    let mut members = Vec::new();
    let mut cursor = Cursor::new(text);
    cursor.object(|key, value| members.push(Member { key, value: value.span })).ok()?;
    cursor.end().ok()?;
    Some(members)
}

/// Where the value at a path of names stands; of names that are given twice the last counts, as for most
/// readers.
#[must_use]
pub fn value_at(text: &[u8], path: &[&str]) -> Option<Range<usize>> {
    let mut at = 0..text.len();
    for name in path {
        let object = text.get(at.clone())?;
        let members = members(object)?;
        let found = members.iter().rev().find(|member| member.is_named(object, name))?;
        at = at.start + found.value.start..at.start + found.value.end;
    }
    Some(at)
}

/// `text` with other bytes in one place.
#[must_use]
pub fn replaced(text: &[u8], place: Range<usize>, with: &[u8]) -> Vec<u8> {
    let before = text.get(..place.start).unwrap_or_default();
    let after = text.get(place.end..).unwrap_or_default();
    [before, with, after].concat()
}

/// The object `text` without the members that are not to be kept, and with `first` (members in JSON,
/// without a comma at the end) before all others.
#[must_use]
pub fn rebuilt(
    text: &[u8],
    members: &[Member],
    keep: impl Fn(&Member) -> bool,
    first: &[u8],
) -> Vec<u8> {
    let (Some(start), Some(end)) = (members.first(), members.last()) else {
        let brace = memchr::memchr(b'{', text).map_or(0, |brace| brace + 1);
        return replaced(text, brace..brace, first);
    };
    let mut out = Vec::with_capacity(text.len() + first.len() + 1);
    let mut put = |range: Range<usize>| out.extend_from_slice(text.get(range).unwrap_or_default());
    put(0..start.key.start);
    let mut separator = 0..0;
    let mut kept = members.iter().enumerate().filter(|(_, member)| keep(member)).peekable();
    if !first.is_empty() {
        let comma: &[u8] = if kept.peek().is_some() { b"," } else { b"" };
        out.extend_from_slice(first);
        out.extend_from_slice(comma);
    }
    for (index, member) in kept {
        let mut put =
            |range: Range<usize>| out.extend_from_slice(text.get(range).unwrap_or_default());
        put(separator);
        put(member.key.start..member.value.end);
        // The comma behind it, with its white space.
        let next = members.get(index + 1).map_or(member.value.end, |next| next.key.start);
        separator = member.value.end..next;
    }
    out.extend_from_slice(text.get(end.value.end..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str, names: &[&str], first: &str) -> String {
        let members = members(text.as_bytes()).unwrap();
        let keep =
            |member: &Member| !names.iter().any(|name| member.is_named(text.as_bytes(), name));
        String::from_utf8(rebuilt(text.as_bytes(), &members, keep, first.as_bytes())).unwrap()
    }

    #[test]
    fn a_value_is_found_by_its_path_and_replaced_alone() {
        let text = br#" {"a":{"b":1,"\u0062":[2] },"c":3} "#;
        let place = value_at(text, &["a", "b"]).unwrap();
        assert_eq!(text.get(place.clone()), Some(&b"[2]"[..]));
        assert_eq!(replaced(text, place, b"x"), br#" {"a":{"b":1,"\u0062":x },"c":3} "#);
        for path in [&["b"][..], &["c", "a"], &["a", "b", "c"]] {
            assert_eq!(value_at(text, path), None);
        }
        assert_eq!(value_at(b"[]", &["a"]), None);
    }

    #[test]
    fn members_go_with_their_comma_wherever_they_stand() {
        for (text, names, expected) in [
            (r#"{"a":1, "b":2 ,"c":3}"#, &["a"][..], r#"{"b":2 ,"c":3}"#),
            (r#"{"a":1, "b":2 ,"c":3}"#, &["b"], r#"{"a":1, "c":3}"#),
            (r#"{"a":1, "b":2 ,"c":3 } "#, &["c"], r#"{"a":1, "b":2 } "#),
            (r#"{ "a":1,"b":2,"c":3}"#, &["a", "c"], r#"{ "b":2}"#),
            (r#"{"a":1,"b":2,"c":3}"#, &["b", "c"], r#"{"a":1}"#),
            (r#"{ "a":1 }"#, &["a"], r"{  }"),
            (r#"{"a":1,"\u0061":2,"b":3}"#, &["a"], r#"{"b":3}"#),
            (r#"{"a":{"b":1}}"#, &["b"], r#"{"a":{"b":1}}"#),
        ] {
            assert_eq!(without(text, names, ""), expected, "{text} without {names:?}");
        }
    }

    #[test]
    fn members_are_added_before_all_others() {
        assert_eq!(without(r#"{ "a":1}"#, &[], r#""x":0"#), r#"{ "x":0,"a":1}"#);
        assert_eq!(without(r#"{"a":1}"#, &["a"], r#""x":0"#), r#"{"x":0}"#);
        assert_eq!(without("{}", &[], r#""x":0"#), r#"{"x":0}"#);
    }
}

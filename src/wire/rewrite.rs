//! Changing a request body in place: the model, and the wish for usage. Every other byte stays.

use std::ops::Range;

use bytes::Bytes;

use super::envelope::{Head, IncludeUsage, StreamOptions};

/// What a body is changed to, where it is not the client's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes<'a> {
    /// The model, as a JSON string literal.
    pub model_json: Option<&'a [u8]>,
    /// Whether `stream_options.include_usage` becomes true.
    pub ask_usage: bool,
    /// A limit of output that the client does not name: the member and its value.
    pub output_limit: Option<(&'a str, u64)>,
    /// Whether limits below 0 become null: a vendor may take them for no limit at all.
    pub no_negative_limits: bool,
}

/// A body whose start was written anew, and whose rest is the client's own bytes, uncopied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spliced {
    /// Sent first.
    pub start: Bytes,
    /// Sent behind it; empty where the start is all.
    pub rest: Bytes,
}

impl Spliced {
    /// Bytes of both.
    #[must_use]
    pub fn len(&self) -> usize {
        self.start.len() + self.rest.len()
    }

    /// Whether there is no body.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start.is_empty() && self.rest.is_empty()
    }

    /// Both in one piece, copied where they are two.
    #[must_use]
    pub fn joined(&self) -> Bytes {
        if self.rest.is_empty() {
            return self.start.clone();
        }
        [&*self.start, &*self.rest].concat().into()
    }
}

impl From<Bytes> for Spliced {
    fn from(start: Bytes) -> Self {
        Self { start, rest: Bytes::new() }
    }
}

/// Less than this is copied behind the last change: a piece of its own costs a write, which is dearer.
const WORTH_A_WRITE: usize = 32 * 1024;

/// The body with its changes in one piece. The same bytes, uncopied, where nothing changes; else one
/// buffer of exactly the new size.
#[must_use]
pub fn rewrite(body: &Bytes, head: &Head, changes: Changes<'_>) -> Bytes {
    changed(body, head, changes, |edits| splice(body, edits, body.len()))
}

/// The same; what of a long body lies behind the last change is not copied.
#[must_use]
pub fn rewrite_start(body: &Bytes, head: &Head, changes: Changes<'_>) -> Spliced {
    changed(body, head, changes, |edits| {
        let last = edits.iter().flatten().map(|edit| edit.span.end).max().unwrap_or(0);
        let end = if body.len() - last < WORTH_A_WRITE { body.len() } else { last };
        Spliced { start: splice(body, edits, end), rest: body.slice(end..) }
    })
}

fn changed<T: From<Bytes>>(
    body: &Bytes,
    head: &Head,
    changes: Changes<'_>,
    splice: impl FnOnce(&[Option<Edit<'_>>]) -> T,
) -> T {
    let model = changes
        .model_json
        .filter(|json| body.get(head.model.clone()) != Some(json))
        .map(|json| Edit::new(head.model.clone(), json));
    let usage = if changes.ask_usage { usage_edit(head) } else { None };
    let limit = changes.output_limit.map(|(member, limit)| limit_text(head, member, limit));
    let limit = limit.as_ref().map(|(span, text)| Edit::new(span.clone(), text.as_bytes()));
    let mut nulls = [const { None }; 3];
    if changes.no_negative_limits {
        let replaced = |span: &Range<usize>| limit.as_ref().is_some_and(|edit| edit.span == *span);
        let spans = head.output_limits.negatives().filter(|span| !replaced(span));
        for (null, span) in nulls.iter_mut().zip(spans) {
            *null = Some(Edit::new(span, b"null"));
        }
    }
    let [first, second, third] = nulls;
    let mut edits = [model, usage, limit, first, second, third];
    edits.sort_by_key(|edit| edit.as_ref().map_or(usize::MAX, |edit| edit.span.start));
    if edits.iter().all(Option::is_none) { body.clone().into() } else { splice(&edits) }
}

/// The limit in place of what has its name and is none, or of its newer name, or as a member of its
/// own.
fn limit_text(head: &Head, member: &str, limit: u64) -> (Range<usize>, String) {
    let limits = &head.output_limits;
    match (limits.blank(member), limits.newer(member)) {
        (Some(span), _) => (span, limit.to_string()),
        (None, Some(whole)) => (whole, format!("\"{member}\":{limit}")),
        (None, None) => (head.insert_at..head.insert_at, format!("\"{member}\":{limit},")),
    }
}

/// One span and what stands there afterwards.
struct Edit<'a> {
    span: Range<usize>,
    text: &'a [u8],
}

impl<'a> Edit<'a> {
    const fn new(span: Range<usize>, text: &'a [u8]) -> Self {
        Self { span, text }
    }
}

fn usage_edit(head: &Head) -> Option<Edit<'static>> {
    match &head.stream_options {
        // The body has at least `model`, so something follows the comma.
        StreamOptions::Absent => Some(Edit::new(
            head.insert_at..head.insert_at,
            br#""stream_options":{"include_usage":true},"#,
        )),
        StreamOptions::Null(span) => Some(Edit::new(span.clone(), br#"{"include_usage":true}"#)),
        StreamOptions::Object { insert_at, empty, include_usage } => match include_usage {
            IncludeUsage::Asked => None,
            IncludeUsage::Declined(span) => Some(Edit::new(span.clone(), b"true")),
            IncludeUsage::Absent if *empty => {
                Some(Edit::new(*insert_at..*insert_at, br#""include_usage":true"#))
            }
            IncludeUsage::Absent => {
                Some(Edit::new(*insert_at..*insert_at, br#""include_usage":true,"#))
            }
        },
        StreamOptions::Other => None,
    }
}

/// The body up to `end`. `edits` are in order of position, do not overlap, and lie before it.
fn splice(body: &Bytes, edits: &[Option<Edit<'_>>], end: usize) -> Bytes {
    let mut size = end;
    for edit in edits.iter().flatten() {
        size = (size + edit.text.len()).saturating_sub(edit.span.len());
    }
    let mut out = Vec::with_capacity(size);
    let mut from = 0;
    for edit in edits.iter().flatten() {
        out.extend_from_slice(body.get(from..edit.span.start).unwrap_or_default());
        out.extend_from_slice(edit.text);
        from = edit.span.end;
    }
    out.extend_from_slice(body.get(from..end).unwrap_or_default());
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Changes, Spliced, WORTH_A_WRITE, rewrite, rewrite_start};
    use crate::{domain::Endpoint, wire::read_head};

    fn rewritten(body: &str, model_json: &str, ask_usage: bool) -> String {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let head = read_head(&body, Endpoint::Completions).unwrap();
        let model_json = Some(model_json.as_bytes());
        let changes =
            Changes { model_json, ask_usage, output_limit: None, no_negative_limits: false };
        String::from_utf8(rewrite(&body, &head, changes).to_vec()).unwrap()
    }

    #[test]
    fn only_the_model_changes() {
        assert_eq!(
            rewritten(
                r#" { "x" : 1.0e2 , "mod\u0065l" : "a\u0062" ,"z":[ ] } "#,
                r#""gpt-4o""#,
                false
            ),
            r#" { "x" : 1.0e2 , "mod\u0065l" : "gpt-4o" ,"z":[ ] } "#
        );
    }

    #[test]
    fn a_body_that_stays_is_not_copied() {
        let body = Bytes::from_static(br#"{"model":"m","stream_options":{"include_usage":true}}"#);
        let head = read_head(&body, Endpoint::Completions).unwrap();
        let model_json = Some(br#""m""#.as_slice());
        let out = rewrite(
            &body,
            &head,
            Changes { model_json, ask_usage: true, output_limit: None, no_negative_limits: false },
        );
        assert_eq!(out.as_ptr(), body.as_ptr());
        assert_eq!(out, body);
    }

    #[test]
    fn of_a_long_body_only_the_start_is_copied() {
        let long = "x".repeat(WORTH_A_WRITE);
        let body = Bytes::from(format!(r#"{{"a":1,"model":"m","messages":["{long}"]}}"#));
        let head = read_head(&body, Endpoint::Completions).unwrap();
        let model_json = Some(br#""gpt""#.as_slice());
        let changes =
            Changes { model_json, ask_usage: true, output_limit: None, no_negative_limits: false };
        let Spliced { start, rest } = rewrite_start(&body, &head, changes);
        assert_eq!(start, r#"{"stream_options":{"include_usage":true},"a":1,"model":"gpt""#);
        assert_eq!(rest.as_ptr(), body.as_ptr().wrapping_add(body.len() - rest.len()));
        let whole = Spliced { start, rest };
        assert_eq!(whole.len(), whole.joined().len());
        assert_eq!(whole.joined(), rewrite(&body, &head, changes));
    }

    #[test]
    fn a_body_that_is_changed_near_its_end_or_is_short_goes_in_one_piece() {
        for body in [
            format!(r#"{{"messages":["{}"],"model":"m"}}"#, "x".repeat(WORTH_A_WRITE)),
            r#"{"model":"m","messages":[]}"#.to_owned(),
        ] {
            let body = Bytes::from(body);
            let head = read_head(&body, Endpoint::Completions).unwrap();
            let model_json = Some(br#""gpt""#.as_slice());
            let changes = Changes { model_json, ..Changes::default() };
            let whole = Spliced::from(rewrite(&body, &head, changes));
            assert_eq!(rewrite_start(&body, &head, changes), whole);
        }
    }

    #[test]
    fn a_limit_of_output_is_set_where_none_is_named() {
        let limited = |body: &str| {
            let body = Bytes::copy_from_slice(body.as_bytes());
            let head = read_head(&body, Endpoint::Completions).unwrap();
            let changes = Changes { output_limit: Some(("max_tokens", 9)), ..Changes::default() };
            String::from_utf8(rewrite(&body, &head, changes).to_vec()).unwrap()
        };
        assert_eq!(limited(r#"{"model":"m"}"#), r#"{"max_tokens":9,"model":"m"}"#);
        assert_eq!(
            limited(r#"{"model":"m","max_tokens": null }"#),
            r#"{"model":"m","max_tokens": 9 }"#,
            "no member twice, of which vendors would read one or the other"
        );
        assert_eq!(
            limited(r#"{"max_completion_tokens":null,"model":"m"}"#),
            r#"{"max_tokens":9,"max_completion_tokens":null,"model":"m"}"#
        );
    }

    #[test]
    fn usage_is_asked_for_with_the_smallest_change() {
        let asked = |body: &str| rewritten(body, r#""m""#, true);
        assert_eq!(
            asked(r#"{"model":"m"}"#),
            r#"{"stream_options":{"include_usage":true},"model":"m"}"#
        );
        assert_eq!(
            asked(r#"{"stream_options":null,"model":"long"}"#),
            r#"{"stream_options":{"include_usage":true},"model":"m"}"#
        );
        assert_eq!(
            asked(r#"{"model":"x","stream_options":{ }}"#),
            r#"{"model":"m","stream_options":{"include_usage":true }}"#
        );
        assert_eq!(
            asked(r#"{"model":"x","stream_options":{"a":{"include_usage":false}}}"#),
            r#"{"model":"m","stream_options":{"include_usage":true,"a":{"include_usage":false}}}"#
        );
        assert_eq!(
            asked(r#"{"stream_options":{"a":1, "include_usage" : false},"model":"x"}"#),
            r#"{"stream_options":{"a":1, "include_usage" : true},"model":"m"}"#
        );
        assert_eq!(
            asked(r#"{"stream_options":{"include\u005fusage":null},"model":"m"}"#),
            r#"{"stream_options":{"include\u005fusage":true},"model":"m"}"#
        );
    }
}

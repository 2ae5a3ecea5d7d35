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
}

/// The body with its changes. The same bytes, uncopied, where nothing changes; else one buffer of
/// exactly the new size.
#[must_use]
pub fn rewrite(body: &Bytes, head: &Head, changes: Changes<'_>) -> Bytes {
    let model = changes
        .model_json
        .filter(|json| body.get(head.model.clone()) != Some(json))
        .map(|json| Edit::new(head.model.clone(), json));
    let usage = if changes.ask_usage { usage_edit(head) } else { None };
    let limit = changes.output_limit.map(|(member, limit)| limit_text(head, member, limit));
    let limit = limit.as_ref().map(|(span, text)| Edit::new(span.clone(), text.as_bytes()));
    let mut edits = [model, usage, limit];
    edits.sort_by_key(|edit| edit.as_ref().map_or(usize::MAX, |edit| edit.span.start));
    splice(body, &edits)
}

/// The limit in place of what has its name and is no number, or of its newer name, or as a member of its
/// own.
fn limit_text(head: &Head, member: &str, limit: u64) -> (Range<usize>, String) {
    let limits = &head.output_limits;
    match (limits.blank(member), limits.newer(member)) {
        (Some(span), _) => (span.clone(), limit.to_string()),
        (None, Some(whole)) => (whole.clone(), format!("\"{member}\":{limit}")),
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

/// `edits` are in order of position and do not overlap.
fn splice(body: &Bytes, edits: &[Option<Edit<'_>>]) -> Bytes {
    let mut size = body.len();
    for edit in edits.iter().flatten() {
        size = (size + edit.text.len()).saturating_sub(edit.span.len());
    }
    if edits.iter().all(Option::is_none) {
        return body.clone();
    }
    let mut out = Vec::with_capacity(size);
    let mut from = 0;
    for edit in edits.iter().flatten() {
        out.extend_from_slice(body.get(from..edit.span.start).unwrap_or_default());
        out.extend_from_slice(edit.text);
        from = edit.span.end;
    }
    out.extend_from_slice(body.get(from..).unwrap_or_default());
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Changes, rewrite};
    use crate::{domain::Endpoint, wire::read_head};

    fn rewritten(body: &str, model_json: &str, ask_usage: bool) -> String {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let head = read_head(&body, Endpoint::Completions).unwrap();
        let model_json = Some(model_json.as_bytes());
        let changes = Changes { model_json, ask_usage, output_limit: None };
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
        let out =
            rewrite(&body, &head, Changes { model_json, ask_usage: true, output_limit: None });
        assert_eq!(out.as_ptr(), body.as_ptr());
        assert_eq!(out, body);
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

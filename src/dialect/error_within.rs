//! Answers with the status of success that are errors.

use serde_json::Value;

use super::StreamError;

/// The longest body that is looked through; what is longer is no error.
const MAX_BODY: usize = 256 * 1024;

/// The error that a whole answer tells in place of what was asked for: as a member (`{"error":{…}}`: Google,
/// and gateways that have begun to answer; a response that `failed` has it there, too), as a list of such,
/// or as the member of a choice.
/// <https://platform.openai.com/docs/api-reference/responses/object>,
/// <https://openrouter.ai/docs/api/reference/errors-and-debugging>
#[must_use]
pub fn error_within(body: &[u8]) -> Option<StreamError> {
    // Most of what cannot be read is not taken apart for it.
    if body.len() > MAX_BODY || memchr::memmem::find(body, b"\"error\"").is_none() {
        return None;
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    let answer = value.as_array().and_then(|list| list.first()).unwrap_or(&value);
    let of_choice = || answer.get("choices")?.get(0)?.get("error");
    let told =
        |error: &&Value| error.is_object() || error.as_str().is_some_and(|told| !told.is_empty());
    let error = answer.get("error").filter(told).or_else(|| of_choice().filter(told))?;
    Some(StreamError::of(error.to_string().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_same_class_and_words_wherever_it_stands() {
        for (body, status, message) in [
            (
                r#"{"id":"r","status":"failed","output":[],"error":{"code":"rate_limit_exceeded","message":"slow down"}}"#,
                429,
                "slow down",
            ),
            (r#"{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}"#, 503, "busy"),
            (
                r#"[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}]"#,
                429,
                "quota",
            ),
            (r#"{"error":{"code":502,"message":"gone","metadata":{}}}"#, 502, "gone"),
            (r#"{"error":"odd"}"#, 500, "odd"),
            (
                r#"{"choices":[{"message":{"content":""},"finish_reason":"error","error":{"code":529,"message":"full"}}]}"#,
                529,
                "full",
            ),
        ] {
            let error = error_within(body.as_bytes()).expect(body);
            assert_eq!((error.status, &*error.message), (status, message), "{body}");
        }
    }

    #[test]
    fn what_tells_no_error_is_none() {
        for body in [
            "",
            "\"error\"",
            "[]",
            r#"{"error":null}"#,
            r#"{"choices":[{"error":null}]}"#,
            r#"{"choices":[],"said":"\"error\""}"#,
        ] {
            assert_eq!(error_within(body.as_bytes()), None, "{body}");
        }
    }
}

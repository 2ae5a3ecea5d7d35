//! How long a vendor asks to wait, where it says so in the body of its error and not in a header.

use std::time::Duration;

use serde_json::Value;

/// The longest error body that is taken apart.
const MAX_BODY: usize = 256 * 1024;

/// The wait that Google's `RetryInfo` tells among the details of an error:
/// `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}`. Its 429 has no `Retry-After`.
/// <https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto>,
/// <https://github.com/vercel/ai/issues/18627>
#[must_use]
pub fn retry_delay(body: &[u8]) -> Option<Duration> {
    // Most errors are not parsed for it.
    if body.len() > MAX_BODY || memchr::memmem::find(body, b"retryDelay").is_none() {
        return None;
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    let error = value.as_array().and_then(|list| list.first()).unwrap_or(&value).get("error")?;
    let details = error.get("details")?.as_array()?;
    details.iter().find_map(|detail| seconds(detail.get("retryDelay")?.as_str()?))
}

/// A duration as Protocol Buffers write it in JSON: `3s`, `0.25s`.
/// <https://protobuf.dev/programming-guides/json/>
fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.trim().strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(details: &Value) -> Option<Duration> {
        let error = json!({"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED",
            "details": details}});
        let (plain, listed) = (error.to_string(), json!([error]).to_string());
        let asked = retry_delay(plain.as_bytes());
        assert_eq!(retry_delay(listed.as_bytes()), asked, "a list around it changes nothing");
        asked
    }

    #[test]
    fn googles_wait_stands_among_the_details() {
        let delay = |delay: &str| {
            asked(&json!([
                {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
            ]))
        };
        assert_eq!(delay("7s"), Some(Duration::from_secs(7)));
        assert_eq!(delay("0.250s"), Some(Duration::from_millis(250)));
        for nonsense in ["7", "s", "-1s", "NaNs", "1e400s", "soon"] {
            assert_eq!(delay(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn what_tells_no_wait_is_no_wait() {
        assert_eq!(asked(&json!([])), None);
        assert_eq!(asked(&json!({"retryDelay": "7s"})), None);
        for body in ["", "retryDelay", "[]", r#"{"error":"retryDelay"}"#, r#"{"retryDelay":"7s"}"#]
        {
            assert_eq!(retry_delay(body.as_bytes()), None, "{body}");
        }
    }
}

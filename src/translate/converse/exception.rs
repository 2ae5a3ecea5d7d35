//! Errors inside an event stream.

use crate::dialect::{StreamError, upstream_error};

/// An exception of a stream, with the status that it would have had as an answer. The payload may be
/// anything.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html>
#[must_use]
pub fn exception(name: &[u8], payload: &[u8]) -> StreamError {
    let name = String::from_utf8_lossy(name);
    // A namespace may stand before the name and an address behind it.
    let name = name.rsplit('#').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default().trim();
    let original = || original_status(payload);
    let status = match name.to_ascii_lowercase().trim_end_matches("exception") {
        "validation" => 400,
        "accessdenied" | "unrecognizedclient" | "expiredtoken" => 403,
        "resourcenotfound" => 404,
        "throttling" | "servicequotaexceeded" => 429,
        "modelstreamerror" | "modelerror" => original().unwrap_or(502),
        "modelnotready" | "serviceunavailable" => 503,
        "modeltimeout" => 504,
        _ => 500,
    };
    let kind = if name.is_empty() { "upstream_error" } else { name };
    let message = upstream_error::read(status, payload).message;
    StreamError { status, kind: kind.chars().take(100).collect(), message }
}

/// What the model itself answered Bedrock.
pub fn original_status(payload: &[u8]) -> Option<u16> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Payload {
        original_status_code: Option<u16>,
    }
    let payload: Payload = serde_json::from_slice(payload).ok()?;
    payload.original_status_code.filter(|status| (400..600).contains(status))
}

#[cfg(test)]
mod tests {
    use super::exception;

    #[test]
    fn every_exception_has_its_status() {
        for (name, payload, status, message) in [
            ("throttlingException", r#"{"message":"slow down"}"#, 429, "slow down"),
            ("ThrottlingException", r#"{"Message":"slow down"}"#, 429, "slow down"),
            (
                "serviceQuotaExceededException",
                "{}",
                429,
                "the provider answered 429 without a readable error",
            ),
            ("validationException", r#"{"message":"bad"}"#, 400, "bad"),
            ("accessDeniedException", r#"{"message":"no"}"#, 403, "no"),
            ("resourceNotFoundException", r#"{"message":"no"}"#, 404, "no"),
            ("modelNotReadyException", r#"{"message":"wait"}"#, 503, "wait"),
            ("serviceUnavailableException", "not JSON", 503, "the provider answered 503: not JSON"),
            ("modelTimeoutException", "", 504, "the provider answered 504 without a body"),
            ("modelStreamErrorException", r#"{"message":"x"}"#, 502, "x"),
            ("modelStreamErrorException", r#"{"message":"x","originalStatusCode":529}"#, 529, "x"),
            ("modelStreamErrorException", r#"{"message":"x","originalStatusCode":200}"#, 502, "x"),
            ("internalServerException", r#"{"message":"x"}"#, 500, "x"),
            ("com.amazonaws#ThrottlingException:http://x/", r#"{"message":"x"}"#, 429, "x"),
            ("", r#"{"message":"x"}"#, 500, "x"),
        ] {
            let error = exception(name.as_bytes(), payload.as_bytes());
            assert_eq!((error.status, &*error.message), (status, message), "{name} {payload}");
        }
        assert_eq!(exception(b"\xff\xfe", b"\xff").status, 500);
    }
}

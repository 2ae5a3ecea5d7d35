//! What Google's refusals say: two forms of envelope, and nothing else is repeated.

use http::{HeaderValue, StatusCode};
use serde_json::Value;

use crate::{cloud::CloudError, secrets::Secret};

/// The words for a refusal of `whom`: `{"error":{"code","message","status"}}` of the APIs
/// (<https://google.aip.dev/193>), or `{"error":"invalid_grant","error_description":"…"}` of token
/// endpoints (RFC 6749, 5.2).
pub(super) fn refusal(whom: &str, status: StatusCode, body: &[u8]) -> CloudError {
    let whole: Value = serde_json::from_slice(body).unwrap_or_default();
    // Some methods answer their errors as a list of one.
    let envelope = whole.get(0).unwrap_or(&whole);
    let error = envelope.get("error");
    let text = |value: Option<&Value>| {
        value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let message = text(error.and_then(|error| error.get("message")))
        .or_else(|| text(error.and_then(|_| envelope.get("error_description"))))
        .or_else(|| text(error).filter(|code| is_code(code)));
    let status = status.as_u16();
    message.map_or_else(
        || CloudError::own(format!("{whom} answered {status}, and not in its own error form")),
        |message| CloudError::vendor(&message),
    )
}

fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// `Authorization` with a token.
pub(super) fn bearer(token: &Secret) -> Result<HeaderValue, CloudError> {
    let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
    let mut value =
        value.map_err(|_| CloudError::own("the token has characters that no header carries"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> CloudError {
        refusal("the endpoint", StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn the_vendors_own_message_is_repeated_verbatim() {
        let message = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
        let body = serde_json::json!({"error": {"code": 403, "message": message, "status": "X"}});
        assert_eq!(said(403, &body.to_string()), CloudError::Vendor(message.to_owned()));
        assert_eq!(said(403, &format!("[{body}]")), CloudError::Vendor(message.to_owned()));
        let body = r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#;
        assert_eq!(said(400, body), CloudError::Vendor("Invalid JWT Signature.".to_owned()));
        assert_eq!(
            said(400, r#"{"error":"invalid_client"}"#),
            CloudError::Vendor("invalid_client".to_owned())
        );
    }

    #[test]
    fn nothing_else_that_an_address_answers_is_repeated() {
        for body in [
            "canary",
            "<html>canary</html>",
            r#"{"canary":1}"#,
            r#"{"error":"Canary canary"}"#,
            r#"{"error":{"code":1,"canary":"x"}}"#,
            r#"{"error":["canary"]}"#,
            r#"{"error_description":"canary"}"#,
            r#"[["canary"]]"#,
            r#""canary""#,
        ] {
            let error = said(500, body);
            assert_eq!(
                error,
                CloudError::Own(
                    "the endpoint answered 500, and not in its own error form".to_owned()
                )
            );
        }
    }
}

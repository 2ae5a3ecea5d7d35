//! Errors in the words of the vendors.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, Body};
use crate::support::mock::calls::Call;

/// An error of `status` in the dialect of the path.
pub(in crate::support::mock) fn error(call: &Call, status: u16) -> Answer {
    let message = format!("the vendor's own words for {status}");
    let path = call.path.as_str();
    let mut headers = Vec::new();
    let body = if path.starts_with("/model/") {
        headers.push(("x-amzn-errortype", of_bedrock(status).to_owned()));
        json!({"message": message})
    } else if path.contains("/models/") && !path.contains("/publishers/anthropic/") {
        of_google(status, &message)
    } else if path.contains("/messages") || path.contains("/publishers/anthropic/") {
        let kind = of_anthropic(status);
        json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011"})
    } else {
        let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
        json!({"error": {"message": message, "type": kind, "param": null, "code": "vendor_code"}})
    };
    let body = Body::Whole(Bytes::from(body.to_string()));
    Answer { status, kind: "application/json", headers, body }
}

/// <https://docs.anthropic.com/en/api/errors>
fn of_anthropic(status: u16) -> &'static str {
    match status {
        400 | 422 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    }
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors>
fn of_bedrock(status: u16) -> &'static str {
    match status {
        400 => "ValidationException",
        401 | 403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        _ => "InternalServerException",
    }
}

/// <https://cloud.google.com/apis/design/errors>
fn of_google(status: u16, message: &str) -> Value {
    let name = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    };
    json!({"error": {"code": status, "message": message, "status": name}})
}

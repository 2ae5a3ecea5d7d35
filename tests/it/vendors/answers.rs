//! Good answers in the words of these vendors, and what STS says.

use serde_json::{Value, json};

use crate::support::Reply;

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
pub fn converse() -> Reply {
    said(&json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "Hello."}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7},
        "metrics": {"latencyMs": 12},
    }))
}

/// <https://ai.google.dev/api/generate-content>
pub fn gemini() -> Reply {
    said(&json!({
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello."}]},
            "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7},
        "modelVersion": "gemini-3.5-flash", "responseId": "r-1",
    }))
}

/// <https://docs.anthropic.com/en/api/messages>
pub fn claude() -> Reply {
    said(&json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5",
        "content": [{"type": "text", "text": "Hello."}], "stop_reason": "end_turn",
        "stop_sequence": null, "usage": {"input_tokens": 5, "output_tokens": 2},
    }))
}

fn said(body: &Value) -> Reply {
    Reply::says(body.to_string())
}

/// STS, with credentials that end `seconds` from now.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
pub fn assumed(token: &str, seconds: i64) -> String {
    let now = turnpike::domain::Timestamp::now().unix_seconds();
    let ends = jiff::Timestamp::from_second(now + seconds).expect("a time");
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{}</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>",
        ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
}

/// STS refusing, in its own words.
pub fn refused(message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>AccessDenied</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
}

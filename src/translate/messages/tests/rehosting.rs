//! Messages of clients for Claude on other platforms.

use base64::Engine;
use serde_json::{Value, json};

use super::sse;
use crate::translate::{Framing, Platform, RehostStream, rehost_answer, rehost_request};

const MODEL: &str = "us.anthropic.claude-opus-4-6-v1";

fn rehosted(body: &str, platform: Platform, betas: &[&str]) -> String {
    String::from_utf8(rehost_request(body.as_bytes(), platform, MODEL, betas).unwrap()).unwrap()
}

#[test]
fn only_the_envelope_of_a_request_changes() {
    let body = r#" { "model" : "claude" ,"max_tokens":1.0e1, "stream":true,"messages":[ {"role":"user","content":"\u00e4  model"} ],"future":{"model":1} } "#;
    assert_eq!(
        rehosted(body, Platform::Bedrock, &[]),
        r#" { "anthropic_version":"bedrock-2023-05-31","max_tokens":1.0e1, "messages":[ {"role":"user","content":"\u00e4  model"} ],"future":{"model":1} } "#
    );
    assert_eq!(
        rehosted(body, Platform::Vertex, &["b"]),
        r#" { "anthropic_version":"vertex-2023-10-16","max_tokens":1.0e1, "stream":true,"messages":[ {"role":"user","content":"\u00e4  model"} ],"future":{"model":1} } "#
    );
    assert_eq!(rehosted(body, Platform::Own, &["b"]), body);
}

#[test]
fn bedrock_is_spared_what_only_anthropics_own_api_knows() {
    let body = r#"{"model":"m","speed":"fast","inference_geo":"us","service_tier":"auto","system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","scope":"global"}}],"tools":[{"name":"t","defer_loading":true,"eager_input_streaming":true,"input_schema":{"type":"object","properties":{"scope":{"type":"string"},"cache_control":{"scope":1}}}}],"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"\"scope\"","cache_control":{"type":"ephemeral","ttl":"1h","scope":"global"}}]}]}"#;
    assert_eq!(
        rehosted(body, Platform::Bedrock, &["prompt-caching-scope-2026-01-05"]),
        r#"{"anthropic_version":"bedrock-2023-05-31","system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"tools":[{"name":"t","input_schema":{"type":"object","properties":{"scope":{"type":"string"},"cache_control":{"scope":1}}}}],"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"\"scope\"","cache_control":{"type":"ephemeral","ttl":"1h"}}]}]}"#
    );
}

#[test]
fn tools_stay_deferred_where_bedrock_is_told_to_search_them() {
    let body = r#"{"tools":[{"name":"t","defer_loading":true}],"messages":[]}"#;
    let sent = rehosted(body, Platform::Bedrock, &["tool-search-tool-2025-10-19"]);
    assert!(sent.contains(r#""defer_loading":true"#), "{sent}");
    assert!(!rehosted(body, Platform::Bedrock, &[]).contains("defer_loading"));
    // Nothing is written anew where there is nothing to take out.
    let big = r#"{"tools":[{"name":"scope","input_schema":{"scope":12345678901234567890123}}],"messages":[]}"#;
    assert!(rehosted(big, Platform::Bedrock, &[]).contains("12345678901234567890123"));
}

#[test]
fn betas_of_header_and_body_are_told_once() {
    let (effort, context) = ("effort-2025-11-24", "context-1m-2025-08-07");
    assert_eq!(
        rehosted(r#"{"messages":[],"model":"m"}"#, Platform::Bedrock, &[effort, context, effort]),
        r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["effort-2025-11-24","context-1m-2025-08-07"],"messages":[]}"#
    );
    let own = r#"{"anthropic_beta":["new-1","effort-2025-11-24"],"anthropic_version":"2023-06-01","messages":[]}"#;
    assert_eq!(
        rehosted(own, Platform::Bedrock, &[context, effort]),
        r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["new-1","effort-2025-11-24","context-1m-2025-08-07"],"messages":[]}"#
    );
    assert_eq!(
        rehosted(r#"{"anthropic_beta":["new-1"],"messages":[]}"#, Platform::Bedrock, &[]),
        r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["new-1"],"messages":[]}"#
    );
    let refusal = rehost_request(br#"{"anthropic_beta":"b"}"#, Platform::Bedrock, MODEL, &[effort])
        .unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("anthropic_beta"));
    assert!(rehost_request(b"[]", Platform::Bedrock, MODEL, &[]).is_err());
}

#[test]
fn betas_that_bedrock_would_refuse_stay_out() {
    let header = [
        "claude-code-20250219",
        "oauth-2025-04-20",
        "output-128k-2025-02-19",
        "interleaved-thinking-2025-05-14",
    ];
    assert_eq!(
        rehosted(r#"{"messages":[]}"#, Platform::Bedrock, &header),
        r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["interleaved-thinking-2025-05-14"],"messages":[]}"#
    );
    assert_eq!(
        rehosted(r#"{"messages":[]}"#, Platform::Bedrock, &header[..3]),
        r#"{"anthropic_version":"bedrock-2023-05-31","messages":[]}"#
    );
}

#[test]
fn only_the_model_of_an_answer_changes() {
    let answer =
        r#"{"content":[{"text":"\"model\":\"x\""}], "model" : "claude-x" ,"usage":{"model":1}}"#;
    assert_eq!(
        std::str::from_utf8(&rehost_answer(answer.as_bytes(), "us.claude:0")).unwrap(),
        r#"{"content":[{"text":"\"model\":\"x\""}], "model" : "us.claude:0" ,"usage":{"model":1}}"#
    );
    for other in [r#"{"type":"error","error":{"message":"no"}}"#, "<html>", ""] {
        assert_eq!(rehost_answer(other.as_bytes(), "m"), other.as_bytes());
    }
}

const SSE: &str = "event: vertex_event\r\ndata: {\"x\":1}\r\n\r\nevent: ping\ndata: {\"type\": \"ping\"}\n\n: note\n\nevent: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\", \"model\":\"claude-x\",\"content\":[]} }\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"\\\"model\\\":\\\"claude-x\\\" ä\"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

/// T-17, T-30.
#[test]
fn a_vertex_stream_keeps_every_byte_but_the_model_at_every_split() {
    let expected = SSE.replacen("\"model\":\"claude-x\"", "\"model\":\"asked\"", 1);
    for cut in 0..=SSE.len() {
        let (left, right) = SSE.as_bytes().split_at(cut);
        let mut stream = RehostStream::new(Framing::Sse, "asked".into());
        let out = [stream.push(left), stream.push(right), stream.end()].concat();
        assert_eq!(std::str::from_utf8(&out).unwrap(), expected, "cut at {cut}");
    }
    let mut stream = RehostStream::new(Framing::Sse, "asked".into());
    let mut out = Vec::new();
    for byte in SSE.as_bytes() {
        out.extend_from_slice(&stream.push(&[*byte]));
    }
    assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
}

#[test]
fn a_stream_without_a_start_passes_as_it_is() {
    let error = "event: error\ndata: {\"type\":\"error\"}\n\ndata: half";
    let mut stream = RehostStream::new(Framing::Sse, "asked".into());
    let out = [stream.push(error.as_bytes()), stream.end()].concat();
    assert_eq!(out, error.as_bytes());
}

/// One frame, as <https://smithy.io/2.0/aws/amazon-eventstream.html> has it.
fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).unwrap());
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let total = u32::try_from(16 + head.len() + payload.len()).unwrap();
    let mut out = total.to_be_bytes().to_vec();
    out.extend_from_slice(&u32::try_from(head.len()).unwrap().to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

fn chunk(event: &str) -> Vec<u8> {
    let bytes = base64::engine::general_purpose::STANDARD.encode(event);
    let payload = json!({"bytes": bytes, "p": "abcdef"}).to_string();
    let headers = [
        (":event-type", "chunk"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    frame(&headers, payload.as_bytes())
}

fn exception(name: &str, message: &str) -> Vec<u8> {
    let headers = [
        (":exception-type", name),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    frame(&headers, json!({ "message": message }).to_string().as_bytes())
}

fn unframed(bytes: &[u8]) -> Vec<u8> {
    RehostStream::new(Framing::InvokeStream, "asked".into()).push(bytes).to_vec()
}

#[test]
fn bedrocks_frames_become_anthropics_events_at_every_split() {
    let start = r#"{"type":"message_start","message":{"id":"m", "model":"claude-x"}}"#;
    let pretty = "{\n  \"type\": \"content_block_delta\", \"text\": \"a\\nb ä\"}";
    let stop =
        r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":1}}"#;
    let bytes = [chunk(start), chunk(pretty), chunk(stop)].concat();
    let expected = format!(
        "event: message_start\ndata: {}\n\nevent: content_block_delta\ndata: {}\n\nevent: message_stop\ndata: {stop}\n\n",
        start.replace("claude-x", "asked"),
        pretty.replacen('\n', " ", 1)
    );
    for cut in 0..=bytes.len() {
        let (left, right) = bytes.split_at(cut);
        let mut stream = RehostStream::new(Framing::InvokeStream, "asked".into());
        let out = [stream.push(left), stream.push(right), stream.end()].concat();
        assert_eq!(std::str::from_utf8(&out).unwrap(), expected, "cut at {cut}");
    }
}

#[test]
fn exceptions_and_broken_frames_become_an_error_and_nothing_follows() {
    let after = chunk(r#"{"type":"message_stop"}"#);
    let last = |bytes: Vec<u8>| -> Value {
        let events = sse(&unframed(&[bytes, after.clone()].concat()));
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].0, "error");
        events[0].1["error"].clone()
    };
    let throttled = last(exception("throttlingException", "slow down"));
    assert_eq!(throttled["type"], "rate_limit_error");
    assert!(throttled["message"].as_str().unwrap().contains("slow down"));
    let mut broken = chunk(r#"{"type":"ping"}"#);
    let end = broken.len() - 1;
    broken[end] ^= 1;
    assert_eq!(last(broken)["type"], "api_error");
    assert_eq!(last(chunk("no JSON"))["type"], "api_error");
    assert_eq!(last(chunk(r#"{"type":"a\nevent: b"}"#))["type"], "api_error");
}

//! What the mock vendor says: a plain answer, the events of a stream, an error, a model list.

use std::time::{SystemTime, UNIX_EPOCH};

/// Events with content in one stream.
pub const EVENTS: usize = 50;
/// Milliseconds between two events.
pub const EVENT_GAP_MS: u64 = 5;
/// Body length of a plain answer in bytes.
pub const ANSWER_BYTES: usize = 1202;
/// The upstream's name for the model, which a gateway must have put in the alias's place.
pub const UPSTREAM_MODEL: &str = "gpt-4o-mini-2024-07-18";
/// Stands before the microseconds in an event.
pub const STAMP: &str = "\"content\":\"at ";

/// A complete answer to a plain chat completion.
pub fn answer() -> Vec<u8> {
    let (before, after) = (
        format!(
            r#"{{"id":"chatcmpl-BenchBenchBenchBenchBench","object":"chat.completion","created":1764000000,"model":"{UPSTREAM_MODEL}","choices":[{{"index":0,"message":{{"role":"assistant","content":""#
        ),
        r#"","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":212,"completion_tokens":148,"total_tokens":360,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_bench00001"}"#,
    );
    let room = ANSWER_BYTES - before.len() - after.len();
    let text: String =
        "The paragraph says that time is short. ".chars().cycle().take(room).collect();
    with_length("200 OK", &format!("{before}{text}{after}"))
}

/// The answer of a vendor that is overloaded.
pub fn failure() -> Vec<u8> {
    with_length(
        "503 Service Unavailable",
        r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"server_error","param":null,"code":null}}"#,
    )
}

/// The answer to a request that the mock cannot read.
pub fn refusal() -> Vec<u8> {
    with_length(
        "400 Bad Request",
        r#"{"error":{"message":"the mock takes requests with a content-length","type":"invalid_request_error","param":null,"code":null}}"#,
    )
}

/// The list of models, which a gateway's health probe may ask for.
pub fn models() -> Vec<u8> {
    with_length(
        "200 OK",
        &format!(
            r#"{{"object":"list","data":[{{"id":"{UPSTREAM_MODEL}","object":"model","created":1764000000,"owned_by":"bench"}}]}}"#
        ),
    )
}

/// Any JSON with status 200.
pub fn json(body: &str) -> Vec<u8> {
    with_length("200 OK", body)
}

/// The head of a stream.
pub fn stream_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n\
      transfer-encoding: chunked\r\n\r\n"
        .to_vec()
}

/// One event that carries the time it is made, as a chunk of its own.
pub fn event() -> Vec<u8> {
    chunk(&format!(
        "data: {{\"id\":\"chatcmpl-BenchBenchBenchBenchBench\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"{UPSTREAM_MODEL}\",\"choices\":[{{\"index\":0,\"delta\":{{{STAMP}{}\"}},\"logprobs\":null,\"finish_reason\":null}}]}}\n\n",
        now_micros()
    ))
}

/// The end of a stream: the usage chunk if it was asked for, `[DONE]`, the last chunk.
pub fn stream_end(usage: bool) -> Vec<u8> {
    let mut end = Vec::new();
    if usage {
        end.extend(chunk(&format!(
            "data: {{\"id\":\"chatcmpl-BenchBenchBenchBenchBench\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"{UPSTREAM_MODEL}\",\"choices\":[],\"usage\":{{\"prompt_tokens\":212,\"completion_tokens\":50,\"total_tokens\":262}}}}\n\n"
        )));
    }
    end.extend(chunk("data: [DONE]\n\n"));
    end.extend_from_slice(b"0\r\n\r\n");
    end
}

/// Microseconds since the epoch: a clock that two processes of one machine share.
#[expect(clippy::disallowed_methods, reason = "the bench is no part of the gateway")]
pub fn now_micros() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros())
}

fn chunk(data: &str) -> Vec<u8> {
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
}

fn with_length(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

//! Gemini's streams as they are read.

use serde_json::{Value, json};

use super::Reader;
use crate::{
    dialect::{FirstEvent, StreamError},
    domain::TokenUsage,
    translate::{
        Answering, ClientApi, Framing, StreamReader, StreamTranslator, VendorApi,
        form::{Event, StopReason},
    },
};

/// The events in a form that can be compared.
fn read(pieces: &[Value]) -> Vec<String> {
    let raw: Vec<_> = pieces.iter().map(Value::to_string).collect();
    read_raw(&raw.iter().map(String::as_bytes).collect::<Vec<_>>())
}

fn read_raw(pieces: &[&[u8]]) -> Vec<String> {
    let mut reader = Reader::default();
    let mut events = Vec::new();
    let mut keep = |event: Event<'_>| events.push(told(&event));
    for piece in pieces {
        reader.read(b"", piece, &mut keep);
    }
    reader.end(&mut keep);
    events
}

fn told(event: &Event<'_>) -> String {
    match event {
        Event::Start { id, .. } => format!("start {}", id.as_deref().unwrap_or("-")),
        Event::Text(text) => format!("text {}", &**text),
        Event::Thinking(text) => format!("thinking {}", &**text),
        Event::Signature(signature) => format!("signature {}", &*signature.value),
        Event::ToolCall { call, id, name, signature, .. } => {
            let id = if id.starts_with("call_") { "made up" } else { &**id };
            let signature = signature.as_ref().map_or("-", |signature| &*signature.value);
            format!("call {call} {id} {} {signature}", &**name)
        }
        Event::Arguments { call, fragment } => format!("arguments {call} {}", &**fragment),
        Event::Image(image) => format!("picture {}", image.mime.as_deref().unwrap()),
        Event::Citation(citation) => match (citation.url.as_deref().unwrap(), citation.span) {
            (url, Some((start, end))) => format!("source {url} {start}..{end}"),
            (url, None) => format!("source {url}"),
        },
        Event::Stop { reason, .. } => format!("stop {reason:?}"),
        Event::Usage(usage) => format!(
            "usage {} {} {} {}",
            usage.input, usage.cache_read, usage.output, usage.reasoning
        ),
        Event::Failed(error) => format!("failed {} {} {}", error.status, error.kind, error.message),
        Event::Done => "done".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn parts(parts: &Value) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}],
        "responseId": "r"})
}

fn ending(parts: &Value, reason: &str) -> Value {
    json!({"candidates": [{"content": {"parts": parts}, "finishReason": reason}],
        "responseId": "r"})
}

#[test]
fn thinking_text_and_running_totals_are_read() {
    let pieces = [
        json!({"candidates": [{"content": {"parts": [{"text": "Let me see", "thought": true}]}}],
            "usageMetadata": {"promptTokenCount": 50, "totalTokenCount": 50},
            "responseId": "r"}),
        json!({"candidates": [{"content": {"parts": [{"text": "Kö"}]}}],
            "usageMetadata": {"promptTokenCount": 50, "candidatesTokenCount": 1,
                "thoughtsTokenCount": 40, "totalTokenCount": 91}}),
        json!({"candidates": [{"content": {"parts": [{"text": "ln 🌉"}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 50, "candidatesTokenCount": 6,
                "thoughtsTokenCount": 40, "totalTokenCount": 96, "cachedContentTokenCount": 32}}),
    ];
    assert_eq!(
        read(&pieces),
        [
            "start r",
            "thinking Let me see",
            "usage 50 0 0 0",
            "text Kö",
            "usage 50 0 41 40",
            "text ln 🌉",
            "usage 18 32 46 40",
            "stop End",
            "usage 18 32 46 40",
            "done",
        ]
    );
}

#[test]
fn parallel_calls_have_numbers_ids_and_whole_arguments() {
    let pieces = [
        parts(&json!([
            {"functionCall": {"name": "a", "args": {"x": 1}}, "thoughtSignature": "YQ=="},
            {"functionCall": {"id": "g", "name": "b", "args": {}}},
        ])),
        parts(&json!([{"functionCall": {"name": "c", "args": {"é": "🌉"}}}])),
        ending(&json!([{"text": "", "thoughtSignature": "Yg=="}]), "STOP"),
    ];
    assert_eq!(
        read(&pieces),
        [
            "start r",
            "call 0 made up a YQ==",
            r#"arguments 0 {"x":1}"#,
            "call 1 g b -",
            "arguments 1 {}",
            "call 2 made up c -",
            r#"arguments 2 {"é":"🌉"}"#,
            "signature Yg==",
            "stop ToolCalls",
            "done",
        ]
    );
}

#[test]
fn a_call_without_arguments_is_whole_before_the_next_begins() {
    let calls = json!([
        {"functionCall": {"name": "f"}}, {"functionCall": {"name": "g", "args": {"x": 1}}}]);
    let piece = format!("data: {}\r\n\r\n", ending(&calls, "STOP"));
    for (client, whole, next) in [
        (
            ClientApi::Chat,
            r#"{"index":0,"function":{"arguments":"{}"}}"#,
            r#""function":{"name":"g""#,
        ),
        (
            ClientApi::Responses,
            r#""type":"response.function_call_arguments.done""#,
            r#""name":"g""#,
        ),
        (ClientApi::Messages, r#""partial_json":"{}""#, r#""name":"g""#),
    ] {
        let mut translator = translator_for(client);
        let told = [translator.push(piece.as_bytes()), translator.end()].concat();
        let told = String::from_utf8(told).unwrap();
        let at = |words: &str| told.find(words).unwrap_or_else(|| panic!("{words}: {told}"));
        assert!(at(whole) < at(next), "{client:?}: {told}");
        assert_eq!(told.matches(whole).count(), if client == ClientApi::Responses { 2 } else { 1 });
    }
}

#[test]
fn the_answer_that_came_by_the_tool_for_it_is_text() {
    let call = json!({"functionCall": {"name": "turnpike_answer", "args": {"n": 1}},
        "thoughtSignature": "YQ=="});
    let told = ["start r", r#"text {"n":1}"#, "stop End", "done"];
    assert_eq!(read(&[ending(&json!([call]), "STOP")]), told);
    // What comes behind it, or once more, would spoil its JSON.
    let pieces = [parts(&json!([call, {"text": "Done."}])), ending(&json!([call]), "STOP")];
    assert_eq!(read(&pieces), told);
}

#[test]
fn calls_after_the_last_word_still_count() {
    let pieces =
        [ending(&json!([{"text": "x"}]), "STOP"), parts(&json!([{"functionCall": {"name": "a"}}]))];
    assert_eq!(
        read(&pieces),
        ["start r", "text x", "call 0 made up a -", "arguments 0 {}", "stop ToolCalls", "done"]
    );
}

#[test]
fn figures_after_the_reason_are_told_before_the_end() {
    let last = json!({"usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2}});
    assert_eq!(
        read(&[ending(&json!([{"text": "x"}]), "MAX_TOKENS"), last]),
        ["start r", "text x", "usage 3 0 2 0", "stop Length", "usage 3 0 2 0", "done"]
    );
}

#[test]
fn a_signature_on_text_follows_it() {
    let piece = ending(&json!([{"text": "Io.", "thoughtSignature": "YQ=="}]), "STOP");
    assert_eq!(read(&[piece]), ["start r", "text Io.", "signature YQ==", "stop End", "done"]);
}

#[test]
fn a_stream_without_a_reason_was_cut() {
    assert_eq!(read(&[parts(&json!([{"text": "x"}]))]), ["start r", "text x"]);
    assert!(read(&[]).is_empty());
}

#[test]
fn a_blocked_prompt_is_a_complete_stream() {
    let piece = json!({"promptFeedback": {"blockReason": "SAFETY"}});
    assert_eq!(read(&[piece]), ["start -", "stop ContentFilter", "done"]);
}

#[test]
fn errors_inside_of_a_stream_end_it() {
    let quota = "failed 429 RESOURCE_EXHAUSTED quota";
    for (data, told) in [
        (r#"{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}"#, quota),
        (r#"[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}]"#, quota),
        (r#"{"error":{"message":"busy","status":"UNAVAILABLE"}}"#, "failed 503 UNAVAILABLE busy"),
        (
            r#"{"error":{"code":14,"message":"late","status":"DEADLINE_EXCEEDED"}}"#,
            "failed 504 DEADLINE_EXCEEDED late",
        ),
        (r#"{"error":{"message":"odd"}}"#, "failed 500 upstream_error odd"),
        ("oops", "failed 502 upstream_error the vendor sent an event that cannot be read"),
        ("[1]", "failed 502 upstream_error the vendor sent an event that cannot be read"),
    ] {
        assert_eq!(read_raw(&[data.as_bytes()]), [told], "{data}");
    }
}

#[test]
fn an_end_in_openais_words_is_passed_over() {
    let piece = ending(&json!([{"text": "x"}]), "STOP").to_string();
    assert_eq!(
        read_raw(&[piece.as_bytes(), b" [DONE]"]),
        ["start r", "text x", "stop End", "done"]
    );
}

#[test]
fn a_call_that_failed_fails_the_stream() {
    let events = read(&[ending(&json!([]), "MALFORMED_FUNCTION_CALL")]);
    assert_eq!(
        events[1],
        "failed 502 upstream_error the vendor sent no answer: a call of a tool that is malformed, or an \
         end without a word"
    );
    assert_eq!(read(&[ending(&json!([]), "SOMETHING_NEW")])[1], events[1]);
    let after_text =
        [parts(&json!([{"text": "x"}])), ending(&json!([]), "MALFORMED_FUNCTION_CALL")];
    assert_eq!(read(&after_text), ["start r", "text x", "stop End", "done"]);
}

#[test]
fn a_picture_in_a_stream_is_told_and_what_no_stream_carries_is_not_lost_silently() {
    let of_kind = |kind: &str| parts(&json!([{"inlineData": {"mimeType": kind, "data": "iVBO"}}]));
    let events = read(&[of_kind("image/png"), ending(&json!([]), "STOP")]);
    assert_eq!(events, ["start r", "picture image/png", "stop End", "done"]);
    assert!(read(&[of_kind("audio/wav")])[1].starts_with("failed 502"));
}

#[test]
fn a_chat_stream_carries_pictures_and_one_of_messages_says_that_it_cannot() {
    let image = json!([{"inlineData": {"mimeType": "image/png", "data": "iVBO"}}]);
    let piece = format!("data: {}\r\n\r\n", parts(&image));
    let last = format!("data: {}\r\n\r\n", ending(&image, "STOP"));
    let told = |client: ClientApi| {
        let mut translator = translator_for(client);
        let bytes =
            [translator.push(piece.as_bytes()), translator.push(last.as_bytes()), translator.end()];
        (String::from_utf8(bytes.concat()).unwrap(), translator.complete())
    };
    let (chat, complete) = told(ClientApi::Chat);
    let url = r#""image_url":{"url":"data:image/png;base64,iVBO"}"#;
    assert!(
        complete && chat.contains(&format!(r#""images":[{{"type":"image_url",{url},"index":0}}]"#)),
        "{chat}"
    );
    assert!(chat.contains(&format!(r#"{url},"index":1"#)), "{chat}");
    let (messages, complete) = told(ClientApi::Messages);
    assert!(!complete && messages.contains("ask without `stream`"), "{messages}");
}

#[test]
fn sources_are_told() {
    let piece = json!({"candidates": [{"finishReason": "STOP", "groundingMetadata": {
        "groundingChunks": [{"web": {"uri": "https://a.test", "title": "a"}}]}}]});
    assert_eq!(read(&[piece]), ["start -", "source https://a.test", "stop End", "done"]);
}

/// The last piece of a stream, with the sources of all its text.
fn grounded(parts: &Value, supports: &Value) -> Value {
    json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP",
        "groundingMetadata": {
            "groundingChunks": [
                {"web": {"uri": "https://a.test", "title": "a"}},
                {"web": {"uri": "https://b.test", "title": "b"}}],
            "groundingSupports": supports}}],
        "responseId": "r"})
}

#[test]
fn passages_are_found_in_the_whole_text_of_a_stream() {
    // Bytes: Zürich is 7 long, the bridge 4.
    let supports = json!([
        {"segment": {"startIndex": 8, "endIndex": 21, "text": "wächst 🌉."},
            "groundingChunkIndices": [0]},
        {"segment": {"endIndex": 7}, "groundingChunkIndices": [1]},
        // Counted from somewhere else: its words tell the place.
        {"segment": {"startIndex": 2, "endIndex": 9, "text": "Mehr."}, "groundingChunkIndices": [1]},
        // Neither its place nor its words are there.
        {"segment": {"startIndex": 90, "endIndex": 99, "text": "Nie."}, "groundingChunkIndices": [0]},
    ]);
    let events = read(&[
        parts(&json!([{"text": "Hm.", "thought": true}, {"text": "Zürich "}])),
        parts(&json!([{"text": "wächst 🌉"}])),
        grounded(
            &json!([{"text": ". Mehr."}, {"text": "", "thoughtSignature": "c2ln"}]),
            &supports,
        ),
    ]);
    assert_eq!(
        events[4..],
        [
            "text . Mehr.",
            "source https://a.test 7..16",
            "source https://b.test 0..6",
            "source https://b.test 17..22",
            "source https://a.test",
            "signature c2ln",
            "stop End",
            "done"
        ]
    );
}

#[test]
fn sources_that_come_again_with_each_piece_are_told_once() {
    let first = json!([{"segment": {"endIndex": 3, "text": "One"}, "groundingChunkIndices": [0]}]);
    let both = json!([
        {"segment": {"endIndex": 3, "text": "One"}, "groundingChunkIndices": [0]},
        {"segment": {"startIndex": 4, "endIndex": 7, "text": "two"}, "groundingChunkIndices": [1]},
    ]);
    let mut early = grounded(&json!([{"text": "One"}]), &first);
    early["candidates"][0]["finishReason"] = Value::Null;
    let events = read(&[early, grounded(&json!([{"text": " two"}]), &both)]);
    let sources: Vec<&String> = events.iter().filter(|one| one.starts_with("source")).collect();
    assert_eq!(sources, ["source https://a.test 0..3", "source https://b.test 4..7"]);
}

#[test]
fn clients_of_every_dialect_are_told_a_streams_sources() {
    let supports = json!([{"segment": {"startIndex": 3, "endIndex": 6, "text": "two"}, "groundingChunkIndices": [0]}]);
    let stream = [parts(&json!([{"text": "é "}])), grounded(&json!([{"text": "two"}]), &supports)];
    let stream = stream.map(|piece| format!("data: {piece}\r\n\r\n")).concat();
    let told = |client: ClientApi| {
        let mut translator = translator_for(client);
        let bytes = [translator.push(stream.as_bytes()), translator.end()].concat();
        String::from_utf8(bytes).unwrap()
    };
    let place = r#""start_index":2,"end_index":5,"url":"https://a.test","title":"a""#;
    for client in [ClientApi::Chat, ClientApi::Responses] {
        assert!(told(client).contains(place), "{client:?}: {}", told(client));
    }
    let messages = told(ClientApi::Messages);
    assert!(messages.contains(r#""cited_text":"two""#), "{messages}");
}

#[test]
fn a_stream_means_the_same_wherever_its_bytes_are_cut() {
    let piece = |value: &Value| format!("data: {value}\r\n\r\n");
    let mut last = ending(&json!([{"text": "ln 🌉"}]), "STOP");
    last["usageMetadata"] = json!({"promptTokenCount": 5, "candidatesTokenCount": 6});
    let stream = [
        "\u{feff}: ping\r\n\r\n".to_owned(),
        piece(&parts(&json!([{"text": "Kö"}]))),
        piece(&last),
    ]
    .concat();
    let usage = TokenUsage { input: 5, output: 6, ..TokenUsage::default() };
    for cut in 0..=stream.len() {
        let mut translator = translator();
        let (left, right) = stream.as_bytes().split_at(cut);
        let _ = (translator.push(left), translator.push(right), translator.end());
        assert!(translator.complete(), "cut at {cut}");
        assert_eq!(translator.facts().usage, Some(usage));
        assert_eq!(*translator.first(), FirstEvent::Good);
    }
}

#[test]
fn an_error_as_the_first_event_can_still_fail_over() {
    let mut translator = translator();
    let _ = translator.push(
        b"data: {\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}\n\n",
    );
    let error =
        StreamError { status: 503, kind: "UNAVAILABLE".to_owned(), message: "busy".to_owned() };
    assert_eq!(*translator.first(), FirstEvent::Error(error));
    assert!(!translator.complete());
}

fn translator() -> StreamTranslator {
    translator_for(ClientApi::Chat)
}

fn translator_for(client: ClientApi) -> StreamTranslator {
    StreamTranslator::new(VendorApi::Gemini, Framing::Sse, client, Answering::default())
}

#[test]
fn reasons_are_those_of_answers() {
    let piece = ending(&json!([{"text": "x"}]), "SAFETY");
    assert_eq!(
        read(&[piece]),
        ["start r", "text x", &format!("stop {:?}", StopReason::ContentFilter), "done"]
    );
}

//! The endpoints as their clients see them: through the router, in bytes.

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::sandbox_router;

async fn send(path: &str, body: String) -> (StatusCode, HeaderMap, String) {
    let request = Request::post(path)
        .header("x-sandbox-pace-ms", "0")
        .body(Body::from(body))
        .expect("a request");
    let response = sandbox_router().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).expect("UTF-8"))
}

async fn ask(path: &str, body: Value) -> Value {
    let (status, _, text) = send(path, body.to_string()).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

async fn refused(path: &str, body: Value) -> (StatusCode, Value) {
    let (status, _, text) = send(path, body.to_string()).await;
    assert!(!status.is_success(), "{text}");
    (status, serde_json::from_str(&text).expect("JSON"))
}

/// The events of a stream: name and data.
async fn events(path: &str, body: Value) -> Vec<(String, Value)> {
    let (status, headers, text) = send(path, body.to_string()).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(headers["content-type"], "text/event-stream; charset=utf-8");
    let frames = text.split_terminator("\n\n").map(|frame| {
        let (name, data) = match frame.split_once('\n') {
            Some((name, data)) => (name.strip_prefix("event: ").expect("a name"), data),
            None => ("", frame),
        };
        let data = data.strip_prefix("data: ").expect("data");
        (name.to_owned(), serde_json::from_str(data).unwrap_or_else(|_| json!(data)))
    });
    frames.collect()
}

fn chat(extra: &Value) -> Value {
    with(
        json!({"model": "m", "messages": [{"role": "user", "content": "Paris for 3 days"}]}),
        extra,
    )
}

fn message(extra: &Value) -> Value {
    with(chat(&json!({"max_tokens": 500})), extra)
}

fn with(mut body: Value, extra: &Value) -> Value {
    let members = body.as_object_mut().expect("an object");
    members.extend(extra.as_object().expect("an object").clone());
    body
}

fn weather_schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city", "days"]})
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    let mut names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    names
}

#[tokio::test]
async fn the_answer_follows_from_the_request_and_is_the_same_each_time() {
    let text = |answer: &Value| answer.pointer("/choices/0/message/content").cloned();
    let first = ask("/v1/chat/completions", chat(&json!({}))).await;
    assert_eq!(text(&first), text(&ask("/v1/chat/completions", chat(&json!({}))).await));
    assert!(
        text(&first)
            .expect("text")
            .as_str()
            .expect("text")
            .starts_with("You said: Paris for 3 days")
    );
    let other = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Rome"}, {"type": "image_url", "image_url": {"url": "data:,"}}]}]});
    let other = ask("/v1/chat/completions", chat(&other)).await;
    let other = text(&other).expect("text");
    assert!(
        other.as_str().is_some_and(|text| text.contains("Rome") && text.contains("1 image")),
        "{other}"
    );
}

#[tokio::test]
async fn a_prompt_of_megabytes_does_not_come_back() {
    let body = chat(&json!({"messages": [{"role": "user", "content": "word ".repeat(100_000)}]}));
    let answer = ask("/v1/chat/completions", body).await;
    assert_eq!(answer.pointer("/usage/prompt_tokens"), Some(&json!(125_000)));
    assert!(answer.to_string().len() < 4_000);
}

#[tokio::test]
async fn limits_end_the_text_and_say_so() {
    let short = ask("/v1/chat/completions", chat(&json!({"max_completion_tokens": 2}))).await;
    assert_eq!(short.pointer("/choices/0/message/content"), Some(&json!("You said")));
    assert_eq!(short.pointer("/choices/0/finish_reason"), Some(&json!("length")));
    assert_eq!(short.pointer("/usage/completion_tokens"), Some(&json!(2)));
    let stopped = ask("/v1/messages", message(&json!({"stop_sequences": [" for"]}))).await;
    assert_eq!(stopped.pointer("/content/0/text"), Some(&json!("You said: Paris")));
    assert_eq!(stopped["stop_reason"], "stop_sequence");
    assert_eq!(stopped["stop_sequence"], " for");
    let incomplete = json!({"model": "m", "input": "Paris for 3 days", "max_output_tokens": 2});
    let incomplete = ask("/v1/responses", incomplete).await;
    assert_eq!(incomplete["status"], "incomplete");
    assert_eq!(incomplete.pointer("/incomplete_details/reason"), Some(&json!("max_output_tokens")));
}

#[tokio::test]
async fn a_chat_stream_is_the_whole_answer_in_words_and_has_usage_only_on_demand() {
    let whole = ask("/v1/chat/completions", chat(&json!({"n": 2}))).await;
    let plain = events("/v1/chat/completions", chat(&json!({"n": 2, "stream": true}))).await;
    let said = |index: u64| -> String {
        let choices = plain.iter().filter_map(|(_, data)| data.pointer("/choices/0"));
        let own = choices.filter(|choice| choice["index"] == index);
        own.filter_map(|choice| choice.pointer("/delta/content")?.as_str()).collect()
    };
    for index in [0, 1] {
        assert_eq!(json!(said(index)), whole["choices"][0]["message"]["content"]);
    }
    assert!(plain.iter().all(|(_, data)| data.get("usage").is_none()));
    assert_eq!(plain.last().expect("an event").1, "[DONE]");

    let options = json!({"n": 2, "stream": true, "stream_options": {"include_usage": true}});
    let counted = events("/v1/chat/completions", chat(&options)).await;
    let [content @ .., (_, last), (_, done)] = counted.as_slice() else { panic!("too short") };
    assert!(content.iter().all(|(_, data)| data["usage"].is_null() && data.get("usage").is_some()));
    assert_eq!((&last["choices"], &last["usage"]), (&json!([]), &whole["usage"]));
    assert_eq!(done, "[DONE]");
}

#[tokio::test]
async fn demanded_tools_are_called_with_arguments_that_fit() {
    let arguments = json!({"city": "Paris for 3 days", "days": 3});
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": weather_schema()}}]);
    let unasked = ask("/v1/chat/completions", chat(&json!({"tools": tools}))).await;
    assert_eq!(unasked.pointer("/choices/0/finish_reason"), Some(&json!("stop")));
    let called =
        ask("/v1/chat/completions", chat(&json!({"tools": tools, "tool_choice": "required"})))
            .await;
    assert_eq!(called.pointer("/choices/0/finish_reason"), Some(&json!("tool_calls")));
    let text = called
        .pointer("/choices/0/message/tool_calls/0/function/arguments")
        .and_then(Value::as_str);
    assert_eq!(serde_json::from_str::<Value>(text.expect("arguments")).expect("JSON"), arguments);

    let tools = json!([{"name": "weather", "input_schema": weather_schema()}]);
    let named = json!({"tools": tools, "tool_choice": {"type": "tool", "name": "weather"}});
    let called = ask("/v1/messages", message(&named)).await;
    assert_eq!(
        (&called["stop_reason"], &called["content"][0]["input"]),
        (&json!("tool_use"), &arguments)
    );

    let tools = json!([{"type": "function", "name": "weather", "parameters": weather_schema()}]);
    let body = json!({"model": "m", "input": "weather in Paris, 3 days", "tools": tools});
    let called = ask("/v1/responses", body).await;
    assert_eq!(
        called.pointer("/output/0/type"),
        Some(&json!("function_call")),
        "the text names the tool"
    );
}

#[tokio::test]
async fn json_formats_are_kept() {
    let object =
        ask("/v1/chat/completions", chat(&json!({"response_format": {"type": "json_object"}})))
            .await;
    let text = object.pointer("/choices/0/message/content").and_then(Value::as_str).expect("text");
    assert!(serde_json::from_str::<Value>(text).expect("JSON").is_object());
    let format = json!({"type": "json_schema", "name": "trip", "schema": weather_schema()});
    let body = json!({"model": "m", "input": "3", "text": {"format": format}});
    let shaped = ask("/v1/responses", body).await;
    assert_eq!(
        shaped.pointer("/output/0/content/0/text"),
        Some(&json!(r#"{"city":"3","days":3}"#))
    );
    assert_eq!(shaped.pointer("/text/format"), Some(&format));
}

/// The pieces of a stream that are at this place in its events, together.
fn joined(events: &[(String, Value)], place: &str) -> String {
    events.iter().filter_map(|(_, data)| data.pointer(place)?.as_str()).collect()
}

#[tokio::test]
async fn a_chat_that_is_to_think_tells_its_thought_before_the_answer_streamed_or_not() {
    let body = chat(&json!({"reasoning_effort": "low"}));
    let whole = ask("/v1/chat/completions", body.clone()).await;
    let thought = whole["choices"][0]["message"]["reasoning_content"].as_str().expect("a thought");
    assert!(thought.contains("4 words"), "{thought}");
    let details = &whole["usage"]["completion_tokens_details"];
    let tokens = details["reasoning_tokens"].as_u64().unwrap();
    assert!(tokens > 0 && tokens < whole["usage"]["completion_tokens"].as_u64().unwrap());
    let events = events("/v1/chat/completions", with(body, &json!({"stream": true}))).await;
    assert_eq!(joined(&events, "/choices/0/delta/reasoning_content"), thought);
    assert_eq!(
        joined(&events, "/choices/0/delta/content"),
        whole["choices"][0]["message"]["content"]
    );
    for none in [json!({}), json!({"reasoning_effort": "none"})] {
        let whole = ask("/v1/chat/completions", chat(&none)).await;
        assert_eq!(whole["choices"][0]["message"].get("reasoning_content"), None);
    }
}

#[tokio::test]
async fn a_message_that_is_to_think_begins_with_a_signed_block() {
    let extra = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000});
    let body = message(&extra);
    let whole = ask("/v1/messages", body.clone()).await;
    assert_eq!(
        (&whole["content"][0]["type"], &whole["content"][1]["type"]),
        (&json!("thinking"), &json!("text"))
    );
    let events = events("/v1/messages", with(body, &json!({"stream": true}))).await;
    assert_eq!(joined(&events, "/delta/thinking"), whole["content"][0]["thinking"]);
    assert_eq!(joined(&events, "/delta/signature"), whole["content"][0]["signature"]);
    assert_eq!(joined(&events, "/delta/text"), whole["content"][1]["text"]);
    let starts = events.iter().filter(|(name, _)| name == "content_block_start");
    assert_eq!(starts.map(|(_, data)| data["index"].clone()).collect::<Vec<_>>(), [0, 1]);
    for (thinking, field) in [
        (json!({"type": "enabled", "budget_tokens": 2000}), "thinking.budget_tokens"),
        (json!({"type": "enabled"}), "thinking.budget_tokens"),
        (json!({"type": "often"}), "thinking.type"),
    ] {
        let body = message(&json!({"thinking": thinking, "max_tokens": 2000}));
        let (status, error) = refused("/v1/messages", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(error["error"]["message"].as_str().unwrap().contains(field), "{error}");
    }
}

#[tokio::test]
async fn a_response_that_is_to_think_begins_with_a_reasoning_item() {
    let asked = |reasoning: Value| {
        json!({"model": "m", "input": "Paris for 3 days", "reasoning": reasoning,
            "include": ["reasoning.encrypted_content"]})
    };
    let body = asked(json!({"effort": "low", "summary": "auto"}));
    let whole = ask("/v1/responses", body.clone()).await;
    let [item, message] = whole["output"].as_array().unwrap().as_slice() else { panic!("{whole}") };
    assert_eq!((&item["type"], &message["type"]), (&json!("reasoning"), &json!("message")));
    assert!(!item["encrypted_content"].as_str().unwrap().is_empty());
    assert!(whole["usage"]["output_tokens_details"]["reasoning_tokens"].as_u64() > Some(0));
    let events = events("/v1/responses", with(body, &json!({"stream": true}))).await;
    let said = |kind: &str| {
        let deltas = events.iter().filter(|(name, _)| name == kind).cloned().collect::<Vec<_>>();
        joined(&deltas, "/delta")
    };
    assert_eq!(said("response.reasoning_summary_text.delta"), item["summary"][0]["text"]);
    assert_eq!(said("response.output_text.delta"), message["content"][0]["text"]);
    let last = &events.last().unwrap().1["response"]["output"];
    assert_eq!((&last[0]["summary"], last[1]["content"].is_array()), (&item["summary"], true));
    let hidden = ask("/v1/responses", asked(json!({"effort": "low"}))).await;
    assert_eq!(hidden["output"][0]["summary"], json!([]));
}

#[tokio::test]
async fn thinking_counts_against_the_limit() {
    let body = chat(&json!({"reasoning_effort": "high", "max_completion_tokens": 5}));
    let cut = ask("/v1/chat/completions", body).await;
    let message = &cut["choices"][0]["message"];
    assert_eq!(message["reasoning_content"].as_str().unwrap().len(), 20);
    assert_eq!(
        (&message["content"], &cut["choices"][0]["finish_reason"]),
        (&json!(""), &json!("length"))
    );
    assert_eq!(cut["usage"]["completion_tokens"], 5);
}

#[tokio::test]
async fn a_message_stream_has_anthropics_grammar() {
    let whole = ask("/v1/messages", message(&json!({}))).await;
    let stream = events("/v1/messages", message(&json!({"stream": true}))).await;
    let grammar = "message_start content_block_start ping content_block_delta content_block_stop message_delta message_stop";
    assert_eq!(names(&stream), grammar.split(' ').collect::<Vec<_>>());
    assert!(stream.iter().all(|(name, data)| data["type"] == **name));
    let said: String =
        stream.iter().filter_map(|(_, data)| data.pointer("/delta/text")?.as_str()).collect();
    assert_eq!(json!(said), whole["content"][0]["text"]);
    let delta = &stream[stream.len() - 2].1;
    assert_eq!(delta["usage"]["output_tokens"], whole["usage"]["output_tokens"]);
    assert_eq!(delta["delta"], json!({"stop_reason": "end_turn", "stop_sequence": null}));
}

#[tokio::test]
async fn documents_are_cited_where_that_is_asked_for_whole_and_streamed() {
    let asked = |more: &Value| {
        let document = json!({"type": "document", "title": "Notes", "citations": {"enabled": true},
            "source": {"type": "text", "media_type": "text/plain", "data": "It rains. It pours."}});
        let question = json!({"type": "text", "text": "Weather?"});
        let messages = json!([{"role": "user", "content": [document, question]}]);
        let mut body = message(more);
        body["messages"] = messages;
        body
    };
    let place = json!([{"type": "char_location", "cited_text": "It rains.", "document_index": 0,
        "document_title": "Notes", "file_id": null, "start_char_index": 0, "end_char_index": 9}]);
    let whole = ask("/v1/messages", asked(&json!({}))).await;
    assert_eq!(whole["content"].as_array().unwrap().len(), 2);
    assert!(whole["content"][0].get("citations").is_none());
    assert_eq!(whole["content"][1]["citations"], place);
    let stream = events("/v1/messages", asked(&json!({"stream": true}))).await;
    let cited = stream.iter().find(|(_, data)| data["delta"]["type"] == "citations_delta").unwrap();
    assert_eq!((&cited.1["index"], &cited.1["delta"]["citation"]), (&json!(1), &place[0]));
    let said: String =
        stream.iter().filter_map(|(_, data)| data.pointer("/delta/text")?.as_str()).collect();
    let text = |index: usize| whole["content"][index]["text"].as_str().unwrap();
    assert_eq!(said, [text(0), text(1)].concat());
    let last = &stream[stream.len() - 2].1["usage"]["output_tokens"];
    assert_eq!(last, &whole["usage"]["output_tokens"]);
    let short = ask("/v1/messages", asked(&json!({"max_tokens": 3}))).await;
    assert_eq!(short["content"].as_array().unwrap().len(), 1, "there is no room for it");
}

#[tokio::test]
async fn what_is_marked_for_the_cache_is_told_as_written_and_then_as_read() {
    let mark = json!({"type": "ephemeral"});
    let system = json!([{"type": "text", "text": "be brief".repeat(50), "cache_control": mark}]);
    let first = message(&json!({"system": system}));
    let usage = ask("/v1/messages", first.clone()).await["usage"].clone();
    assert_eq!(
        (&usage["cache_creation_input_tokens"], &usage["cache_read_input_tokens"]),
        (&json!(100), &json!(0))
    );
    let counted = ask("/v1/messages/count_tokens", first.clone()).await;
    let input = usage["input_tokens"].as_u64().unwrap();
    assert_eq!(counted["input_tokens"], input + 100);
    let mut next = first;
    let turns = next["messages"].as_array_mut().unwrap();
    turns.extend([
        json!({"role": "assistant", "content": "yes"}),
        json!({"role": "user", "content": "go on"}),
    ]);
    next["stream"] = json!(true);
    let stream = events("/v1/messages", next).await;
    for usage in [&stream[0].1["message"]["usage"], &stream[stream.len() - 2].1["usage"]] {
        assert_eq!(
            (&usage["cache_creation_input_tokens"], &usage["cache_read_input_tokens"]),
            (&json!(0), &json!(100))
        );
    }

    let marked = json!([
        {"role": "system", "content": [{"type": "text", "text": "be brief", "cache_control": mark}]},
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"}]);
    let told = ask("/v1/chat/completions", chat(&json!({"messages": marked}))).await;
    assert_eq!(told["usage"]["prompt_tokens_details"]["cached_tokens"], 2);
}

#[tokio::test]
async fn a_responses_stream_has_openais_grammar_and_is_numbered() {
    let stream =
        events("/v1/responses", json!({"model": "m", "input": "hi", "stream": true})).await;
    let grammar = "created in_progress output_item.added content_part.added output_text.delta output_text.done content_part.done output_item.done completed";
    let grammar: Vec<_> = grammar.split(' ').map(|name| format!("response.{name}")).collect();
    assert_eq!(names(&stream), grammar);
    for (number, (_, data)) in stream.iter().enumerate() {
        assert_eq!(data["sequence_number"], number);
    }
    let said: String = stream.iter().filter_map(|(_, data)| data["delta"].as_str()).collect();
    let last = &stream.last().expect("an event").1;
    assert_eq!(last.pointer("/response/output/0/content/0/text"), Some(&json!(said)));
    assert!(last.pointer("/response/usage/total_tokens").is_some_and(Value::is_u64));
}

#[tokio::test]
async fn tokens_are_counted_before_as_they_are_billed_after() {
    let body =
        message(&json!({"system": "be brief", "tools": [{"name": "t", "input_schema": {}}]}));
    let counted = ask("/v1/messages/count_tokens", body.clone()).await;
    let billed = ask("/v1/messages", body).await;
    assert_eq!(counted["input_tokens"], billed["usage"]["input_tokens"]);
}

#[tokio::test]
async fn errors_name_the_field_in_the_dialect_of_the_endpoint() {
    for (path, body, param) in [
        ("/v1/chat/completions", chat(&json!({"model": null})), "model"),
        ("/v1/chat/completions", chat(&json!({"messages": []})), "messages"),
        (
            "/v1/chat/completions",
            chat(&json!({"messages": [{"role": "user", "content": 7}]})),
            "messages[0].content",
        ),
        ("/v1/chat/completions", chat(&json!({"max_tokens": 0})), "max_tokens"),
        ("/v1/chat/completions", chat(&json!({"stream_options": {}})), "stream_options"),
        ("/v1/chat/completions", chat(&json!({"tool_choice": "required"})), "tool_choice"),
        ("/v1/completions", json!({"model": "m"}), "prompt"),
        ("/v1/embeddings", json!({"model": "m", "input": "a", "dimensions": 0}), "dimensions"),
        ("/v1/responses", json!({"model": "m"}), "input"),
    ] {
        let (status, error) = refused(path, body).await;
        assert_eq!(
            (status, &error["error"]["param"]),
            (StatusCode::BAD_REQUEST, &json!(param)),
            "{error}"
        );
        assert_eq!(error["error"]["type"], "invalid_request_error");
    }
    let (status, error) = refused("/v1/messages", message(&json!({"max_tokens": null}))).await;
    assert_eq!((status, &error["type"]), (StatusCode::BAD_REQUEST, &json!("error")));
    assert!(
        error["error"]["message"].as_str().is_some_and(|text| text.starts_with("max_tokens: ")),
        "{error}"
    );
    let (status, _, text) = send("/v1/chat/completions", "{".to_owned()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
}

#[tokio::test]
async fn models_that_misbehave_do() {
    let (status, headers, text) =
        send("/v1/messages", message(&json!({"model": "sandbox-rate-limited"})).to_string()).await;
    assert_eq!(
        (status, headers["retry-after"].as_bytes()),
        (StatusCode::TOO_MANY_REQUESTS, b"1".as_slice())
    );
    assert!(text.contains("rate_limit_error"), "{text}");
    let (status, error) =
        refused("/v1/chat/completions", chat(&json!({"model": "sandbox-down"}))).await;
    assert_eq!(
        (status, &error["error"]["type"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("server_error"))
    );
    let (status, _) =
        refused("/v1/embeddings", json!({"model": "sandbox-unauthorized", "input": "a"})).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    for (path, body) in [
        ("/v1/chat/completions", chat(&json!({}))),
        ("/v1/messages", message(&json!({}))),
        ("/v1/responses", json!({"input": "a"})),
    ] {
        let stream =
            events(path, with(body, &json!({"model": "sandbox-stream-error", "stream": true})))
                .await;
        let [(_, only)] = stream.as_slice() else { panic!("{stream:?}") };
        assert!(only["type"] == "error" || only.get("error").is_some(), "{only}");
    }
}

#[tokio::test]
async fn a_cut_answer_fails_in_the_middle() {
    for extra in [json!({}), json!({"stream": true})] {
        let body = with(chat(&json!({"model": "sandbox-cut"})), &extra).to_string();
        let request =
            Request::post("/v1/chat/completions").body(Body::from(body)).expect("a request");
        let response = sandbox_router().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        to_bytes(response.into_body(), usize::MAX).await.expect_err("cut");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_model_takes_two_seconds() {
    let start = tokio::time::Instant::now();
    ask("/v1/chat/completions", chat(&json!({"model": "sandbox-slow"}))).await;
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn the_models_of_the_catalogue_are_listed() {
    let get = |path: &str| Request::get(path).body(Body::empty()).expect("a request");
    let response = sandbox_router().oneshot(get("/v1/models")).await.expect("an answer");
    let list: Value =
        serde_json::from_slice(&to_bytes(response.into_body(), usize::MAX).await.expect("a body"))
            .expect("JSON");
    let listed: Vec<_> =
        list["data"].as_array().expect("models").iter().map(|model| model["id"].clone()).collect();
    let vendor = crate::provider::catalog().vendor("sandbox").expect("a row");
    assert_eq!(json!(listed), json!(vendor.models));
    let response = sandbox_router().oneshot(get("/v1/models/none")).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    for model in vendor
        .models
        .iter()
        .filter(|name| !["large", "small", "embedding"].iter().any(|good| name.ends_with(good)))
    {
        assert_ne!(
            super::behaviour::Behaviour::of(model),
            super::behaviour::Behaviour::Good,
            "{model}"
        );
    }
}

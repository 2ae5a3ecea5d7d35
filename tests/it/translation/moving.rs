//! Conversations that go on at a vendor of another dialect, with all that a turn may have left in them.

use serde_json::{Value, json};

use super::vendor::{Kind, Vendor};
use crate::support::{Answer, Caller, Gateway, Org, Reply};

/// A picture as a model makes it.
const MADE: &str = "iVBORw0KGgo=";

async fn responses(key: &Caller, body: &Value) -> Answer {
    key.post("/v1/responses", body.to_string()).await.has_status(200)
}

/// The events of a stream of Responses.
fn told(answer: &Answer) -> Vec<Value> {
    let events = answer.events();
    events.iter().map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

/// One vendor behind the alias `there`.
async fn alone(org: &Org, kind: Kind) -> (Vendor, Caller) {
    let vendor = Vendor::of(org, kind).await;
    org.alias("there", &[vendor.route()]).await;
    (vendor, org.key().await)
}

#[tokio::test]
async fn a_response_repeats_what_its_request_asked_for() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (_vendor, key) = alone(&acme, Kind::Anthropic).await;
    let asked = json!({"model": "there", "input": "Say hello", "instructions": "Be brief.",
        "temperature": 0.5, "max_output_tokens": 256, "metadata": {"case": "7"}, "store": true,
        "reasoning": {"effort": null}, "text": {"verbosity": "low"}, "tool_choice": "auto",
        "tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}}]});
    let repeats = |response: &Value| {
        for name in ["instructions", "temperature", "max_output_tokens", "metadata", "tool_choice"]
        {
            assert_eq!(response[name], asked[name], "{name}");
        }
        assert_eq!(response["tools"][0]["name"], "look");
        assert_eq!(response["text"], json!({"format": {"type": "text"}, "verbosity": "low"}));
        assert_eq!(response["store"], false, "nothing is kept");
        assert_eq!(response["previous_response_id"], json!(null));
    };
    repeats(&responses(&key, &asked).await.json());
    let mut streamed = asked.clone();
    streamed["stream"] = json!(true);
    let events = told(&responses(&key, &streamed).await);
    let with_response: Vec<&Value> = events.iter().filter_map(|one| one.get("response")).collect();
    assert_eq!(with_response.len(), 3, "created, in_progress, completed");
    with_response.into_iter().for_each(repeats);
}

#[tokio::test]
async fn a_search_that_one_vendor_made_is_told_to_the_next_on_failover() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (claude, gpt) =
        (Vendor::of(&acme, Kind::Anthropic).await, Vendor::of(&acme, Kind::OpenAi).await);
    acme.alias("both", &[claude.route(), gpt.route()]).await;
    claude.mock.always(Reply::status(500));
    let found = json!([{"type": "web_search_result", "title": "Köln", "url": "https://koeln.test",
        "encrypted_content": "EqgB"}]);
    let body = json!({"model": "both", "max_tokens": 64, "messages": [
        {"role": "user", "content": [
            {"type": "search_result", "source": "https://own.test", "title": "Own",
                "content": [{"type": "text", "text": "Own words."}]},
            {"type": "text", "text": "How old is it?"}]},
        {"role": "assistant", "content": [
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search",
                "input": {"query": "Köln"}},
            {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": found},
            {"type": "text", "text": "Old."}]},
        {"role": "user", "content": "How old?"}]});
    let key = acme.key().await;
    key.post("/v1/messages", body.to_string()).await.has_status(200);
    let first = claude.mock.saw()[0].json();
    assert_eq!(first["messages"], body["messages"], "its own vendor gets it as it is");
    let second = gpt.mock.saw_one();
    let told = second.text();
    for words in ["Own words.", "https://own.test", "Köln: https://koeln.test", "Old."] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("srvtoolu_1") && !told.contains("EqgB"), "{told}");
}

#[tokio::test]
async fn a_custom_tool_is_called_at_a_vendor_that_has_none() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (claude, key) = alone(&acme, Kind::Anthropic).await;
    let mut body = json!({"model": "there", "input": "Patch it.",
        "tools": [{"type": "custom", "name": "apply.patch", "description": "Applies a patch."}]});
    responses(&key, &body).await;
    let tool = claude.mock.saw_one().json()["tools"][0].clone();
    assert_eq!(tool["input_schema"]["properties"]["input"]["type"], "string");
    let name = tool["name"].as_str().expect("a name").to_owned();
    assert!(!name.contains('.'), "{name}");

    let block = json!({"type": "tool_use", "id": "toolu_1", "name": name,
        "input": {"input": "*** Begin\n"}});
    let answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
        "content": [block], "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "output_tokens": 4}});
    claude.mock.will(Reply::says(answer.to_string()));
    let told_whole = responses(&key, &body).await.json();
    let item = &told_whole["output"][0];
    assert_eq!(
        (&item["type"], &item["name"], &item["input"]),
        (&json!("custom_tool_call"), &json!("apply.patch"), &json!("*** Begin\n"))
    );

    let event = |kind: &str, data: Value| format!("event: {kind}\ndata: {data}\n\n");
    let start = json!({"type": "tool_use", "id": "toolu_1", "name": name, "input": {}});
    let delta = |json: &str| {
        let delta = json!({"type": "input_json_delta", "partial_json": json});
        let data = json!({"type": "content_block_delta", "index": 0, "delta": delta});
        event("content_block_delta", data)
    };
    claude.mock.will(Reply::streams([
        event(
            "message_start",
            json!({"type": "message_start", "message": {"id": "m",
            "model": "claude", "usage": {"input_tokens": 3, "output_tokens": 1}}}),
        ),
        event(
            "content_block_start",
            json!({"type": "content_block_start", "index": 0, "content_block": start}),
        ),
        delta("{\"input\": \"*** "),
        delta("Begin\\n\"}"),
        event("content_block_stop", json!({"type": "content_block_stop", "index": 0})),
        event(
            "message_delta",
            json!({"type": "message_delta", "delta":
            {"stop_reason": "tool_use"}, "usage": {"output_tokens": 4}}),
        ),
        event("message_stop", json!({"type": "message_stop"})),
    ]));
    body["stream"] = json!(true);
    let events = told(&responses(&key, &body).await);
    let done = events.iter().find(|one| one["type"] == "response.custom_tool_call_input.done");
    assert_eq!(done.expect("the whole input")["input"], "*** Begin\n");
    let last = &events.last().expect("an end")["response"]["output"][0];
    assert_eq!((&last["type"], &last["name"]), (&json!("custom_tool_call"), &json!("apply.patch")));

    // The call and its output go back as the vendor knows them.
    body["stream"] = json!(false);
    body["input"] = json!([{"role": "user", "content": "Patch it."}, item,
        {"type": "custom_tool_call_output", "call_id": item["call_id"], "output": "done"}]);
    responses(&key, &body).await;
    let messages = claude.mock.saw().last().expect("a call").json()["messages"].clone();
    assert_eq!(messages[1]["content"][0]["name"], name.as_str());
    assert_eq!(messages[1]["content"][0]["input"], json!({"input": "*** Begin\n"}));
    assert_eq!(messages[2]["content"][0]["content"], "done");

    body["tools"][0]["format"] =
        json!({"type": "grammar", "syntax": "lark", "definition": "start: \"a\""});
    let seen = claude.mock.saw().len();
    let refused = key.post("/v1/responses", body.to_string()).await.has_status(400).openai_error();
    assert_eq!(refused["param"], "tools[0].format");
    assert_eq!(claude.mock.saw().len(), seen, "before any call");
}

#[tokio::test]
async fn pictures_are_made_told_and_taken_back() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (gemini, key) = alone(&acme, Kind::Gemini).await;
    let claude = Vendor::of(&acme, Kind::Anthropic).await;
    acme.alias("elsewhere", &[claude.route()]).await;
    let mut body = json!({"model": "there", "modalities": ["text", "image"],
        "messages": [{"role": "user", "content": "Draw."}]});
    // The catalogue does not say of this model that it makes any.
    let refused = key.post("/v1/chat/completions", body.to_string()).await.has_status(400);
    assert_eq!(refused.openai_error()["param"], "modalities");
    let facts = json!({"capabilities": ["streaming", "vision", "image_output"]});
    acme.put("/admin/model-catalog/gemini-2.5-flash", facts).await.has_status(200);

    let made = json!({"candidates": [{"content": {"role": "model", "parts": [
        {"text": "There."}, {"inlineData": {"mimeType": "image/png", "data": MADE}}]},
        "finishReason": "STOP"}]});
    gemini.mock.will(Reply::says(made.to_string()));
    let answer = key.post("/v1/chat/completions", body.to_string()).await.has_status(200).json();
    let asked = gemini.mock.saw_one().json();
    assert_eq!(asked["generationConfig"]["responseModalities"], json!(["TEXT", "IMAGE"]));
    let message = &answer["choices"][0]["message"];
    let url = format!("data:image/png;base64,{MADE}");
    assert_eq!(message["images"][0]["image_url"]["url"], url);

    // The message as it came goes back to the model that made it, and to one that did not.
    body["messages"] = json!([{"role": "user", "content": "Draw."}, message,
        {"role": "user", "content": "Bluer."}]);
    key.post("/v1/chat/completions", body.to_string()).await.has_status(200);
    let contents = gemini.mock.saw()[1].json()["contents"].clone();
    assert_eq!(
        (&contents[1]["role"], &contents[1]["parts"][1]["inlineData"]["data"]),
        (&json!("model"), &json!(MADE))
    );
    body["model"] = json!("elsewhere");
    body.as_object_mut().expect("a body").remove("modalities");
    key.post("/v1/chat/completions", body.to_string()).await.has_status(200);
    let messages = claude.mock.saw_one().json()["messages"].clone();
    let shown = messages[2]["content"].as_array().expect("blocks");
    assert!(shown.iter().any(|block| block["source"]["data"] == MADE), "{messages}");

    // Responses ask for them by a tool, and get them as its calls, in streams as well.
    gemini.mock.will(Reply::streams([format!("data: {made}\r\n\r\n")]));
    let body = json!({"model": "there", "input": "Draw.", "stream": true,
        "tools": [{"type": "image_generation"}]});
    let events = told(&responses(&key, &body).await);
    let done = events.iter().find(|one| {
        one["type"] == "response.output_item.done" && one["item"]["type"] == "image_generation_call"
    });
    assert_eq!(done.expect("a picture")["item"]["result"], MADE);
    let output = events.last().expect("an end")["response"]["output"].clone();
    let back = json!({"model": "elsewhere", "input": [{"role": "user", "content": "Draw."},
        output[0], output[1], {"role": "user", "content": "Bluer."}]});
    responses(&key, &back).await;
    assert!(claude.mock.saw()[1].text().contains(MADE));
}

#[tokio::test]
async fn what_cannot_be_asked_of_any_vendor_is_refused_before_a_call() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (claude, key) = alone(&acme, Kind::Anthropic).await;
    let tool = json!({"type": "function", "name": "f", "parameters": {"type": "object"}});
    for (body, param) in [
        (json!({"model": "there", "input": []}), "input"),
        (json!({"model": "there", "input": "x", "tools": [tool, tool]}), "tools[1]"),
    ] {
        let refused = key.post("/v1/responses", body.to_string()).await.has_status(400);
        let error = refused.openai_error();
        assert_eq!(
            (&error["param"], &error["code"]),
            (&json!(param), &json!("invalid_parameters"))
        );
    }
    claude.mock.saw_nothing();
}

//! A route that cannot do what is asked is no route for it.

use serde_json::{Value, json};

use super::vendor::{Kind, Vendor};
use crate::support::{Answer, Caller, Gateway, MockVendor, Org, Reply};

/// A picture of one pixel.
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async fn chat(key: &Caller, id: &str, body: Value) -> Answer {
    key.post("/v1/chat/completions", body.to_string()).header("x-request-id", id).await
}

fn about_a_picture(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": PICTURE}}]}]})
}

fn asking_twice(model: &str) -> Value {
    json!({"model": model, "n": 2, "messages": [{"role": "user", "content": "Hi"}]})
}

/// The catalogue says that the vendor's model reads text alone.
async fn is_blind(org: &Org, vendor: &Vendor) {
    let path = format!("/admin/model-catalog/{}", vendor.kind.model());
    let facts = json!({"capabilities": ["streaming", "tools", "json", "json_schema"]});
    org.put(&path, facts).await.has_status(200);
}

#[tokio::test]
async fn a_model_without_sight_is_skipped_where_another_sees() {
    let gateway = Gateway::start().await;
    for (blind, seeing) in [
        (Kind::OpenAi, Kind::Gemini),
        (Kind::Anthropic, Kind::Bedrock),
        (Kind::Gemini, Kind::OpenAi),
    ] {
        let org = gateway.org(blind.name());
        let (first, second) = (Vendor::of(&org, blind).await, Vendor::of(&org, seeing).await);
        is_blind(&org, &first).await;
        org.alias("both", &[first.route(), second.route()]).await;
        org.alias("alone", &[first.route()]).await;
        let key = org.key().await;
        let answer = chat(&key, "seen", about_a_picture("both")).await.has_status(200);
        assert_eq!(answer.json()["metadata"]["used_provider"], seeing.name());
        assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"));
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("0"));
        first.mock.saw_nothing();

        let error =
            chat(&key, "unseen", about_a_picture("alone")).await.has_status(400).openai_error();
        assert_eq!(error["code"], "unsupported_parameter", "{error}");
        assert!(error["message"].as_str().unwrap().contains("image input"), "{error}");
        first.mock.saw_nothing();
        let record = org.record_of("unseen").await;
        assert_eq!((&record["denied_by"], &record["status"]), (&json!("capability"), &json!(400)));
        assert_eq!(record["attempts"], json!([]));
        chat(
            &key,
            "text",
            json!({"model": "alone", "messages": [{"role": "user", "content": "Hi"}]}),
        )
        .await
        .has_status(200);
    }
}

/// What one Gemini or another always refuses, with the parameter that is named.
fn refused_by_gemini() -> [(&'static str, Value, &'static str); 4] {
    let tool = json!({"type": "function", "function": {"name": "f"}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema":
        {"type": "object", "properties": {"n": {"type": "integer"}}}}});
    let begun =
        json!([{"role": "user", "content": "Count"}, {"role": "assistant", "content": "One"}]);
    let hi = json!([{"role": "user", "content": "Hi"}]);
    let search = json!({});
    [
        ("gemini-3.7-flash", json!({"messages": begun}), "messages"),
        ("gemini-3.6-flash", json!({"messages": hi, "presence_penalty": 0.5}), "presence_penalty"),
        (
            "gemini-2.5-pro",
            json!({"messages": hi, "tools": [tool], "web_search_options": search}),
            "tools",
        ),
        (
            "gemini-2.5-flash",
            json!({"messages": hi, "response_format": format, "web_search_options": search}),
            "response_format",
        ),
    ]
}

#[tokio::test]
async fn what_a_generation_of_gemini_refuses_is_not_sent_to_it() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let key = acme.key().await;
    for (model, mut body, param) in refused_by_gemini() {
        let google = Vendor::named(&acme, Kind::Gemini, model, model).await;
        acme.alias(param, &[(&google.provider, model)]).await;
        body["model"] = param.into();
        let error = chat(&key, param, body).await.has_status(400).openai_error();
        assert_eq!(error["code"], "unsupported_parameter", "{error}");
        assert_eq!(error["param"], param, "{error}");
        google.mock.saw_nothing();
    }
}

#[tokio::test]
async fn an_answer_of_a_schema_comes_beside_functions_from_an_older_gemini() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let google = Vendor::of(&acme, Kind::Gemini).await;
    acme.alias("older", &[google.route()]).await;
    let call = json!({"functionCall": {"name": "turnpike_answer", "args": {"n": 1}}});
    let said = json!({"candidates": [{"content": {"role": "model", "parts": [call]},
        "finishReason": "STOP"}], "responseId": "r"});
    google.mock.will(Reply::says(said.to_string()));
    let body = json!({"model": "older", "messages": [{"role": "user", "content": "Count"}],
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema":
            {"type": "object", "properties": {"n": {"type": "integer"}}}}}});
    let answer = chat(&acme.key().await, "formed", body).await.has_status(200).json();
    assert_eq!(answer["choices"][0]["message"]["content"], r#"{"n":1}"#, "{answer}");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop", "{answer}");
    let sent = google.mock.saw_one().json();
    let names: Vec<_> = sent["tools"][0]["functionDeclarations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["f", "turnpike_answer"]);
    assert_eq!(sent["toolConfig"]["functionCallingConfig"]["mode"], "ANY");
    assert!(sent["generationConfig"]["responseMimeType"].is_null(), "{sent}");
}

#[tokio::test]
async fn several_choices_are_asked_of_a_vendor_that_gives_them() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let anthropic = Vendor::of(&acme, Kind::Anthropic).await;
    let bedrock = Vendor::of(&acme, Kind::Bedrock).await;
    let openai = Vendor::of(&acme, Kind::OpenAi).await;
    acme.alias("all", &[anthropic.route(), bedrock.route(), openai.route()]).await;
    acme.alias("none", &[anthropic.route(), bedrock.route()]).await;
    let key = acme.key().await;
    let answer = chat(&key, "given", asking_twice("all")).await.has_status(200);
    assert_eq!(answer.json()["metadata"]["used_provider"], "openai");
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("3"));
    assert_eq!(openai.mock.saw_one().json()["n"], 2);

    let error = chat(&key, "refused", asking_twice("none")).await.has_status(400).openai_error();
    assert_eq!((&error["code"], &error["param"]), (&json!("unsupported_parameter"), &json!("n")));
    assert_eq!(acme.record_of("refused").await["denied_by"], "capability");
    anthropic.mock.saw_nothing();
    bedrock.mock.saw_nothing();
}

#[tokio::test]
async fn what_no_route_can_do_is_not_said_where_one_was_tried() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let anthropic = Vendor::of(&acme, Kind::Anthropic).await;
    let openai = Vendor::of(&acme, Kind::OpenAi).await;
    acme.alias("both", &[anthropic.route(), openai.route()]).await;
    openai.mock.will(Reply::status(500));
    let answer = chat(&acme.key().await, "failed", asking_twice("both")).await.has_status(502);
    let attempts = answer.openai_error()["attempts"].clone();
    assert_eq!(attempts.as_array().map(Vec::len), Some(1), "{attempts}");
    assert_eq!(attempts[0]["provider"], "openai");
    anthropic.mock.saw_nothing();
}

#[tokio::test]
async fn anthropics_clients_are_refused_in_their_dialect() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let gemini = Vendor::of(&acme, Kind::Gemini).await;
    is_blind(&acme, &gemini).await;
    acme.alias("blind", &[gemini.route()]).await;
    let data = PICTURE.split(',').nth(1).unwrap();
    let body = json!({"model": "blind", "max_tokens": 9, "messages": [{"role": "user", "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}]}]});
    let key = acme.key().await;
    let error = key.post("/v1/messages", body.to_string()).await.has_status(400).anthropic_error();
    assert_eq!(error["type"], "invalid_request_error");
    assert!(error["message"].as_str().unwrap().contains("image input"), "{error}");
    gemini.mock.saw_nothing();
}

#[tokio::test]
async fn messages_for_a_model_that_refuses_tools_in_chat_completions_are_asked_of_responses() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = MockVendor::start().await;
    let openai = acme.provider("openai").at(&vendor).model("gpt-5.5").await;
    acme.alias("coder", &[(&openai, "gpt-5.5")]).await;
    let body = json!({"model": "coder", "max_tokens": 50,
        "tools": [{"name": "look", "input_schema": {"type": "object", "properties": {}}}],
        "messages": [{"role": "user", "content": "How warm is it?"}]});
    let answer = acme.key().await.post("/v1/messages", body.to_string()).await.has_status(200);
    let call = vendor.saw_one();
    assert_eq!(call.path, "/v1/responses");
    assert_eq!(call.json()["tools"][0]["name"], "look");
    assert_eq!(answer.json()["type"], "message");
}

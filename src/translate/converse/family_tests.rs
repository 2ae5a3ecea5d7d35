//! What models of other makers take and do not, and what is done instead.

use serde_json::{Value, json};

use super::{
    super::{
        Answering, ClientApi, StreamReader, VendorApi,
        form::{Event, Format, JsonSchema, PartKind, StopReason, ToolChoice},
    },
    request_tests::{
        CLAUDE, asked, call, image, raw, refused, result, text, tool, turn, write, write_with,
    },
};
use crate::{
    domain::ModelFacts,
    translate::form::{Request, Role, Source},
};

const LLAMA: &str = "meta.llama3-3-70b-instruct-v1:0";
const MISTRAL: &str = "mistral.mistral-large-2407-v1:0";
const NOVA: &str = "amazon.nova-pro-v1:0";
const SCHEMA: &str = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"City","type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}"#;

fn of_schema<'r>() -> Request<'r> {
    let format =
        JsonSchema { name: None, description: None, schema: raw(SCHEMA), strict: Some(true) };
    let format = Some(Format::JsonSchema(format));
    Request { format, ..asked(vec![text("Which?")]) }
}

fn calling(choice: ToolChoice<'_>) -> Request<'_> {
    let tools = vec![tool("a", None), tool("b", None)];
    Request { tools, tool_choice: Some(choice), ..asked(vec![text("x")]) }
}

#[test]
fn llama_calls_tools_as_it_likes_alone() {
    let auto = write(&calling(ToolChoice::Auto), LLAMA);
    assert_eq!(auto["toolConfig"]["toolChoice"], json!({"auto": {}}));
    let names = || vec!["a".into()];
    for choice in [
        ToolChoice::Required,
        ToolChoice::Named("a".into()),
        ToolChoice::Allowed { names: names(), required: true },
    ] {
        let said = refused(&calling(choice), LLAMA);
        assert!(said.starts_with("tool_choice: "), "{said}");
    }
}

#[test]
fn one_tool_is_demanded_by_leaving_out_the_others_where_there_is_no_word_for_it() {
    let named = calling(ToolChoice::Named("b".into()));
    let config = &write(&named, MISTRAL)["toolConfig"];
    assert_eq!(config["toolChoice"], json!({"any": {}}));
    assert_eq!(config["tools"].as_array().unwrap().len(), 1);
    assert_eq!(config["tools"][0]["toolSpec"]["name"], "b");
    for model in [CLAUDE, NOVA] {
        let config = &write(&named, model)["toolConfig"];
        assert_eq!(config["toolChoice"], json!({"tool": {"name": "b"}}), "{model}");
        assert_eq!(config["tools"].as_array().unwrap().len(), 2, "{model}");
    }
}

#[test]
fn pictures_in_results_are_for_claude_and_nova() {
    let seen = || {
        let picture = image(Source::Base64("iVBORw0KGgo=".into()), Some("image/png"));
        let mut request = asked(vec![result("1", vec![picture])]);
        request.turns.insert(0, turn(Role::Assistant, vec![call("1", "{}")]));
        request
    };
    for model in [CLAUDE, NOVA] {
        let written = write(&seen(), model).to_string();
        assert!(written.contains(r#""image":{"format":"png""#), "{model}: {written}");
    }
    for model in [LLAMA, MISTRAL] {
        let said = refused(&seen(), model);
        assert!(said.starts_with("messages[0].content[1]: ") && said.contains("picture"), "{said}");
    }
}

#[test]
fn a_failed_tool_is_told_in_words_where_there_is_no_status() {
    let failed = |words: &'static str| {
        let mut part = result("1", vec![text(words)]);
        if let PartKind::ToolResult(result) = &mut part.kind {
            result.error = true;
        }
        asked(vec![part])
    };
    let told = |words: &'static str, model: &str| {
        let written = write(&failed(words), model);
        let results = written["messages"].as_array().unwrap().iter();
        let mut results = results.flat_map(|message| message["content"].as_array().unwrap());
        results.find_map(|block| block.get("toolResult")).unwrap().clone()
    };
    let llama = told("no such file", LLAMA);
    assert_eq!(llama["content"], json!([{"text": "Error:"}, {"text": "no such file"}]));
    assert_eq!(llama.get("status"), None);
    assert_eq!(told("Error: denied", LLAMA)["content"], json!([{"text": "Error: denied"}]));
    let claude = told("no such file", CLAUDE);
    assert_eq!(claude["content"], json!([{"text": "no such file"}]));
    assert_eq!(claude["status"], "error");
}

#[test]
fn stop_texts_are_refused_by_name_where_the_model_is_known_to_refuse_them() {
    let mut request = asked(vec![text("x")]);
    request.stop = vec!["END".into()];
    let facts = ModelFacts { lacks_stop: true, ..ModelFacts::default() };
    let said = write_with(&request, "openai.gpt-oss-120b-1:0", &facts).unwrap_err();
    assert!(said.starts_with("stop: "), "{said}");
    assert_eq!(write(&request, LLAMA)["inferenceConfig"]["stopSequences"], json!(["END"]));
}

#[test]
fn novas_schemas_have_at_their_top_what_it_takes() {
    let mut request = asked(vec![text("x")]);
    request.tools = vec![tool("a", Some(SCHEMA))];
    let spec = |model: &str| {
        write(&request, model)["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"].clone()
    };
    let bare =
        json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    assert_eq!(spec(NOVA), bare);
    assert_eq!(spec(LLAMA), serde_json::from_str::<Value>(SCHEMA).unwrap());
}

#[test]
fn novas_answer_of_a_schema_is_a_tool_that_it_must_call() {
    let names = |written: &Value| -> Vec<String> {
        let tools = written["toolConfig"]["tools"].as_array().unwrap().iter();
        tools.map(|tool| tool["toolSpec"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let alone = write(&of_schema(), NOVA);
    assert_eq!(names(&alone), ["turnpike_answer"]);
    assert_eq!(alone["toolConfig"]["toolChoice"], json!({"tool": {"name": "turnpike_answer"}}));
    assert_eq!(alone.get("outputConfig"), None);
    let asked = &alone["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"];
    assert_eq!(asked["required"], json!(["city"]));

    let beside = write(&Request { tools: vec![tool("a", None)], ..of_schema() }, NOVA);
    assert_eq!(names(&beside), ["a", "turnpike_answer"]);
    assert_eq!(beside["toolConfig"]["toolChoice"], json!({"any": {}}));
    let none = Request { tool_choice: Some(ToolChoice::None), ..of_schema() };
    let none = write(&Request { tools: vec![tool("a", None)], ..none }, NOVA);
    assert_eq!(names(&none), ["turnpike_answer"]);
    let forced = Request { tool_choice: Some(ToolChoice::Required), ..of_schema() };
    let forced = write(&Request { tools: vec![tool("a", None)], ..forced }, NOVA);
    assert_eq!(names(&forced), ["a"]);

    assert!(write(&of_schema(), CLAUDE).get("outputConfig").is_some());
}

#[test]
fn nova_must_answer_where_only_the_history_has_tools() {
    let mut request = of_schema();
    request.turns.push(turn(Role::Assistant, vec![call("1", "{}")]));
    request.turns.push(turn(Role::User, vec![result("1", vec![text("warm")])]));
    let config = &write(&request, NOVA)["toolConfig"];
    let tools = config["tools"].as_array().unwrap().iter();
    let names: Vec<_> = tools.map(|tool| &tool["toolSpec"]["name"]).collect();
    assert_eq!(names, ["get_weather", "turnpike_answer"]);
    assert_eq!(config["toolChoice"], json!({"tool": {"name": "turnpike_answer"}}));
}

#[test]
fn no_tool_of_a_client_is_called_as_the_answers_is() {
    let mut request = asked(vec![text("x")]);
    request.tools = vec![tool("a", None), tool("turnpike_answer", None)];
    for model in [CLAUDE, NOVA, LLAMA, MISTRAL] {
        let said = refused(&request, model);
        assert!(said.starts_with("tools[1]: "), "{model}: {said}");
    }
}

#[test]
fn a_schema_is_refused_by_name_where_the_model_cannot_be_held_to_it() {
    for model in [LLAMA, "us.anthropic.claude-opus-4-1-20250805-v1:0"] {
        let said = refused(&of_schema(), model);
        assert!(said.starts_with("response_format: "), "{model}: {said}");
    }
    for model in [MISTRAL, CLAUDE, "us.anthropic.claude-opus-4-7"] {
        assert!(write(&of_schema(), model).get("outputConfig").is_some(), "{model}");
    }
}

#[test]
fn what_nova_puts_into_the_tool_is_the_answers_text() {
    let body = json!({"output": {"message": {"role": "assistant", "content": [
        {"toolUse": {"toolUseId": "1", "name": "turnpike_answer", "input": {"city": "Oslo"}}}]}},
        "stopReason": "tool_use"})
    .to_string();
    let answer = VendorApi::Converse.read_of(NOVA, body.as_bytes()).unwrap();
    assert_eq!(answer.stop, Some(StopReason::End));
    let told = ClientApi::Chat.write(&answer, &Answering::default());
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["choices"][0]["message"]["content"], r#"{"city":"Oslo"}"#);
    assert_eq!(told["choices"][0]["finish_reason"], "stop");
}

#[test]
fn what_nova_says_beside_the_answer_is_left_out() {
    let answer = |city: &str| json!({"toolUse": {"toolUseId": "1", "name": "turnpike_answer", "input": {"city": city}}});
    let body = json!({"output": {"message": {"role": "assistant", "content": [
        {"text": "I think it is Oslo."},
        answer("Oslo"),
        {"citationsContent": {"content": [{"text": "It is."}], "citations": [{"title": "Doc"}]}},
        answer("Rome"),
        {"text": "Done."}]}},
        "stopReason": "tool_use"})
    .to_string();
    let answer = VendorApi::Converse.read_of(NOVA, body.as_bytes()).unwrap();
    assert_eq!(answer.stop, Some(StopReason::End));
    let [part] = &answer.parts[..] else { panic!("{:?}", answer.parts) };
    let PartKind::Text(text) = &part.kind else { panic!("{part:?}") };
    assert_eq!(&**text, r#"{"city":"Oslo"}"#);
    assert_eq!(answer.citations.len(), 1);
}

#[test]
fn the_first_answer_alone_is_streamed() {
    let mut reader = super::Reader::default();
    let mut seen = String::new();
    let start = |index: u64| {
        let call = json!({"toolUse": {"toolUseId": "1", "name": "turnpike_answer"}});
        ("contentBlockStart", json!({"contentBlockIndex": index, "start": call}))
    };
    let input = |index: u64| {
        let delta = json!({"toolUse": {"input": "{}"}});
        ("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta}))
    };
    for (name, data) in [
        start(0),
        input(0),
        ("contentBlockStop", json!({"contentBlockIndex": 0})),
        ("contentBlockDelta", json!({"contentBlockIndex": 1, "delta": {"text": "Done."}})),
        ("contentBlockStop", json!({"contentBlockIndex": 1})),
        start(2),
        input(2),
        ("contentBlockStop", json!({"contentBlockIndex": 2})),
    ] {
        reader.read(name.as_bytes(), data.to_string().as_bytes(), &mut |event| match event {
            Event::Text(text) => seen.push_str(&text),
            Event::ToolCall { .. } | Event::Arguments { .. } => panic!("{event:?}"),
            _ => {}
        });
    }
    assert_eq!(seen, "{}");
}

#[test]
fn what_nova_puts_into_the_tool_is_streamed_as_text() {
    let mut reader = super::Reader::default();
    let mut seen = Vec::new();
    for (name, data) in [
        ("messageStart", json!({"role": "assistant"})),
        (
            "contentBlockStart",
            json!({"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "1", "name": "turnpike_answer"}}}),
        ),
        (
            "contentBlockDelta",
            json!({"contentBlockIndex": 0, "delta": {"toolUse": {"input": "{\"city\":"}}}),
        ),
        (
            "contentBlockDelta",
            json!({"contentBlockIndex": 0, "delta": {"toolUse": {"input": "\"Oslo\"}"}}}),
        ),
        ("contentBlockStop", json!({"contentBlockIndex": 0})),
        ("messageStop", json!({"stopReason": "tool_use"})),
    ] {
        reader.read(name.as_bytes(), data.to_string().as_bytes(), &mut |event| match event {
            Event::Text(text) => seen.push((*text).to_owned()),
            Event::Stop { reason, .. } => seen.push(format!("{reason:?}")),
            Event::ToolCall { .. } | Event::Arguments { .. } => panic!("{event:?}"),
            _ => {}
        });
    }
    assert_eq!(seen, [r#"{"city":"#, r#""Oslo"}"#, "End"]);
}

#[test]
fn tools_are_not_asked_of_a_stream_where_the_model_refuses_that() {
    let facts = ModelFacts { lacks_tools_in_streams: true, ..ModelFacts::default() };
    let with = write(&calling(ToolChoice::Auto), LLAMA).to_string();
    let without = write(&asked(vec![text("x")]), LLAMA).to_string();
    let streams = |body: &str, facts| VendorApi::Converse.streams(body.as_bytes(), facts);
    assert!(!streams(&with, &facts));
    assert!(streams(&without, &facts));
    assert!(streams(&with, &ModelFacts::default()));
}

#[test]
fn betas_go_to_claude_in_its_own_member() {
    let betas = vec!["claude-code-20250219", "context-1m-2025-08-07"];
    let request = Request { betas, ..asked(vec![text("x")]) };
    let sonnet = write(&request, "us.anthropic.claude-sonnet-4-6");
    let told = json!({"anthropic_beta": ["context-1m-2025-08-07"]});
    assert_eq!(sonnet["additionalModelRequestFields"], told);
    assert_eq!(write(&request, NOVA).get("additionalModelRequestFields"), None);
}

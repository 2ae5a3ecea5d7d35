//! What vendors of this API are sent.

use serde_json::{Value, json};

use super::{
    super::{
        ClientApi, Platform, Target,
        form::{
            Effort, Media, Origin, Part, PartKind, PartPath, Reasoning, Refusal, Request, Role,
            Signature, Source, Thinking, Tool, ToolCall, ToolKind, ToolResult, Turn,
        },
    },
    inlines, read_request, write_request,
};
use crate::domain::{Capabilities, Efforts, ModelFacts, Quirks, ReasoningMode};

fn written(request: &Request<'_>, facts: &ModelFacts) -> Result<String, Refusal> {
    let quirks = Quirks::default();
    let target = Target { model: "gpt-up", facts, platform: Platform::Own, quirks: &quirks };
    write_request(request, &target).map(|body| String::from_utf8(body).unwrap())
}

fn value(request: &Request<'_>) -> Value {
    serde_json::from_str(&written(request, &ModelFacts::default()).unwrap()).unwrap()
}

fn part(kind: PartKind<'_>) -> Part<'_> {
    Part::new(kind, PartPath { list: "messages", item: 1, part: Some(0) })
}

fn turn(role: Role, parts: Vec<PartKind<'_>>) -> Turn<'_> {
    Turn { role, name: None, parts: parts.into_iter().map(part).collect() }
}

fn text(words: &str) -> PartKind<'_> {
    PartKind::Text(words.into())
}

fn thinking(words: &'static str, origin: Origin, redacted: bool) -> PartKind<'static> {
    PartKind::Thinking(Thinking {
        text: words.into(),
        signature: Some(Signature::new(origin, "c2ln")),
        redacted,
        id: None,
    })
}

fn call(id: &'static str, name: &'static str) -> PartKind<'static> {
    PartKind::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: "{}".into(),
        signature: None,
        custom: false,
    })
}

fn result<'a>(id: &'a str, parts: Vec<PartKind<'a>>, error: bool) -> PartKind<'a> {
    PartKind::ToolResult(ToolResult {
        call_id: id.into(),
        name: None,
        parts: parts.into_iter().map(part).collect(),
        error,
        custom: false,
    })
}

fn asking(turns: Vec<Turn<'_>>) -> Request<'_> {
    Request { turns, ..Request::default() }
}

#[test]
fn a_rich_request_is_written_whole() {
    let request = read_request(include_bytes!("golden/request.json")).unwrap();
    let body = written(&request, &ModelFacts::default()).unwrap();
    assert_eq!(body, include_str!("golden/request.out.json").trim_end());
}

#[test]
fn the_same_request_makes_the_same_bytes_a_thousand_times() {
    let body = include_bytes!("golden/request.json");
    let once = written(&read_request(body).unwrap(), &ModelFacts::default()).unwrap();
    for _ in 0..1000 {
        let request = read_request(body).unwrap();
        assert_eq!(written(&request, &ModelFacts::default()).unwrap(), once);
    }
}

#[test]
fn leading_system_words_are_instructions_and_later_ones_stay_where_they_are() {
    let request = asking(vec![
        turn(Role::System, vec![text("A"), text("B")]),
        turn(Role::System, vec![text("C")]),
        turn(Role::Developer, vec![text("D")]),
        turn(Role::User, vec![text("Hi")]),
        turn(Role::System, vec![text("E")]),
        turn(Role::User, vec![text("F")]),
    ]);
    let body = value(&request);
    assert_eq!(body["instructions"], "A\n\nB\n\nC");
    assert_eq!(
        body["input"],
        json!([
            {"type":"message","role":"developer","content":"D"},
            {"type":"message","role":"user","content":"Hi"},
            {"type":"message","role":"system","content":"E"},
            {"type":"message","role":"user","content":"F"}])
    );
    assert_eq!(body["store"], false, "nothing is kept");
    assert!(body.get("include").is_none() && body.get("stream").is_none());
}

#[test]
fn thinking_of_its_own_goes_back_before_the_call_and_that_of_others_does_not() {
    let request = asking(vec![
        turn(Role::User, vec![text("?")]),
        turn(
            Role::Assistant,
            vec![
                thinking("foreign", Origin::Anthropic, false),
                thinking("own", Origin::OpenAi, false),
                thinking("", Origin::OpenAi, true),
                text("Wait."),
                call("a", "f"),
                call("b", "g"),
            ],
        ),
        turn(Role::User, vec![result("a", vec![text("1")], false), result("b", vec![], true)]),
        turn(
            Role::User,
            vec![
                result("c", vec![text("no such file")], true),
                result("d", vec![text("Error: denied")], true),
            ],
        ),
        turn(Role::Assistant, vec![thinking("unused", Origin::OpenAi, false)]),
        turn(Role::User, vec![text("go on")]),
    ]);
    let body = value(&request);
    assert_eq!(
        body["input"],
        json!([
            {"type":"message","role":"user","content":"?"},
            {"type":"reasoning","summary":[{"type":"summary_text","text":"own"}],"encrypted_content":"c2ln"},
            {"type":"reasoning","summary":[],"encrypted_content":"c2ln"},
            {"type":"message","role":"assistant","content":"Wait."},
            {"type":"function_call","call_id":"a","name":"f","arguments":"{}"},
            {"type":"function_call","call_id":"b","name":"g","arguments":"{}"},
            {"type":"function_call_output","call_id":"a","output":"1"},
            {"type":"function_call_output","call_id":"b","output":"The tool failed."},
            {"type":"function_call_output","call_id":"c","output":"Error:\nno such file"},
            {"type":"function_call_output","call_id":"d","output":"Error: denied"},
            {"type":"message","role":"user","content":"go on"}])
    );
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
}

#[test]
fn an_id_of_thinking_is_never_made_up() {
    for (id, kept) in [("rs_1", json!("rs_1")), ("reasoning_s_1", Value::Null)] {
        let mut thought = thinking("x", Origin::OpenAi, false);
        if let PartKind::Thinking(thinking) = &mut thought {
            thinking.id = Some(id.into());
        }
        let body = value(&asking(vec![turn(Role::Assistant, vec![thought, text("y")])]));
        assert_eq!(body["input"][0]["id"], kept);
    }
}

#[test]
fn media_are_written_as_what_they_are() {
    let png = Media {
        mime: Some("image/png".into()),
        detail: Some("low".into()),
        ..Media::at(Source::Base64("AA==".into()))
    };
    let unnamed =
        Media { mime: Some("text/plain".into()), ..Media::at(Source::Base64("QQ==".into())) };
    let plain = Media {
        name: Some("Title".into()),
        context: Some("From the wiki.".into()),
        ..Media::at(Source::Text("words".into()))
    };
    let request = asking(vec![turn(
        Role::User,
        vec![
            PartKind::Image(png),
            PartKind::Image(Media::at(Source::Base64("/9j/AA==".into()))),
            PartKind::Image(Media::at(Source::Url("https://x.test/a.png".into()))),
            PartKind::Document(unnamed),
            PartKind::Document(Media::at(Source::Url("https://x.test/a.pdf".into()))),
            PartKind::Document(Media::at(Source::File("file_1".into()))),
            PartKind::Document(plain),
        ],
    )]);
    assert_eq!(
        value(&request)["input"][0]["content"],
        json!([
            {"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"low"},
            {"type":"input_image","image_url":"data:image/jpeg;base64,/9j/AA==","detail":"auto"},
            {"type":"input_image","image_url":"https://x.test/a.png","detail":"auto"},
            {"type":"input_file","filename":"document.txt","file_data":"data:text/plain;base64,QQ=="},
            {"type":"input_file","file_url":"https://x.test/a.pdf"},
            {"type":"input_file","file_id":"file_1"},
            {"type":"input_text","text":"From the wiki."},
            {"type":"input_text","text":"words"}])
    );
    let audio = PartKind::Audio(Media::at(Source::Base64("AA==".into())));
    assert!(inlines(&audio));
    let refusal =
        written(&asking(vec![turn(Role::User, vec![audio])]), &ModelFacts::default()).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("messages[1].content[0]"));
    assert!(refusal.message.contains("audio"), "{refusal}");
}

type Ask = fn(&mut Request<'_>);

#[test]
fn what_the_api_lacks_is_refused_by_name() {
    let hint = |request: &mut Request<'_>| {
        request.sampling.n = Some(1);
        request.sampling.seed = Some(7);
        request.sampling.frequency_penalty = Some(0.0);
        request.sampling.presence_penalty = Some(0.0);
    };
    let mut harmless = Request::default();
    hint(&mut harmless);
    written(&harmless, &ModelFacts::default()).unwrap();
    let asks: [(&str, Ask); 7] = [
        ("stop", |request| request.stop = vec!["END".into()]),
        ("frequency_penalty", |request| request.sampling.frequency_penalty = Some(0.5)),
        ("presence_penalty", |request| request.sampling.presence_penalty = Some(-0.5)),
        ("n", |request| request.sampling.n = Some(2)),
        ("logprobs", |request| request.sampling.logprobs = true),
        ("top_logprobs", |request| request.sampling.top_logprobs = Some(2)),
        ("top_k", |request| request.sampling.top_k = Some(5)),
    ];
    for (name, ask) in asks {
        let mut request = Request::default();
        ask(&mut request);
        let refusal = written(&request, &ModelFacts::default()).unwrap_err();
        assert_eq!(refusal.code, "unsupported_parameter");
        assert_eq!(refusal.param.as_deref(), Some(name));
        assert!(refusal.message.contains(name));
    }
}

#[test]
fn limits_and_sampling_are_brought_into_range() {
    let mut request = Request { max_tokens: Some(5), ..Request::default() };
    request.sampling.temperature = Some(3.5);
    request.sampling.top_p = Some(1.5);
    let body = value(&request);
    assert_eq!(body["max_output_tokens"], 16);
    assert_eq!(body["temperature"], 2.0);
    assert_eq!(body["top_p"], 1.0);
    // A model that thinks takes neither.
    request.reasoning = Some(Reasoning { effort: Some(Effort::Low), ..Reasoning::default() });
    let body = value(&request);
    assert!(body.get("temperature").is_none() && body.get("top_p").is_none());
    assert_eq!(body["reasoning"], json!({"effort":"low","summary":"auto"}));
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
}

#[test]
fn a_budget_of_thinking_becomes_the_nearest_effort() {
    for (tokens, effort) in [(1024, "low"), (8000, "medium"), (31_999, "high")] {
        let reasoning = Reasoning { max_tokens: Some(tokens), visible: Some(false), effort: None };
        let request = Request { reasoning: Some(reasoning), ..Request::default() };
        assert_eq!(value(&request)["reasoning"], json!({"effort": effort}));
    }
}

#[test]
fn thinking_is_switched_off_in_a_word_that_the_model_knows() {
    let off = Reasoning { effort: Some(Effort::None), ..Reasoning::default() };
    let request = Request { reasoning: Some(off), ..Request::default() };
    let knowing = |words: &[&str]| {
        let efforts = Some(Efforts::named(words.iter().copied()));
        let facts = ModelFacts { efforts, ..ModelFacts::default() };
        let body: Value = serde_json::from_str(&written(&request, &facts).unwrap()).unwrap();
        body.get("reasoning").cloned()
    };
    assert_eq!(knowing(&["none", "low"]), Some(json!({"effort":"none"})));
    assert_eq!(knowing(&["low", "medium", "high"]), Some(json!({"effort":"low"})));
    assert_eq!(value(&request).get("reasoning"), None);
    let dull = ModelFacts {
        capabilities: Some(Capabilities::named(["streaming"])),
        ..ModelFacts::default()
    };
    assert!(!written(&request, &dull).unwrap().contains("reasoning"));
    let thinks =
        ModelFacts { reasoning_mode: Some(ReasoningMode::Effort), ..ModelFacts::default() };
    assert!(written(&Request::default(), &thinks).unwrap().contains("reasoning.encrypted_content"));
}

#[test]
fn a_long_name_of_a_user_is_sent_as_its_hash_and_empty_stops_are_none() {
    let long = "u".repeat(150);
    let user = Some(long.as_str().into());
    let body = value(&Request { user, stop: vec!["".into()], ..Request::default() });
    assert_eq!(body["user"].as_str().unwrap().len(), 64);
    let body = value(&Request { user: Some("ann".into()), ..Request::default() });
    assert_eq!(body["user"], "ann");
}

#[test]
fn a_custom_tool_of_chat_completions_is_one_here() {
    let body = r#"{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"custom","custom":{"name":"p","description":"d","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"x+"}}}}]}"#;
    let request = ClientApi::Chat.read(body.as_bytes()).unwrap();
    assert_eq!(
        value(&request)["tools"],
        json!([{"type":"custom","name":"p","description":"d","format":{"type":"grammar","syntax":"regex","definition":"x+"}}])
    );
    let raw = serde_json::value::RawValue::NULL;
    let kind = ToolKind::Other { name: "computer_20250124".into(), raw };
    let request = Request { tools: vec![Tool { kind, cache: None }], ..Request::default() };
    let refusal = written(&request, &ModelFacts::default()).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("tools[0]"));
    assert!(refusal.message.contains("computer_20250124"));
}

#[test]
fn a_strict_tool_of_messages_is_strict_only_where_its_schema_is_closed() {
    for (required, strict) in [(r#""x""#, true), ("", false)] {
        let body = format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"x"}}],"tools":[
                {{"name":"f","strict":true,"input_schema":{{"type":"object","properties":{{"x":{{}}}},"required":[{required}],"additionalProperties":false}}}}]}}"#
        );
        let request = ClientApi::Messages.read(body.as_bytes()).unwrap();
        assert_eq!(value(&request)["tools"][0]["strict"], strict);
    }
}

#[test]
fn an_id_that_is_too_long_is_the_same_shorter_one_for_a_call_and_its_result() {
    let long = "call_".repeat(20);
    let body = format!(
        r#"{{"messages":[{{"role":"assistant","tool_calls":[{{"id":"{long}","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}]}},
            {{"role":"tool","tool_call_id":"{long}","content":"1"}}]}}"#
    );
    let request = ClientApi::Chat.read(body.as_bytes()).unwrap();
    let input = &value(&request)["input"];
    let id = input[0]["call_id"].as_str().unwrap();
    assert!(id.len() <= 64 && id.starts_with("call_"), "{id}");
    assert_eq!(input[1]["call_id"], id);
}

#[test]
fn a_function_is_never_made_strict_behind_the_clients_back() {
    let function = |strict| Tool {
        kind: ToolKind::Function { name: "f".into(), description: None, parameters: None, strict },
        cache: None,
    };
    let request = Request {
        tools: vec![function(None), function(Some(true))],
        parallel_tool_calls: Some(false),
        ..Request::default()
    };
    let body = value(&request);
    assert_eq!(
        body["tools"],
        json!([{"type":"function","name":"f","parameters":null,"strict":false},
            {"type":"function","name":"f","parameters":null,"strict":true}])
    );
    assert_eq!(body["parallel_tool_calls"], false);
}

//! Requests for Claude.

use serde_json::{Value, json, value::RawValue};

use super::{able, asking, request_reading::CODING, text, thinks, turn, write_for, written};
use crate::{
    domain::{ModelFacts, ReasoningMode},
    translate::{
        Platform,
        form::{
            CacheMark, Effort, Format, JsonSchema, Media, Origin, Part, PartKind, PartPath,
            Reasoning, Request, Role, Signature, Source, Thinking, Tool, ToolCall, ToolChoice,
            ToolKind, ToolResult,
        },
        messages::{inlines, read_request},
    },
};

fn part(kind: PartKind<'_>) -> Part<'_> {
    Part::new(kind, PartPath { list: "messages", item: 1, part: Some(0) })
}

fn called<'a>(id: &'a str, arguments: &'a str) -> Part<'a> {
    part(PartKind::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: arguments.into(),
        signature: None,
        custom: false,
    }))
}

fn result<'a>(id: &'a str, parts: Vec<Part<'a>>) -> Part<'a> {
    let call_id = id.into();
    part(PartKind::ToolResult(ToolResult {
        call_id,
        name: None,
        parts,
        error: false,
        custom: false,
    }))
}

fn thought(origin: Origin) -> Part<'static> {
    let signature = Some(Signature::new(origin, "c2ln"));
    part(PartKind::Thinking(Thinking { text: "hm".into(), signature, redacted: false, id: None }))
}

fn tool<'a>(name: &'a str, parameters: Option<&'a RawValue>) -> Tool<'a> {
    let kind =
        ToolKind::Function { name: name.into(), description: None, parameters, strict: None };
    Tool { kind, cache: None }
}

fn effort(effort: Effort) -> Option<Reasoning> {
    Some(Reasoning { effort: Some(effort), ..Reasoning::default() })
}

fn manual(request: &Request<'_>) -> Value {
    write_for(request, thinks(ReasoningMode::Manual), Platform::Own).unwrap()
}

fn adaptive(request: &Request<'_>) -> Value {
    write_for(request, thinks(ReasoningMode::Adaptive), Platform::Own).unwrap()
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

/// A loop of tools: a question, a turn of calls that begins with `first`, their results.
fn in_a_loop(first: Option<Part<'static>>) -> Request<'static> {
    let calls = first.into_iter().chain([called("a", "{}")]).collect();
    let mut request = asking("x");
    request.turns.push(turn(Role::Assistant, calls));
    request.turns.push(turn(Role::User, vec![result("a", vec![text("1")])]));
    request
}

#[test]
fn instructions_go_to_the_top_in_their_order_and_nothing_else_changes_place() {
    let mut request = asking("Who?");
    request.turns.insert(0, turn(Role::System, vec![text("One."), text("  ")]));
    request.turns.push(turn(Role::Assistant, vec![text("I.")]));
    request.turns.push(turn(Role::Developer, vec![text("Two.")]));
    request.turns.push(turn(Role::User, vec![text("When?"), text("")]));
    request.stop = vec!["##END".into(), "".into()];
    request.user = Some("u1".into());
    request.stream = true;
    assert_eq!(
        serde_json::to_string(&written(&request)).unwrap(),
        r###"{"model":"claude-x","max_tokens":100,"system":[{"type":"text","text":"One."},{"type":"text","text":"Two."}],"messages":[{"role":"user","content":[{"type":"text","text":"Who?"}]},{"role":"assistant","content":[{"type":"text","text":"I."}]},{"role":"user","content":[{"type":"text","text":"When?"}]}],"stop_sequences":["##END"],"metadata":{"user_id":"u1"},"stream":true}"###
    );
}

#[test]
fn instructions_alone_become_the_question() {
    let request =
        Request { turns: vec![turn(Role::System, vec![text("Say hi.")])], ..Request::default() };
    let body = written(&request);
    assert_eq!(
        body["messages"],
        json!([{"role":"user","content":[{"type":"text","text":"Say hi."}]}])
    );
    assert_eq!(body.get("system"), None);
    assert_eq!(body["max_tokens"], 4096);
}

/// T-25: all results of a turn are first, in one message.
#[test]
fn results_of_parallel_calls_are_first_in_one_message() {
    let mut request = asking("Pau or Dax?");
    request.turns.extend([
        turn(Role::Assistant, vec![called("fc_1", r#"{"city":"Pau"}"#), called("call|2:x", "")]),
        turn(Role::User, vec![text("and then?")]),
        turn(Role::User, vec![result("fc_1", vec![text("11")])]),
        turn(Role::User, vec![result("call|2:x", vec![text(" "), text("12"), text("13")])]),
        turn(Role::User, vec![result("fc_3", vec![])]),
    ]);
    request.tools = vec![tool("f", None)];
    let body = written(&request);
    assert_eq!(
        body["messages"].as_array().unwrap()[1..],
        [
            json!({"role":"assistant","content":[
                {"type":"tool_use","id":"fc_1","name":"f","input":{"city":"Pau"}},
                {"type":"tool_use","id":"call_7c2_3ax","name":"f","input":{}}]}),
            json!({"role":"user","content":[
                {"type":"tool_result","tool_use_id":"fc_1","content":"11"},
                {"type":"tool_result","tool_use_id":"call_7c2_3ax","content":[{"type":"text","text":"12"},{"type":"text","text":"13"}]},
                {"type":"tool_result","tool_use_id":"fc_3"},
                {"type":"text","text":"and then?"}]}),
        ]
    );
}

#[test]
fn an_effort_becomes_a_budget_and_makes_room_for_it() {
    for (word, budget) in [
        (Effort::Minimal, 1024),
        (Effort::Low, 1024),
        (Effort::Medium, 2000),
        (Effort::High, 4000),
        (Effort::XHigh, 16000),
        (Effort::Max, 32000),
    ] {
        let mut request = Request { reasoning: effort(word), ..asking("x") };
        request.sampling.temperature = Some(0.2);
        request.sampling.top_p = Some(0.5);
        request.sampling.top_k = Some(5);
        let body = manual(&request);
        assert_eq!(body["thinking"], json!({"type":"enabled","budget_tokens":budget}));
        assert_eq!(body["max_tokens"], budget + 1000);
        for gone in ["temperature", "top_p", "top_k", "output_config"] {
            assert_eq!(body.get(gone), None);
        }
    }
    for off in [Some(Reasoning::default()), effort(Effort::None), None] {
        let is_on = off.is_some_and(|reasoning| !reasoning.is_off());
        let body = manual(&Request { reasoning: off, ..asking("x") });
        assert_eq!(body.get("thinking").is_some(), is_on);
        assert_eq!(body["max_tokens"], if is_on { 3000 } else { 100 });
    }
}

#[test]
fn a_budget_is_kept_within_what_can_be() {
    let with = |budget, facts: ModelFacts, limit| {
        let reasoning = Some(Reasoning { max_tokens: Some(budget), ..Reasoning::default() });
        let request = Request { reasoning, max_tokens: limit, ..asking("x") };
        let body = write_for(&request, facts, Platform::Own).unwrap();
        (body["thinking"]["budget_tokens"].as_u64().unwrap(), body["max_tokens"].as_u64().unwrap())
    };
    let facts = thinks(ReasoningMode::Manual);
    assert_eq!(with(3100, facts, None), (3100, 4100));
    assert_eq!(with(3100, facts, Some(9000)), (3100, 9000));
    assert_eq!(with(5, facts, Some(9000)), (1024, 9000));
    assert_eq!(with(1_000_000, facts, None), (128_000, 129_000));
    let small = ModelFacts { max_output_tokens: Some(8192), ..facts };
    assert_eq!(with(31_999, small, Some(100)), (7192, 8192));
    assert_eq!(with(2000, small, None), (2000, 8192));
}

#[test]
fn newer_models_get_an_effort() {
    for (word, told) in [
        (Effort::Minimal, "low"),
        (Effort::Low, "low"),
        (Effort::Medium, "medium"),
        (Effort::High, "high"),
        (Effort::XHigh, "xhigh"),
        (Effort::Max, "max"),
    ] {
        let body = adaptive(&Request { reasoning: effort(word), ..asking("x") });
        assert_eq!(body["thinking"], json!({"type":"adaptive","display":"summarized"}));
        assert_eq!(body["output_config"], json!({"effort": told}));
        assert_eq!(body["max_tokens"], 100);
    }
    let hidden = Reasoning { effort: None, max_tokens: Some(3000), visible: Some(false) };
    let body = adaptive(&Request { reasoning: Some(hidden), ..asking("x") });
    assert_eq!(body["thinking"]["display"], "omitted");
    assert_eq!(body["output_config"]["effort"], "medium");
    let body = adaptive(&Request { reasoning: effort(Effort::None), ..asking("x") });
    assert_eq!((body.get("thinking"), body.get("output_config")), (None, None));
}

/// T-26.
#[test]
fn thinking_that_claude_signed_goes_back_first_and_unmodified() {
    let redacted = part(PartKind::Thinking(Thinking {
        text: "".into(),
        signature: Some(Signature::new(Origin::Anthropic, "cmVk")),
        redacted: true,
        id: None,
    }));
    let mut request = in_a_loop(None);
    request.turns[1].parts.insert(0, text("Let me look."));
    request.turns[1].parts.extend([thought(Origin::Anthropic), redacted, thought(Origin::OpenAi)]);
    request.reasoning = effort(Effort::Low);
    let body = manual(&request);
    assert_eq!(body["thinking"]["type"], "enabled");
    assert_eq!(
        body["messages"][1]["content"],
        json!([{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"cmVk"},
            {"type":"text","text":"Let me look."},{"type":"tool_use","id":"a","name":"f","input":{}}])
    );
}

#[test]
fn a_loop_without_its_thinking_goes_on_without_thinking() {
    for first in [None, Some(thought(Origin::Google))] {
        let request = Request { reasoning: effort(Effort::Low), ..in_a_loop(first) };
        assert_eq!(manual(&request).get("thinking"), None);
        assert_eq!(manual(&request)["max_tokens"], 100);
        assert_eq!(adaptive(&request)["thinking"]["type"], "adaptive");
    }
    // Only the loop that is going on counts, and any of its turns may have the thinking.
    let mut over = in_a_loop(None);
    over.turns.push(turn(Role::Assistant, vec![text("It is 1.")]));
    over.turns.push(turn(Role::User, vec![text("And now?")]));
    over.reasoning = effort(Effort::Low);
    assert_eq!(manual(&over)["thinking"]["type"], "enabled");
    let mut longer = in_a_loop(Some(thought(Origin::Anthropic)));
    longer.turns.push(turn(Role::Assistant, vec![called("b", "{}")]));
    longer.turns.push(turn(Role::User, vec![result("b", vec![])]));
    longer.reasoning = effort(Effort::Low);
    assert_eq!(manual(&longer)["thinking"]["type"], "enabled");
}

#[test]
fn thinking_has_no_place_where_it_is_off() {
    let request = in_a_loop(Some(thought(Origin::Anthropic)));
    assert_eq!(manual(&request)["messages"][1]["content"][0]["type"], "tool_use");
    assert_eq!(adaptive(&request)["messages"][1]["content"][0]["type"], "thinking");
}

#[test]
fn a_forced_call_and_a_begun_answer_are_worth_more_than_thinking() {
    let forced = |choice| Request {
        tools: vec![tool("f", None)],
        tool_choice: Some(choice),
        reasoning: effort(Effort::High),
        ..asking("x")
    };
    let body = manual(&forced(ToolChoice::Named("f".into())));
    assert_eq!((body.get("thinking"), &body["tool_choice"]["type"]), (None, &json!("tool")));
    let body = adaptive(&forced(ToolChoice::Required));
    assert_eq!((body.get("thinking"), &body["output_config"]["effort"]), (None, &json!("high")));
    assert!(manual(&forced(ToolChoice::Auto)).get("thinking").is_some());

    let mut begun = Request { reasoning: effort(Effort::High), ..asking("x") };
    begun.turns.push(turn(Role::Assistant, vec![text("It is ")]));
    let body = manual(&begun);
    assert_eq!(body.get("thinking"), None);
    assert_eq!(body["messages"][1]["content"][0]["text"], "It is");
}

#[test]
fn sampling_is_kept_within_range() {
    let sampled = |temperature, top_p| {
        let mut request = asking("x");
        request.sampling.temperature = temperature;
        request.sampling.top_p = top_p;
        request.sampling.top_k = Some(4);
        request.sampling.seed = Some(7);
        request.sampling.frequency_penalty = Some(0.0);
        request.sampling.n = Some(1);
        let body = written(&request);
        assert_eq!((&body["top_k"], body.get("seed")), (&json!(4), None));
        (body["temperature"].as_f64(), body["top_p"].as_f64())
    };
    assert_eq!(sampled(Some(1.9), None), (Some(1.0), None));
    assert_eq!(sampled(Some(0.4), Some(0.9)), (Some(0.4), None));
    assert_eq!(sampled(None, Some(0.9)), (None, Some(0.9)));
}

#[test]
fn what_claude_has_no_counterpart_of_is_refused_by_name() {
    let biases = raw(r#"{"5":1}"#);
    let mut all: Vec<(&str, Request<'_>)> =
        ["frequency_penalty", "presence_penalty", "n", "logprobs", "logit_bias", "stop"]
            .map(|name| (name, asking("x")))
            .into();
    all[0].1.sampling.frequency_penalty = Some(0.5);
    all[1].1.sampling.presence_penalty = Some(-1.0);
    all[2].1.sampling.n = Some(2);
    all[3].1.sampling.logprobs = true;
    all[4].1.sampling.logit_bias = Some(&biases);
    all[5].1.stop = vec!["\n\n".into()];
    for (name, request) in all {
        let refusal = write_for(&request, ModelFacts::default(), Platform::Own).unwrap_err();
        assert_eq!((refusal.code, refusal.param.as_deref()), ("unsupported_parameter", Some(name)));
    }
    let sound = PartKind::Audio(Media::at(Source::Base64("AAAA".into())));
    let search = raw(r#"{"type":"file_search"}"#);
    let other = PartKind::Other { name: "file_search_call".into(), raw: &search };
    for kind in [sound, other] {
        let mut request = asking("x");
        request.turns[0].parts.push(part(kind));
        let refusal = write_for(&request, ModelFacts::default(), Platform::Own).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some("messages[1].content[0]"));
    }
    let kind = ToolKind::Other { name: "file_search".into(), raw: &search };
    let request = Request { tools: vec![Tool { kind, cache: None }], ..asking("x") };
    let refusal = write_for(&request, ModelFacts::default(), Platform::Own).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("tools[0]"));
    assert!(refusal.message.contains("file_search"));
}

/// T-25.
#[test]
fn every_choice_of_tools_is_told() {
    let choose = |choice, parallel| {
        let tools = vec![tool("f", None), tool("g", None)];
        let request =
            Request { tools, tool_choice: choice, parallel_tool_calls: parallel, ..asking("x") };
        let body = written(&request);
        let names: Vec<_> =
            body["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
        (body["tool_choice"].clone(), names.len())
    };
    let only = |required| ToolChoice::Allowed { names: vec!["g".into()], required };
    for (choice, parallel, told, count) in [
        (None, None, json!(null), 2),
        (None, Some(true), json!(null), 2),
        (None, Some(false), json!({"type":"auto","disable_parallel_tool_use":true}), 2),
        (Some(ToolChoice::Auto), None, json!(null), 2),
        (Some(ToolChoice::None), Some(false), json!({"type":"none"}), 2),
        (Some(ToolChoice::Required), None, json!({"type":"any"}), 2),
        (
            Some(ToolChoice::Required),
            Some(false),
            json!({"type":"any","disable_parallel_tool_use":true}),
            2,
        ),
        (Some(ToolChoice::Named("g".into())), None, json!({"type":"tool","name":"g"}), 2),
        (Some(only(true)), None, json!({"type":"any"}), 1),
        (Some(only(false)), None, json!(null), 1),
    ] {
        assert_eq!(choose(choice, parallel), (told, count));
    }
    let request = Request { tool_choice: Some(ToolChoice::Required), ..asking("x") };
    assert_eq!(written(&request).get("tool_choice"), None);
}

#[test]
fn a_tools_schema_is_kept_byte_for_byte_and_made_whole_where_it_is_not() {
    let schemas =
        [r#"{"type":"object","z":1.50,"a":{}}"#, r#"{"properties":{}}"#, "{ }", "null"].map(raw);
    let tools =
        schemas.iter().map(|schema| tool("f", Some(schema))).chain([tool("f", None)]).collect();
    let body = written(&Request { tools, ..asking("x") });
    let told: Vec<String> = body["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["input_schema"].to_string())
        .collect();
    let none = r#"{"type":"object","properties":{}}"#;
    assert_eq!(
        told,
        [
            r#"{"type":"object","z":1.5,"a":{}}"#,
            r#"{"type":"object","properties":{}}"#,
            none,
            none,
            none
        ]
    );
}

#[test]
fn strict_tools_are_asked_of_models_that_have_them() {
    let schema = raw(r#"{"type":"object"}"#);
    let strict = |facts| {
        let kind = ToolKind::Function {
            name: "f".into(),
            description: None,
            parameters: Some(&schema),
            strict: Some(true),
        };
        let request = Request { tools: vec![Tool { kind, cache: None }], ..asking("x") };
        write_for(&request, facts, Platform::Own).unwrap()["tools"][0].get("strict").cloned()
    };
    assert_eq!(strict(able(&["tools", "json_schema"])), Some(json!(true)));
    assert_eq!(strict(ModelFacts::default()), Some(json!(true)));
    assert_eq!(strict(able(&["tools"])), None);
}

#[test]
fn a_history_of_calls_has_tools_even_if_the_request_has_none() {
    let body = written(&in_a_loop(None));
    assert_eq!(
        (&body["tools"], &body["tool_choice"]),
        (
            &json!([{"name":"f","input_schema":{"type":"object","properties":{}}}]),
            &json!({"type":"none"})
        )
    );
}

#[test]
fn search_is_claudes_own_where_the_platform_has_it() {
    let places = [
        r#"{"type":"approximate","approximate":{"city":"Graz","country":"AT"}}"#,
        r#"{"type":"approximate","city":"Graz","country":"AT"}"#,
        r#"{"city":"Graz","country":"AT"}"#,
    ];
    for place in places.map(raw) {
        let kind = ToolKind::WebSearch {
            max_uses: Some(2),
            context_size: Some("high".into()),
            user_location: Some(&place),
            allowed_domains: vec!["a.example".into()],
            blocked_domains: Vec::new(),
        };
        let request = Request { tools: vec![Tool { kind, cache: None }], ..asking("x") };
        assert_eq!(
            written(&request)["tools"],
            json!([{"type":"web_search_20250305","name":"web_search","max_uses":2,"allowed_domains":["a.example"],
                "user_location":{"type":"approximate","city":"Graz","country":"AT"}}])
        );
        assert!(write_for(&request, ModelFacts::default(), Platform::Vertex).is_ok());
        let refusal = write_for(&request, ModelFacts::default(), Platform::Bedrock).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some("tools[0]"));
    }
}

#[test]
fn a_form_of_the_answer_is_asked_for_in_claudes_way() {
    let schema = raw(r#"{"type":"object","properties":{"a":{"type":"object"}}}"#);
    let format = JsonSchema {
        name: Some("n".into()),
        description: None,
        schema: &schema,
        strict: Some(true),
    };
    let mut request = Request { format: Some(Format::JsonSchema(format)), ..asking("x") };
    assert_eq!(
        written(&request)["output_config"],
        json!({"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"object","additionalProperties":false}},
            "additionalProperties":false}}})
    );
    request.format = Some(Format::JsonObject);
    let body = written(&request);
    assert!(body["system"][0]["text"].as_str().unwrap().contains("JSON"));
    assert_eq!(body.get("output_config"), None);
}

#[test]
fn the_first_and_the_last_three_cache_marks_stay() {
    let marked = |words: &'static str, mark| Part { cache: Some(mark), ..text(words) };
    let mut request = asking("0");
    request.turns.insert(0, turn(Role::System, vec![marked("s", CacheMark::Hour)]));
    for words in ["1", "2", "3", "4", "5"] {
        request.turns[1].parts.push(marked(words, CacheMark::Short));
    }
    let body = written(&request);
    assert_eq!(body["system"][0]["cache_control"], json!({"type":"ephemeral","ttl":"1h"}));
    let marks: Vec<&Value> = body["messages"][0]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| &block["cache_control"])
        .collect();
    let (none, short) = (&json!(null), &json!({"type":"ephemeral"}));
    assert_eq!(marks, [none, none, none, short, short, short]);
}

#[test]
fn media_are_told_as_the_platform_takes_them() {
    let media = |mime: Option<&'static str>, source| Media {
        mime: mime.map(Into::into),
        ..Media::at(source)
    };
    let told = |kind, platform| {
        let mut request = asking("x");
        request.turns[0].parts.push(part(kind));
        write_for(&request, ModelFacts::default(), platform)
            .map(|body| body["messages"][0]["content"][1]["source"].clone())
    };
    let base64 = |data: &'static str| Source::Base64(data.into());
    let url = || Source::Url("https://x.example/a".into());
    let file = || Source::File("file_1".into());
    for (kind, source) in [
        (
            PartKind::Image(media(Some("image/jpg"), base64("AAAA"))),
            json!({"type":"base64","media_type":"image/jpeg","data":"AAAA"}),
        ),
        (
            PartKind::Image(media(Some("image/jpeg"), base64("iVBORw0KGgo="))),
            json!({"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}),
        ),
        (
            PartKind::Document(media(None, base64("JVBERi0="))),
            json!({"type":"base64","media_type":"application/pdf","data":"JVBERi0="}),
        ),
        (
            PartKind::Document(media(Some("text/csv"), base64("YSxi"))),
            json!({"type":"text","media_type":"text/plain","data":"a,b"}),
        ),
        (
            PartKind::Document(media(None, Source::Text("t".into()))),
            json!({"type":"text","media_type":"text/plain","data":"t"}),
        ),
    ] {
        for platform in [Platform::Own, Platform::Bedrock, Platform::Vertex] {
            assert_eq!(told(kind.clone(), platform).unwrap(), source);
        }
    }
    let there = [
        (PartKind::Image(media(None, url())), json!({"type":"url","url":"https://x.example/a"})),
        (PartKind::Document(media(None, url())), json!({"type":"url","url":"https://x.example/a"})),
        (PartKind::Image(media(None, file())), json!({"type":"file","file_id":"file_1"})),
        (PartKind::Document(media(None, file())), json!({"type":"file","file_id":"file_1"})),
    ];
    for (kind, source) in there {
        assert_eq!(told(kind.clone(), Platform::Own).unwrap(), source);
        let is_url = source["type"] == "url";
        assert!(!inlines(Platform::Own, &kind));
        for platform in [Platform::Bedrock, Platform::Vertex] {
            assert_eq!(inlines(platform, &kind), is_url);
            let refusal = told(kind.clone(), platform).unwrap_err();
            assert_eq!(refusal.param.as_deref(), Some("messages[1].content[0]"));
        }
    }
    for kind in [
        PartKind::Image(media(Some("image/tiff"), base64("AAAA"))),
        PartKind::Document(media(Some("application/msword"), base64("AAAA"))),
        PartKind::Document(media(Some("text/plain"), base64("/w=="))),
    ] {
        assert_eq!(told(kind, Platform::Own).unwrap_err().code, "unsupported_parameter");
    }
}

#[test]
fn a_document_keeps_what_was_said_of_it() {
    let mut request = asking("x");
    let media = Media {
        name: Some("T".into()),
        context: Some("C".into()),
        citations: true,
        ..Media::at(Source::Text("t".into()))
    };
    request.turns[0]
        .parts
        .push(Part { cache: Some(CacheMark::Short), ..part(PartKind::Document(media)) });
    assert_eq!(
        written(&request)["messages"][0]["content"][1],
        json!({"type":"document","source":{"type":"text","media_type":"text/plain","data":"t"},"title":"T","context":"C",
            "citations":{"enabled":true},"cache_control":{"type":"ephemeral"}})
    );
}

#[test]
fn each_platform_has_its_own_envelope() {
    let mut request = Request { service_tier: Some("default".into()), ..asking("x") };
    request.stream = true;
    let of = |platform| {
        let body = write_for(&request, ModelFacts::default(), platform).unwrap();
        ["anthropic_version", "model", "stream", "service_tier"].map(|name| body[name].clone())
    };
    let none = || json!(null);
    assert_eq!(of(Platform::Own), [none(), json!("claude-x"), json!(true), json!("standard_only")]);
    assert_eq!(of(Platform::Bedrock), [json!("bedrock-2023-05-31"), none(), none(), none()]);
    assert_eq!(of(Platform::Vertex), [json!("vertex-2023-10-16"), none(), json!(true), none()]);
}

/// T-30.
#[test]
fn the_same_request_makes_the_same_bytes() {
    let first = manual(&read_request(CODING.as_bytes()).unwrap()).to_string();
    for _ in 0..100 {
        assert_eq!(manual(&read_request(CODING.as_bytes()).unwrap()).to_string(), first);
    }
}

/// What Claude Code says reaches Claude with all its words, marks and signatures even through the middle.
#[test]
fn a_coding_agents_body_comes_through_whole() {
    let body = manual(&read_request(CODING.as_bytes()).unwrap());
    let original: Value = serde_json::from_str(CODING).unwrap();
    for same in ["system", "thinking", "max_tokens", "metadata", "stream"] {
        let expected = if same == "max_tokens" { &json!(32999) } else { &original[same] };
        assert_eq!(&body[same], expected, "{same}");
    }
    assert_eq!(body["messages"], original["messages"]);
    assert_eq!(body["tools"][0]["cache_control"], json!({"type":"ephemeral"}));
}

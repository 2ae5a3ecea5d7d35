//! Requests for Claude.

use serde_json::{Value, json};

use super::{
    asking,
    building::{manual, part, raw},
    request_reading::CODING,
    text, turn, write_for, written,
};
use crate::{
    domain::ModelFacts,
    translate::{
        Platform,
        form::{
            CacheMark, Format, JsonSchema, Media, Part, PartKind, Request, Role, Source, Tool,
            ToolKind,
        },
        messages::read_request,
    },
};

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

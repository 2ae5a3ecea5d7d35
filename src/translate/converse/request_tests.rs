//! What is sent for a request.

use serde_json::{Value, json, value::RawValue};

use super::super::{
    Platform, Target,
    form::{
        CacheMark, Format, JsonSchema, Media, Part, PartKind, PartPath, Request, Role, Source,
        Tool, ToolCall, ToolChoice, ToolKind, ToolResult, Turn,
    },
};
use crate::domain::{ModelFacts, Quirks};

pub(super) const CLAUDE: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const LLAMA: &str = "meta.llama3-1-70b-instruct-v1:0";

pub(super) fn part(kind: PartKind<'_>) -> Part<'_> {
    Part::new(kind, PartPath { list: "messages", item: 0, part: Some(1) })
}

pub(super) fn text(text: &str) -> Part<'_> {
    part(PartKind::Text(text.into()))
}

pub(super) fn turn(role: Role, parts: Vec<Part<'_>>) -> Turn<'_> {
    Turn { role, name: None, parts }
}

pub(super) fn call<'a>(id: &'a str, arguments: &'a str) -> Part<'a> {
    part(PartKind::ToolCall(ToolCall {
        id: id.into(),
        name: "get_weather".into(),
        arguments: arguments.into(),
        signature: None,
        custom: false,
    }))
}

pub(super) fn result<'a>(id: &'a str, parts: Vec<Part<'a>>) -> Part<'a> {
    let result = ToolResult { call_id: id.into(), name: None, parts, error: false, custom: false };
    part(PartKind::ToolResult(result))
}

pub(super) fn image<'a>(source: Source<'a>, mime: Option<&'a str>) -> Part<'a> {
    part(PartKind::Image(Media { mime: mime.map(Into::into), ..Media::at(source) }))
}

fn document<'a>(source: Source<'a>, mime: Option<&'a str>, name: Option<&'a str>) -> Part<'a> {
    let media =
        Media { mime: mime.map(Into::into), name: name.map(Into::into), ..Media::at(source) };
    part(PartKind::Document(media))
}

pub(super) fn raw(text: &str) -> &RawValue {
    serde_json::from_str(text).unwrap()
}

pub(super) fn tool<'a>(name: &'a str, parameters: Option<&'a str>) -> Tool<'a> {
    let kind = ToolKind::Function {
        name: name.into(),
        description: Some("What it does".into()),
        parameters: parameters.map(raw),
        strict: None,
    };
    Tool { kind, cache: None }
}

pub(super) fn asked(parts: Vec<Part<'_>>) -> Request<'_> {
    Request { turns: vec![turn(Role::User, parts)], ..Request::default() }
}

pub(super) fn write_with(
    request: &Request<'_>,
    model: &str,
    facts: &ModelFacts,
) -> Result<Value, String> {
    let quirks = Quirks::default();
    let target = Target { model, facts, platform: Platform::Bedrock, quirks: &quirks };
    let bytes = super::write_request(request, &target)
        .map_err(|refusal| format!("{}: {}", refusal.param.unwrap_or_default(), refusal.message))?;
    let again = super::write_request(request, &target).unwrap();
    assert_eq!(bytes, again, "the same request makes the same bytes");
    Ok(serde_json::from_slice(&bytes).unwrap())
}

pub(super) fn write(request: &Request<'_>, model: &str) -> Value {
    write_with(request, model, &ModelFacts::default()).unwrap()
}

pub(super) fn refused(request: &Request<'_>, model: &str) -> String {
    write_with(request, model, &ModelFacts::default()).unwrap_err()
}

#[test]
fn system_tools_and_limits_are_converses_own() {
    let schema = r#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#;
    let mut request = asked(vec![text("Weather in Pisa?")]);
    request.turns.insert(0, turn(Role::System, vec![text("Use tools."), text(" ")]));
    request.turns.push(turn(Role::Developer, vec![text("Be brief.")]));
    request.tools = vec![tool("get_weather", Some(schema)), tool("now", None)];
    request.tool_choice = Some(ToolChoice::Required);
    request.max_tokens = Some(120);
    request.sampling.temperature = Some(1.7);
    request.sampling.top_p = Some(0.9);
    request.stop = vec!["ZZ".into(), "".into()];
    request.sampling.seed = Some(3);
    request.user = Some("u".into());
    request.service_tier = Some("flex".into());
    let expected = json!({
        "system": [{"text": "Use tools."}, {"text": "Be brief."}],
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "get_weather", "description": "What it does",
                    "inputSchema": {"json": {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}},
                {"toolSpec": {"name": "now", "description": "What it does",
                    "inputSchema": {"json": {"type": "object", "properties": {}}}}},
            ],
            "toolChoice": {"any": {}},
        },
        "messages": [{"role": "user", "content": [{"text": "Weather in Pisa?"}]}],
        // Newer Claude takes only one of temperature and topP.
        "inferenceConfig": {"maxTokens": 120, "temperature": 1.0, "stopSequences": ["ZZ"]},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "serviceTier": {"type": "flex"},
    });
    assert_eq!(write(&request, CLAUDE), expected);
    let older = write(&request, "anthropic.claude-3-haiku-20240307-v1:0");
    assert_eq!(older["inferenceConfig"]["topP"], 0.9);
    let newer = write(&request, "us.anthropic.claude-opus-4-7");
    assert_eq!(newer["inferenceConfig"], json!({"maxTokens": 120, "stopSequences": ["ZZ"]}));
}

#[test]
fn results_of_one_turn_stand_in_one_user_message_before_its_text() {
    let mut request =
        asked(vec![text("Where is this?"), image(Source::Base64("iVBORw0KGgoAAA==".into()), None)]);
    request.turns.extend([
        turn(
            Role::Assistant,
            vec![text("Looking."), call("tu_a", r#"{"city":"Bari"}"#), call("tu|b", " ")],
        ),
        turn(Role::User, vec![result("tu_a", vec![text("22")])]),
        turn(Role::User, vec![text("And?")]),
        turn(
            Role::User,
            vec![result("tu|b", vec![image(Source::Base64("/9j/AA==".into()), Some("image/jpg"))])],
        ),
    ]);
    request.tools = vec![tool("get_weather", None)];
    let body = write(&request, CLAUDE);
    let other = body["messages"][1]["content"][2]["toolUse"]["toolUseId"].clone();
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [
                {"text": "Where is this?"},
                {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgoAAA=="}}},
            ]},
            {"role": "assistant", "content": [
                {"text": "Looking."},
                {"toolUse": {"toolUseId": "tu_a", "name": "get_weather", "input": {"city": "Bari"}}},
                {"toolUse": {"toolUseId": other, "name": "get_weather", "input": {}}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "tu_a", "content": [{"text": "22"}]}},
                {"toolResult": {"toolUseId": other, "content": [
                    {"image": {"format": "jpeg", "source": {"bytes": "/9j/AA=="}}}]}},
                {"text": "And?"},
            ]},
        ])
    );
    assert!(body.get("toolChoice").is_none());
}

#[test]
fn arguments_are_objects_whatever_a_model_once_wrote() {
    for (arguments, input) in [
        (r#" {"a":{"b":1}} "#, json!({"a": {"b": 1}})),
        ("null", json!({})),
        ("[1]", json!({"input": "[1]"})),
        (r#"{"a":"#, json!({"input": r#"{"a":"#})),
        ("free text", json!({"input": "free text"})),
    ] {
        let mut request = asked(vec![text("x")]);
        request.turns.push(turn(Role::Assistant, vec![call("c", arguments)]));
        let body = write(&request, CLAUDE);
        assert_eq!(body["messages"][1]["content"][0]["toolUse"]["input"], input, "{arguments}");
    }
}

#[test]
fn a_history_with_calls_has_tools_even_if_the_request_has_none() {
    let mut request = asked(vec![text("x")]);
    request.turns.extend([
        turn(Role::Assistant, vec![call("a", "{}"), call("b", "{}")]),
        turn(Role::User, vec![result("a", vec![]), result("b", vec![text(" ")])]),
    ]);
    let any = json!({"json": {"type": "object", "properties": {}}});
    let made = json!({"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": any}}]});
    for choice in [None, Some(ToolChoice::None), Some(ToolChoice::Required)] {
        request.tool_choice = choice;
        let body = write(&request, CLAUDE);
        assert_eq!(body["toolConfig"], made);
        let results = &body["messages"][2]["content"];
        assert_eq!(results[0]["toolResult"]["content"], json!([{"text": "No output"}]));
    }
    request.tools = vec![tool("now", None)];
    request.tool_choice = Some(ToolChoice::None);
    let kept = &write(&request, CLAUDE)["toolConfig"];
    assert_eq!(kept["tools"][0]["toolSpec"]["name"], "now");
    assert!(kept.get("toolChoice").is_none());
    // Without such a history nothing is told of tools that must not be called.
    let mut plain = asked(vec![text("x")]);
    plain.tools = vec![tool("now", None)];
    plain.tool_choice = Some(ToolChoice::None);
    assert!(write(&plain, CLAUDE).get("toolConfig").is_none());
}

#[test]
fn every_tool_choice_has_its_word() {
    let mut request = asked(vec![text("x")]);
    request.tools = vec![tool("a", None), tool("b", None)];
    let allowed = |required| ToolChoice::Allowed { names: vec!["b".into()], required };
    for (choice, word, tools) in [
        (ToolChoice::Auto, json!({"auto": {}}), 2),
        (ToolChoice::Required, json!({"any": {}}), 2),
        (ToolChoice::Named("b".into()), json!({"tool": {"name": "b"}}), 2),
        (allowed(false), json!({"auto": {}}), 1),
        (allowed(true), json!({"any": {}}), 1),
    ] {
        request.tool_choice = Some(choice);
        let config = &write(&request, CLAUDE)["toolConfig"];
        assert_eq!(
            (&config["toolChoice"], config["tools"].as_array().unwrap().len()),
            (&word, tools)
        );
    }
}

#[test]
fn one_call_at_a_time_is_asked_for_where_the_model_can() {
    let mut request = asked(vec![text("x")]);
    request.tools = vec![tool("a", None)];
    request.parallel_tool_calls = Some(false);
    let fields = &write(&request, CLAUDE)["additionalModelRequestFields"];
    assert_eq!(
        fields,
        &json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}})
    );
    assert!(write(&request, LLAMA).get("additionalModelRequestFields").is_none());
    request.tool_choice = Some(ToolChoice::Named("a".into()));
    assert!(
        write(&request, "mistral.mistral-large-2407-v1:0")
            .get("additionalModelRequestFields")
            .is_none()
    );
}

#[test]
fn roles_alternate_and_the_user_begins() {
    let mut request = asked(vec![text("  ")]);
    request.turns.extend([
        turn(Role::Assistant, vec![text("Hello!")]),
        turn(Role::User, vec![text("a")]),
        turn(Role::User, vec![text("b")]),
        turn(Role::Assistant, vec![text("so far \n")]),
    ]);
    assert_eq!(
        write(&request, CLAUDE)["messages"],
        json!([
            {"role": "user", "content": [{"text": "."}]},
            {"role": "assistant", "content": [{"text": "Hello!"}]},
            {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
            {"role": "assistant", "content": [{"text": "so far"}]},
        ])
    );
    let nothing = write(&Request::default(), CLAUDE);
    assert_eq!(nothing["messages"], json!([{"role": "user", "content": [{"text": "."}]}]));
}

#[test]
fn documents_have_clean_names_a_format_and_a_text_beside_them() {
    let request = asked(vec![
        document(Source::Base64("JVBERi0=".into()), None, Some("q3 report_v2.pdf")),
        document(Source::Base64("YQ==".into()), Some("application/octet-stream"), Some("t.csv")),
        document(Source::Text("plain".into()), None, None),
        document(Source::Url("s3://bucket/a.docx".into()), None, Some("a.docx")),
        document(Source::Base64("AAAA".into()), Some("video/mp4"), None),
    ]);
    assert_eq!(
        write(&request, CLAUDE)["messages"][0]["content"],
        json!([
            {"document": {"format": "pdf", "name": "q3 report-v2", "source": {"bytes": "JVBERi0="}}},
            {"document": {"format": "csv", "name": "t", "source": {"bytes": "YQ=="}}},
            {"document": {"format": "txt", "name": "document", "source": {"bytes": "cGxhaW4="}}},
            {"document": {"format": "docx", "name": "a", "source": {"s3Location": {"uri": "s3://bucket/a.docx"}}}},
            {"video": {"format": "mp4", "source": {"bytes": "AAAA"}}},
            {"text": "."},
        ])
    );
}

#[test]
fn media_that_bedrock_cannot_take_are_refused_by_their_place() {
    let refused = |part| refused(&asked(vec![part]), CLAUDE);
    for (part, words) in [
        (image(Source::Url("https://example.com/a.png".into()), Some("image/png")), "takes no URL"),
        (image(Source::File("file-1".into()), Some("image/png")), "file's id"),
        (image(Source::Base64("AAAA".into()), Some("image/tiff")), "not image/tiff"),
        (image(Source::Base64("AAAA".into()), None), "unknown type"),
        (
            document(Source::Base64("AAAA".into()), Some("application/zip"), None),
            "documents in PDF",
        ),
    ] {
        let said = refused(part);
        assert!(said.starts_with("messages[0].content[1]: ") && said.contains(words), "{said}");
    }
    let mut request = asked(vec![text("x")]);
    let pixel = image(Source::Base64("/9j/AA==".into()), None);
    request.turns.push(turn(Role::Assistant, vec![pixel]));
    assert!(super::request_tests::refused(&request, CLAUDE).contains("user messages only"));
}

#[test]
fn urls_are_inlined_unless_they_are_in_s3() {
    for (url, inlined) in [("https://example.com/a.png", true), ("s3://bucket/a.png", false)] {
        let part = image(Source::Url(url.into()), None);
        assert_eq!(super::inlines(&part.kind), inlined);
    }
    assert!(!super::inlines(&text("x").kind));
}

#[test]
fn cache_marks_become_cache_points_where_the_model_has_a_cache() {
    let marked = |mut part: Part<'static>, mark| {
        part.cache = Some(mark);
        part
    };
    let mut request = asked(vec![marked(text("long"), CacheMark::Short), text("short")]);
    request.turns.insert(0, turn(Role::System, vec![marked(text("sys"), CacheMark::Hour)]));
    request.tools = vec![tool("a", None)];
    request.tools[0].cache = Some(CacheMark::Short);
    let body = write(&request, CLAUDE);
    let point = json!({"cachePoint": {"type": "default"}});
    assert_eq!(
        body["system"],
        json!([{"text": "sys"}, {"cachePoint": {"type": "default", "ttl": "1h"}}])
    );
    assert_eq!(body["messages"][0]["content"], json!([{"text": "long"}, point, {"text": "short"}]));
    assert_eq!(body["toolConfig"]["tools"][1], point);

    let nova = write(&request, "us.amazon.nova-pro-v1:0");
    assert_eq!(nova["system"], json!([{"text": "sys"}, point]));
    assert_eq!(nova["toolConfig"]["tools"].as_array().unwrap().len(), 1);
    assert!(!write(&request, LLAMA).to_string().contains("cachePoint"));
}

#[test]
fn the_schema_of_a_strict_tool_is_closed_and_tells_its_bounds() {
    let bounded = r#"{"type":"object","properties":{"n":{"type":"integer","minimum":1}}}"#;
    let strict = |parameters| {
        let kind = ToolKind::Function {
            name: "f".into(),
            description: None,
            parameters,
            strict: Some(true),
        };
        let mut request = asked(vec![text("x")]);
        request.tools = vec![Tool { kind, cache: None }];
        let spec = write(&request, CLAUDE)["toolConfig"]["tools"][0]["toolSpec"].clone();
        assert_eq!(spec["strict"], true);
        spec["inputSchema"]["json"].clone()
    };
    assert_eq!(
        strict(Some(raw(bounded))),
        json!({"type":"object","properties":{"n":{"type":"integer","description":"(minimum: 1)"}},"additionalProperties":false})
    );
    let none = json!({"type":"object","properties":{},"additionalProperties":false});
    assert_eq!(strict(None), none);
}

#[test]
fn a_schema_goes_as_a_string_closed_where_it_was_open() {
    let open = r#"{"type":"object","properties":{"a":{"type":"object","additionalProperties":{"type":"string"}},"b":{"type":"array","items":{"type":"object","properties":{}}}},"enum":[{"type":"object"}]}"#;
    let schema = JsonSchema {
        name: Some("person".into()),
        description: None,
        schema: raw(open),
        strict: Some(true),
    };
    let mut request = asked(vec![text("Invent a person.")]);
    request.format = Some(Format::JsonSchema(schema));
    let format = &write(&request, CLAUDE)["outputConfig"]["textFormat"];
    assert_eq!(format["type"], "json_schema");
    let written = &format["structure"]["jsonSchema"];
    assert_eq!(written["name"], "person");
    let schema: Value = serde_json::from_str(written["schema"].as_str().unwrap()).unwrap();
    let expected: Value = json!({
        "type": "object",
        "properties": {
            "a": {"type": "object", "additionalProperties": {"type": "string"}},
            "b": {"type": "array", "items": {"type": "object", "properties": {}, "additionalProperties": false}},
        },
        "enum": [{"type": "object"}],
        "additionalProperties": false,
    });
    assert_eq!(schema, expected);
}

#[test]
fn any_json_is_asked_for_in_words() {
    let mut request = asked(vec![text("x")]);
    request.format = Some(Format::JsonObject);
    let body = write(&request, CLAUDE);
    assert!(body["system"][0]["text"].as_str().unwrap().contains("JSON object"));
    assert!(body.get("outputConfig").is_none());
}

#[test]
fn what_bedrock_has_no_word_for_is_refused_by_name() {
    let refused = |change: fn(&mut Request<'_>)| {
        let mut request = asked(vec![text("x")]);
        change(&mut request);
        refused(&request, CLAUDE)
    };
    for (param, said) in [
        ("n", refused(|r| r.sampling.n = Some(2))),
        ("logprobs", refused(|r| r.sampling.logprobs = true)),
        ("logit_bias", refused(|r| r.sampling.logit_bias = Some(RawValue::NULL))),
        ("frequency_penalty", refused(|r| r.sampling.frequency_penalty = Some(0.5))),
        ("presence_penalty", refused(|r| r.sampling.presence_penalty = Some(-1.0))),
        ("stop", refused(|r| r.stop = vec!["\n".into()])),
    ] {
        assert!(said.starts_with(&format!("{param}: ")), "{said}");
    }
    let mut hints = asked(vec![text("x")]);
    hints.sampling.n = Some(1);
    hints.sampling.presence_penalty = Some(0.0);
    hints.sampling.seed = Some(1);
    assert_eq!(
        write(&hints, CLAUDE),
        json!({"messages": [{"role": "user", "content": [{"text": "x"}]}]})
    );
    let mut likeliest = asked(vec![text("x")]);
    likeliest.sampling.top_k = Some(5);
    assert_eq!(write(&likeliest, CLAUDE)["additionalModelRequestFields"], json!({"top_k": 5}));
    let nova = write(&likeliest, "amazon.nova-lite-v1:0");
    assert_eq!(nova["additionalModelRequestFields"], json!({"inferenceConfig": {"topK": 5}}));
    assert!(super::request_tests::refused(&likeliest, LLAMA).starts_with("top_k"));
}

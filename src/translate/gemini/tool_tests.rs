//! Tools, calls and results as Gemini is sent them.

use serde_json::json;

use super::support::*;
use crate::{
    domain::{ModelFacts, ReasoningMode},
    translate::{
        Platform,
        form::{
            Format, JsonSchema, PartKind, Request, Role, Source, Tool, ToolChoice, ToolKind,
            ToolResult,
        },
    },
};

const SCHEMA: &str = r#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}"#;

fn tools(tools: Vec<Tool<'_>>) -> Request<'_> {
    Request { tools, ..asking([user("Hi")]) }
}

fn search<'a>(allowed: &[&'a str], blocked: &[&'a str]) -> Tool<'a> {
    let kind = ToolKind::WebSearch {
        max_uses: Some(3),
        context_size: Some("low".into()),
        user_location: None,
        allowed_domains: allowed.iter().map(|host| (*host).into()).collect(),
        blocked_domains: blocked.iter().map(|host| (*host).into()).collect(),
    };
    Tool { kind, cache: None }
}

#[test]
fn functions_keep_their_json_schema() {
    let body = written(&tools(vec![
        function("get_weather", Some(SCHEMA)),
        function("now", None),
        function("ping", Some("{ }")),
    ]));
    let described = "Weather for one city";
    assert_eq!(
        body["tools"],
        json!([{"functionDeclarations": [
            {"name": "get_weather", "description": described, "parametersJsonSchema":
                serde_json::from_str::<serde_json::Value>(SCHEMA).unwrap()},
            {"name": "now", "description": described},
            {"name": "ping", "description": described},
        ]}])
    );
    assert!(body["toolConfig"].is_null());
}

#[test]
fn every_choice_of_tools_has_its_mode() {
    let names = vec!["a".into(), "b".into()];
    for (choice, config) in [
        (ToolChoice::Auto, json!(null)),
        (ToolChoice::None, json!({"mode": "NONE"})),
        (ToolChoice::Required, json!({"mode": "ANY"})),
        (ToolChoice::Named("a".into()), json!({"mode": "ANY", "allowedFunctionNames": ["a"]})),
        (
            ToolChoice::Allowed { names: names.clone(), required: true },
            json!({"mode": "ANY", "allowedFunctionNames": ["a", "b"]}),
        ),
        (
            ToolChoice::Allowed { names, required: false },
            json!({"mode": "VALIDATED", "allowedFunctionNames": ["a", "b"]}),
        ),
    ] {
        let tools = vec![function("a", None), function("b", None)];
        let request = Request { tools, tool_choice: Some(choice.clone()), ..asking([user("Hi")]) };
        assert_eq!(written(&request)["toolConfig"]["functionCallingConfig"], config, "{choice:?}");
    }
}

#[test]
fn a_single_call_is_kept_to_when_the_answer_is_read_not_here() {
    let request = Request { parallel_tool_calls: Some(false), ..tools(vec![function("a", None)]) };
    assert_eq!(written(&request), written(&tools(vec![function("a", None)])));
}

#[test]
fn google_searches_where_search_is_asked_for() {
    let body = written(&tools(vec![search(&[], &[])]));
    assert_eq!(body["tools"], json!([{"googleSearch": {}}]));
    assert!(body["toolConfig"].is_null());
    let choice = |choice| Request { tool_choice: Some(choice), ..tools(vec![search(&[], &[])]) };
    assert!(written(&choice(ToolChoice::None))["tools"].is_null());
    assert_eq!(refused(&choice(ToolChoice::Required)).1, "tool_choice");

    let both = tools(vec![search(&[], &[]), function("a", None)]);
    let body = written_3(&both);
    assert_eq!(body["tools"].as_array().unwrap().len(), 2);
    assert_eq!(body["toolConfig"], json!({"includeServerSideToolInvocations": true}));
    let body = written_for(&both, "gemini-3-pro-preview", Platform::Vertex, None).unwrap();
    assert!(body["toolConfig"].is_null());

    assert_eq!(refused(&tools(vec![search(&["x.test"], &[])])).1, "tools[0].allowed_domains");
    let blocked = tools(vec![search(&[], &["x.test"])]);
    assert_eq!(refused(&blocked).1, "tools[0].blocked_domains");
    let body = written_for(&blocked, "gemini-2.5-flash", Platform::Vertex, None).unwrap();
    assert_eq!(body["tools"], json!([{"googleSearch": {"excludeDomains": ["x.test"]}}]));
}

#[test]
fn functions_beside_search_are_refused_where_the_generation_does_not_combine_them() {
    let both = || tools(vec![search(&[], &[]), function("a", None)]);
    let written = |model, mode| written_for(&both(), model, Platform::Vertex, mode);
    assert_eq!(refused(&both()), ("unsupported_parameter", "tools".to_owned()));
    assert!(written("gemini-2.5-pro", None).unwrap_err().message.contains("web search"));
    assert!(written("tuned-1", Some(ReasoningMode::Budget)).is_err());
    assert!(written("gemini-3.5-flash", None).is_ok());
    assert!(written("tuned-1", None).is_ok(), "of which nothing is known");
    // Nothing is searched for where nothing may be called.
    let none = Request { tool_choice: Some(ToolChoice::None), ..both() };
    assert_eq!(super::support::written(&none)["tools"].as_array().map(Vec::len), Some(1));
}

const ANSWER: &str = r#"{"type":"object","properties":{"n":{"type":"integer"}}}"#;

/// A request for an answer of a schema, or of any JSON.
fn formed(
    schema: bool,
    tools: Vec<Tool<'static>>,
    choice: Option<ToolChoice<'static>>,
) -> Request<'static> {
    let schema = schema.then(|| {
        let (name, description) = (Some("count".into()), Some("A count".into()));
        Format::JsonSchema(JsonSchema { name, description, schema: raw(ANSWER), strict: None })
    });
    let format = Some(schema.unwrap_or(Format::JsonObject));
    Request { format, tool_choice: choice, ..self::tools(tools) }
}

#[test]
fn an_answer_of_a_schema_comes_as_a_call_where_functions_are_beside_it() {
    let functions = || vec![function("a", None), function("b", None)];
    let answer = json!({"name": "turnpike_answer", "description": "A count", "parametersJsonSchema":
        serde_json::from_str::<serde_json::Value>(ANSWER).unwrap()});
    let allowed = ToolChoice::Allowed { names: vec!["a".into()], required: false };
    for (choice, config) in [
        (None, json!({"mode": "ANY"})),
        (Some(ToolChoice::Auto), json!({"mode": "ANY"})),
        (Some(allowed), json!({"mode": "ANY", "allowedFunctionNames": ["a", "turnpike_answer"]})),
    ] {
        let body = written(&formed(true, functions(), choice));
        assert_eq!(body["tools"][0]["functionDeclarations"][2], answer);
        assert_eq!(body["toolConfig"]["functionCallingConfig"], config);
        assert_eq!(body["generationConfig"], json!(null));
    }
    // A call that the client demands is the answer.
    let body = written(&formed(true, functions(), Some(ToolChoice::Required)));
    assert_eq!(body["tools"][0]["functionDeclarations"].as_array().map(Vec::len), Some(2));
    assert!(body["generationConfig"].is_null());
    // What may not be called need not be told.
    let body = written(&formed(true, functions(), Some(ToolChoice::None)));
    assert!(body["tools"].is_null() && body["toolConfig"].is_null());
    assert_eq!(body["generationConfig"]["responseMimeType"], "application/json");
    // Gemini 3 has both.
    let body = written_3(&formed(true, functions(), None));
    assert_eq!(body["tools"][0]["functionDeclarations"].as_array().map(Vec::len), Some(2));
    assert_eq!(body["generationConfig"]["responseMimeType"], "application/json");
}

#[test]
fn any_json_is_asked_for_in_words_where_tools_are_beside_it() {
    for tool in [function("a", None), search(&[], &[])] {
        let body = written(&formed(false, vec![tool], None));
        assert!(body["generationConfig"].is_null());
        assert_eq!(body["tools"].as_array().map(Vec::len), Some(1));
        let words = body["systemInstruction"]["parts"][0]["text"].as_str().unwrap();
        assert!(words.contains("one valid JSON object"), "{words}");
    }
    let alone = written(&formed(false, Vec::new(), None));
    assert_eq!(alone["generationConfig"], json!({"responseMimeType": "application/json"}));
    assert!(alone["systemInstruction"].is_null());
}

#[test]
fn an_answer_of_a_schema_beside_a_search_is_refused_by_name() {
    let request = formed(true, vec![search(&[], &[])], None);
    assert_eq!(refused(&request), ("unsupported_parameter", "response_format".to_owned()));
    assert!(written_3(&request)["generationConfig"]["responseJsonSchema"].is_object());
}

#[test]
fn no_tool_of_a_client_is_called_as_the_one_for_the_answer() {
    let request = tools(vec![function("turnpike_answer", None)]);
    assert_eq!(refused(&request), ("invalid_parameters", "tools[0]".to_owned()));
}

#[test]
fn a_tool_that_gemini_has_not_is_refused_by_name() {
    let kind = ToolKind::Other { name: "computer_20250124".into(), raw: raw("{}") };
    assert_eq!(refused(&tools(vec![Tool { kind, cache: None }])).1, "tools[0]");
}

#[test]
fn results_stand_together_in_the_order_of_their_calls() {
    let request = asking([
        user("Pau and Dax?"),
        turn(
            Role::Assistant,
            [call("c1", r#"{"city":"Pau"}"#, None), call("c2", r#"{"city":"Dax"}"#, None)],
        ),
        turn(Role::User, [result("c2", [text(r#"{"degrees": 12}"#)])]),
        turn(Role::User, [result("c1", [text("11")]), text("Go on")]),
    ]);
    assert_eq!(
        written(&request)["contents"],
        json!([
            {"role": "user", "parts": [{"text": "Pau and Dax?"}]},
            {"role": "model", "parts": [
                {"functionCall": {"name": "get_weather", "args": {"city": "Pau"}}},
                {"functionCall": {"name": "get_weather", "args": {"city": "Dax"}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "get_weather", "response": {"result": "11"}}},
                {"functionResponse": {"name": "get_weather", "response": {"degrees": 12}}},
                {"text": "Go on"},
            ]},
        ])
    );
}

#[test]
fn gemini_3_gets_the_ids_of_calls_but_not_through_vertex_which_refuses_them() {
    let request = asking([
        turn(Role::Assistant, [call("c1", "{}", Some("c2ln"))]),
        turn(Role::User, [result("c1", [text("11")])]),
    ]);
    for (platform, id) in [(Platform::Own, json!("c1")), (Platform::Vertex, json!(null))] {
        let body = written_for(&request, "gemini-3-pro-preview", platform, None).unwrap();
        assert_eq!(body["contents"][0]["parts"][0]["functionCall"]["id"], id);
        assert_eq!(body["contents"][1]["parts"][0]["functionResponse"]["id"], id);
    }
}

#[test]
fn results_of_every_form_become_objects() {
    for (words, error, response) in [
        ("sunny", false, json!({"result": "sunny"})),
        ("", false, json!({"result": ""})),
        (r#"{"a":1}"#, false, json!({"a": 1})),
        ("[1,2]", false, json!({"result": [1, 2]})),
        ("{broken", false, json!({"result": "{broken"})),
        ("no such city", true, json!({"error": "no such city"})),
        (r#"{"a":1}"#, true, json!({"error": {"a": 1}})),
    ] {
        let PartKind::ToolResult(result) = result("c1", [text(words)]) else { unreachable!() };
        let result = PartKind::ToolResult(ToolResult { error, ..result });
        let request =
            asking([turn(Role::Assistant, [call("c1", "{}", None)]), turn(Role::User, [result])]);
        assert_eq!(
            written(&request)["contents"][1]["parts"][0]["functionResponse"]["response"],
            response,
            "{words}"
        );
    }
}

#[test]
fn words_beside_results_stand_before_them_where_they_would_be_taken_for_a_begun_answer() {
    let request = asking([
        user("Pau and Dax?"),
        turn(Role::Assistant, [call("c1", "{}", None), call("c2", "{}", None)]),
        turn(Role::User, [result("c2", [text("2")]), result("c1", [text("1")]), text("Go on")]),
    ]);
    let facts = ModelFacts { lacks_begun_answers: true, ..ModelFacts::default() };
    let body = written_knowing(&request, "gemini-3.8-flash", Platform::Own, &facts).unwrap();
    let parts = body["contents"][2]["parts"].as_array().unwrap();
    assert_eq!(parts[0], json!({"text": "Go on"}));
    let ids: Vec<_> = parts[1..].iter().map(|part| &part["functionResponse"]["id"]).collect();
    assert_eq!(ids, ["c1", "c2"]);
    // Others have all results first.
    assert_eq!(written_3(&request)["contents"][2]["parts"][2], json!({"text": "Go on"}));
}

#[test]
fn pictures_of_a_result_are_kept() {
    let request = asking([
        turn(Role::Assistant, [call("c1", "{}", None), call("c2", "{}", None)]),
        turn(
            Role::User,
            [
                result("c1", [text("a map"), image(Source::Base64("iVBO".into()))]),
                result("c2", [text("none")]),
                text("Compare"),
            ],
        ),
    ]);
    let picture = json!({"inlineData": {"mimeType": "image/png", "data": "iVBO"}});
    let parts = |body: serde_json::Value| body["contents"][1]["parts"].clone();
    let inside = parts(written_3(&request));
    assert_eq!(inside[0]["functionResponse"]["parts"], json!([picture]));
    assert_eq!(inside.as_array().unwrap().len(), 3);
    // All results first: their number must be that of the calls.
    let beside = parts(written(&request));
    assert!(!beside[1]["functionResponse"].is_null());
    assert_eq!(beside[2], picture);
    assert_eq!(beside[3], json!({"text": "Compare"}));
}

#[test]
fn a_result_without_its_call_is_invalid() {
    let request = asking([user("Hi"), turn(Role::User, [result("lost", [text("x")])])]);
    assert_eq!(refused(&request), ("invalid_parameters", "messages[1].tool_call_id".to_owned()));
}

#[test]
fn an_id_that_is_used_again_means_the_later_call() {
    let named = |name: &'static str| {
        let PartKind::ToolCall(mut call) = call("call_0", "{}", None) else { unreachable!() };
        call.name = name.into();
        turn(Role::Assistant, [PartKind::ToolCall(call)])
    };
    let answer = || turn(Role::User, [result("call_0", [text("x")])]);
    let body = written(&asking([named("first"), answer(), named("second"), answer()]));
    assert_eq!(body["contents"][1]["parts"][0]["functionResponse"]["name"], "first");
    assert_eq!(body["contents"][3]["parts"][0]["functionResponse"]["name"], "second");
}

#[test]
fn arguments_that_are_no_object_do_not_break_the_request() {
    let calls = [call("c0", "{\"a\":", None), call("c2", "[1]", None)];
    let request = asking([turn(Role::Assistant, calls)]);
    let parts = written(&request)["contents"][0]["parts"].clone();
    assert_eq!(parts[0]["functionCall"]["args"], json!({}));
    assert_eq!(parts[1]["functionCall"]["args"], json!({}));
}

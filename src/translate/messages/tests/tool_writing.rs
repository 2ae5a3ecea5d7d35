//! Tools, calls and their results for Claude.

use serde_json::json;

use super::{
    able, asking,
    building::{called, in_a_loop, raw, result, tool},
    text, turn, write_for, written,
};
use crate::{
    domain::{ModelFacts, Quirks},
    translate::{
        Platform, Target,
        form::{Request, Role, Tool, ToolChoice, ToolKind},
        messages::write_request,
    },
};

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
    let none = r#"{"type":"object","properties":{}}"#;
    for (schema, told) in [
        (Some(r#"{ "type":"object","z":1.50,"a":{}}"#), r#"{ "type":"object","z":1.50,"a":{}}"#),
        (Some(r#"{"properties":{}}"#), none),
        (Some("{ }"), none),
        (Some("null"), none),
        (None, none),
    ] {
        let schema = schema.map(raw);
        let request = Request { tools: vec![tool("f", schema.as_deref())], ..asking("x") };
        let (facts, quirks) = (ModelFacts::default(), Quirks::default());
        let target = Target { model: "m", facts: &facts, platform: Platform::Own, quirks: &quirks };
        let body = String::from_utf8(write_request(&request, &target).unwrap()).unwrap();
        assert!(body.contains(&format!(r#""input_schema":{told}"#)), "{body}");
    }
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
fn the_schema_of_a_strict_tool_has_only_what_strict_tools_know() {
    let open = raw(
        r#"{"type":"object","properties":{"n":{"type":"integer","description":"How many","minimum":1,"maximum":5},"all":{"type":"array","maxItems":3,"items":{"type":"object","properties":{}}}}}"#,
    );
    let told = |strict| {
        let kind = ToolKind::Function {
            name: "f".into(),
            description: None,
            parameters: Some(&open),
            strict: Some(strict),
        };
        let request = Request { tools: vec![Tool { kind, cache: None }], ..asking("x") };
        written(&request)["tools"][0]["input_schema"].clone()
    };
    assert_eq!(
        told(true),
        json!({"type":"object","properties":{
            "n":{"type":"integer","description":"How many (minimum: 1, maximum: 5)"},
            "all":{"type":"array","items":{"type":"object","properties":{},"additionalProperties":false},"description":"(maxItems: 3)"}},
            "additionalProperties":false})
    );
    assert_eq!(told(false).to_string(), open.get());
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

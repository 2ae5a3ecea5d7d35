//! Requests that no vendor would take as they are, and what comes back of them.

use serde_json::{Value, json};

use super::ToolNames;
use crate::{
    domain::{Capabilities, ModelFacts, Quirks},
    translate::{
        Answering, ClientApi, Framing, Platform, StreamTranslator, Target, VendorApi,
        form::{PartKind, Refusal},
    },
};

/// Named as MCP servers name their tools: with letters that no vendor takes, or very long.
const LONG: &str =
    "mcp__a_server_with_a_very_long_name__and_a_tool_with_a_name_that_is_longer_still";
const VENDORS: [VendorApi; 5] = [
    VendorApi::Chat,
    VendorApi::Responses,
    VendorApi::Messages,
    VendorApi::Gemini,
    VendorApi::Converse,
];

const fn model(vendor: VendorApi) -> &'static str {
    match vendor {
        VendorApi::Chat | VendorApi::Responses => "gpt-5.5",
        VendorApi::Messages => "claude-sonnet-4-5",
        VendorApi::Gemini => "gemini-2.5-flash",
        VendorApi::Converse => "anthropic.claude-sonnet-4-5-20250929-v1:0",
    }
}

/// The body that `vendor` gets, and how tools are brought back.
fn written(
    client: ClientApi,
    body: &Value,
    vendor: VendorApi,
    facts: &ModelFacts,
) -> Result<(Value, ToolNames), Refusal> {
    let body = body.to_string();
    let request = client.read(body.as_bytes())?;
    let quirks = Quirks::default();
    let target = Target { model: model(vendor), facts, platform: Platform::Own, quirks: &quirks };
    let written = vendor.write(request.clone(), &target)?;
    let names = vendor.tool_names(&request, &target);
    Ok((serde_json::from_slice(&written).unwrap(), names))
}

fn sent(client: ClientApi, body: &Value, vendor: VendorApi) -> (Value, ToolNames) {
    written(client, body, vendor, &ModelFacts::default()).unwrap()
}

fn refused(client: ClientApi, body: &Value, vendor: VendorApi) -> (&'static str, String) {
    let refusal = written(client, body, vendor, &ModelFacts::default()).unwrap_err();
    assert!(refusal.message.contains('`'), "{refusal}");
    (refusal.code, refusal.param.unwrap())
}

fn function(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}})
}

/// Every name under `name` or in `tool` of a body.
fn names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                match inner {
                    Value::String(text) if key == "name" => found.push(text.clone()),
                    Value::Array(list) if key == "allowedFunctionNames" => {
                        found.extend(list.iter().map(|name| name.as_str().unwrap().to_owned()));
                    }
                    _ => names(inner, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| names(inner, found)),
        _ => {}
    }
}

#[test]
fn names_that_a_vendor_would_refuse_are_mapped_everywhere_and_back() {
    let call = |id: &str, name: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}});
    let body = json!({"messages": [
            {"role": "user", "content": "Look"},
            {"role": "assistant", "tool_calls": [call("a", LONG), call("b", "files.read/all")]},
            {"role": "tool", "tool_call_id": "a", "content": "1"},
            {"role": "tool", "tool_call_id": "b", "content": "2"}],
        "tools": [function(LONG), function("files.read/all"), function("plain")],
        "tool_choice": {"type": "function", "function": {"name": LONG}}});
    for vendor in VENDORS {
        let (body, tools) = sent(ClientApi::Chat, &body, vendor);
        let mut all = Vec::new();
        names(&body, &mut all);
        assert!(all.len() >= 5, "{vendor:?}: {all:?}");
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), 3, "{vendor:?}: {all:?}");
        for name in &all {
            let fits =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
            assert!(name.len() <= 64 && name.bytes().all(fits), "{vendor:?}: {name}");
        }
        let answer = json!({"choices": [{"message": {"tool_calls": [
            call("c", all.iter().find(|name| name.starts_with("files")).unwrap()),
            call("d", all.iter().find(|name| name.starts_with("mcp__")).unwrap()),
            call("e", "plain")]}}]});
        let answer = answer.to_string();
        let mut answer = VendorApi::Chat.read_of("m", answer.as_bytes()).unwrap();
        tools.restore(&mut answer);
        let called: Vec<&str> = answer
            .parts
            .iter()
            .map(|part| match &part.kind {
                PartKind::ToolCall(call) => &*call.name,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(called, ["files.read/all", LONG, "plain"]);
    }
}

#[test]
fn names_that_fit_are_left_alone() {
    let body =
        json!({"messages": [{"role": "user", "content": "x"}], "tools": [function("get_weather")]});
    for vendor in VENDORS {
        assert!(sent(ClientApi::Chat, &body, vendor).1.is_empty(), "{vendor:?}");
    }
    let dotted =
        json!({"messages": [{"role": "user", "content": "x"}], "tools": [function("a.b")]});
    let (body, _) = sent(ClientApi::Chat, &dotted, VendorApi::Gemini);
    assert_eq!(body["tools"][0]["functionDeclarations"][0]["name"], "a.b", "Google takes dots");
}

fn custom() -> Value {
    json!({"input": [
            {"role": "user", "content": "Patch it."},
            {"type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": "{\"*** Begin\n"},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"}],
        "tools": [{"type": "custom", "name": "patch", "description": "Applies a patch."}],
        "tool_choice": {"type": "custom", "name": "patch"}})
}

#[test]
fn a_custom_tool_is_a_function_with_one_string_where_there_are_none() {
    let input = json!({"input": "{\"*** Begin\n"});
    let (body, _) = sent(ClientApi::Responses, &custom(), VendorApi::Messages);
    assert_eq!(body["tools"][0]["name"], "patch");
    assert_eq!(body["tools"][0]["input_schema"]["required"], json!(["input"]));
    assert_eq!(body["messages"][1]["content"][0]["input"], input);
    assert_eq!(body["messages"][2]["content"][0]["content"], "done");
    assert_eq!(body["tool_choice"], json!({"type": "tool", "name": "patch"}));
    let (body, _) = sent(ClientApi::Responses, &custom(), VendorApi::Gemini);
    assert_eq!(body["contents"][1]["parts"][0]["functionCall"]["args"], input);
    let (body, _) = sent(ClientApi::Responses, &custom(), VendorApi::Converse);
    assert_eq!(body["messages"][1]["content"][0]["toolUse"]["input"], input);
    let (body, _) = sent(ClientApi::Responses, &custom(), VendorApi::Chat);
    assert_eq!(body["messages"][1]["tool_calls"][0]["type"], "function");
    let arguments = body["messages"][1]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(arguments).unwrap(), input);
    let (body, names) = sent(ClientApi::Responses, &custom(), VendorApi::Responses);
    assert_eq!(body["tools"][0]["type"], "custom", "where there are some it stays one");
    assert_eq!(body["input"][1]["type"], "custom_tool_call");
    assert!(names.is_empty());
}

#[test]
fn a_call_of_such_a_function_comes_back_as_free_text() {
    let (_, tool_names) = sent(ClientApi::Responses, &custom(), VendorApi::Messages);
    let body = r#"{"id":"m","content":[{"type":"tool_use","id":"t","name":"patch","input":{"input":"*** Begin\né"}}],"stop_reason":"tool_use"}"#;
    let mut answer = VendorApi::Messages.read_of("m", body.as_bytes()).unwrap();
    tool_names.restore(&mut answer);
    let told = ClientApi::Responses.write(&answer, &Answering::default());
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["output"][0]["type"], "custom_tool_call");
    assert_eq!(told["output"][0]["input"], "*** Begin\né");

    let context = Answering { tool_names, ..Answering::default() };
    let (from, to) = (VendorApi::Messages, ClientApi::Responses);
    let mut translator = StreamTranslator::new(from, Framing::Sse, to, context);
    let event = |kind: &str, data: &Value| format!("event: {kind}\ndata: {data}\n\n");
    let delta = |json: &str| {
        let delta = json!({"type": "input_json_delta", "partial_json": json});
        let data = json!({"type": "content_block_delta", "index": 0, "delta": delta});
        event("content_block_delta", &data)
    };
    let block = json!({"type": "tool_use", "id": "t", "name": "patch", "input": {}});
    let stream = [
        event("message_start", &json!({"message": {"id": "m", "model": "c"}})),
        event("content_block_start", &json!({"index": 0, "content_block": block})),
        delta("{\"inp"),
        delta("ut\": \"*** Be"),
        delta("gin\\"),
        delta("n\\u00e9\"}"),
        event("content_block_stop", &json!({"index": 0})),
        event("message_delta", &json!({"delta": {"stop_reason": "tool_use"}})),
        event("message_stop", &json!({"type": "message_stop"})),
    ]
    .concat();
    let told = [translator.push(stream.as_bytes()), translator.end()].concat();
    assert!(translator.complete());
    let told = String::from_utf8(told).unwrap();
    let deltas: Vec<Value> = told
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str::<Value>(data).unwrap())
        .filter(|data| data["type"] == "response.custom_tool_call_input.delta")
        .map(|data| data["delta"].clone())
        .collect();
    assert_eq!(deltas, [json!("*** Be"), json!("gin"), json!("\né")]);
    assert!(told.contains(r#""input":"*** Begin\né""#), "{told}");
    assert!(!told.contains("function_call"), "{told}");
}

#[test]
fn a_grammar_is_demanded_only_of_those_who_have_them() {
    let format = json!({"type": "grammar", "syntax": "lark", "definition": "start: \"a\""});
    let mut body = custom();
    body["tools"][0]["format"] = format.clone();
    let at = |vendor| refused(ClientApi::Responses, &body, vendor);
    assert_eq!(at(VendorApi::Messages), ("unsupported_parameter", "tools[0].format".to_owned()));
    let (body, _) = sent(ClientApi::Responses, &body, VendorApi::Responses);
    assert_eq!(body["tools"][0]["format"], format);
}

#[test]
fn two_tools_of_one_name_and_nothing_to_answer_are_refused() {
    let ask = json!([{"role": "user", "content": "x"}]);
    let twice = json!({"messages": ask, "tools": [function("f"), function("g"), function("f")]});
    let said_nothing = json!({"input": [{"type": "web_search_call", "id": "w",
        "action": {"type": "search", "query": "q"}}]});
    let without = [
        (ClientApi::Chat, json!({"messages": []}), "messages"),
        (ClientApi::Messages, json!({"max_tokens": 9, "system": "s", "messages": []}), "messages"),
        (ClientApi::Responses, json!({"instructions": "s", "input": []}), "input"),
    ];
    let instructions = json!({"messages": [{"role": "system", "content": "Greet."}]});
    for vendor in VENDORS {
        for (client, body, list) in &without {
            let at = refused(*client, body, vendor);
            assert_eq!(at, ("invalid_parameters", (*list).to_owned()), "{client:?} {vendor:?}");
        }
        sent(ClientApi::Chat, &instructions, vendor);
        let at = refused(ClientApi::Chat, &twice, vendor);
        assert_eq!(at, ("invalid_parameters", "tools[2]".to_owned()), "{vendor:?}");
        let at = refused(ClientApi::Responses, &said_nothing, vendor);
        assert_eq!(at, ("invalid_parameters", "input".to_owned()), "{vendor:?}");
    }
}

#[test]
fn pictures_that_the_model_made_are_shown_to_others_by_the_user() {
    let body = json!({"input": [
        {"role": "user", "content": "Draw."},
        {"type": "image_generation_call", "id": "ig", "status": "completed", "result": "iVBORw0KGgo"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "seen"},
        {"role": "user", "content": "Bluer."}]});
    let (gemini, _) = sent(ClientApi::Responses, &body, VendorApi::Gemini);
    assert_eq!(gemini["contents"][1]["role"], "model");
    assert_eq!(gemini["contents"][1]["parts"][0]["inlineData"]["data"], "iVBORw0KGgo");
    let (claude, _) = sent(ClientApi::Responses, &body, VendorApi::Messages);
    let kinds = |message: usize| {
        let blocks = claude["messages"][message]["content"].as_array().unwrap().iter();
        blocks.map(|block| block["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(1), ["tool_use"]);
    assert_eq!(kinds(2), ["tool_result", "text", "image", "text"]);
    for vendor in [VendorApi::Chat, VendorApi::Responses, VendorApi::Converse] {
        let (body, _) = sent(ClientApi::Responses, &body, vendor);
        assert!(body.to_string().contains("iVBORw0KGgo"), "{vendor:?}");
    }
    let last = json!({"input": [{"role": "user", "content": "Draw."},
        {"type": "image_generation_call", "id": "ig", "status": "completed", "result": "iVBORw0KGgo"}]});
    let (body, _) = sent(ClientApi::Responses, &last, VendorApi::Messages);
    assert_eq!(body["messages"][0]["content"].as_array().unwrap().len(), 3, "{body}");
}

#[test]
fn pictures_are_asked_of_those_who_make_them() {
    let ask = json!({"messages": [{"role": "user", "content": "Draw."}], "modalities": ["text", "image"]});
    let (body, _) = sent(ClientApi::Chat, &ask, VendorApi::Gemini);
    assert_eq!(body["generationConfig"]["responseModalities"], json!(["TEXT", "IMAGE"]));
    let (body, _) = sent(ClientApi::Chat, &ask, VendorApi::Chat);
    assert_eq!(body["modalities"], json!(["text", "image"]));
    for vendor in [VendorApi::Messages, VendorApi::Converse, VendorApi::Responses] {
        let at = refused(ClientApi::Chat, &ask, vendor);
        assert_eq!(at, ("unsupported_parameter", "modalities".to_owned()), "{vendor:?}");
    }
    let known = |names: &[&'static str]| ModelFacts {
        capabilities: Some(Capabilities::named(names.iter().copied())),
        ..ModelFacts::default()
    };
    let gemini = |facts| written(ClientApi::Chat, &ask, VendorApi::Gemini, &facts);
    assert!(gemini(known(&["streaming", "image_output"])).is_ok());
    let refusal = gemini(known(&["streaming", "vision"])).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("modalities"));
    assert!(refusal.message.contains("does not make images"), "{refusal}");
}

#[test]
fn what_a_search_of_the_client_found_is_a_block_for_claude_on_bedrock_and_words_elsewhere() {
    let block = |title: &str, citations: &Value| {
        json!({"type": "search_result", "source": "https://b.test", "title": title,
            "content": [{"type": "text", "text": "Own."}], "citations": citations})
    };
    let body = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": [block("B", &json!({"enabled": true}))]},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "toolu_1", "name": "find", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1",
            "content": [block("C", &json!({"enabled": true}))]}]}]});
    for vendor in VENDORS {
        let (told, _) = sent(ClientApi::Messages, &body, vendor);
        if vendor == VendorApi::Converse {
            let found = |title: &str| {
                json!({"searchResult": {"source": "https://b.test", "title": title,
                    "content": [{"text": "Own."}], "citations": {"enabled": true}}})
            };
            assert_eq!(told["messages"][0]["content"], json!([found("B")]));
            let result = &told["messages"][2]["content"][0]["toolResult"];
            assert_eq!(result["content"], json!([found("C")]));
        } else {
            let told = told.to_string();
            for words in ["B\\nhttps://b.test\\nOwn.", "C\\nhttps://b.test\\nOwn."] {
                assert!(told.contains(words), "{vendor:?}: {told}");
            }
        }
    }
}

#[test]
fn a_block_of_a_search_that_is_none_is_refused_by_name() {
    let body = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": [{"type": "search_result", "source": "https://b.test"}]}]});
    for vendor in VENDORS {
        let (code, param) = refused(ClientApi::Messages, &body, vendor);
        assert_eq!((code, &*param), ("unsupported_parameter", "messages[0].content[0]"));
    }
}

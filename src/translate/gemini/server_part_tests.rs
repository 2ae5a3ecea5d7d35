//! Parts of Google's own tools, from an answer back into the next request, through every client.

use serde_json::{Value, json};

use super::support::*;
use crate::{
    domain::{ModelFacts, Quirks},
    translate::{
        ClientApi, Framing, Platform, StreamTranslator, Target, VendorApi, fixtures::answering,
        form::Origin,
    },
};

fn answer() -> Value {
    let parts = json!([
        {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "id": "s1", "args": {"queries": ["a b"]}},
            "thoughtSignature": "VFM="},
        {"toolResponse": {"toolType": "GOOGLE_SEARCH_WEB", "id": "s1", "response": {"n": [1]}},
            "thoughtSignature": "UlM="},
        {"functionCall": {"id": "f1", "name": "get_weather", "args": {"city": "Pau"}},
            "thoughtSignature": "RlM="},
    ]);
    json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
        "responseId": "r"})
}

/// What a chat client sends next, of the message that it was told.
fn next_of_chat(message: &Value) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}, message,
        {"role": "tool", "tool_call_id": "f1", "content": "12"}]})
}

fn next_of_messages(content: &Value) -> Value {
    json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "f1", "content": "12"}]}]})
}

fn next_of_responses(output: &Value) -> Value {
    let mut input = vec![json!({"role": "user", "content": "Hi"})];
    input.extend(output.as_array().unwrap().iter().cloned());
    input.push(json!({"type": "function_call_output", "call_id": "f1", "output": "12"}));
    json!({"model": "m", "input": input})
}

/// The model's turn as `model` gets it in the next request.
fn returned(client: ClientApi, next: &Value, model: &str, platform: Platform) -> Value {
    let body = next.to_string();
    let request = client.read(body.as_bytes()).unwrap();
    let (facts, quirks) = (ModelFacts::default(), Quirks::default());
    let target = Target { model, facts: &facts, platform, quirks: &quirks };
    let body = VendorApi::Gemini.write(request, &target).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    body["contents"][1]["parts"].clone()
}

#[test]
fn the_parts_of_googles_tools_return_as_they_were_through_every_client() {
    // Google indents what is no stream.
    let body = serde_json::to_vec_pretty(&answer()).unwrap();
    let parts = answer()["candidates"][0]["content"]["parts"].clone();
    for client in [ClientApi::Chat, ClientApi::Messages, ClientApi::Responses] {
        let read = VendorApi::Gemini.read_of("gemini-3.5-flash", &body).unwrap();
        let told: Value =
            serde_json::from_slice(&client.write(&read, &answering(VendorApi::Gemini))).unwrap();
        let next = match client {
            ClientApi::Chat => next_of_chat(&told["choices"][0]["message"]),
            ClientApi::Messages => next_of_messages(&told["content"]),
            _ => next_of_responses(&told["output"]),
        };
        let same = returned(client, &next, "gemini-3.5-flash", Platform::Own);
        assert_eq!(same, parts, "{client:?}: {told}");
        // Where tools are not combined, the parts mean nothing; nor do their signatures.
        for (model, platform) in
            [("gemini-2.5-flash", Platform::Own), ("gemini-3.5-flash", Platform::Vertex)]
        {
            let other = returned(client, &next, model, platform);
            assert_eq!(other.as_array().map(Vec::len), Some(1), "{client:?}: {other}");
            assert_eq!(other[0]["functionCall"]["name"], "get_weather", "{client:?}: {other}");
        }
    }
}

/// The first of several calls alone has a signature.
#[test]
fn what_googles_tools_did_is_no_signature_of_the_call_behind_it() {
    let mut answer = answer();
    let parts = &mut answer["candidates"][0]["content"]["parts"];
    parts[2].as_object_mut().unwrap().remove("thoughtSignature");
    let parts = parts.clone();
    let body = answer.to_string();
    let read = VendorApi::Gemini.read_of("gemini-3.5-flash", body.as_bytes()).unwrap();
    let client = ClientApi::Messages;
    let told: Value =
        serde_json::from_slice(&client.write(&read, &answering(VendorApi::Gemini))).unwrap();
    let next = next_of_messages(&told["content"]);
    assert_eq!(returned(client, &next, "gemini-3.5-flash", Platform::Own)[1], parts[1]);
    let call = returned(client, &next, "gemini-3.5-flash", Platform::Own)[2].clone();
    assert!(!call["thoughtSignature"].to_string().contains("part:"), "{call}");
}

#[test]
fn the_parts_of_googles_tools_return_out_of_a_stream() {
    let parts = answer()["candidates"][0]["content"]["parts"].clone();
    let mut translator = StreamTranslator::new(
        VendorApi::Gemini,
        Framing::Sse,
        ClientApi::Chat,
        answering(VendorApi::Gemini),
    );
    let piece = format!("data: {}\r\n\r\n", answer());
    let told = [translator.push(piece.as_bytes()), translator.end()].concat();
    let told = String::from_utf8(told).unwrap();
    let chunks = told.lines().filter_map(|line| line.strip_prefix("data: "));
    let chunks: Vec<Value> = chunks.filter_map(|chunk| serde_json::from_str(chunk).ok()).collect();
    let deltas = |member: &str| -> Vec<Value> {
        let all = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"][member].as_array());
        all.flatten().cloned().collect()
    };
    let mut calls = deltas("tool_calls");
    let arguments = calls.pop().unwrap();
    calls[0]["function"]["arguments"] = arguments["function"]["arguments"].clone();
    let message = json!({"role": "assistant", "content": null, "tool_calls": calls,
        "reasoning_details": deltas("reasoning_details")});
    let next = next_of_chat(&message);
    assert_eq!(returned(ClientApi::Chat, &next, "gemini-3.5-flash", Platform::Own), parts);
}

#[test]
fn a_part_that_was_changed_on_its_way_is_left_out() {
    for value in ["part:", "part:{}", "part:{}x", "part:{\"toolCall\":"] {
        let request = asking([
            user("Hi"),
            turn(
                crate::translate::form::Role::Assistant,
                [proof("", Origin::Google, value), text("So.")],
            ),
            user("And?"),
        ]);
        assert_eq!(
            written_3(&request)["contents"][1]["parts"],
            json!([{"text": "So."}]),
            "{value}"
        );
    }
}

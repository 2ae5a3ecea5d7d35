//! Vendors that take messages in one order only.

use serde_json::{Value, json};

use super::{quirks, sent};
use crate::translate::ClientApi;

const MISTRAL: &str =
    r#"{"answer_after_results":true,"begun_prefix":true,"reasoning_history":"parts"}"#;
const PERPLEXITY: &str = r#"{"alternating":true,"json":"schema"}"#;

fn told(body: &str, row: &str) -> Value {
    let request = ClientApi::Messages.read(body.as_bytes()).unwrap();
    sent(&request, &quirks(row)).unwrap()["messages"].clone()
}

fn told_by_chat(body: &str, row: &str) -> Value {
    let request = ClientApi::Chat.read(body.as_bytes()).unwrap();
    sent(&request, &quirks(row)).unwrap()["messages"].clone()
}

/// A tool loop whose result comes with this beside or in it.
fn after_result(result: &str, beside: &str) -> String {
    format!(
        r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"Look."}},
        {{"role":"assistant","content":[{{"type":"tool_use","id":"toolu_1","name":"look","input":{{}}}}]}},
        {{"role":"user","content":[{{"type":"tool_result","tool_use_id":"toolu_1","content":{result}}}{beside}]}}]}}"#
    )
}

fn roles(messages: &Value) -> Vec<&str> {
    messages.as_array().unwrap().iter().map(|one| one["role"].as_str().unwrap()).collect()
}

#[test]
fn mistral_hears_the_model_between_results_and_what_the_user_says() {
    let reminder = r#",{"type":"text","text":"<system-reminder>Go on.</system-reminder>"}"#;
    let messages = told(&after_result(r#""seen""#, reminder), MISTRAL);
    assert_eq!(roles(&messages), ["user", "assistant", "tool", "assistant", "user"]);
    assert_eq!(messages[3], json!({"role": "assistant", "content": "Understood."}));
    assert_eq!(messages[4]["content"], "<system-reminder>Go on.</system-reminder>");
}

#[test]
fn later_instructions_are_the_users_words_to_mistral() {
    let messages = told_by_chat(
        r#"{"model":"m","messages":[{"role":"system","content":"S"},{"role":"user","content":"a"},
        {"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"c","content":"r"},{"role":"system","content":"Be brief."},
        {"role":"user","content":"b"}]}"#,
        MISTRAL,
    );
    let all = ["system", "user", "assistant", "tool", "assistant", "user", "user"];
    assert_eq!(roles(&messages), all);
    assert_eq!(messages[5]["content"], "Be brief.");
}

#[test]
fn what_was_refused_is_said_among_the_rest_to_perplexity() {
    let messages = told_by_chat(
        r#"{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"Well."},
        {"role":"assistant","refusal":"I cannot."},{"role":"user","content":"b"}]}"#,
        PERPLEXITY,
    );
    assert_eq!(roles(&messages), ["user", "assistant", "user"]);
    assert_eq!(messages[1]["content"], "Well.\n\nI cannot.");
}

#[test]
fn so_it_does_before_pictures_of_a_result() {
    let picture =
        r#"[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]"#;
    let messages = told(&after_result(picture, ""), MISTRAL);
    assert_eq!(roles(&messages), ["user", "assistant", "tool", "assistant", "user"]);
    assert_eq!(messages[4]["content"][1]["type"], "image_url");
}

#[test]
fn results_alone_and_other_vendors_need_no_word_between() {
    let reminder = r#",{"type":"text","text":"Go on."}"#;
    let alone = told(&after_result(r#""seen""#, ""), MISTRAL);
    assert_eq!(roles(&alone), ["user", "assistant", "tool"]);
    let elsewhere = told(&after_result(r#""seen""#, reminder), "{}");
    assert_eq!(roles(&elsewhere), ["user", "assistant", "tool", "user"]);
}

#[test]
fn an_answer_that_is_begun_says_so_to_mistral() {
    let body = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Say yes."},
        {"role":"assistant","content":"No. "},{"role":"user","content":"Say yes!"},
        {"role":"assistant","content":"Y"}]}"#;
    let begun = told(body, MISTRAL);
    assert_eq!(begun[3], json!({"role": "assistant", "content": "Y", "prefix": true}));
    assert!(begun[1].get("prefix").is_none(), "an answer that is done goes on nowhere");
    assert!(told(body, "{}")[3].get("prefix").is_none());
}

#[test]
fn calls_at_the_end_begin_no_answer() {
    let body = r#"{"messages":[{"role":"user","content":"Look."},{"role":"assistant","tool_calls":[
        {"id":"call_1","type":"function","function":{"name":"look","arguments":"{}"}}]}]}"#;
    assert!(told_by_chat(body, MISTRAL)[1].get("prefix").is_none());
}

#[test]
fn perplexity_hears_instructions_first_and_then_each_side_in_turn() {
    let body = r#"{"response_format":{"type":"json_object"},"messages":[
        {"role":"system","content":"Be brief."},
        {"role":"user","content":"One."},{"role":"user","name":"ann","content":[{"type":"text","text":"Two."}]},
        {"role":"assistant","content":"A"},{"role":"assistant","content":"B"},
        {"role":"system","content":[{"type":"text","text":"Be"},{"type":"text","text":"kind."}]},
        {"role":"user","content":"Three."},{"role":"assistant","content":""},
        {"role":"user","content":[{"type":"text","text":"Four:"},{"type":"image_url","image_url":{"url":"https://x.test/a.png"}}]}]}"#;
    let messages = told_by_chat(body, PERPLEXITY);
    let json_only = messages[2].clone();
    assert!(json_only["content"].as_str().unwrap().contains("JSON"));
    let expected = json!([
        {"role":"system","content":"Be brief."},
        {"role":"system","content":"Be\n\nkind."},
        json_only,
        {"role":"user","content":"One.\n\nTwo."},
        {"role":"assistant","content":"A\n\nB"},
        {"role":"user","content":[{"type":"text","text":"Three."},{"type":"text","text":"Four:"},
            {"type":"image_url","image_url":{"url":"https://x.test/a.png"}}]}]);
    assert_eq!(messages, expected, "{messages:#}");
}

#[test]
fn perplexity_goes_on_with_no_answer_that_is_begun() {
    let body =
        r#"{"messages":[{"role":"user","content":"Say yes."},{"role":"assistant","content":"Y"}]}"#;
    let request = ClientApi::Chat.read(body.as_bytes()).unwrap();
    let refusal = sent(&request, &quirks(PERPLEXITY)).unwrap_err();
    let named = (refusal.code, refusal.param.as_deref());
    assert_eq!(named, ("unsupported_parameter", Some("messages[1]")));
    assert!(refusal.message.contains("end with"), "{}", refusal.message);
}

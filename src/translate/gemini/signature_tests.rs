//! Thought signatures on their way back (T-26).

use serde_json::{Value, json};

use super::support::*;
use crate::translate::form::{Origin, PartKind, Role};

const SKIP: &str = "skip_thought_signature_validator";

fn model<'a>(kinds: impl IntoIterator<Item = PartKind<'a>>) -> Value {
    let body = written_3(&asking([user("Hi"), turn(Role::Assistant, kinds)]));
    body["contents"][1]["parts"].clone()
}

fn signatures(parts: &Value) -> Vec<Option<&str>> {
    parts.as_array().unwrap().iter().map(|part| part["thoughtSignature"].as_str()).collect()
}

#[test]
fn a_signature_returns_on_its_call() {
    let parts = model([call("c1", "{}", Some("Z2Vt")), call("c2", "{}", None)]);
    assert_eq!(signatures(&parts), [Some("Z2Vt"), None]);
}

#[test]
fn a_signature_without_words_returns_on_the_text_before_it() {
    let parts = model([text("Io."), proof("", Origin::Google, "Z2Vt")]);
    assert_eq!(parts, json!([{"text": "Io.", "thoughtSignature": "Z2Vt"}]));
}

#[test]
fn a_signature_before_text_returns_on_that_text_without_its_thinking() {
    let parts = model([
        proof("I think", Origin::Google, "Z2Vt"),
        text("Io."),
        call("c1", "{}", Some("Zmdo")),
    ]);
    assert_eq!(parts[0], json!({"text": "Io.", "thoughtSignature": "Z2Vt"}));
    assert_eq!(signatures(&parts), [Some("Z2Vt"), Some("Zmdo")]);
}

#[test]
fn a_signature_before_an_unsigned_call_is_that_calls_own() {
    let parts = model([text("Wait."), proof("", Origin::Google, "Z2Vt"), call("c1", "{}", None)]);
    assert_eq!(signatures(&parts), [None, Some("Z2Vt")]);
}

#[test]
fn a_signature_of_no_text_returns_on_an_empty_one() {
    let parts = model([proof("", Origin::Google, "Z2Vt")]);
    assert_eq!(parts, json!([{"text": "", "thoughtSignature": "Z2Vt"}]));
}

#[test]
fn several_signatures_all_return() {
    let parts = model([
        proof("", Origin::Google, "YQ=="),
        proof("", Origin::Google, "Yg=="),
        text("Io."),
        proof("", Origin::Google, "Yw=="),
    ]);
    assert_eq!(signatures(&parts), [Some("YQ=="), Some("Yg=="), Some("Yw==")]);
}

#[test]
fn calls_that_gemini_did_not_make_are_marked_so_for_gemini_3_only() {
    let kinds = || {
        [
            proof("Claude thought", Origin::Anthropic, "Q2xh"),
            call("c1", "{}", None),
            call("c2", "{}", None),
        ]
    };
    let parts = model(kinds());
    assert_eq!(signatures(&parts), [Some(SKIP), None]);
    let body = written(&asking([user("Hi"), turn(Role::Assistant, kinds())]));
    assert_eq!(signatures(&body["contents"][1]["parts"]), [None, None]);
    assert!(!body.to_string().contains("Claude thought"));
}

#[test]
fn thinking_alone_is_no_turn() {
    let body = written_3(&asking([
        user("Hi"),
        turn(Role::Assistant, [proof("hm", Origin::Anthropic, "Q2xh")]),
        user("So?"),
    ]));
    assert!(!body.to_string().contains("model"));
}

use super::without_sealed;
use crate::domain::Endpoint;

/// A row like Anthropic's.
const SIGNED: &str = r#"{"signed_thinking":true}"#;

fn cut(body: &str, endpoint: Endpoint) -> String {
    cut_for(body, endpoint, "{}")
}

fn cut_for(body: &str, endpoint: Endpoint, row: &str) -> String {
    let quirks = serde_json::from_str(row).unwrap();
    let cut = without_sealed(body.as_bytes(), endpoint, &quirks);
    String::from_utf8(cut.into_owned()).unwrap()
}

#[test]
fn carriers_of_other_vendors_are_taken_out_of_chat_completions_where_they_are_unknown() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","format":"anthropic-claude-v1","signature":"s"}],"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]},{"role":"assistant","content":"b","reasoning":"own"}]}"#;
    let chat = Endpoint::ChatCompletions;
    let strict = r#"{"lacks":["reasoning_details"]}"#;
    assert_eq!(
        cut_for(body, chat, strict),
        r#"{"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"assistant","content":"b","reasoning":"own"}]}"#
    );
    let reads =
        r#"{"lacks":["reasoning_details"],"reasoning_history":"reasoning","extra_content":true}"#;
    assert_eq!(
        cut_for(body, chat, reads),
        body.replace(r#""reasoning_details":[{"type":"reasoning.text","text":"hm","format":"anthropic-claude-v1","signature":"s"}],"#, "")
    );
    assert_eq!(cut_for(body, chat, "{}"), body, "who may know them gets them");
}

#[test]
fn thinking_that_nobody_signed_goes_with_its_carrier() {
    let chat = Endpoint::ChatCompletions;
    let strict = r#"{"lacks":["reasoning_details"]}"#;
    for details in [
        r#"[{"type":"reasoning.text","text":"hm","index":0}]"#,
        r#"[{"type":"reasoning.text","text":"hm","format":"somebody-else-v1"}]"#,
    ] {
        let message = |carriers: &str| {
            format!(r#"{{"messages":[{{"role":"assistant","content":"a"{carriers}}}]}}"#)
        };
        let body = message(&format!(r#","reasoning":"hm","reasoning_details":{details}"#));
        assert_eq!(cut_for(&body, chat, strict), message(""));
        let reads = r#"{"lacks":["reasoning_details"],"reasoning_history":"reasoning"}"#;
        assert_eq!(cut_for(&body, chat, reads), message(r#","reasoning":"hm""#));
        assert_eq!(cut_for(&body, chat, "{}"), body, "who may know them gets them");
    }
    let own = r#"{ "messages":[{"reasoning":"own"},{"reasoning_content":"own"}]}"#;
    assert_eq!(cut_for(own, chat, strict), own, "a vendor's own words have no carrier");
}

#[test]
fn blocks_of_other_vendors_are_taken_out_of_messages() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":""},{"type":"redacted_thinking","data":"turnpike.google.S2"},{"type":"thinking","thinking":"own","signature":"EqQB"},{"type":"tool_use","id":"1","name":"t","input":{}}]},{"role":"assistant","content":[{"type":"redacted_thinking","data":"turnpike.openai.x"}]}]}"#;
    assert_eq!(
        cut_for(body, Endpoint::Messages, SIGNED),
        r#"{"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"own","signature":"EqQB"},{"type":"tool_use","id":"1","name":"t","input":{}}]}]}"#
    );
}

#[test]
fn thinking_that_nobody_signed_is_taken_out_where_signatures_are_checked() {
    let call = r#"{"type":"tool_use","id":"1","name":"t","input":{}}"#;
    let body =
        |blocks: &str| format!(r#"{{"messages":[{{"role":"assistant","content":[{blocks}]}}]}}"#);
    for signature in [r#""signature":"""#, r#""signature": """#, "\"signature\" :\n \"\""] {
        let unsigned = format!(r#"{{"type":"thinking","thinking":"hmm",{signature}}}"#);
        let asked = body(&format!("{unsigned},{call}"));
        assert_eq!(cut_for(&asked, Endpoint::Messages, SIGNED), body(call), "{signature}");
        assert_eq!(cut_for(&asked, Endpoint::Messages, "{}"), asked, "others want it back");
    }
    let sealed = r#"{"type":"thinking","thinking":"hmm","signature":"turnpike.google.s"}"#;
    let asked = body(&format!("{sealed},{call}"));
    assert_eq!(cut_for(&asked, Endpoint::Messages, "{}"), body(call), "no one's but Google's");
}

#[test]
fn items_of_other_vendors_are_taken_out_of_responses() {
    let body = r#"{"input":[{"type":"reasoning","id":"r","summary":[],"encrypted_content":"turnpike.anthropic.s"},{"type":"reasoning","id":"o","summary":[],"encrypted_content":"gAAA"},{"role":"user","content":"turnpike.anthropic."}]}"#;
    assert_eq!(
        cut(body, Endpoint::Responses),
        r#"{"input":[{"type":"reasoning","id":"o","summary":[],"encrypted_content":"gAAA"},{"role":"user","content":"turnpike.anthropic."}]}"#
    );
}

#[test]
fn reasoning_that_the_gateway_told_without_a_proof_is_taken_out_of_responses() {
    let body = r#"{"input":[{"role":"user","content":"q"},{"type":"reasoning","id":"rs_turnpike_bf04_0","summary":[{"type":"summary_text","text":"hm"}]},{"type":"message","id":"msg_bf04_1","role":"assistant","content":[]},{"type":"reasoning","id":"rs_turnpike_bf04_2","summary":[],"encrypted_content":"gAAA"},{"type":"reasoning","id":"rs_68ae","summary":[]}]}"#;
    assert_eq!(
        cut(body, Endpoint::Responses),
        r#"{"input":[{"role":"user","content":"q"},{"type":"message","id":"msg_bf04_1","role":"assistant","content":[]},{"type":"reasoning","id":"rs_68ae","summary":[]}]}"#
    );
}

#[test]
fn what_googles_tools_did_does_not_go_to_who_takes_it_for_a_signature() {
    let body = r#"{"messages":[{"role":"assistant","content":"x","reasoning_details":[{"type":"reasoning.text","text":"t"},{"type":"reasoning.encrypted","data":"part:{\"toolCall\":{}}"}]}]}"#;
    let told = r#"{"messages":[{"role":"assistant","content":"x","reasoning_details":[{"type":"reasoning.text","text":"t"}]}]}"#;
    assert_eq!(cut_for(body, Endpoint::ChatCompletions, "{}"), told);
}

#[test]
fn every_byte_beside_the_cuts_stays_as_the_client_wrote_it() {
    // An integer of more than 64 bits, floats as nobody else spells them, white space and escapes.
    let rest = r#""seed" : 123456789012345678901234567890, "top_p":1.0e0,"x":[-0.0, 1E400] ,"s":"\u00e9\/""#;
    let sealed = r#"{"type":"reasoning","encrypted_content":"turnpike.google.s"}"#;
    let detail = r#""reasoning_details" : [ { } ]"#;
    let strict = r#"{"lacks":["reasoning_details"]}"#;
    for (endpoint, row, list, thinking, left) in [
        (
            Endpoint::Responses,
            "{}",
            "input",
            format!(r#"{sealed}, {{"n": 1.50}} "#),
            r#"{"n": 1.50} "#,
        ),
        (
            Endpoint::ChatCompletions,
            strict,
            "messages",
            format!(r#"{{ "n": 1.50,{detail} }}"#),
            r#"{ "n": 1.50 }"#,
        ),
        (
            Endpoint::Messages,
            SIGNED,
            "messages",
            r#"{"content":[{"type":"thinking","signature":""}, {"n": 1.50}]}"#.to_owned(),
            r#"{"content":[{"n": 1.50}]}"#,
        ),
    ] {
        let body = |elements: &str| format!(r#" {{{rest}, "{list}": [ {elements}], {rest} }} "#);
        assert_eq!(cut_for(&body(&thinking), endpoint, row), body(left));
    }
}

#[test]
fn a_body_with_a_word_of_proofs_in_its_text_is_not_written_anew() {
    for (endpoint, row) in [
        (Endpoint::Messages, SIGNED),
        (Endpoint::Responses, "{}"),
        (Endpoint::ChatCompletions, r#"{"lacks":["reasoning_details"]}"#),
    ] {
        let body = r#"{ "input":[{"id": "rs_turnpike_1"}] , "messages":[ {"content":"turnpike.google. \"signature\": \"\" reasoning_details"} ]}"#;
        let quirks = serde_json::from_str(row).unwrap();
        let cut = without_sealed(body.as_bytes(), endpoint, &quirks);
        assert!(matches!(cut, std::borrow::Cow::Borrowed(_)), "{endpoint:?}");
    }
}

#[test]
fn every_other_body_stays_as_it_is() {
    for (body, endpoint) in [
        (
            r#"{ "messages" : [ {"content":[{"type":"thinking","signature":"E"}]} ]}"#,
            Endpoint::Messages,
        ),
        (r#"{ "messages" : [ {"content":"turnpike.google.x"} ]}"#, Endpoint::ChatCompletions),
        (r#"{ "input" : "hello" }"#, Endpoint::Responses),
    ] {
        assert_eq!(cut(body, endpoint), body);
    }
}

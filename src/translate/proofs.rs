//! Proofs of thinking that only the gateway can read, taken out of a client's own body.
//!
//! In answers that it translates the gateway puts another vendor's proofs into the client's carriers
//! (docs/dialects.md). They come back with the next request, and where that passes untranslated (the
//! client has changed the model, or the alias has failed over) its vendor would refuse what it did not
//! sign: <https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks>.
//! In chat completions the carriers themselves are unknown to most vendors, and the strict ones refuse
//! messages that have them: <https://github.com/agentjido/req_llm/issues/772> (Groq),
//! <https://github.com/co-l/openfox/issues/220> (Mistral, `reasoning`).

use std::borrow::Cow;

use serde_json::Value;

use super::{form::SEAL, responses::is_made};
use crate::domain::{Endpoint, Quirks, ReasoningHistory};

/// A client's body without the thinking whose proof no vendor of its own dialect has made; as it is where
/// there is none.
#[must_use]
pub fn without_sealed<'b>(body: &'b [u8], endpoint: Endpoint, quirks: &Quirks) -> Cow<'b, [u8]> {
    let holds = |word: &str| memchr::memmem::find(body, word.as_bytes()).is_some();
    let list = match endpoint {
        Endpoint::Messages | Endpoint::CountTokens
            if holds(SEAL) || (quirks.signed_thinking && holds_unsigned(body)) =>
        {
            "messages"
        }
        Endpoint::Responses if holds(MARK) => "input",
        Endpoint::ChatCompletions
            if quirks.lacks(DETAILS) && (holds(DETAILS) || holds("thought_signature")) =>
        {
            "messages"
        }
        _ => return body.into(),
    };
    let Ok(mut whole) = serde_json::from_slice::<Value>(body) else { return body.into() };
    let Some(Value::Array(items)) = whole.get_mut(list) else { return body.into() };
    match endpoint {
        Endpoint::Responses => items.retain(|item| !is_the_gateways(item)),
        Endpoint::ChatCompletions => {
            let mut cut = false;
            for message in items {
                cut |= without_details(message, quirks) | without_signatures(message, quirks);
            }
            if !cut {
                return body.into();
            }
        }
        _ => items.retain_mut(|message| keeps_something(message, quirks)),
    }
    serde_json::to_vec(&whole).map_or_else(|_| body.into(), Into::into)
}

/// What is part of every proof and every id of reasoning that the gateway has made.
const MARK: &str = "turnpike";

/// The carrier of thinking and its proofs in chat completions.
const DETAILS: &str = "reasoning_details";

/// Takes thinking out of a message of chat completions, signed or not: a vendor that does not know the
/// carrier has not made it. Whether there was any.
fn without_details(message: &mut Value, quirks: &Quirks) -> bool {
    let Some(message) = message.as_object_mut() else { return false };
    let Some(details) = message.shift_remove(DETAILS) else { return false };
    // The words stand beside them, where answers of the gateway have them.
    let told = details.as_array().is_some_and(|details| !details.is_empty());
    if told && quirks.reasoning_history != ReasoningHistory::Reasoning {
        message.shift_remove("reasoning");
    }
    true
}

/// Takes Gemini's signatures off a message's calls. Whether there were any.
fn without_signatures(message: &mut Value, quirks: &Quirks) -> bool {
    let Some(Value::Array(calls)) = message.get_mut("tool_calls") else { return false };
    if quirks.extra_content {
        return false;
    }
    let mut cut = false;
    for call in calls.iter_mut().filter_map(Value::as_object_mut) {
        let signed = call
            .get("extra_content")
            .is_some_and(|extra| extra.pointer("/google/thought_signature").is_some());
        if signed {
            call.shift_remove("extra_content");
            cut = true;
        }
    }
    cut
}

/// Whether an item is reasoning that the gateway has told, with a proof that it named or without one.
fn is_the_gateways(item: &Value) -> bool {
    let made = |id: &Value| id.as_str().is_some_and(is_made);
    is_sealed(item, "encrypted_content") || (item["type"] == "reasoning" && made(&item["id"]))
}

/// Whether there may be thinking with an empty signature, however the client spaces its JSON. It looks at
/// each place of the name alone: most bodies have none.
fn holds_unsigned(body: &[u8]) -> bool {
    const NAME: &[u8] = br#""signature""#;
    memchr::memmem::find_iter(body, NAME).any(|at| {
        let behind = body.get(at + NAME.len()..).unwrap_or_default().trim_ascii_start();
        behind
            .strip_prefix(b":")
            .is_some_and(|value| value.trim_ascii_start().starts_with(br#""""#))
    })
}

/// Takes the blocks out of a message; whether anything is left of it.
fn keeps_something(message: &mut Value, quirks: &Quirks) -> bool {
    let Some(Value::Array(blocks)) = message.get_mut("content") else { return true };
    let before = blocks.len();
    blocks.retain(|block| match block.get("type").and_then(Value::as_str) {
        Some("thinking") => {
            let unsigned = quirks.signed_thinking && block["signature"] == "";
            !unsigned && !is_sealed(block, "signature")
        }
        Some("redacted_thinking") => !is_sealed(block, "data"),
        _ => true,
    });
    before == 0 || !blocks.is_empty()
}

fn is_sealed(holder: &Value, member: &str) -> bool {
    holder.get(member).and_then(Value::as_str).is_some_and(|proof| proof.starts_with(SEAL))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let reads = r#"{"lacks":["reasoning_details"],"reasoning_history":"reasoning","extra_content":true}"#;
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
        let body = |blocks: &str| {
            format!(r#"{{"messages":[{{"role":"assistant","content":[{blocks}]}}]}}"#)
        };
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
}

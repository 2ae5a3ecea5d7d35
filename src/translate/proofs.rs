//! Proofs of thinking that only the gateway can read, taken out of a client's own body.
//!
//! In answers that it translates the gateway puts another vendor's proofs into the client's carriers
//! (docs/dialects.md). They come back with the next request, and where that passes untranslated (the
//! client has changed the model, or the alias has failed over) its vendor would refuse what it did not
//! sign: <https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks>.

use std::borrow::Cow;

use serde_json::Value;

use super::form::SEAL;
use crate::domain::Endpoint;

/// A client's body without the thinking whose proof no vendor of its own dialect has made; as it is where
/// there is none.
#[must_use]
pub fn without_sealed(body: &[u8], endpoint: Endpoint) -> Cow<'_, [u8]> {
    let holds = |word: &str| memchr::memmem::find(body, word.as_bytes()).is_some();
    let list = match endpoint {
        Endpoint::Messages | Endpoint::CountTokens if holds(SEAL) || holds(r#""signature":"""#) => {
            "messages"
        }
        Endpoint::Responses if holds(SEAL) => "input",
        _ => return body.into(),
    };
    let Ok(mut whole) = serde_json::from_slice::<Value>(body) else { return body.into() };
    let Some(Value::Array(items)) = whole.get_mut(list) else { return body.into() };
    if endpoint == Endpoint::Responses {
        items.retain(|item| !is_sealed(item, "encrypted_content"));
    } else {
        items.retain_mut(keeps_something);
    }
    serde_json::to_vec(&whole).map_or_else(|_| body.into(), Into::into)
}

/// Takes the blocks out of a message; whether anything is left of it.
fn keeps_something(message: &mut Value) -> bool {
    let Some(Value::Array(blocks)) = message.get_mut("content") else { return true };
    let before = blocks.len();
    blocks.retain(|block| match block.get("type").and_then(Value::as_str) {
        Some("thinking") => !is_sealed(block, "signature") && block["signature"] != "",
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

    fn cut(body: &str, endpoint: Endpoint) -> String {
        String::from_utf8(without_sealed(body.as_bytes(), endpoint).into_owned()).unwrap()
    }

    #[test]
    fn blocks_of_other_vendors_are_taken_out_of_messages() {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":""},{"type":"redacted_thinking","data":"turnpike.google.S2"},{"type":"thinking","thinking":"own","signature":"EqQB"},{"type":"tool_use","id":"1","name":"t","input":{}}]},{"role":"assistant","content":[{"type":"redacted_thinking","data":"turnpike.openai.x"}]}]}"#;
        assert_eq!(
            cut(body, Endpoint::Messages),
            r#"{"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"own","signature":"EqQB"},{"type":"tool_use","id":"1","name":"t","input":{}}]}]}"#
        );
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

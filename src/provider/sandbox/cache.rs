//! What a vendor's cache of prompts would hold, by the marks of one request alone: the same request gets
//! the same answer, so nothing is remembered. What stood before the model's last answer was sent once
//! already: the marked beginning of that is read, and what is marked behind it is written.
//! <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>. Pure.

use serde_json::Value;

use super::reply::tokens_of;

/// Tokens of the input that are not counted as such.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cached {
    /// Found in the cache.
    pub read: u64,
    /// Put into it.
    pub write: u64,
}

/// The beginning of a prompt, piece by piece.
#[derive(Default)]
struct Walk {
    /// Tokens so far.
    tokens: u64,
    /// Those up to the last mark.
    marked: u64,
}

/// What is cached of a body with `tokens` of input.
pub fn cached(body: &Value, tokens: u64) -> Cached {
    let mut walk = Walk::default();
    walk.pieces(body.get("tools"));
    walk.pieces(body.get("system"));
    let messages = body.get("messages").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let answered = messages.iter().rposition(|message| message.get("role").is_some_and(is_model));
    let mut read = 0;
    for (index, message) in messages.iter().enumerate() {
        walk.pieces(message.get("content"));
        if Some(index) == answered {
            read = walk.marked;
        }
    }
    let read = read.min(tokens);
    Cached { read, write: walk.marked.min(tokens) - read }
}

fn is_model(role: &Value) -> bool {
    role == "assistant"
}

impl Walk {
    fn pieces(&mut self, content: Option<&Value>) {
        match content {
            Some(Value::String(text)) => self.tokens += tokens_of(text.chars().count()),
            Some(Value::Array(pieces)) => pieces.iter().for_each(|piece| self.piece(piece)),
            _ => {}
        }
    }

    fn piece(&mut self, piece: &Value) {
        let text = piece.get("text").and_then(Value::as_str);
        let letters =
            text.map_or_else(|| piece.to_string().chars().count(), |text| text.chars().count());
        self.tokens += tokens_of(letters);
        if piece.get("cache_control").is_some_and(Value::is_object) {
            self.marked = self.tokens;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_marked_beginning_is_written_first_and_read_when_the_conversation_goes_on() {
        let mark = json!({"type": "ephemeral"});
        let system = json!([{"type": "text", "text": "s".repeat(400), "cache_control": mark}]);
        let said = |text: &str| {
            json!({"role": "user", "content": [
            {"type": "text", "text": text, "cache_control": mark}]})
        };
        let first = json!({"system": system, "messages": [said("one two ")]});
        assert_eq!(cached(&first, 110), Cached { read: 0, write: 102 });
        let answer = json!({"role": "assistant", "content": "four"});
        let next = json!({"system": system, "messages": [said("one two "), answer, said("more")]});
        assert_eq!(cached(&next, 110), Cached { read: 102, write: 2 });
        let unmarked = json!({"system": "s", "messages": [{"role": "user", "content": "x"}]});
        assert_eq!(cached(&unmarked, 2), Cached::default());
        assert_eq!(cached(&first, 50), Cached { read: 0, write: 50 }, "no more than there is");
    }
}

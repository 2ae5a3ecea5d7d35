//! What the sandbox says, and how it is cut, counted and taken apart. Pure.

use super::prompt::Prompt;

/// Characters of the last user text that are repeated; more is left out, so that a prompt of many
/// megabytes does not come back.
const REPEATED_CHARACTERS: usize = 1_000;

/// The reply and why it ends.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its text.
    pub text: String,
    /// Why it ends there.
    pub end: End,
}

/// Why a reply ends.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// It is complete.
    Complete,
    /// It reached the limit of tokens.
    Length,
    /// It reached this stop sequence.
    Stop(String),
}

/// Where a reply must end.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Most tokens.
    pub max_tokens: Option<u64>,
    /// Stop sequences; the reply ends before the first that occurs.
    pub stops: Vec<String>,
}

/// Tokens of a text: one per four characters, rounded up.
pub fn tokens(text: &str) -> u64 {
    tokens_of(text.chars().count())
}

/// Tokens of a text of so many characters.
pub fn tokens_of(characters: usize) -> u64 {
    u64::try_from(characters.div_ceil(4)).unwrap_or(u64::MAX)
}

/// The words of a text, each with the white space after it: together they are the text again.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

/// The answer to a conversation in plain words.
pub fn compose(prompt: &Prompt) -> String {
    let told = prompt.last.trim();
    let repeated: String = told.chars().take(REPEATED_CHARACTERS).collect();
    let cut = if repeated.len() < told.len() { "…" } else { "" };
    let opening = if prompt.tool_result { "The tool returned" } else { "You said" };
    let words = told.split_whitespace().count();
    let images = match prompt.images {
        0 => String::new(),
        1 => " and 1 image".to_owned(),
        many => format!(" and {many} images"),
    };
    if told.is_empty() {
        return format!(
            "You said nothing{images} in message {} of this conversation.",
            prompt.messages
        );
    }
    format!(
        "{opening}: {repeated}{cut}\n\nThat is {words} {}{images} in message {} of this conversation.",
        if words == 1 { "word" } else { "words" },
        prompt.messages
    )
}

/// Cuts a text where the limits say.
pub fn limit(text: &str, limits: &Limits) -> Reply {
    let stop = limits
        .stops
        .iter()
        .filter_map(|stop| text.find(stop.as_str()).map(|at| (at, stop)))
        .min_by_key(|(at, _)| *at);
    let length = limits.max_tokens.and_then(|most| {
        let characters = usize::try_from(most.saturating_mul(4)).unwrap_or(usize::MAX);
        text.char_indices().nth(characters).map(|(at, _)| at)
    });
    let (at, end) = match (stop, length) {
        (Some((at, _)), Some(length)) if length < at => (length, End::Length),
        (Some((at, stop)), _) => (at, End::Stop(stop.clone())),
        (None, Some(length)) => (length, End::Length),
        (None, None) => (text.len(), End::Complete),
    };
    Reply { text: text.get(..at).unwrap_or(text).to_owned(), end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_tokens: Option<u64>, stops: &[&str]) -> Limits {
        Limits { max_tokens, stops: stops.iter().map(|&stop| stop.to_owned()).collect() }
    }

    #[test]
    fn a_token_is_four_characters_not_bytes() {
        assert_eq!(tokens(""), 0);
        assert_eq!(tokens("abcd"), 1);
        assert_eq!(tokens("äöüßé"), 2);
    }

    #[test]
    fn pieces_join_to_the_text() {
        let text = "One  two\n\nthree … vier";
        assert_eq!(pieces(text).collect::<String>(), text);
        assert_eq!(pieces("a b").collect::<Vec<_>>(), ["a ", "b"]);
    }

    #[test]
    fn a_limit_of_tokens_is_met_exactly() {
        let reply = limit("äöüß and more", &limits(Some(1), &[]));
        assert_eq!(reply, Reply { text: "äöüß".to_owned(), end: End::Length });
        assert_eq!(limit("abcd", &limits(Some(1), &[])).end, End::Complete);
    }

    #[test]
    fn the_first_stop_sequence_that_occurs_ends_the_reply() {
        let reply = limit("one two three", &limits(None, &["three", "two", "nine"]));
        assert_eq!(reply, Reply { text: "one ".to_owned(), end: End::Stop("two".to_owned()) });
    }

    #[test]
    fn the_nearer_of_both_limits_wins() {
        assert_eq!(limit("one two three", &limits(Some(1), &["three"])).end, End::Length);
        assert_eq!(
            limit("one two three", &limits(Some(2), &["two"])).end,
            End::Stop("two".to_owned())
        );
    }
}

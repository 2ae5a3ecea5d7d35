//! Reads an answer that is no stream while it passes; nothing of it is kept but its figures.

use super::{
    facts::{AnswerFacts, text},
    usage::{AnthropicCounters, read_openai},
};
use crate::{
    domain::{ClientDialect, Endpoint, TokenUsage},
    wire::{
        Said,
        pick::{Path, Picker},
    },
};

const USAGE: Path = Path::top("usage");
const MODEL: Path = Path::top("model");
const GROQ_USAGE: Path = Path::inside("x_groq", "usage");
const COUNTED: Path = Path::top("input_tokens");
const ERROR: Path = Path::top("error");

/// The state between two pieces of an answer.
#[derive(Debug)]
pub struct AnswerMeter {
    endpoint: Endpoint,
    picker: Picker,
    said: Said,
}

impl AnswerMeter {
    /// For an answer to `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        let picker = Picker::new(&[USAGE, MODEL, GROQ_USAGE, COUNTED, ERROR]);
        Self { endpoint, picker, said: Said::default() }
    }

    /// Reads the next piece of the body.
    pub fn push(&mut self, piece: &[u8]) {
        self.picker.push(piece);
        if self.endpoint != Endpoint::Embeddings {
            self.said.push(piece);
        }
    }

    /// About how many bytes of text, thinking and arguments the model has said so far.
    #[must_use]
    pub const fn said(&self) -> u64 {
        self.said.bytes()
    }

    /// Whether its use has been told by now, or is none.
    #[must_use]
    pub fn tells_usage(&self) -> bool {
        self.endpoint == Endpoint::CountTokens || self.usage().is_some()
    }

    /// Whether it is an error, whatever its status.
    #[must_use]
    pub fn is_error(&self) -> bool {
        let error = self.picker.get(ERROR).map(<[u8]>::trim_ascii_start);
        error.is_some_and(|error| {
            error.starts_with(b"{") || error.starts_with(b"\"") && error.len() > 2
        })
    }

    /// Whether what has come is one JSON value to its end.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.picker.is_whole()
    }

    /// What has been learnt; complete once the body has ended.
    #[must_use]
    pub fn finish(&mut self) -> AnswerFacts {
        AnswerFacts {
            usage: self.usage(),
            model: text(self.picker.get(MODEL)),
            whole: self.picker.is_whole(),
        }
    }

    fn usage(&self) -> Option<TokenUsage> {
        // Counting tokens consumes none; the figure in the answer is the answer.
        if self.endpoint == Endpoint::CountTokens {
            return self.picker.get(COUNTED).map(|_| TokenUsage::default());
        }
        match self.endpoint.dialect() {
            ClientDialect::Anthropic => {
                let mut counters = AnthropicCounters::default();
                counters.add(self.picker.get(USAGE)?);
                counters.usage()
            }
            ClientDialect::OpenAi => self
                .picker
                .get(USAGE)
                .and_then(read_openai)
                .or_else(|| self.picker.get(GROQ_USAGE).and_then(read_openai)),
        }
    }
}

/// Whether a body that starts with these bytes can be an answer at all: an object, not the HTML
/// page of some proxy on the way, and not nothing.
#[must_use]
pub fn looks_like_json(start: &[u8]) -> bool {
    start.trim_ascii_start().first() == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::{AnswerFacts, AnswerMeter, Endpoint, TokenUsage, looks_like_json};

    fn read(endpoint: Endpoint, body: &str) -> AnswerFacts {
        let whole = read_pieces(endpoint, &[body.as_bytes()]);
        for cut in 0..=body.len() {
            let (left, right) = body.as_bytes().split_at(cut);
            assert_eq!(read_pieces(endpoint, &[left, right]), whole, "cut at {cut}");
        }
        whole
    }

    fn read_pieces(endpoint: Endpoint, pieces: &[&[u8]]) -> AnswerFacts {
        let mut meter = AnswerMeter::new(endpoint);
        for piece in pieces {
            meter.push(piece);
        }
        meter.finish()
    }

    #[test]
    fn usage_and_model_of_every_kind_of_answer_are_read() {
        let plain = |input, output| TokenUsage { input, output, ..TokenUsage::default() };
        for (endpoint, body, usage) in [
            (
                Endpoint::ChatCompletions,
                r#"{"id":"c","model":"m-1","choices":[{"message":{"content":"\"usage\":{}"}}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#,
                plain(9, 2),
            ),
            (
                Endpoint::Completions,
                r#"{"choices":[],"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":4}},"model":"m-1"}"#,
                plain(3, 4),
            ),
            (
                Endpoint::Embeddings,
                r#"{"data":[{"embedding":[0.1,-2e-3]}],"model":"m-1","usage":{"prompt_tokens":8,"total_tokens":8}}"#,
                plain(8, 0),
            ),
            (
                Endpoint::Responses,
                r#"{"object":"response","output":[{"usage":7}],"usage":{"input_tokens":5,"output_tokens":6},"model":"m-1"}"#,
                plain(5, 6),
            ),
            (
                Endpoint::Messages,
                r#"{"type":"message","model":"m-1","content":[],"usage":{"input_tokens":5,"output_tokens":6,"cache_read_input_tokens":4}}"#,
                TokenUsage { cache_read: 4, ..plain(5, 6) },
            ),
        ] {
            let expected =
                AnswerFacts { usage: Some(usage), model: Some("m-1".to_owned()), whole: true };
            assert_eq!(read(endpoint, body), expected);
        }
    }

    #[test]
    fn embeddings_whose_usage_nobody_tells_are_whole() {
        for usage in ["", r#","usage":null"#, r#","usage":{"prompt_tokens":null}"#] {
            let body = format!(r#"{{"data":[{{"embedding":[0.1]}}],"model":"m-1"{usage}}}"#);
            let expected = AnswerFacts { usage: None, model: Some("m-1".to_owned()), whole: true };
            assert_eq!(read(Endpoint::Embeddings, &body), expected, "{usage}");
        }
    }

    #[test]
    fn counting_tokens_uses_none() {
        let facts = read(Endpoint::CountTokens, r#"{"input_tokens":2095}"#);
        assert_eq!(
            facts,
            AnswerFacts { usage: Some(TokenUsage::default()), model: None, whole: true }
        );
    }

    #[test]
    fn a_page_nothing_and_half_an_answer_are_known() {
        for body in ["", "<html><body>\"usage\":{}</body></html>", r#"{"usage":{"prompt_tokens":1"#]
        {
            assert_eq!(read(Endpoint::ChatCompletions, body), AnswerFacts::default(), "{body}");
        }
        assert!(looks_like_json(b" \n{\"id\""));
        assert!(!looks_like_json(b"<!doctype html>") && !looks_like_json(b""));
    }
}

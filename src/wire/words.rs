//! Words that tell what a request may need, wherever in its body they stand: they are met while the body
//! is walked over once, instead of being searched for one by one.

/// A letter as an escape.
const ESCAPE: &str = "\\u0061";

/// A set of the words that matter: names of members, and short values such as types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words(u16);

impl Words {
    /// `tools`, or `functions` of old.
    pub const TOOLS: Self = Self(1);
    /// `parallel_tool_calls`
    pub const PARALLEL_TOOL_CALLS: Self = Self(1 << 1);
    /// A kind of image.
    pub const IMAGE: Self = Self(1 << 2);
    /// A kind of document or file.
    pub const DOCUMENT: Self = Self(1 << 3);
    /// A kind of audio.
    pub const AUDIO: Self = Self(1 << 4);
    /// `json_object`
    pub const JSON_OBJECT: Self = Self(1 << 5);
    /// `json_schema`
    pub const JSON_SCHEMA: Self = Self(1 << 6);
    /// A member that asks for reasoning or its effort.
    pub const REASONING: Self = Self(1 << 7);
    /// A member that limits reasoning in tokens.
    pub const REASONING_TOKENS: Self = Self(1 << 8);
    /// A kind of search in the web.
    pub const WEB_SEARCH: Self = Self(1 << 9);
    /// `tool_choice`
    pub const TOOL_CHOICE: Self = Self(1 << 10);

    /// A member that holds a vendor's proof of thinking.
    pub const PROOF: Self = Self(1 << 11);
    /// A kind of video.
    pub const VIDEO: Self = Self(1 << 12);
    /// `background`
    pub const BACKGROUND: Self = Self(1 << 13);

    /// Longer texts are none of them, bytes.
    const LONGEST: usize = 32;
    /// What the shortest of them is long with an escape in it, bytes.
    const SHORTEST_ESCAPED: usize = "file".len() - 1 + ESCAPE.len();

    /// These or the others.
    #[must_use]
    pub const fn or(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether one of `these` was met.
    #[must_use]
    pub const fn has(self, these: Self) -> bool {
        self.0 & these.0 != 0
    }

    /// Takes note of a string of the body, without its quotes and as it is spelled there.
    #[inline]
    pub(super) fn note(&mut self, text: &[u8]) {
        if text.len() <= Self::LONGEST {
            *self = self.or(Self::of(text));
        }
        if (Self::SHORTEST_ESCAPED..=Self::LONGEST * ESCAPE.len()).contains(&text.len())
            && memchr::memchr(b'\\', text).is_some()
        {
            self.note_escaped(text);
        }
    }

    /// The same of a string that may be one of them with letters as escapes, which readers see through.
    #[cold]
    fn note_escaped(&mut self, text: &[u8]) {
        if memchr::memmem::find(text, b"\\u00").is_none() {
            return;
        }
        let literal = [b"\"", text, b"\""].concat();
        if let Ok(plain) = serde_json::from_slice::<String>(&literal)
            && plain.len() <= Self::LONGEST
        {
            *self = self.or(Self::of(plain.as_bytes()));
        }
    }

    fn of(text: &[u8]) -> Self {
        match text {
            b"tools" | b"functions" => Self::TOOLS,
            b"tool_choice" => Self::TOOL_CHOICE,
            b"parallel_tool_calls" => Self::PARALLEL_TOOL_CALLS,
            // What a file is stands in its data.
            b"document" | b"file" | b"input_file" => Self::DOCUMENT.or(Self::IMAGE).or(Self::AUDIO),
            b"input_image" | [b'i', b'm', b'a', b'g', b'e', ..] => Self::IMAGE,
            b"input_audio" | [b'a', b'u', b'd', b'i', b'o', ..] => Self::AUDIO,
            b"video" | b"video_url" | b"input_video" => Self::VIDEO,
            b"background" => Self::BACKGROUND,
            b"json_object" => Self::JSON_OBJECT,
            b"json_schema" => Self::JSON_SCHEMA,
            b"thinking" | b"effort" => Self::REASONING,
            b"budget_tokens" => Self::REASONING_TOKENS,
            b"signature" | b"redacted_thinking" | b"encrypted_content" | b"thought_signature" => {
                Self::PROOF
            }
            b"reasoning_details" => Self::REASONING.or(Self::REASONING_TOKENS).or(Self::PROOF),
            _ if text.starts_with(b"reasoning") => Self::REASONING.or(Self::REASONING_TOKENS),
            _ if text.starts_with(b"web_search") => Self::WEB_SEARCH,
            _ => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Words;
    use crate::{domain::Endpoint, wire::read_head};

    fn words(rest: &str) -> Words {
        let body = format!(r#"{{"model":"m","messages":[],{rest}}}"#);
        read_head(body.as_bytes(), Endpoint::ChatCompletions).unwrap().words
    }

    #[test]
    fn words_are_met_as_names_and_as_values_at_any_depth() {
        for (rest, word) in [
            (r#""tools":[]"#, Words::TOOLS),
            (r#""a":[{"b":[{"type":"image_url"}]}]"#, Words::IMAGE),
            (r#""a":{"type":"input_image"}"#, Words::IMAGE),
            (r#""a":[1,"x","input_audio"]"#, Words::AUDIO),
            (r#""modalities":["text","audio"]"#, Words::AUDIO),
            (r#""response_format":{"type":"json_schema"}"#, Words::JSON_SCHEMA),
            (r#""reasoning_effort":"low""#, Words::REASONING),
            (r#""thinking":{"budget_tokens":1}"#, Words::REASONING_TOKENS),
            (r#""tools":[{"type":"web_search_20250305"}]"#, Words::WEB_SEARCH),
            (r#""functions":[]"#, Words::TOOLS),
            (r#""tool_choice":"none""#, Words::TOOL_CHOICE),
            (r#""a":[{"type":"thinking","signature":""}]"#, Words::PROOF),
            (r#""a":[{"role":"assistant","reasoning_details":[]}]"#, Words::PROOF),
            (r#""a":[{"extra_content":{"google":{"thought_signature":"s"}}}]"#, Words::PROOF),
            (
                r#""a":[{"type":"file","file":{"file_data":"data:audio/wav;base64,"}}]"#,
                Words::AUDIO,
            ),
        ] {
            assert!(words(rest).has(word), "{rest}");
        }
    }

    #[test]
    fn words_are_met_however_they_are_spelled() {
        for (rest, word) in [
            (r#""t\u006fols":[]"#, Words::TOOLS),
            (r#""a":{"type":"\u0069mage_url"}"#, Words::IMAGE),
            (r#""a":{"f\u0069le":{}}"#, Words::DOCUMENT),
            (r#""a":{"type":"video\u005furl"}"#, Words::VIDEO),
            (r#""b\u0061ckground":true"#, Words::BACKGROUND),
        ] {
            assert!(words(rest).has(word), "{rest}");
        }
        let all = "redacted_thinking".replace('d', "\\u0064").replace('_', "\\u005F");
        assert_eq!(words(&format!(r#""a":"{all}""#)), Words::PROOF);
        assert_eq!(words(r#""a":"an im\u0061ge""#), Words::default());
        assert_eq!(words(r#""a":"\ud800 tools","b":"tools\n""#), Words::default());
    }

    #[test]
    fn what_is_only_said_is_no_word() {
        let said = r#""a":"tools","b":["draw an image, json_object","the reasoning behind tools"]"#;
        assert_eq!(words(said), Words::TOOLS, "a text that is such a word cannot be told from one");
        assert_eq!(words(r#""a":"use tools","b":"an image""#), Words::default());
        let long = format!(r#""a":"image{}""#, "x".repeat(64));
        assert_eq!(words(&long), Words::default());
    }
}

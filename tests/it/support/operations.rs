//! The runtime's operations, as a table to walk through.

/// One operation and how to ask for it.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Name in records and metrics.
    pub name: &'static str,
    /// Below the host.
    pub path: &'static str,
    /// Whether Anthropic's clients call it.
    pub anthropic: bool,
    /// Whether it can stream.
    pub streams: bool,
    /// A body with every oddity that must survive; `MODEL` stands for the JSON string.
    body: &'static str,
}

impl Operation {
    /// A body that names `model` in odd but valid JSON.
    pub fn body(&self, model: &str) -> String {
        self.body.replace("MODEL", &format!("\"{model}\""))
    }

    /// The same, asking for a stream.
    pub fn stream_body(&self, model: &str) -> String {
        self.body(model).replacen('{', r#"{ "stream" :true,"#, 1)
    }

    /// The alias of a [`super::Scene`] that this operation can use.
    pub const fn alias(&self) -> &'static str {
        if self.anthropic { "smart" } else { "fast" }
    }

    /// The model id behind that alias.
    pub const fn upstream_model(&self) -> &'static str {
        if self.anthropic { "claude-sonnet" } else { "gpt-4o" }
    }
}

// Unknown fields, odd spacing, numbers that no double holds, escapes that a re-encoder would change,
// and a `model` that is not the request's.
macro_rules! operation {
    ($name:literal, $path:literal, $anthropic:literal, $streams:literal, $payload:literal) => {
        Operation {
            name: $name,
            path: $path,
            anthropic: $anthropic,
            streams: $streams,
            body: concat!(
                "\r\n{ ", $payload, " ,\n  \"model\" :  MODEL , ",
                r#""x_unknown" : {"model":"decoy","n":123456789012345678901234567890.10,"e":1E+2},"#,
                "\n\t", r#""metadata": { "k" : "\u00e9\/\ud83d\ude00é😀" } , "empty":{} ,"list":[ ] } "#,
            ),
        }
    };
}

/// Chat completions.
pub const CHAT: Operation = operation!(
    "chat_completions",
    "/v1/chat/completions",
    false,
    true,
    r#""messages":[{"role":"user","content":"Say \"model\":\"x\"","cache_control":{"type":"ephemeral"}}],"temperature": 0.70"#
);
/// Legacy completions.
pub const COMPLETIONS: Operation = operation!(
    "completions",
    "/v1/completions",
    false,
    true,
    r#""prompt":"Once upon","max_tokens":7"#
);
/// Embeddings.
pub const EMBEDDINGS: Operation = operation!(
    "embeddings",
    "/v1/embeddings",
    false,
    false,
    r#""input":["Hello","World"],"dimensions":256"#
);
/// Responses.
pub const RESPONSES: Operation =
    operation!("responses", "/v1/responses", false, true, r#""input":"Say hello","store":false"#);
/// Messages.
pub const MESSAGES: Operation = operation!(
    "messages",
    "/v1/messages",
    true,
    true,
    r#""max_tokens":256,"messages":[{"role":"user","content":[{"type":"text","text":"Hello"}]}]"#
);
/// Token counting.
pub const COUNT_TOKENS: Operation = operation!(
    "count_tokens",
    "/v1/messages/count_tokens",
    true,
    false,
    r#""messages":[{"role":"user","content":"Hello"}]"#
);

/// All that take a body.
pub const ALL: [Operation; 6] = [CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES, MESSAGES, COUNT_TOKENS];

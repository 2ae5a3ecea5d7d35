//! The runtime's endpoints, as data.

use serde::{Deserialize, Serialize};

/// The runtime operation that a client called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST /v1/chat/completions`
    ChatCompletions,
    /// `POST /v1/completions`
    Completions,
    /// `POST /v1/embeddings`
    Embeddings,
    /// `POST /v1/responses`
    Responses,
    /// `POST /v1/messages`
    Messages,
    /// `POST /v1/messages/count_tokens`
    CountTokens,
    /// `GET /v1/models`
    Models,
}

/// Whose error envelope and stream grammar the client expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientDialect {
    /// OpenAI: `{"error":{"message","type","param","code"}}`, streams end in `[DONE]`.
    OpenAi,
    /// Anthropic: `{"type":"error","error":{"type","message"}}`.
    Anthropic,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 7] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Embeddings,
        Self::Responses,
        Self::Messages,
        Self::CountTokens,
        Self::Models,
    ];

    /// Name in metrics, records and the `dialects` setting.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat_completions",
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Responses => "responses",
            Self::Messages => "messages",
            Self::CountTokens => "count_tokens",
            Self::Models => "models",
        }
    }

    /// The path below `/v1`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/chat/completions",
            Self::Completions => "/completions",
            Self::Embeddings => "/embeddings",
            Self::Responses => "/responses",
            Self::Messages => "/messages",
            Self::CountTokens => "/messages/count_tokens",
            Self::Models => "/models",
        }
    }

    /// The methods that it takes, the usual one first.
    #[must_use]
    pub const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Models => &["GET", "HEAD"],
            _ => &["POST"],
        }
    }

    /// The dialect of its errors.
    #[must_use]
    pub const fn dialect(self) -> ClientDialect {
        match self {
            Self::Messages | Self::CountTokens => ClientDialect::Anthropic,
            _ => ClientDialect::OpenAi,
        }
    }
}

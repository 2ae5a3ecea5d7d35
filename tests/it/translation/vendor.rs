//! Vendors of four dialects at mocks of their own.

use serde_json::{Value, json};

use crate::support::{Call, MockVendor, Org, Provider, Reply, mock};

/// Whose dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    OpenAi,
    Anthropic,
    Gemini,
    Bedrock,
}

/// A vendor and the provider that lives at it.
pub struct Vendor {
    pub kind: Kind,
    pub mock: MockVendor,
    pub provider: Provider,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::OpenAi, Self::Anthropic, Self::Gemini, Self::Bedrock];

    /// The provider's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
        }
    }

    /// What is sent upstream as the model.
    pub const fn model(self) -> &'static str {
        match self {
            Self::OpenAi => "gpt-4o",
            Self::Anthropic => "claude-haiku-4-5",
            Self::Gemini => "gemini-2.5-flash",
            Self::Bedrock => "us.amazon.nova-lite-v1:0",
        }
    }

    /// The model as the mock's answer names it; Bedrock's names none.
    pub fn dated(self) -> String {
        match self {
            Self::OpenAi | Self::Anthropic => format!("{}-2026-05-05", self.model()),
            Self::Gemini | Self::Bedrock => self.model().to_owned(),
        }
    }

    fn settings(self) -> Value {
        match self {
            Self::OpenAi => json!({"model_provider": "openai"}),
            Self::Anthropic => json!({"model_provider": "anthropic"}),
            Self::Gemini => json!({"model_provider": "google_ai"}),
            Self::Bedrock => json!({
                "model_provider": "bedrock", "auth_type": "bedrock_api_key",
                "settings": {"region": "eu-west-1", "model_api_family": "bedrock_converse"},
            }),
        }
    }

    /// A stream whose first event is an error.
    pub fn error_at_once(self) -> Reply {
        match self {
            Self::OpenAi => Reply::streams([
                "data: {\"error\":{\"message\":\"no capacity\",\"type\":\"server_error\",\"code\":null}}\n\n",
            ]),
            Self::Anthropic => Reply::streams([
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"no capacity\"}}\n\n",
            ]),
            Self::Gemini => Reply::streams([
                "data: {\"error\":{\"code\":503,\"message\":\"no capacity\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n",
            ]),
            Self::Bedrock => Reply::streams([mock::exception(
                "internalServerException",
                &json!({"message": "no capacity"}),
            )])
            .header("content-type", "application/vnd.amazon.eventstream"),
        }
    }

    /// Asserts that the request for `client::Client` arrived in this vendor's own words.
    pub fn was_asked(self, call: &Call, streamed: bool) {
        let body = call.json();
        let told = format!("{self:?} saw {} {body}", call.path);
        let (system, user) = match self {
            Self::OpenAi => {
                assert!(
                    call.path.ends_with("/chat/completions") || call.path.ends_with("/responses")
                );
                assert_eq!(body["model"], self.model(), "{told}");
                (&body, &body)
            }
            Self::Anthropic => {
                assert_eq!(call.path, "/v1/messages");
                assert_eq!(body["model"], self.model(), "{told}");
                assert!(body["max_tokens"].is_u64(), "{told}");
                (&body["system"], &body["messages"][0])
            }
            Self::Gemini => {
                let verb =
                    if streamed { "streamGenerateContent?alt=sse" } else { "generateContent" };
                assert_eq!(call.path, format!("/v1beta/models/{}:{verb}", self.model()));
                (&body["systemInstruction"], &body["contents"][0]["parts"][0])
            }
            Self::Bedrock => {
                let operation = if streamed { "converse-stream" } else { "converse" };
                assert_eq!(call.path, format!("/model/us.amazon.nova-lite-v1%3A0/{operation}"));
                (&body["system"][0], &body["messages"][0]["content"][0])
            }
        };
        assert!(system.to_string().contains("Be brief."), "{told}");
        assert!(user.to_string().contains("Say hello"), "{told}");
    }
}

impl Vendor {
    /// One of this kind, named after it.
    pub async fn of(org: &Org, kind: Kind) -> Self {
        Self::named(org, kind, kind.name(), kind.model()).await
    }

    /// One with another name and model.
    pub async fn named(org: &Org, kind: Kind, name: &str, model: &str) -> Self {
        let mock = MockVendor::start().await;
        let provider = org.provider(name).at(&mock).model(model).with(kind.settings()).await;
        Self { kind, mock, provider }
    }

    /// One of each kind, in the order of [`Kind::ALL`].
    pub async fn of_each_kind(org: &Org) -> Vec<Self> {
        let mut all = Vec::new();
        for kind in Kind::ALL {
            all.push(Self::of(org, kind).await);
        }
        all
    }

    /// What an alias is told to find it.
    pub fn route(&self) -> (&Provider, &'static str) {
        (&self.provider, self.kind.model())
    }

    /// Answers well again, and had no words waiting.
    pub fn recovers(&self) {
        self.mock.forget_what_was_said();
        self.mock.always(Reply::answers());
    }
}

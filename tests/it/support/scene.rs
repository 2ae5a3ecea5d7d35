//! The scene that most tests play on.

use super::{Caller, Gateway, GatewayBuilder, MockVendor, Org, Provider};

/// A gateway with an organization `acme`, an OpenAI provider `openai` that lives at a mock, its
/// model `gpt-4o` behind the alias `fast`, an Anthropic provider `anthropic` at another mock with
/// `claude-sonnet` behind `smart`, and a key.
pub struct Scene {
    pub gateway: Gateway,
    pub openai: MockVendor,
    pub anthropic: MockVendor,
    pub acme: Org,
    pub openai_provider: Provider,
    pub key: Caller,
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(Gateway::configured()).await
    }

    /// On a gateway with settings of its own.
    pub async fn with(builder: GatewayBuilder) -> Self {
        let gateway = builder.start().await;
        let (openai, anthropic) = (MockVendor::start().await, MockVendor::start().await);
        let acme = gateway.org("acme");
        let openai_provider = acme
            .provider("openai")
            .at(&openai)
            .model("gpt-4o")
            .with(serde_json::json!({"api_key": "sk-openai-vendor-key"}))
            .await;
        let anthropic_provider = acme
            .provider("anthropic")
            .vendor("anthropic")
            .at(&anthropic)
            .model("claude-sonnet")
            .with(serde_json::json!({"api_key": "sk-ant-vendor-key"}))
            .await;
        acme.alias("fast", &[(&openai_provider, "gpt-4o")]).await;
        acme.alias("smart", &[(&anthropic_provider, "claude-sonnet")]).await;
        let key = acme.key().await;
        Self { gateway, openai, anthropic, acme, openai_provider, key }
    }
}

/// Two OpenAI providers, `first` and `second`, each at a mock of its own, both behind the alias
/// `fast` in that order.
pub struct TwoRoutes {
    pub gateway: Gateway,
    pub first: MockVendor,
    pub second: MockVendor,
    pub acme: Org,
    pub first_provider: Provider,
    pub second_provider: Provider,
    pub key: Caller,
}

impl TwoRoutes {
    pub async fn new() -> Self {
        Self::with(Gateway::configured()).await
    }

    pub async fn with(builder: GatewayBuilder) -> Self {
        let gateway = builder.start().await;
        let (first, second) = (MockVendor::start().await, MockVendor::start().await);
        let acme = gateway.org("acme");
        let first_provider = acme.provider("first").at(&first).model("gpt-4o").await;
        let second_provider = acme.provider("second").at(&second).model("gpt-4o-mini").await;
        acme.alias("fast", &[(&first_provider, "gpt-4o"), (&second_provider, "gpt-4o-mini")]).await;
        let key = acme.key().await;
        Self { gateway, first, second, acme, first_provider, second_provider, key }
    }
}

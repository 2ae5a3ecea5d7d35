//! A gateway that trusts an identity provider.

use serde_json::{Value, json};

use crate::support::{Answer, Caller, Gateway, oidc::OpenIdProvider};

/// A gateway and a provider that may speak for `acme`.
pub struct IdScene {
    pub gateway: Gateway,
    pub provider: OpenIdProvider,
}

impl IdScene {
    pub async fn new() -> Self {
        Self::trusting(OpenIdProvider::start().await, json!({})).await
    }

    /// With more in the provider's entry.
    pub async fn with(more: Value) -> Self {
        Self::trusting(OpenIdProvider::start().await, more).await
    }

    pub async fn trusting(provider: OpenIdProvider, more: Value) -> Self {
        let mut entry = provider.entry(&["acme"]);
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let gateway = Gateway::configured().set("auth.issuers", json!([entry])).start().await;
        Self { gateway, provider }
    }

    /// Whoever holds this token.
    pub fn holder(&self, token: &str) -> Caller {
        self.gateway.caller(token)
    }

    /// What an operation that every user may call answers to this token.
    pub async fn ask(&self, token: &str) -> Answer {
        self.holder(token).get("/api/llm-gateway/user/api-keys").await
    }

    /// What an operation for administrators answers to this token.
    pub async fn administer(&self, token: &str) -> Answer {
        self.holder(token).get("/api/llm-gateway/admin/users").await
    }

    /// The holder of this token as the directory of its organization shows them.
    pub async fn entry(&self, token: &str, subject: &str) -> Value {
        let users = self.administer(token).await.has_status(200).json();
        let found = users.as_array().unwrap().iter().find(|user| user["subject"] == subject);
        found.unwrap_or_else(|| panic!("{subject} is not in {users}")).clone()
    }
}

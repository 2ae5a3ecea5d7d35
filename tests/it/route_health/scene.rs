//! What is asked of the health of routes.

use serde_json::Value;

use crate::support::{Org, Provider, TwoRoutes};

/// The health of a provider's model, as the API tells it.
pub async fn health(acme: &Org, provider: &Provider, model: &str) -> Value {
    let shown = acme.get("/admin/llm-gw/route-health").await.has_status(200).json();
    let routes = shown["routes"].as_array().expect("routes");
    let own = |route: &&Value| {
        route["provider_id"] == provider.id.as_str() && route["upstream_model"] == model
    };
    routes.iter().find(own).expect("the route is listed").clone()
}

impl TwoRoutes {
    /// The health of the first route.
    pub async fn first_health(&self) -> Value {
        health(&self.acme, &self.first_provider, "gpt-4o").await
    }

    /// Asks so often, and gets this status each time.
    pub async fn asks(&self, times: usize, status: u16) {
        for _ in 0..times {
            self.key.chat("fast").await.has_status(status);
        }
    }
}

//! Provisioning in sentences: organizations, providers, routes and keys, over HTTP.

use std::{future::IntoFuture, pin::Pin};

use serde_json::{Value, json};

use super::{Answer, Caller, MockVendor, until};

/// A holder of a JWT.
#[derive(Clone)]
pub struct Admin {
    pub caller: Caller,
}

impl Admin {
    pub fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// `path` below `/api/llm-gateway`, such as `/admin/providers`.
    pub async fn get(&self, path: &str) -> Answer {
        self.caller.get(&full(path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.caller.post(&full(path), body.to_string()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.caller.put(&full(path), body.to_string()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.caller.delete(&full(path)).await
    }

    /// Creates something that must come to be.
    pub async fn create(&self, kind: &str, body: Value) -> Value {
        self.post(&format!("/admin/{kind}"), body).await.has_status(200).json()
    }
}

fn full(path: &str) -> String {
    format!("/api/llm-gateway{path}")
}

/// An organization in the hands of its administrator.
#[derive(Clone)]
pub struct Org {
    pub admin: Admin,
}

/// A provider that exists.
#[derive(Clone)]
pub struct Provider {
    admin: Admin,
    pub id: String,
    /// As the API answered when it was made.
    pub row: Value,
}

/// A provider in the making; awaiting it creates it.
pub struct NewProvider {
    admin: Admin,
    body: Value,
}

impl Org {
    pub fn new(admin: Admin) -> Self {
        Self { admin }
    }

    /// An OpenAI provider of this name. Probes never take it out of routing.
    pub fn provider(&self, name: &str) -> NewProvider {
        let body = json!({
            "name": name, "model_provider": "openai", "auth_type": "api_key",
            "api_key": format!("sk-of-{name}"), "enforce_health_check": false,
        });
        NewProvider { admin: self.admin.clone(), body }
    }

    /// A route of `alias` to each of `targets`, tried in that order.
    pub async fn alias(&self, alias: &str, targets: &[(&Provider, &str)]) -> Vec<Value> {
        let mut rows = Vec::new();
        for (priority, (provider, model)) in targets.iter().enumerate() {
            rows.push(self.route(alias, provider, model, json!({"priority": priority})).await);
        }
        rows
    }

    /// One route with more said about it.
    pub async fn route(&self, alias: &str, to: &Provider, model: &str, more: Value) -> Value {
        let mut body = json!({"provider_id": to.id, "model_alias": alias, "upstream_model": model});
        merge(&mut body, more);
        self.admin.create("model-mappings", body).await
    }

    /// An organization key's holder.
    pub async fn key(&self) -> Caller {
        self.key_with(json!({"name": "for tests"})).await
    }

    pub async fn key_with(&self, body: Value) -> Caller {
        let made = self.admin.create("api-keys", body).await;
        self.admin.caller.holding(made["key"].as_str().expect("the raw key"))
    }

    /// One page of usage.
    pub async fn usage_page(&self, query: &str) -> Value {
        self.admin.get(&format!("/admin/usage?{query}")).await.has_status(200).json()
    }

    /// All usage records, through all pages.
    pub async fn usage(&self) -> Vec<Value> {
        self.usage_where("").await
    }

    /// All usage records that match the filter.
    pub async fn usage_where(&self, filter: &str) -> Vec<Value> {
        let mut records = Vec::new();
        let mut query = format!("limit=100&{filter}");
        loop {
            let page = self.usage_page(&query).await;
            records.extend(page["data"].as_array().expect("data").iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { return records };
            query = format!("limit=100&{filter}&cursor={cursor}");
        }
    }

    /// Waits for the record of the request with this id.
    pub async fn record_of(&self, request_id: &str) -> Value {
        let what = format!("the ledger shows the request {request_id}");
        until(&what, async || self.records_of(request_id).await.into_iter().next()).await
    }

    /// The records of the request with this id, now.
    pub async fn records_of(&self, request_id: &str) -> Vec<Value> {
        let all = self.usage().await;
        all.into_iter().filter(|record| record["request_id"] == request_id).collect()
    }

    /// Waits for so many records; gives them all.
    pub async fn records(&self, count: usize) -> Vec<Value> {
        let what = format!("the ledger shows {count} records");
        until(&what, async || Some(self.usage().await).filter(|all| all.len() >= count)).await
    }
}

impl Provider {
    /// Changes it.
    pub async fn put(&self, body: Value) -> Answer {
        self.admin.put(&format!("/admin/providers/{}", self.id), body).await
    }

    pub async fn delete(&self) -> Answer {
        self.admin.delete(&format!("/admin/providers/{}", self.id)).await
    }

    /// Its routes.
    pub async fn routes(&self) -> Vec<Value> {
        let path = format!("/admin/providers/{}/model-mappings", self.id);
        let rows = self.admin.get(&path).await.has_status(200).json();
        rows.as_array().expect("a bare array").clone()
    }

    /// Its 1:1 row of `model`.
    pub async fn one_to_one(&self, model: &str) -> Value {
        let rows = self.routes().await;
        let row =
            rows.iter().find(|row| row["model_alias"] == model && row["upstream_model"] == model);
        row.expect("the model is enabled").clone()
    }
}

impl NewProvider {
    /// Of this vendor.
    pub fn vendor(self, slug: &str) -> Self {
        self.with(json!({"model_provider": slug}))
    }

    /// Living at this mock.
    pub fn at(self, vendor: &MockVendor) -> Self {
        self.at_url(&vendor.url())
    }

    pub fn at_url(self, url: &str) -> Self {
        self.with(json!({"base_url": url}))
    }

    /// With this model enabled, and those said before.
    pub fn model(mut self, model: &str) -> Self {
        match self.body["models"].as_array_mut() {
            Some(models) => models.push(json!(model)),
            None => self.body["models"] = json!([model]),
        }
        self
    }

    /// With more fields of the request.
    pub fn with(mut self, more: Value) -> Self {
        merge(&mut self.body, more);
        self
    }
}

impl IntoFuture for NewProvider {
    type Output = Provider;
    type IntoFuture = Pin<Box<dyn Future<Output = Provider> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let row = self.admin.create("providers", self.body).await;
            let id = row["id"].as_str().expect("a provider has an id").to_owned();
            Provider { id, admin: self.admin, row }
        })
    }
}

impl std::ops::Deref for Org {
    type Target = Admin;

    fn deref(&self) -> &Admin {
        &self.admin
    }
}

fn merge(into: &mut Value, more: Value) {
    let (Value::Object(into), Value::Object(more)) = (into, more) else {
        panic!("bodies are JSON objects");
    };
    into.extend(more);
}

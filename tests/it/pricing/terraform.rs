//! The public Terraform provider's way with `barndoor_llm_model_pricing`: every call that it makes,
//! and how it reads the answers.

use serde_json::{Value, json};

use super::{
    Prices,
    desk::{now, price, soon, wait_for},
};
use crate::support::{Admin, Gateway};

/// The resource as the provider keeps it in its state.
struct Resource<'a> {
    prices: Prices<'a>,
    pattern: String,
    provider: String,
    id: String,
}

fn time(version: &Value) -> jiff::Timestamp {
    version["effective_from"].as_str().unwrap().parse().unwrap()
}

impl<'a> Resource<'a> {
    /// Create: refuses to take over a live rule, then posts.
    async fn create(admin: &'a Admin, config: &Value) -> Self {
        let text = |field: &str| config[field].as_str().map(str::to_owned);
        let provider = text("model_provider").or_else(|| text("catalog_slug"));
        let mut resource = Resource {
            prices: Prices(admin),
            pattern: text("model_pattern").unwrap(),
            provider: provider.unwrap_or_default(),
            id: String::new(),
        };
        assert_eq!(resource.read().await, None, "create finds no live rule");
        let made = resource.prices.set(config.clone()).await;
        resource.keep(config, &made);
        resource
    }

    /// What was sent must come back.
    fn keep(&mut self, config: &Value, answer: &Value) {
        for (field, sent) in config.as_object().unwrap() {
            match field.as_str() {
                "effective_from" => assert_eq!(time(config), time(answer)),
                _ if sent.is_number() => {
                    assert_eq!(sent.as_f64(), answer[field].as_f64(), "{field}");
                }
                _ => assert_eq!(*sent, answer[field], "{field}"),
            }
        }
        assert_eq!(answer["model_provider"].as_str().unwrap_or_default(), self.provider);
        answer["id"].as_str().unwrap().clone_into(&mut self.id);
    }

    /// Read: the state's version while it is in the future, else the newest that has taken effect.
    async fn read(&self) -> Option<Value> {
        let pattern = self.pattern.replace('*', "%2A").replace(':', "%3A").replace(' ', "+");
        let history = self.prices.history(&pattern, &self.provider).await;
        let at = now();
        let own = history.iter().find(|row| row["id"] == self.id.as_str() && time(row) > at);
        let newest = history.iter().filter(|row| time(row) <= at).max_by_key(|row| time(row));
        own.or(newest).filter(|row| row["is_archived"] == false).cloned()
    }

    /// Update: edits a version to come in place, and posts a new one otherwise.
    async fn update(&mut self, config: &Value) {
        let state = self.prices.get(&format!("/version/{}", self.id)).await;
        let answer = if time(&state) > now() {
            let mut body = config.clone();
            for rate in
                ["cache_read_cost_per_million_tokens", "cache_write_cost_per_million_tokens"]
            {
                body[rate] = config.get(rate).cloned().unwrap_or_default();
            }
            self.prices.put(&state, body).await.has_status(200).json()
        } else {
            self.prices.set(config.clone()).await
        };
        self.keep(config, &answer);
    }

    /// Delete: archives the current version's rule; else cancels what is to come.
    async fn delete(&self) {
        let pattern = self.pattern.replace('*', "%2A");
        match self.read().await.filter(|row| time(row) <= now()) {
            Some(current) => drop(self.prices.delete(&current).await.has_status(200)),
            None => {
                for row in self.prices.history(&pattern, &self.provider).await {
                    self.prices.delete(&row).await.has_status(200);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_rule_is_created_read_updated_and_destroyed() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let mut config = price("gpt-4o*", 2.5, 10.0);
    config["catalog_slug"] = json!("openai");
    let mut rule = Resource::create(&acme.admin, &config).await;
    let first = rule.read().await.unwrap();
    assert_eq!(first["id"], rule.id.as_str());
    assert_eq!(
        (&first["sync_mode"], &first["change_source"]),
        (&json!("pinned"), &json!("admin_create"))
    );

    rule.update(&config).await;
    assert_eq!(rule.read().await.unwrap(), first, "nothing changed, so the plan stays empty");
    for (field, value) in [
        ("input_cost_per_million_tokens", json!(0.1)),
        ("output_cost_per_million_tokens", json!(0.7)),
        ("cache_read_cost_per_million_tokens", json!(0.025)),
        ("cache_write_cost_per_million_tokens", json!(1.875)),
        ("sync_mode", json!("tracking")),
    ] {
        config[field] = value;
        let before = rule.id.clone();
        rule.update(&config).await;
        assert_ne!(rule.id, before, "{field}");
        assert_eq!(rule.read().await.unwrap()["id"], rule.id.as_str(), "{field}");
    }
    assert_eq!(rule.read().await.unwrap()["change_source"], "admin_edit");

    rule.delete().await;
    assert_eq!(rule.read().await, None);
    let rule = Resource::create(&acme.admin, &config).await;
    assert!(rule.read().await.is_some(), "an archived rule is revived");
}

#[tokio::test]
async fn a_rule_is_scheduled_changed_and_comes_into_force() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let mut config = price("claude-*", 3.0, 15.0);
    config["model_provider"] = json!("anthropic");
    config["cache_read_cost_per_million_tokens"] = json!(0.3);
    config["effective_from"] = json!(soon(3_600_000));
    let mut rule = Resource::create(&acme.admin, &config).await;
    let id = rule.id.clone();
    assert_eq!(rule.read().await.unwrap()["change_source"], "admin_schedule");

    let at = soon(800);
    config["effective_from"] = json!(at);
    config["input_cost_per_million_tokens"] = json!(4);
    config.as_object_mut().unwrap().remove("cache_read_cost_per_million_tokens");
    rule.update(&config).await;
    assert_eq!(rule.id, id, "edited in place");
    assert_eq!(rule.read().await.unwrap()["cache_read_cost_per_million_tokens"], Value::Null);
    wait_for(&at).await;
    assert_eq!(rule.read().await.unwrap()["id"], id.as_str(), "the same version, in force now");

    config["output_cost_per_million_tokens"] = json!(20);
    config.as_object_mut().unwrap().remove("effective_from");
    rule.update(&config).await;
    assert_ne!(rule.id, id);
    rule.delete().await;
    assert_eq!(rule.read().await, None);
}

#[tokio::test]
async fn a_rule_that_never_came_into_force_leaves_nothing_behind() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let mut config = price("m", 3.0, 15.0);
    config["effective_from"] = json!("2100-01-01T00:00:00+02:00");
    let rule = Resource::create(&acme.admin, &config).await;
    rule.delete().await;
    assert!(rule.prices.history("m", "").await.is_empty());
}

#[tokio::test]
async fn a_rule_since_the_past_keeps_its_instant_and_is_imported_by_its_key() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let mut config = price("us.meta:llama 4", 0.25, 0.75);
    config["effective_from"] = json!("2020-01-01T00:00:00Z");
    let rule = Resource::create(&acme.admin, &config).await;
    let imported = Resource {
        prices: Prices(&acme.admin),
        pattern: "us.meta:llama 4".to_owned(),
        provider: String::new(),
        id: String::new(),
    };
    assert_eq!(imported.read().await.unwrap()["id"], rule.id.as_str());
    let version = acme.get(&format!("/admin/model-pricing/version/{}", uuid::Uuid::new_v4())).await;
    version.refusal(404, "NotFound");
}

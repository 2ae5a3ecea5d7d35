//! A client that works as the public Terraform provider does: create, read back, change every
//! attribute, read back, import by id from the listing, delete, delete what is gone.

use serde_json::{Value, json};

use crate::support::{Admin, Gateway};

/// One resource in the hands of such a client.
struct Resource<'a> {
    admin: &'a Admin,
    kind: &'static str,
    id: String,
    /// What the client knows of it: every attribute.
    state: Value,
}

impl<'a> Resource<'a> {
    async fn create(admin: &'a Admin, kind: &'static str, sent: Value) -> Self {
        let made = admin.create(kind, sent.clone()).await;
        holds(&made, &sent);
        let id = made["id"].as_str().expect("an id").to_owned();
        let resource = Self { admin, kind, id, state: made };
        resource.plan_is_empty().await;
        resource
    }

    fn path(&self) -> String {
        format!("/admin/{}/{}", self.kind, self.id)
    }

    /// As it is listed; none where it is not.
    async fn read(&self) -> Option<Value> {
        let list = self.admin.get(&format!("/admin/{}", self.kind)).await.has_status(200).json();
        let rows = list.as_array().expect("a bare array").clone();
        rows.into_iter().find(|row| row["id"] == self.id)
    }

    async fn plan_is_empty(&self) {
        assert_eq!(self.read().await.expect("it is listed"), self.state, "{}", self.kind);
    }

    async fn update(&mut self, sent: Value) {
        let changed = self.admin.put(&self.path(), sent.clone()).await.has_status(200).json();
        holds(&changed, &sent);
        self.state = changed;
        self.plan_is_empty().await;
    }

    async fn destroy(self) {
        let deleted = self.admin.delete(&self.path()).await.has_status(200).json();
        assert_eq!(deleted, json!({"deleted": true}));
        assert_eq!(self.read().await, None);
        self.admin.delete(&self.path()).await.refusal(404, "NotFound");
        self.admin.put(&self.path(), json!({})).await.refusal(404, "NotFound");
    }
}

/// Everything that was sent comes back as it was sent.
#[track_caller]
fn holds(answer: &Value, sent: &Value) {
    for (field, value) in sent.as_object().expect("an object") {
        assert_eq!(&answer[field], value, "{field} of {answer}");
    }
}

#[tokio::test]
async fn a_rate_limit_is_kept_as_it_was_applied() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let sent = json!({"name": "everyone", "scope_type": "org", "requests_per_minute": 60});
    let mut limit = Resource::create(&acme, "rate-limits", sent).await;
    let (scope, id) = (json!(uuid::Uuid::new_v4()), limit.id.clone());
    limit
        .update(json!({
            "name": "one user", "scope_type": "user", "scope_id": scope, "scope_value": "ann",
            "requests_per_minute": null, "tokens_per_minute": 2_147_483_647, "traffic_type": "llm",
            "enabled": false,
        }))
        .await;
    assert_eq!(limit.id, id);
    limit.update(json!({"requests_per_minute": 0, "tokens_per_minute": null})).await;
    limit.update(json!({"scope_type": "group", "scope_id": null, "scope_value": "ops"})).await;
    limit.destroy().await;
}

#[tokio::test]
async fn what_an_update_leaves_out_is_kept_and_null_clears_only_metrics_and_scope() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let sent = json!({
        "name": "n", "scope_type": "group", "scope_value": "ops", "requests_per_minute": 5,
        "tokens_per_minute": 6, "traffic_type": "llm",
    });
    let limit = Resource::create(&acme, "rate-limits", sent.clone()).await;
    let put = async |body: Value| acme.put(&limit.path(), body).await.has_status(200).json();
    holds(&put(json!({})).await, &sent);
    let nulls = json!({"name": null, "scope_type": null, "traffic_type": null, "enabled": null});
    holds(&put(nulls).await, &sent);
    let cleared = put(json!({"scope_value": null, "tokens_per_minute": null})).await;
    assert_eq!(
        (&cleared["scope_value"], &cleared["tokens_per_minute"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(cleared["requests_per_minute"], 5);
}

#[tokio::test]
async fn a_budget_is_kept_as_it_was_applied() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let sent =
        json!({"name": "b", "scope_type": "org", "period": "monthly", "token_limit": 5_000_000});
    let mut budget = Resource::create(&acme, "budgets", sent).await;
    let created_at = budget.state["created_at"].clone();
    budget
        .update(json!({
            "name": "c", "token_limit": 9_007_199_254_740_993_i64, "alert_thresholds": [95, 50, 0],
            "enabled": false, "period": "weekly", "action_on_exhaust": "throttle",
            "traffic_type": "llm", "cost_limit": 12.345_678_901, "strict": true,
        }))
        .await;
    budget
        .update(json!({"alert_thresholds": [], "token_limit": 0, "action_on_exhaust": "alert"}))
        .await;
    let nulls = json!({
        "name": null, "token_limit": null, "alert_thresholds": null, "enabled": null,
        "period": null, "action_on_exhaust": null, "traffic_type": null, "cost_limit": null,
    });
    let kept = acme.put(&budget.path(), nulls).await.has_status(200).json();
    assert_eq!(kept, budget.state, "null keeps");
    assert_eq!(kept["created_at"], created_at);
    let fixed = json!({"scope_type": "org", "scope_id": null, "currency": "USD"});
    acme.put(&budget.path(), fixed).await.has_status(200);
    for (field, value) in [("scope_type", "user"), ("target_model_alias", "fast")] {
        let message =
            acme.put(&budget.path(), json!({field: value})).await.refusal(400, "BadRequest");
        assert_eq!(message, format!("{field} cannot be changed"));
    }
    budget.destroy().await;
}

#[tokio::test]
async fn an_access_policy_is_kept_as_it_was_applied() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let (one, two) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    let targets = json!([
        {"kind": "provider_model", "provider_id": two, "model": "fast"},
        {"kind": "model_alias", "alias": "gpt-4o*"},
        {"kind": "provider", "provider_id": one},
        {"kind": "model", "model": "claude-*"},
        {"kind": "model_alias", "alias": "gpt-4o*"},
    ]);
    let sent = json!({
        "name": "a", "scope_type": "role", "scope_value": "analyst", "policy_type": "allowlist",
        "targets": targets, "traffic_type": "llm",
    });
    let mut policy = Resource::create(&acme, "model-access", sent.clone()).await;
    policy
        .update(json!({
            "name": "b", "scope_type": "api_key", "scope_id": one, "scope_value": null,
            "policy_type": "denylist", "targets": [{"kind": "model", "model": "*"}],
            "traffic_type": "all", "enabled": false,
        }))
        .await;
    let same_name = json!({
        "name": "b", "scope_type": "org", "policy_type": "denylist",
        "targets": [{"kind": "model", "model": "x"}],
    });
    Resource::create(&acme, "model-access", same_name.clone()).await;
    Resource::create(&acme, "model-access", same_name).await;
    policy.destroy().await;
}

#[tokio::test]
async fn a_second_policy_of_one_scope_is_a_conflict_in_the_clients_words() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let limit = json!({"name": "n", "scope_type": "group", "scope_value": "g",
        "requests_per_minute": 1});
    let with = |body: &Value, more: Value| {
        let mut body = body.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    acme.create("rate-limits", limit.clone()).await;
    let words = "A policy with this scope and traffic type already exists";
    let refused = async |kind: &str, body: Value| {
        acme.post(&format!("/admin/{kind}"), body).await.refusal(409, "Conflict")
    };
    assert!(refused("rate-limits", limit.clone()).await.contains(words));
    let other = acme.create("rate-limits", with(&limit, json!({"traffic_type": "llm"}))).await;
    acme.create("rate-limits", with(&limit, json!({"scope_value": "h"}))).await;
    acme.create("rate-limits", with(&limit, json!({"scope_value": null}))).await;
    let empty = with(&limit, json!({"scope_value": ""}));
    assert!(refused("rate-limits", empty).await.contains(words), "an empty value is none");
    let path = format!("/admin/rate-limits/{}", other["id"].as_str().unwrap());
    let message = acme.put(&path, json!({"traffic_type": "all"})).await.refusal(409, "Conflict");
    assert!(message.contains(words), "{message}");

    let words = "A budget with this scope, target, traffic type, and period already exists";
    let budget = json!({"name": "n", "scope_type": "org", "period": "daily", "token_limit": 1});
    acme.create("budgets", budget.clone()).await;
    assert!(refused("budgets", budget.clone()).await.contains(words));
    let provider = uuid::Uuid::new_v4();
    for more in [
        json!({"period": "weekly"}),
        json!({"traffic_type": "llm"}),
        json!({"target_provider_id": provider}),
        json!({"target_provider_id": provider, "target_upstream_model": "m"}),
        json!({"target_model_alias": "m"}),
    ] {
        let body = with(&budget, more);
        acme.create("budgets", body.clone()).await;
        assert!(refused("budgets", body).await.contains(words));
    }
    let globex = gateway.admin("globex");
    globex.create("rate-limits", limit).await;
    globex.create("budgets", budget).await;
}

#[tokio::test]
async fn a_smart_model_is_kept_as_it_was_applied() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let openai = acme.provider("openai").at_url("https://vendor.test").model("gpt-4o").await;
    acme.alias("fast", &[(&openai, "gpt-4o")]).await;
    let sent = json!({
        "model_alias": "auto", "description": "chooses", "enabled": false,
        "determiner_model_alias": "fast", "context_breakpoints": [1000],
        "slots": [{"model_alias": "fast", "label": "quick"},
            {"model_alias": "openai/gpt-4o", "label": null}],
        "determiner_input_max_chars": 2000, "default_slot_on_failure": 0,
    });
    let mut smart = Resource::create(&acme, "smart-models", sent).await;
    smart
        .update(json!({
            "model_alias": "Automatic", "description": "", "enabled": true,
            "determiner_model_alias": "openai/gpt-4o",
            "slots": [{"model_alias": "openai/gpt-4o", "label": "only"}],
            "context_breakpoints": [], "determiner_input_max_chars": 1,
        }))
        .await;
    smart.destroy().await;
}

#[tokio::test]
async fn a_webhook_is_kept_as_it_was_applied() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let sent = json!({
        "name": "pager", "url": "https://alerts.test/hook?team=a", "enabled": false,
        "events": ["route_ejected", "budget_threshold", "budget_exhausted", "upstream_key_rejected"],
    });
    let made = acme.create("alert-webhooks", sent.clone()).await;
    holds(&made, &sent);
    let mut state = made.clone();
    state.as_object_mut().unwrap().remove("secret");
    let id = made["id"].as_str().unwrap().to_owned();
    let mut webhook = Resource { admin: &acme, kind: "alert-webhooks", id, state };
    webhook.plan_is_empty().await;
    webhook
        .update(json!({
            "name": "mail", "url": "http://alerts.test", "events": ["budget_exhausted"],
            "enabled": true,
        }))
        .await;
    webhook.destroy().await;
}

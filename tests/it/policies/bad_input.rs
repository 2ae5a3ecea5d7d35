//! What cannot be is refused in words that say what to do, and nothing of it is kept.

use serde_json::{Value, json};

use crate::support::{Admin, Gateway};

fn with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[field] = value;
    body
}

/// Each value in its field is refused with a message that begins so.
async fn refused(admin: &Admin, kind: &str, body: &Value, wrong: &[(&str, Value, &str)]) {
    for (field, value, beginning) in wrong {
        let sent = with(body, field, value.clone());
        let answer = admin.post(&format!("/admin/{kind}"), sent).await;
        let message = answer.refusal(400, "BadRequest");
        assert!(message.starts_with(beginning), "{field} {value}: {message}");
    }
    assert_eq!(admin.get(&format!("/admin/{kind}")).await.json(), json!([]), "{kind}");
}

const LIMIT_SCOPES: &str = "invalid scope_type 'planet'. Must be one of: org, team, user, project, \
    api_key, mcp_server, agent, role, group, llm_provider, model, model_alias";
const IDENTITY_SCOPES: &str = "invalid scope_type 'model'. Must be one of: org, team, user, project, \
    api_key, mcp_server, agent, role, group";

#[tokio::test]
async fn rate_limits() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let body = json!({"name": "n", "scope_type": "org", "requests_per_minute": 1});
    let wrong = [
        ("name", json!("  "), "name must not be empty"),
        ("scope_type", json!("planet"), LIMIT_SCOPES),
        ("scope_id", json!("nope"), "scope_id: UUID parsing failed"),
        ("scope_value", json!("x".repeat(257)), "scope_value must have at most 256 characters"),
        ("requests_per_minute", json!(-1), "requests_per_minute cannot be negative"),
        ("tokens_per_minute", json!(-1), "tokens_per_minute cannot be negative"),
        ("tokens_per_minute", json!(2_147_483_648_i64), "tokens_per_minute must be between 0 and"),
        ("requests_per_minute", json!(5.5), "requests_per_minute: "),
        (
            "requests_per_minute",
            json!(null),
            "at least one of requests_per_minute or tokens_per_minute is required",
        ),
        ("traffic_type", json!("x"), "invalid traffic_type 'x'. Must be one of: all, llm, mcp"),
    ];
    refused(&acme, "rate-limits", &body, &wrong).await;
    for kind in ["model", "model_alias", "llm_provider"] {
        let of_kind = with(&body, "scope_type", json!(kind));
        let wildcard = ("scope_value", json!("m*"), "scope_value 'm*' would never match");
        refused(&acme, "rate-limits", &of_kind, &[wildcard]).await;
    }
    let made = acme.create("rate-limits", body).await;
    let path = format!("/admin/rate-limits/{}", made["id"].as_str().unwrap());
    let cleared = acme.put(&path, json!({"requests_per_minute": null})).await;
    assert_eq!(
        cleared.refusal(400, "BadRequest"),
        "at least one of requests_per_minute or tokens_per_minute must be set"
    );
    let group = json!({"scope_type": "group", "scope_value": "all*"});
    acme.put(&path, group).await.has_status(200);
    let message = acme.put(&path, json!({"scope_type": "model"})).await.refusal(400, "BadRequest");
    assert!(message.starts_with("scope_value 'all*' would never match"), "{message}");
}

#[tokio::test]
async fn budgets() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let body = json!({"name": "n", "scope_type": "org", "period": "daily", "token_limit": 1});
    let limit = "At least one limit is required: token_limit or cost_limit";
    let wrong = [
        ("scope_type", json!("planet"), LIMIT_SCOPES),
        (
            "period",
            json!("hourly"),
            "invalid period 'hourly'. Must be one of: daily, weekly, monthly, quarterly, yearly",
        ),
        ("token_limit", json!(-1), "token_limit must be non-negative"),
        ("token_limit", json!(0), limit),
        ("token_limit", json!(1e19), "token_limit: "),
        ("cost_limit", json!(-0.5), "cost_limit: must not be negative"),
        ("cost_limit", json!(0.000_000_000_1), "cost_limit: has more than 9 digits"),
        ("alert_thresholds", json!([80, 101]), "alert_thresholds[1] must be between 0 and 100"),
        ("alert_thresholds", json!([-1]), "alert_thresholds[0] must be between 0 and 100"),
        (
            "action_on_exhaust",
            json!("explode"),
            "invalid action_on_exhaust 'explode'. Must be one of: block, warn, throttle, alert",
        ),
        ("currency", json!("EUR"), "currency must be USD"),
        ("target_upstream_model", json!("m"), "target_upstream_model needs target_provider_id"),
        ("target_provider_id", json!("nope"), "target_provider_id: UUID parsing failed"),
        ("target_model_alias", json!("m*"), "target_model_alias 'm*' would never match"),
        ("strict", json!("yes"), "strict: "),
    ];
    refused(&acme, "budgets", &body, &wrong).await;
    let provider = uuid::Uuid::new_v4();
    let both =
        with(&with(&body, "target_provider_id", json!(provider)), "target_model_alias", json!("a"));
    let message = acme.post("/admin/budgets", both).await.refusal(400, "BadRequest");
    assert!(message.starts_with("target_model_alias excludes"), "{message}");
    let cost_only = with(&with(&body, "token_limit", json!(0)), "cost_limit", json!(2.5));
    let made = acme.create("budgets", cost_only).await;
    let path = format!("/admin/budgets/{}", made["id"].as_str().unwrap());
    let message = acme.put(&path, json!({"cost_limit": 0})).await.refusal(400, "BadRequest");
    assert_eq!(message, limit);
}

#[tokio::test]
async fn access_policies() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let good = json!([{"kind": "model", "model": "m"}]);
    let body =
        json!({"name": "n", "scope_type": "org", "policy_type": "allowlist", "targets": good});
    let target = |target: Value| json!([{"kind": "model", "model": "m"}, target]);
    let wrong = [
        ("scope_type", json!("model"), IDENTITY_SCOPES),
        ("policy_type", json!("maybe"), "policy_type must be 'allowlist' or 'denylist'"),
        ("targets", json!([]), "targets: at least one target is required"),
        ("targets", target(json!({"kind": "x"})), "targets[1].kind must be one of: model_alias"),
        ("targets", target(json!({"kind": "model"})), "targets[1].model is required"),
        (
            "targets",
            target(json!({"kind": "model_alias", "model": "m"})),
            "targets[1].alias is required",
        ),
        ("targets", target(json!({"kind": "provider"})), "targets[1].provider_id is required"),
        (
            "targets",
            target(json!({"kind": "provider", "provider_id": "not-a-uuid"})),
            "targets[1].provider_id: UUID parsing failed",
        ),
        (
            "targets",
            target(json!({"kind": "model", "model": "a*b"})),
            "targets[1].model may have a * at its end only",
        ),
        ("targets", target(json!({"model": "m"})), "targets[1]: missing field `kind`"),
    ];
    refused(&acme, "model-access", &body, &wrong).await;
    let made = acme.create("model-access", body).await;
    let path = format!("/admin/model-access/{}", made["id"].as_str().unwrap());
    let message = acme.put(&path, json!({"targets": []})).await.refusal(400, "BadRequest");
    assert_eq!(message, "targets cannot be empty when provided");
}

#[tokio::test]
async fn webhooks() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let body = json!({"name": "n", "url": "https://a.test", "events": ["route_ejected"]});
    let wrong = [
        ("url", json!("a.test/hook"), "url must be an absolute address"),
        ("url", json!("ftp://a.test"), "url must begin with https:// or http://"),
        ("url", json!("file:///etc/passwd"), "url must begin with"),
        ("url", json!("https://me:secret@a.test"), "url must not hold a user name"),
        ("url", json!("https://a.test/#x"), "url must not hold blanks"),
        ("events", json!([]), "events must name at least one event"),
        (
            "events",
            json!(["x"]),
            "invalid events[0] 'x'. Must be one of: budget_threshold, \
            budget_exhausted, route_ejected, upstream_key_rejected",
        ),
        (
            "events",
            json!(["route_ejected", "route_ejected"]),
            "events[1]: route_ejected is listed twice",
        ),
    ];
    refused(&acme, "alert-webhooks", &body, &wrong).await;
    acme.create("alert-webhooks", body.clone()).await;
    let message = acme.post("/admin/alert-webhooks", body).await.refusal(409, "Conflict");
    assert_eq!(message, "an alert webhook named 'n' already exists");
}

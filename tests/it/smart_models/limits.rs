//! Callers' limits and smart models: a determiner's tokens are the caller's, its request is not.

use serde_json::{Value, json};

use super::{Stage, chat};

async fn status(stage: &Stage) -> u16 {
    stage.key.post("/v1/chat/completions", chat("Hi")).await.status
}

fn access(kind: &str, alias: &str) -> Value {
    json!({"name": kind, "policy_type": kind, "scope_type": "org",
        "targets": [{"kind": "model_alias", "alias": alias}]})
}

#[tokio::test]
async fn a_determiner_is_none_of_the_callers_requests() {
    let stage = Stage::new().await;
    let limit = json!({"name": "two", "scope_type": "org", "requests_per_minute": 2});
    stage.acme.create("rate-limits", limit).await;
    assert_eq!([status(&stage).await, status(&stage).await], [200, 200]);
    assert_eq!(stage.judge.saw().len(), 2);
    assert_eq!(status(&stage).await, 429);
    assert_eq!(stage.judge.saw().len(), 2, "for a request that is refused nobody is asked");
    // The status is summed up from the ledger, where each has a record of its own.
    stage.acme.records(5).await;
    let status = stage.acme.get("/admin/rate-limits/status").await.json();
    assert_eq!(status[0]["rpm_used"], 2, "{status}");
}

#[tokio::test]
async fn a_determiners_tokens_are_the_callers() {
    let stage = Stage::new().await;
    // The determiner's answer takes 201 tokens; the mock's own far fewer.
    let limit = json!({"name": "tokens", "scope_type": "org", "tokens_per_minute": 200});
    stage.acme.create("rate-limits", limit).await;
    assert_eq!(status(&stage).await, 429, "the determiner alone used them up");
    assert_eq!((stage.judge.saw().len(), stage.seen()), (1, [0, 0, 0]));
    assert_eq!(status(&stage).await, 429);
    assert_eq!(stage.judge.saw().len(), 1);
}

#[tokio::test]
async fn a_budget_pays_for_the_determiner() {
    let stage = Stage::new().await;
    let budget = json!({"name": "day", "scope_type": "api_key", "period": "daily",
        "token_limit": 201, "action_on_exhaust": "block"});
    stage.acme.create("budgets", budget).await;
    assert_eq!(status(&stage).await, 429);
    assert_eq!((stage.judge.saw().len(), stage.seen()), (1, [0, 0, 0]));
}

#[tokio::test]
async fn the_determiner_is_the_operators_choice_and_not_the_callers() {
    let stage = Stage::new().await;
    stage.acme.create("model-access", access("denylist", "judge")).await;
    assert_eq!(stage.slot_of("Hi").await, 0);
    assert_eq!(stage.judge.saw().len(), 1);
    stage.key.chat("judge").await.has_status(403);
}

#[tokio::test]
async fn for_a_caller_who_may_use_no_slot_nobody_is_asked() {
    let stage = Stage::new().await;
    stage.acme.create("model-access", access("denylist", "auto")).await;
    let error = stage.key.chat("auto").await.has_status(403).openai_error();
    assert_eq!(error["message"], "model 'auto' is not allowed for this caller");
    stage.judge.saw_nothing();
}

#[tokio::test]
async fn an_allowlist_that_names_the_smart_model_is_enough_for_it() {
    let stage = Stage::new().await;
    stage.acme.create("model-access", access("allowlist", "auto")).await;
    assert_eq!(stage.slot_of("Hi").await, 0);
    stage.key.chat("small").await.has_status(403);
}

#[tokio::test]
async fn a_smart_models_own_name_has_limits_of_its_own() {
    let stage = Stage::new().await;
    let limit = json!({"name": "smart", "scope_type": "model_alias", "scope_value": "auto",
        "requests_per_minute": 2});
    stage.acme.create("rate-limits", limit).await;
    assert_eq!([status(&stage).await, status(&stage).await], [200, 200]);
    assert_eq!((status(&stage).await, stage.judge.saw().len()), (429, 2), "nobody is asked");
    stage.key.chat("small").await.has_status(200);
}

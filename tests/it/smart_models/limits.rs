//! Callers' limits and smart models: a determiner's tokens are the caller's, its request is not.

use serde_json::{Value, json};

use super::{Stage, chat};
use crate::support::{Caller, Gateway, RedisServer, Reply};

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

/// A slot's answer of 100 tokens.
fn hundred() -> Reply {
    let answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hello"}}],
        "usage": {"prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100},
    });
    Reply::says(answer.to_string())
}

/// A budget of so many tokens a day, for what is said of it.
fn budget(tokens: u64, more: Value) -> Value {
    let mut body = json!({"name": "day", "scope_type": "org", "period": "daily",
        "token_limit": tokens, "action_on_exhaust": "block"});
    let Value::Object(more) = more else { panic!("no object: {more}") };
    body.as_object_mut().unwrap().extend(more);
    body
}

async fn refused_with_nobody_asked(stage: &Stage, key: &Caller) {
    let asked = stage.judge.saw().len();
    let refused = key.chat("auto").await.has_status(429).openai_error();
    assert_eq!(refused["code"], "budget_exceeded", "{refused}");
    assert_eq!(stage.judge.saw().len(), asked);
}

/// 201 tokens of the determiner and 100 of the slot, and 201 of the next determiner: more than 400.
async fn use_up_400(stage: &Stage) {
    stage.small.always(hundred());
    assert_eq!((status(stage).await, status(stage).await), (200, 429));
    assert_eq!((stage.judge.saw().len(), stage.seen()), (2, [1, 0, 0]));
    refused_with_nobody_asked(stage, &stage.key).await;
    stage.key.chat("small").await.has_status(200);
}

#[tokio::test]
async fn a_budget_for_a_smart_models_name_pays_for_its_slots_and_its_determiner() {
    for more in [
        json!({"target_model_alias": "auto"}),
        json!({"scope_type": "model_alias", "scope_value": "auto"}),
    ] {
        let stage = Stage::new().await;
        stage.acme.create("budgets", budget(400, more)).await;
        use_up_400(&stage).await;
        let records = stage.acme.records(6).await;
        let named = records.iter().filter(|record| record["smart_model"] == "auto");
        assert_eq!(named.count(), 5, "{records:?}");
        let used = stage.acme.get("/admin/budgets/status").await.json();
        assert_eq!(used[0]["tokens_used"], 502, "{used}");
        let gateway = stage.gateway.killed_and_restarted().await;
        let key = gateway.caller(&stage.key.secret);
        let asked = stage.judge.saw().len();
        key.chat("auto").await.has_status(429);
        assert_eq!(stage.judge.saw().len(), asked);
        key.chat("small").await.has_status(200);
    }
}

#[tokio::test]
async fn it_is_used_up_still_after_redis_has_forgotten_everything() {
    let redis = RedisServer::start().await;
    let stage = Stage::with(Gateway::configured().set("redis.url", redis.url()), json!({})).await;
    let body = budget(400, json!({"target_model_alias": "auto"}));
    stage.acme.create("budgets", body).await;
    use_up_400(&stage).await;
    stage.acme.records(6).await;
    redis.flush();
    for _ in 0..10 {
        refused_with_nobody_asked(&stage, &stage.key).await;
    }
    stage.key.chat("small").await.has_status(200);
}

#[tokio::test]
async fn what_a_smart_model_sends_to_a_slot_counts_for_the_slots_alias_too() {
    let stage = Stage::new().await;
    stage.small.always(hundred());
    stage.acme.create("budgets", budget(100, json!({"target_model_alias": "small"}))).await;
    assert_eq!(status(&stage).await, 200);
    stage.key.chat("small").await.has_status(429);
    assert_eq!(status(&stage).await, 429);
}

#[tokio::test]
async fn a_budget_may_be_for_a_smart_model_at_one_provider() {
    let stage = Stage::new().await;
    stage.small.always(hundred());
    let more = json!({"scope_type": "llm_provider", "scope_value": "small",
        "target_model_alias": "auto"});
    stage.acme.create("budgets", budget(150, more)).await;
    stage.key.chat("small").await.has_status(200);
    stage.key.chat("small").await.has_status(200);
    assert_eq!([status(&stage).await, status(&stage).await], [200, 200]);
    assert_eq!(status(&stage).await, 429);
    stage.key.chat("small").await.has_status(200);
    stage.judge.always(super::says("1"));
    assert_eq!(stage.slot_of("Hi").await, 1, "at another provider");
}

#[tokio::test]
async fn a_strict_budget_for_a_smart_models_name_is_never_exceeded() {
    let stage = Stage::new().await;
    stage.small.always(hundred());
    let more = json!({"target_model_alias": "auto", "strict": true});
    stage.acme.create("budgets", budget(250, more)).await;
    // The determiner may take so many that nothing is left for it: the default slot is asked for at most the rest.
    let body = json!({"model": "auto", "max_tokens": 5000,
        "messages": [{"role": "user", "content": "Hi"}]});
    let refused = stage.key.post("/v1/chat/completions", body.to_string()).await.has_status(429);
    assert!(refused.openai_error()["message"].as_str().unwrap().contains("too little left"));
    assert_eq!(stage.seen(), [0, 0, 0]);
}

//! What a request is asked first, and what every answer tells.

use serde_json::{Value, json};

use super::{costing, tokens_a_day};
use crate::support::{Gateway, Scene, operations};

#[tokio::test]
async fn a_request_is_refused_by_the_first_check_that_fails() {
    let scene = Scene::new().await;
    scene.openai.always(costing(50, 50));
    let create = async |kind: &str, body: Value| {
        let row = scene.acme.create(kind, body).await;
        format!("/admin/{kind}/{}", row["id"].as_str().unwrap())
    };
    let limit = json!({"name": "one", "scope_type": "org", "requests_per_minute": 1});
    let limit = create("rate-limits", limit).await;
    scene.key.chat("fast").await.has_status(200);
    scene.acme.records(1).await;

    let mut budget = tokens_a_day(100);
    budget["period"] = json!("yearly");
    let mut of_alias = budget.clone();
    of_alias["target_model_alias"] = json!("fast");
    let budget = create("budgets", budget).await;
    let of_alias = create("budgets", of_alias).await;
    let access = json!({"name": "no", "policy_type": "denylist", "scope_type": "org",
        "targets": [{"kind": "model_alias", "alias": "fast"}]});
    let access = create("model-access", access).await;

    let unknown = scene.gateway.caller("bd-nobody").chat("none").await.has_status(401);
    assert_eq!(unknown.openai_error()["code"], "invalid_api_key");
    // Each is the first that fails once the one before is gone.
    for (model, status, code, mended) in [
        ("none", 429, "rate_limit_exceeded", Some(limit)),
        ("none", 429, "budget_exceeded", Some(budget)),
        ("none", 404, "model_not_found", None),
        ("fast", 403, "model_not_allowed", Some(access)),
        ("fast", 429, "budget_exceeded", Some(of_alias)),
    ] {
        let refused = scene.key.chat(model).await.has_status(status);
        assert_eq!(refused.openai_error()["code"], code);
        if let Some(path) = mended {
            scene.acme.delete(&path).await.has_status(200);
        }
    }
    scene.key.chat("fast").await.has_status(200);
    assert_eq!(scene.openai.saw().len(), 2);
}

#[tokio::test]
async fn every_answer_of_every_operation_tells_what_is_left_streamed_or_not() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    acme.provider("sandbox")
        .vendor("sandbox")
        .with(json!({"api_key": ""}))
        .model("sandbox-small")
        .await;
    let key = acme.key().await;
    let limit = json!({"name": "many", "scope_type": "org", "requests_per_minute": 100,
        "tokens_per_minute": 1_000_000});
    acme.create("rate-limits", limit).await;
    let mut left = 100;
    for operation in operations::ALL {
        let model = "sandbox/sandbox-small";
        let streamed = operation.streams.then(|| operation.stream_body(model));
        for body in std::iter::once(operation.body(model)).chain(streamed) {
            let answer = key.post(operation.path, body).await.has_status(200);
            left -= 1;
            for (header, expected) in [
                ("x-ratelimit-limit-requests", "100".to_owned()),
                ("x-ratelimit-remaining-requests", left.to_string()),
                ("x-ratelimit-limit-tokens", "1000000".to_owned()),
            ] {
                assert_eq!(answer.header(header), Some(expected.as_str()), "{}", operation.name);
            }
            for header in [
                "x-ratelimit-remaining-tokens",
                "x-ratelimit-reset-requests",
                "x-ratelimit-reset-tokens",
            ] {
                assert!(answer.header(header).is_some(), "{}: {header}", operation.name);
            }
        }
    }
}

//! Rate limits: who is held to which, what they are told, and that refusals count for nothing.

use futures_util::future::join_all;
use serde_json::json;

use super::costing;
use crate::support::{Answer, Gateway, Reply, Scene, TwoRoutes, until};

#[tokio::test]
async fn no_more_requests_than_the_limit_pass_in_a_minute() {
    let scene = Scene::new().await;
    let body = json!({"name": "three a minute", "scope_type": "org", "requests_per_minute": 3});
    scene.acme.create("rate-limits", body).await;
    let answers = join_all((0..12).map(|_| async { scene.key.chat("fast").await })).await;
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((passed, scene.openai.saw().len()), (3, 3));
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        let error = refused.clone().has_status(429).openai_error();
        assert_eq!(error["code"], "rate_limit_exceeded");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains("'three a minute'") && message.contains("3 requests"),
            "{message}"
        );
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=61).contains(&wait), "{wait}");
        assert_eq!(refused.header("x-ratelimit-limit-requests"), Some("3"));
        assert_eq!(refused.header("x-ratelimit-remaining-requests"), Some("0"));
    }
}

#[tokio::test]
async fn a_limited_caller_is_told_of_no_limit_of_the_vendors() {
    let scene = Scene::new().await;
    let of_the_vendor = || {
        costing(30, 12)
            .header("x-ratelimit-limit-requests", "500")
            .header("x-ratelimit-remaining-tokens", "7")
    };
    scene.openai.will(of_the_vendor()).will(of_the_vendor());
    let free = scene.key.chat("fast").await.has_status(200);
    assert_eq!(free.header("x-ratelimit-limit-requests"), Some("500"));
    let limit = json!({"name": "tokens", "scope_type": "org", "tokens_per_minute": 1000});
    scene.acme.create("rate-limits", limit).await;
    let limited = scene.key.chat("fast").await.has_status(200);
    assert_eq!(limited.header("x-ratelimit-limit-requests"), None);
    assert_eq!(limited.header("x-ratelimit-limit-tokens"), Some("1000"));
    assert_ne!(limited.header("x-ratelimit-remaining-tokens"), Some("7"));
}

#[tokio::test]
async fn a_limited_caller_is_told_how_much_is_left() {
    let scene = Scene::new().await;
    let limits = [
        ("wide", json!({"requests_per_minute": 100})),
        ("narrow", json!({"requests_per_minute": 5, "tokens_per_minute": 1000})),
    ];
    for (name, mut body) in limits {
        body["name"] = json!(name);
        body["scope_type"] = json!("api_key");
        body["scope_value"] = json!("for tests");
        if name == "wide" {
            body["scope_type"] = json!("org");
            body.as_object_mut().unwrap().remove("scope_value");
        }
        scene.acme.create("rate-limits", body).await;
    }
    scene.openai.will(costing(30, 12));
    let first = scene.key.chat("fast").await.has_status(200);
    assert_eq!(first.header("x-ratelimit-limit-requests"), Some("5"), "the tightest");
    assert_eq!(first.header("x-ratelimit-remaining-requests"), Some("4"));
    assert_eq!(first.header("x-ratelimit-remaining-tokens"), Some("1000"));
    let second = scene.key.chat("fast").await.has_status(200);
    assert_eq!(second.header("x-ratelimit-limit-tokens"), Some("1000"));
    assert_eq!(second.header("x-ratelimit-remaining-tokens"), Some("958"));
    let reset = second.header("x-ratelimit-reset-requests").unwrap();
    assert!(reset.ends_with('s') && !reset.contains('.'), "{reset}");
    let other = scene.acme.key_with(json!({"name": "another"})).await;
    let answer = other.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-ratelimit-limit-requests"), Some("100"));
    assert_eq!(answer.header("x-ratelimit-limit-tokens"), None);
}

#[tokio::test]
async fn tokens_count_once_they_are_used_and_the_next_request_meets_them() {
    let scene = Scene::new().await;
    let body = json!({"name": "tokens", "scope_type": "org", "tokens_per_minute": 100});
    scene.acme.create("rate-limits", body).await;
    scene.openai.always(costing(40, 40));
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    let refused = scene.key.chat("fast").await.has_status(429);
    assert!(refused.openai_error()["message"].as_str().unwrap().contains("100 tokens per minute"));
    assert_eq!(scene.openai.saw().len(), 2);
}

#[tokio::test]
async fn anthropics_clients_are_told_in_their_own_dialect() {
    let scene = Scene::new().await;
    let body = json!({"name": "none", "scope_type": "org", "requests_per_minute": 0});
    scene.acme.create("rate-limits", body).await;
    let message = r#"{"model":"smart","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#;
    let answer = scene.key.post("/v1/messages", message).await.has_status(429);
    assert_eq!(answer.anthropic_error()["type"], "rate_limit_error");
    assert!(answer.header("retry-after").is_some());
    scene.anthropic.saw_nothing();
}

#[tokio::test]
async fn every_kind_of_scope_is_held() {
    let scene = Scene::new().await;
    let ann = scene.gateway.token("acme", "ann@acme.test", "user", &["--group", "research"]);
    let ann = scene.key.holding(&ann);
    let made = ann
        .post("/api/llm-gateway/user/api-keys", r#"{"name":"anns"}"#)
        .await
        .has_status(200)
        .json();
    let anns = scene.key.holding(made["key"].as_str().unwrap());
    let sales = scene.acme.key_with(json!({"name": "sales bot", "group_name": "sales"})).await;
    let provider = scene.openai_provider.id.clone();
    for (scope, held, free) in [
        (json!({"scope_type": "user", "scope_value": "ann@acme.test"}), &anns, &sales),
        (json!({"scope_type": "role", "scope_value": "user"}), &anns, &sales),
        (json!({"scope_type": "group", "scope_value": "research"}), &anns, &sales),
        (json!({"scope_type": "team", "scope_value": "sales"}), &sales, &anns),
        (json!({"scope_type": "group"}), &sales, &scene.key),
        (json!({"scope_type": "api_key", "scope_value": "anns"}), &anns, &sales),
        (json!({"scope_type": "api_key", "scope_id": made["id"]}), &anns, &sales),
    ] {
        let mut body = scope.clone();
        body["name"] = json!("scoped");
        body["requests_per_minute"] = json!(0);
        let row = scene.acme.create("rate-limits", body).await;
        held.chat("fast").await.has_status(429);
        free.chat("fast").await.has_status(200);
        let path = format!("/admin/rate-limits/{}", row["id"].as_str().unwrap());
        scene.acme.delete(&path).await.has_status(200);
        held.chat("fast").await.has_status(200);
    }
    for scope in [
        json!({"scope_type": "llm_provider", "scope_value": "OPENAI"}),
        json!({"scope_type": "llm_provider", "scope_id": provider}),
        json!({"scope_type": "model", "scope_value": "gpt-4o"}),
        json!({"scope_type": "model_alias", "scope_value": "fast"}),
    ] {
        let mut body = scope.clone();
        body["name"] = json!("scoped");
        body["requests_per_minute"] = json!(0);
        let row = scene.acme.create("rate-limits", body).await;
        scene.key.chat("fast").await.has_status(429);
        scene.key.chat("smart").await.has_status(200);
        let path = format!("/admin/rate-limits/{}", row["id"].as_str().unwrap());
        scene.acme.delete(&path).await.has_status(200);
    }
}

#[tokio::test]
async fn a_limit_of_a_provider_leaves_the_alias_its_other_routes() {
    let scene = TwoRoutes::new().await;
    let body = json!({"name": "one", "scope_type": "llm_provider", "scope_value": "first",
        "requests_per_minute": 1});
    scene.acme.create("rate-limits", body).await;
    scene.key.chat("fast").await.has_status(200);
    let second = scene.key.chat("fast").await.has_status(200);
    assert_eq!(second.header("x-bd-provider-route-attempt"), Some("2"), "skipped, and counted");
    assert_eq!(second.header("x-bd-provider-failover-count"), Some("0"));
    assert_eq!((scene.first.saw().len(), scene.second.saw().len()), (1, 1));
}

#[tokio::test]
async fn a_request_that_fails_over_counts_where_it_went() {
    let scene = TwoRoutes::new().await;
    let body = json!({"name": "one", "scope_type": "llm_provider", "scope_value": "second",
        "requests_per_minute": 1});
    scene.acme.create("rate-limits", body).await;
    scene.first.always(crate::support::Reply::status(500));
    scene.key.chat("fast").await.has_status(200);
    let exhausted = scene.key.chat("fast").await.has_status(502);
    let attempts = exhausted.openai_error()["attempts"].clone();
    assert_eq!(attempts.as_array().map(Vec::len), Some(1), "the second is not tried: {attempts}");
    assert_eq!(scene.second.saw().len(), 1);
}

#[tokio::test]
async fn a_request_that_one_policy_denies_is_counted_by_none() {
    let scene = Scene::new().await;
    let five = json!({"name": "five", "scope_type": "org", "requests_per_minute": 5});
    scene.acme.create("rate-limits", five).await;
    let none = json!({"name": "none", "scope_type": "model_alias", "scope_value": "smart",
        "requests_per_minute": 0});
    scene.acme.create("rate-limits", none).await;
    for _ in 0..8 {
        scene.key.chat("smart").await.has_status(429);
        scene.key.chat("no-such-model").await.has_status(404);
    }
    for _ in 0..5 {
        scene.key.chat("fast").await.has_status(200);
    }
    scene.key.chat("fast").await.has_status(429);
    scene.key.chat("no-such-model").await.has_status(429);
}

#[tokio::test]
async fn a_raised_limit_is_in_force_with_the_answer() {
    let scene = Scene::new().await;
    let body = json!({"name": "one", "scope_type": "org", "requests_per_minute": 1});
    let row = scene.acme.create("rate-limits", body).await;
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(429);
    let path = format!("/admin/rate-limits/{}", row["id"].as_str().unwrap());
    scene.acme.put(&path, json!({"requests_per_minute": 2})).await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(429);
}

#[tokio::test]
async fn the_last_minute_is_remembered_across_a_restart() {
    let mut scene = Scene::new().await;
    let body = json!({"name": "two", "scope_type": "org", "requests_per_minute": 2});
    scene.acme.create("rate-limits", body).await;
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    let secret = scene.key.secret.clone();
    scene.gateway = scene.gateway.restarted().await;
    scene.gateway.caller(&secret).chat("fast").await.has_status(429);
}

#[tokio::test]
async fn a_refused_request_is_recorded_and_counted_as_refused() {
    let scene = Scene::new().await;
    let body = json!({"name": "none", "scope_type": "org", "requests_per_minute": 0});
    scene.acme.create("rate-limits", body).await;
    scene.key.chat("fast").await.has_status(429);
    let record = scene.acme.records(1).await.remove(0);
    assert_eq!((&record["status"], &record["denied_by"]), (&json!(429), &json!("rate_limit")));
    until("the metric shows it", async || {
        let metrics = scene.gateway.metrics().await;
        (metrics.sum("turnpike_denied_total", &[("reason", "rate_limit")]) == 1).then_some(())
    })
    .await;
}

/// What is left of the requests, as an answer tells it.
fn left(answer: &Answer) -> Option<&str> {
    answer.header("x-ratelimit-remaining-requests")
}

#[tokio::test]
async fn refusals_and_listings_tell_a_limited_caller_how_much_is_left() {
    let scene = Scene::new().await;
    let limit = json!({"name": "ten", "scope_type": "org", "requests_per_minute": 10});
    scene.acme.create("rate-limits", limit).await;
    let denied = json!({"name": "no", "policy_type": "denylist", "scope_type": "org",
        "targets": [{"kind": "model_alias", "alias": "smart"}]});
    scene.acme.create("model-access", denied).await;
    for used in [0, 1] {
        let expected = (10 - used).to_string();
        let chat = |body: &str| scene.key.post("/v1/chat/completions", body.to_owned());
        let text = scene.key.ask("POST", "/v1/chat/completions");
        let text = text.header("content-type", "text/plain").body("Hello");
        for (ask, status) in [
            (scene.key.get("/v1/models"), 200),
            (scene.key.get("/v1/models/fast"), 200),
            (scene.key.get("/v1/models/none"), 404),
            (scene.key.get("/v1/nowhere"), 404),
            (scene.key.chat("none"), 404),
            (scene.key.chat("smart"), 403),
            (chat("{"), 400),
            (chat("{\"messages\": []}"), 400),
            (text, 415),
            (scene.key.get("/v1/chat/completions"), 405),
        ] {
            let answer = ask.await.has_status(status);
            assert_eq!(left(&answer), Some(expected.as_str()), "{}", answer.tell());
            assert_eq!(answer.header("x-ratelimit-limit-requests"), Some("10"));
        }
        let served = scene.key.chat("fast").await.has_status(200);
        assert_eq!(left(&served), Some((9 - used).to_string().as_str()), "they count nothing");
    }
    let unknown = scene.gateway.caller("bd-nobody").get("/v1/models").await.has_status(401);
    assert_eq!(left(&unknown), None);
}

#[tokio::test]
async fn a_models_own_limit_tells_itself_where_it_refuses() {
    let scene = Scene::new().await;
    let limit = json!({"name": "one", "scope_type": "model_alias", "scope_value": "fast",
        "requests_per_minute": 1});
    scene.acme.create("rate-limits", limit).await;
    assert_eq!(left(&scene.key.chat("fast").await.has_status(200)), Some("0"));
    let refused = scene.key.chat("fast").await.has_status(429);
    assert_eq!(refused.header("x-ratelimit-limit-requests"), Some("1"));
    assert_eq!(left(&refused), Some("0"));
    assert!(refused.header("x-ratelimit-reset-requests").is_some());
}

#[tokio::test]
async fn a_request_that_fails_over_within_an_alias_counts_for_its_limit_once() {
    let scene = TwoRoutes::with(Gateway::configured().never_ejects()).await;
    for (scope, value) in [("model_alias", "fast"), ("org", "")] {
        let limit = json!({"name": scope, "scope_type": scope, "scope_value": value,
            "requests_per_minute": 3});
        scene.acme.create("rate-limits", limit).await;
    }
    scene.first.always(Reply::status(503));
    for expected in ["2", "1", "0"] {
        let served = scene.key.chat("fast").await.has_status(200);
        assert_eq!(left(&served), Some(expected), "{}", served.tell());
    }
    scene.key.chat("fast").await.has_status(429);
    assert_eq!((scene.first.saw().len(), scene.second.saw().len()), (3, 3));
}

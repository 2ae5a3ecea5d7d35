//! Strict budgets and clients that do not wait for their answer: what it took nobody will ever know.

use serde_json::{Value, json};

use super::{costing, strict, tokens_a_day};
use crate::support::{Reply, Scene};

fn question(max_tokens: u64, stream: bool) -> String {
    json!({"model": "fast", "messages": [{"role": "user", "content": "Hi"}],
        "max_completion_tokens": max_tokens, "stream": stream})
    .to_string()
}

/// Asks, and leaves once the vendor is at work.
async fn ask_and_leave(scene: &Scene, body: &str, id: &str) -> Value {
    scene.openai.will(Reply::hangs());
    let calls = scene.openai.saw().len();
    let ask = scene.key.post("/v1/chat/completions", body.to_owned());
    let wire = ask.header("x-request-id", id).sent().await;
    let call = scene.openai.wait_for_calls(calls + 1).await.remove(calls);
    call.abandoned_after(wire.leave()).await;
    scene.acme.record_of(id).await
}

#[tokio::test]
async fn whoever_leaves_before_the_answer_has_used_all_that_was_reserved() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", strict(2000)).await;
    for stream in [false, true] {
        let body = question(400, stream);
        let record = ask_and_leave(&scene, &body, &format!("left-{stream}")).await;
        assert_eq!(
            (&record["status"], &record["usage_source"]),
            (&json!(499), &json!("estimated"))
        );
        let used = (&record["input_tokens"], &record["output_tokens"]);
        assert_eq!(used, (&json!(body.len()), &json!(400)), "{record}");
    }
    let status = scene.acme.get("/admin/budgets/status").await.json();
    let used = question(400, false).len() + question(400, true).len() + 800;
    assert_eq!(status[0]["tokens_used"], used, "what is counted is what the ledger says");
    let ask = |limit| scene.key.post("/v1/chat/completions", question(limit, false));
    ask(1100).await.has_status(429);
    scene.openai.will(costing(5, 5));
    ask(500).await.has_status(200);
}

#[tokio::test]
async fn what_nobody_limits_is_used_up_to_the_limit_that_was_sent() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", strict(1000)).await;
    let body = r#"{"model":"fast","messages":[{"role":"user","content":"Hi"}],"n":2}"#;
    let record = ask_and_leave(&scene, body, "two").await;
    let each = scene.openai.saw_one().json()["max_completion_tokens"].as_u64().unwrap();
    assert_eq!(record["output_tokens"], 2 * each, "{record}");
    scene.key.chat("fast").await.has_status(429);
}

#[tokio::test]
async fn where_no_budget_is_strict_and_where_the_vendor_has_refused_nothing_is_used() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", tokens_a_day(2000)).await;
    let record = ask_and_leave(&scene, &question(400, false), "lenient").await;
    assert_eq!((&record["usage_source"], &record["output_tokens"]), (&Value::Null, &json!(0)));
    let mut budget = strict(2000);
    budget["period"] = json!("weekly");
    budget["name"] = json!("weekly tokens");
    scene.acme.create("budgets", budget).await;
    scene.openai.will(Reply::status(400));
    let ask = scene.key.post("/v1/chat/completions", question(400, false));
    ask.header("x-request-id", "refused").await.has_status(400);
    let record = scene.acme.record_of("refused").await;
    assert_eq!((&record["usage_source"], &record["output_tokens"]), (&Value::Null, &json!(0)));
}

//! What a record says, for every way a request can end.

use serde_json::json;

use crate::support::{Reply, Scene, TwoRoutes, operations};

#[tokio::test]
async fn a_record_says_who_asked_what_of_whom_and_what_it_took() {
    let scene = Scene::new().await;
    let ann = scene.gateway.user("acme", "ann@acme.test");
    let made = ann.post("/user/api-keys", json!({"name": "mine"})).await.has_status(200).json();
    let key =
        scene.key.holding(made["key"].as_str().unwrap()).with("user-agent", "OpenAI/Python 2.0");
    key.chat_stream("fast").header("x-request-id", "full").await.has_status(200);
    let record = scene.acme.record_of("full").await;
    for (field, value) in [
        ("api_key_id", made["id"].clone()),
        ("endpoint", json!("chat_completions")),
        ("requested_model", json!("fast")),
        ("alias", json!("fast")),
        ("provider_id", json!(scene.openai_provider.id)),
        ("provider_name", json!("openai")),
        ("upstream_model", json!("gpt-4o")),
        ("used_model", json!("gpt-4o-2026-05-05")),
        ("status", json!(200)),
        ("error_type", json!(null)),
        ("denied_by", json!(null)),
        ("stream", json!(true)),
        ("usage_source", json!("reported")),
        ("retry_count", json!(0)),
        ("retry_sleep_ms", json!(0)),
        ("client", json!("OpenAI/Python 2.0")),
        ("currency", json!("USD")),
        ("pricing_source", json!("barndoor_default")),
        ("org_id", scene.openai_provider.row["org_id"].clone()),
    ] {
        assert_eq!(record[field], value, "{field} in {record}");
    }
    for field in ["id", "ts", "user_id"] {
        assert!(record[field].is_string(), "{field} in {record}");
    }
    assert!(record["ttfb_ms"].as_u64().unwrap() <= record["latency_ms"].as_u64().unwrap());
    assert_eq!(
        record["attempts"],
        json!([{"provider": "openai", "upstream_model": "gpt-4o", "status": 200, "error_type": "ok", "message": "", "retries": 0}])
    );
    let contract = [
        "id",
        "ts",
        "org_id",
        "api_key_id",
        "user_id",
        "group_names",
        "endpoint",
        "requested_model",
        "alias",
        "provider_id",
        "provider_name",
        "upstream_model",
        "used_model",
        "status",
        "error_type",
        "denied_by",
        "stream",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "usage_source",
        "cost_input",
        "cost_output",
        "cost_total",
        "currency",
        "pricing_rule_id",
        "pricing_source",
        "latency_ms",
        "ttfb_ms",
        "attempts",
        "retry_count",
        "retry_sleep_ms",
        "request_id",
        "client",
    ];
    for field in contract {
        assert!(record.get(field).is_some(), "{field} in {record}");
    }
}

#[tokio::test]
async fn every_request_with_a_known_key_leaves_exactly_one_record() {
    let scene = TwoRoutes::new().await;
    let ask = |id: &str| scene.key.clone().with("x-request-id", id);
    ask("good").chat("fast").await.has_status(200);
    ask("stream").chat_stream("fast").await.has_status(200);
    ask("unresolved").chat("nothing").await.has_status(404);
    ask("unreadable").post("/v1/chat/completions", "{").await.has_status(400);
    ask("modelless").post("/v1/chat/completions", "{\"messages\":[]}").await.has_status(400);
    ask("elsewhere").post("/v1/nowhere", "{}").await.has_status(404);
    ask("listing").get("/v1/models").await.has_status(200);
    scene.first.will(Reply::status(422));
    ask("callers-mistake").chat("fast").await.has_status(422);
    scene.first.will(Reply::status(500));
    ask("failover").chat("fast").await.has_status(200);
    scene.first.will(Reply::status(500));
    scene.second.will(Reply::status(500));
    ask("lost").chat("fast").await.has_status(502);
    scene.first.will(Reply::answers().cut_after(2));
    ask("cut").chat_stream("fast").await;
    scene.first.will(Reply::hangs());
    let calls = scene.first.saw().len();
    let wire = ask("left").chat("fast").sent().await;
    scene.first.wait_for_calls(calls + 1).await;
    wire.leave();

    // A mark set last: what has not been recorded by then is missing.
    ask("last").chat("fast").await.has_status(200);
    scene.acme.record_of("last").await;
    for (id, status) in [
        ("good", 200),
        ("stream", 200),
        ("unresolved", 404),
        ("unreadable", 400),
        ("modelless", 400),
        ("elsewhere", 404),
        ("listing", 200),
        ("callers-mistake", 422),
        ("failover", 200),
        ("lost", 502),
        ("cut", 200),
        ("left", 499),
    ] {
        scene.acme.record_of(id).await;
        let records = scene.acme.records_of(id).await;
        assert_eq!(records.len(), 1, "{id}");
        assert_eq!(records[0]["status"], status, "{id}: {}", records[0]);
        if ["unresolved", "lost", "left", "callers-mistake"].contains(&id) {
            assert!(records[0]["requested_model"].is_string(), "{id}: {}", records[0]);
        }
        assert_eq!(
            records[0]["error_type"].is_null(),
            status == 200 && id != "cut",
            "{id}: {}",
            records[0]
        );
    }
}

#[tokio::test]
async fn denied_requests_of_known_keys_are_recorded_with_what_denied_them() {
    let scene = Scene::new().await;
    let made = scene.acme.create("api-keys", json!({"name": "gone"})).await;
    let key = scene.key.holding(made["key"].as_str().unwrap());
    key.chat("fast").await.has_status(200);
    scene
        .acme
        .delete(&format!("/admin/api-keys/{}", made["id"].as_str().unwrap()))
        .await
        .has_status(200);
    key.chat("fast").header("x-request-id", "revoked").await.has_status(401);
    scene.gateway.stranger().chat("fast").header("x-request-id", "keyless").await.has_status(401);
    for id in ["revoked", "keyless"] {
        let line = scene.gateway.log_line(id).await;
        assert_eq!(line["status"], 401, "{line}");
        assert!(line["denied_by"].is_string(), "{line}");
        assert_eq!(scene.gateway.log_lines(id).len(), 1);
    }
    // Whose key it was can find it; that of nobody is nobody's.
    let records = scene.acme.records(2).await;
    let [refused, served] = &records[..] else { panic!("{records:?}") };
    assert_eq!((&refused["status"], &served["status"]), (&json!(401), &json!(200)));
    assert_eq!((&refused["api_key_id"], &served["api_key_id"]), (&made["id"], &made["id"]));
}

#[tokio::test]
async fn requests_on_the_same_connection_have_records_of_their_own() {
    let scene = Scene::new().await;
    let mut wire = scene.key.connect().await;
    for turn in 0..10 {
        let id = format!("turn-{turn}");
        scene.key.chat("fast").header("x-request-id", &id).on(&mut wire).await.has_status(200);
    }
    let records = scene.acme.records(10).await;
    let mut ids: Vec<_> = records.iter().map(|record| record["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((records.len(), ids.len()), (10, 10));
}

#[tokio::test]
async fn long_names_are_cut_in_the_record_and_not_on_the_way() {
    let scene = Scene::new().await;
    let long = "m".repeat(1000);
    let answer = scene
        .key
        .with("user-agent", &"u".repeat(2000))
        .chat(&long)
        .header("x-request-id", "long")
        .await;
    answer.has_status(404);
    let record = scene.acme.record_of("long").await;
    assert_eq!(record["requested_model"].as_str().unwrap().len(), 256);
    assert_eq!(record["client"].as_str().unwrap().len(), 256);
    let body = operations::CHAT.body("fast");
    scene.key.post("/v1/chat/completions", body).await.has_status(200);
}

//! A request of a smart model and its determiner's are two records, each with its own tokens and cost.

use serde_json::{Value, json};

use super::{Stage, chat, says};
use crate::{
    pricing::{Prices, price},
    support::{Gateway, Reply},
};

#[tokio::test]
async fn the_determiners_tokens_are_recorded_and_charged_to_the_caller() {
    let stage = Stage::new().await;
    let prices = Prices(&stage.acme.admin);
    let openai = || json!({"model_provider": "openai"});
    prices.set_with(price("gpt-4o-mini", 10.0, 100.0), openai()).await;
    prices.set_with(price("gpt-4o", 1_000.0, 1_000.0), openai()).await;
    let user = stage.acme.key_with(json!({"name": "k", "group_name": "ops"})).await;
    let ask = user.post("/v1/chat/completions", chat("Hi"));
    ask.header("x-request-id", "both").header("user-agent", "sdk/1").await.has_status(200);

    let own = stage.acme.record_of("both").await;
    assert_eq!((&own["requested_model"], &own["alias"]), (&json!("auto"), &json!("small")));
    assert_eq!((&own["client"], &own["provider_name"]), (&json!("sdk/1"), &json!("small")));

    let judged = stage.acme.record_of("both.d").await;
    for (field, value) in [
        ("requested_model", json!("judge")),
        ("alias", json!("judge")),
        ("provider_name", json!("judge")),
        ("upstream_model", json!("gpt-4o-mini")),
        ("endpoint", json!("chat_completions")),
        ("client", json!("turnpike-determiner")),
        ("status", json!(200)),
        ("stream", json!(false)),
        ("input_tokens", json!(200)),
        ("output_tokens", json!(1)),
        // 200 × $10 + 1 × $100 per million.
        ("cost_total", json!(0.0021)),
    ] {
        assert_eq!(judged[field], value, "{field} of {judged}");
    }
    for field in ["org_id", "api_key_id", "user_id", "group_names"] {
        assert_eq!(judged[field], own[field], "{field}");
    }
    assert_eq!(judged["group_names"], json!(["ops"]));
    assert_eq!(stage.acme.usage().await.len(), 2);
}

#[tokio::test]
async fn the_determiners_request_is_the_callers_by_its_id_and_trace() {
    let stage = Stage::new().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let ask = stage.key.post("/v1/chat/completions", chat("Hi"));
    ask.header("x-request-id", "mine").header("traceparent", trace).await.has_status(200);
    let call = stage.judge.saw_one();
    assert_eq!(call.header("x-request-id"), Some("mine.d"));
    let continued = call.header("traceparent").unwrap();
    assert!(continued.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{continued}");
    assert_eq!(call.header("x-api-key"), None);
    assert!(!call.headers.iter().any(|(_, value)| value.contains(&stage.key.secret)));
}

#[tokio::test]
async fn a_determiner_that_was_not_asked_leaves_no_record() {
    let stage = Stage::new().await;
    let large = stage.key.post("/v1/chat/completions", chat(&"word".repeat(10_000)));
    large.header("x-request-id", "large").await.has_status(200);
    stage.acme.record_of("large").await;
    assert_eq!(stage.acme.usage().await.len(), 1);
}

#[tokio::test]
async fn a_determiner_that_fails_is_recorded_as_failed() {
    let stage = Stage::new().await;
    stage.judge.always(Reply::status(500));
    let ask = stage.key.post("/v1/chat/completions", chat("Hi"));
    ask.header("x-request-id", "sorry").await.has_status(200);
    let judged = stage.acme.record_of("sorry.d").await;
    assert_eq!(
        (&judged["status"], &judged["error_type"]),
        (&json!(502), &json!("all_routes_failed"))
    );
    assert_eq!(stage.acme.record_of("sorry").await["status"], 200);
}

#[tokio::test]
async fn no_client_passes_for_the_gateway_itself() {
    let stage = Stage::new().await;
    for header in ["x-turnpike-determiner", "proxy-authorization", "x-internal"] {
        let nobody = stage.gateway.stranger().post("/v1/chat/completions", chat("Hi"));
        let nobody = nobody.header("user-agent", "turnpike-determiner").header(header, "1");
        nobody.header("x-request-id", "forged.d").await.has_status(401);
    }
    // What a determiner's own request must not do, a client's does that looks like one.
    let ask = stage.key.post("/v1/chat/completions", chat("Hi"));
    ask.header("user-agent", "turnpike-determiner").await.has_status(200);
    assert_eq!(stage.judge.saw().len(), 1);
}

#[tokio::test]
async fn a_model_that_thinks_gets_room_to_and_no_temperature() {
    let stage = Stage::with(Gateway::configured(), json!({})).await;
    let deep = stage.acme.provider("deep").at(&stage.judge).model("gpt-5-mini").await;
    stage.acme.alias("thinker", &[(&deep, "gpt-5-mini")]).await;
    stage.change(json!({"determiner_model_alias": "thinker"})).await;
    stage.judge.will(says("2"));
    assert_eq!(stage.slot_of("Hi").await, 2);
    let asked: Value = stage.judge.saw_one().json();
    assert!(asked.get("temperature").is_none() && asked.get("max_tokens").is_none(), "{asked}");
    assert_eq!(asked["max_completion_tokens"], 2048);
}

#[tokio::test]
async fn usage_is_found_and_summed_up_by_the_name_that_callers_send() {
    let stage = Stage::new().await;
    for id in ["one", "two"] {
        let ask = stage.key.post("/v1/chat/completions", chat("Hi"));
        ask.header("x-request-id", id).await.has_status(200);
    }
    stage.key.chat("small").await.has_status(200);
    let records = stage.acme.records(5).await;
    let smart = records.iter().filter(|record| record["smart_model"] == "auto").count();
    assert!((2..5).contains(&smart), "{records:?}");
    let listed = async |query: &str| stage.acme.usage_where(query).await.len();
    assert_eq!(listed("smart_model=auto").await, smart);
    assert_eq!(listed("smart_model=auto&alias=small").await, 2);
    assert_eq!(listed("smart_model=aut").await, 0);
    stage.acme.get("/user/usage?smart_model=auto").await.has_status(200);
    let summary = async |query: &str| {
        let path = format!("/admin/usage/summary?{query}");
        stage.acme.get(&path).await.has_status(200).json()["data"].clone()
    };
    let rows = summary("group_by=smart_model").await;
    let of = |name: Value| {
        let row = rows.as_array().unwrap().iter().find(|row| row["smart_model"] == name);
        row.map(|row| row["requests"].as_u64().unwrap())
    };
    let smart = u64::try_from(smart).unwrap();
    assert_eq!((of(json!("auto")), of(Value::Null)), (Some(smart), Some(5 - smart)), "{rows}");
    let rows = summary("smart_model=auto&group_by=alias").await;
    let total: u64 =
        rows.as_array().unwrap().iter().map(|row| row["requests"].as_u64().unwrap()).sum();
    assert_eq!(total, smart, "{rows}");
}

//! What a record says that a request cost. Figures are worked out by hand.

use serde_json::{Value, json};

use super::{
    Prices,
    desk::{price, soon, wait_for},
};
use crate::support::{Gateway, MockVendor, Reply, Scene, operations};

/// The record of a chat completion through the alias `fast`.
async fn chat(scene: &Scene, id: &str) -> Value {
    scene.key.chat("fast").header("x-request-id", id).await.has_status(200);
    scene.acme.record_of(id).await
}

fn costs(record: &Value) -> [&Value; 3] {
    ["cost_input", "cost_output", "cost_total"].map(|field| &record[field])
}

#[tokio::test]
async fn an_openai_answer_is_billed_with_its_cached_tokens_taken_out_of_the_prompt() {
    let scene = Scene::new().await;
    let rates = json!({"model_provider": "openai", "cache_read_cost_per_million_tokens": 1});
    let rule = Prices(&scene.acme.admin).set_with(price("gpt-4o", 10.0, 100.0), rates).await;
    let usage = json!({"prompt_tokens": 1_000, "completion_tokens": 50, "total_tokens": 1_050,
        "prompt_tokens_details": {"cached_tokens": 400},
        "completion_tokens_details": {"reasoning_tokens": 20}});
    let answer = json!({"model": "gpt-4o", "choices": [], "usage": usage});
    scene.openai.will(Reply::says(answer.to_string()).header("content-type", "application/json"));
    let record = chat(&scene, "cached").await;
    assert_eq!((&record["input_tokens"], &record["cache_read_tokens"]), (&json!(600), &json!(400)));
    // 600 × $10 + 400 × $1 per million; the 20 tokens of reasoning are among the 50.
    assert_eq!(costs(&record), [&json!(0.0064), &json!(0.005), &json!(0.0114)]);
    assert_eq!(record["currency"], "USD");
    assert_eq!(record["pricing_rule_id"], rule["id"]);
    assert_eq!(record["pricing_source"], "org_catalog");
}

#[tokio::test]
async fn an_anthropic_answer_is_billed_with_its_cached_tokens_beside_the_prompt() {
    let scene = Scene::new().await;
    let rates = json!({"cache_read_cost_per_million_tokens": 0.3,
        "cache_write_cost_per_million_tokens": 3.75});
    Prices(&scene.acme.admin).set_with(price("claude-*", 3.0, 15.0), rates).await;
    for (id, body) in [
        ("whole", operations::MESSAGES.body("smart")),
        ("streamed", operations::MESSAGES.stream_body("smart")),
    ] {
        let ask = scene.key.post("/v1/messages", body).header("x-request-id", id);
        ask.await.has_status(200);
        let record = scene.acme.record_of(id).await;
        // 25 × $3 + 6 × $0.30 + 5 × $3.75, and 15 × $15 per million.
        assert_eq!(costs(&record), [&json!(0.000_095_55), &json!(0.000_225), &json!(0.000_320_55)]);
    }
}

#[tokio::test]
async fn open_cache_rates_are_the_managed_defaults_for_that_model() {
    let scene = Scene::new().await;
    Prices(&scene.acme.admin).set(price("*", 10.0, 10.0)).await;
    // The mock says 19 prompt tokens, 4 of them cached, and 10 of completion.
    let record = chat(&scene, "open").await;
    // 15 × $10 + 4 × $1.25 (the default for gpt-4o), and 10 × $10 per million.
    assert_eq!(costs(&record), [&json!(0.000_155), &json!(0.0001), &json!(0.000_255)]);
    let body = operations::MESSAGES.body("smart");
    scene.key.post("/v1/messages", body).header("x-request-id", "no-default").await.has_status(200);
    let record = scene.acme.record_of("no-default").await;
    // No default knows this model, so its 36 tokens of input all cost $10 per million.
    assert_eq!(record["cost_input"], 0.00036);
}

#[tokio::test]
async fn what_is_written_to_a_cache_for_an_hour_costs_its_own_rate() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let claude = MockVendor::start().await;
    acme.provider("claude").vendor("anthropic").at(&claude).model("claude-sonnet-4-6").await;
    let key = acme.key().await;
    let usage = json!({"input_tokens": 10, "cache_creation_input_tokens": 100,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 100},
        "cache_read_input_tokens": 0, "output_tokens": 1});
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant",
        "model": "claude-sonnet-4-6", "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn", "stop_sequence": null, "usage": usage});
    let event =
        |data: Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    let mut start = message.clone();
    start["content"] = json!([]);
    let stream = [
        json!({"type": "message_start", "message": start}),
        json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": "Hi"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 1}}),
        json!({"type": "message_stop"}),
    ];
    for (id, path, streamed) in [
        ("whole", "/v1/messages", false),
        ("streamed", "/v1/messages", true),
        ("translated", "/v1/chat/completions", false),
        ("translated-stream", "/v1/chat/completions", true),
    ] {
        claude.will(if streamed {
            Reply::streams(stream.clone().map(event))
        } else {
            Reply::says(message.to_string()).header("content-type", "application/json")
        });
        let body = json!({"model": "claude/claude-sonnet-4-6", "max_tokens": 9, "stream": streamed,
            "messages": [{"role": "user", "content": "Hi"}]});
        let ask = key.post(path, body.to_string()).header("x-request-id", id);
        ask.await.has_status(200);
        let record = acme.record_of(id).await;
        assert_eq!(record["cache_write_tokens"], 100, "{id}");
        // 10 × $3 + 100 × $6 per million.
        assert_eq!(record["cost_input"], json!(0.000_63), "{id}");
    }
}

#[tokio::test]
async fn without_a_price_the_cost_is_unknown_and_the_request_served() {
    let scene = Scene::new().await;
    let body = operations::MESSAGES.body("smart");
    scene.key.post("/v1/messages", body).header("x-request-id", "free").await.has_status(200);
    let record = scene.acme.record_of("free").await;
    assert_eq!(record["pricing_source"], "none");
    for field in ["cost_input", "cost_output", "cost_total", "currency", "pricing_rule_id"] {
        assert_eq!(record[field], Value::Null, "{field}");
    }
    assert_eq!(record["output_tokens"], 15, "its tokens are counted all the same");
}

#[tokio::test]
async fn the_simulated_vendor_costs_nothing_that_is_known() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let sandbox = acme
        .provider("sandbox")
        .vendor("sandbox")
        .with(json!({"api_key": ""}))
        .model("sandbox-small")
        .await;
    assert_eq!(sandbox.one_to_one("sandbox-small").await["effective_pricing"]["source"], "none");
    let key = acme.key().await;
    key.chat("sandbox/sandbox-small").header("x-request-id", "simulated").await.has_status(200);
    let record = acme.record_of("simulated").await;
    assert_eq!((&record["pricing_source"], &record["cost_total"]), (&json!("none"), &Value::Null));
    assert!(record["output_tokens"].as_u64().unwrap() > 0, "{record}");
}

#[tokio::test]
async fn a_failed_request_has_no_cost() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::status(400));
    scene.key.chat("fast").header("x-request-id", "failed").await.has_status(400);
    let record = scene.acme.record_of("failed").await;
    for field in ["cost_total", "pricing_source", "pricing_rule_id"] {
        assert_eq!(record[field], Value::Null, "{field} in {record}");
    }
}

#[tokio::test]
async fn a_price_is_in_force_with_its_answer_and_records_keep_the_version_that_priced_them() {
    let scene = Scene::new().await;
    let prices = Prices(&scene.acme.admin);
    let mut rules = Vec::new();
    for (turn, dollars) in [1.0, 2.0, 3.0].into_iter().enumerate() {
        let rule = prices.set(price("gpt-4o", 0.0, dollars * 100_000.0)).await;
        let record = chat(&scene, &format!("turn-{turn}")).await;
        assert_eq!(record["cost_output"].as_f64(), Some(dollars), "10 tokens");
        assert_eq!(record["pricing_rule_id"], rule["id"]);
        rules.push(rule);
    }
    prices.delete(&rules[2]).await.has_status(200);
    let record = chat(&scene, "archived").await;
    assert_eq!(record["pricing_source"], "barndoor_default", "an archived rule prices nothing");
    for (turn, rule) in rules.iter().enumerate() {
        let record = scene.acme.record_of(&format!("turn-{turn}")).await;
        let id = record["pricing_rule_id"].as_str().unwrap();
        let version = prices.get(&format!("/version/{id}")).await;
        let rate = "output_cost_per_million_tokens";
        assert_eq!(version[rate], rule[rate], "it is still found");
    }
}

#[tokio::test]
async fn a_scheduled_price_takes_effect_at_its_instant() {
    let scene = Scene::new().await;
    let prices = Prices(&scene.acme.admin);
    let now = prices.set(price("gpt-4o", 0.0, 100_000.0)).await;
    let at = soon(1_500);
    let more = json!({"effective_from": at});
    let next = prices.set_with(price("gpt-4o", 0.0, 200_000.0), more).await;
    let before = chat(&scene, "before").await;
    wait_for(&at).await;
    let after = chat(&scene, "after").await;
    let instant: jiff::Timestamp = at.parse().unwrap();
    let arrived: jiff::Timestamp = before["ts"].as_str().unwrap().parse().unwrap();
    let expected = if arrived < instant { &now } else { &next };
    assert_eq!(before["pricing_rule_id"], expected["id"]);
    assert_eq!((&after["pricing_rule_id"], &after["cost_output"]), (&next["id"], &json!(2)));
}

#[tokio::test]
async fn the_closest_pattern_of_the_first_tier_prices_a_request() {
    let scene = Scene::new().await;
    let prices = Prices(&scene.acme.admin);
    let steps = [
        ("org_generic", "*", json!({})),
        ("org_generic", "gpt*", json!({})),
        ("org_generic", "gpt-4o", json!({})),
        ("org_catalog", "*", json!({"catalog_slug": "openai"})),
        ("org_catalog", "gpt-4*", json!({"model_provider": "openai"})),
        ("org_instance", "*", json!({"provider_id": scene.openai_provider.id})),
        ("org_instance", "gpt-4o*", json!({"provider_id": scene.openai_provider.id})),
    ];
    for (turn, (source, pattern, more)) in steps.into_iter().enumerate() {
        let rule = prices.set_with(price(pattern, 1.0, 1.0), more).await;
        let record = chat(&scene, &format!("turn-{turn}")).await;
        assert_eq!(record["pricing_source"], source, "{pattern}");
        assert_eq!(record["pricing_rule_id"], rule["id"], "{pattern}");
    }
}

#[tokio::test]
async fn costs_add_up_in_the_metrics() {
    let scene = Scene::new().await;
    let free = json!({"cache_read_cost_per_million_tokens": 0});
    Prices(&scene.acme.admin).set_with(price("gpt-4o", 0.0, 100_000.0), free).await;
    for turn in 0..3 {
        chat(&scene, &format!("turn-{turn}")).await;
    }
    let metrics = scene.gateway.metrics().await;
    let labels = [("provider", "openai"), ("upstream_model", "gpt-4o")];
    assert_eq!(metrics.sum("turnpike_cost_total", &labels), 3, "dollars");
}

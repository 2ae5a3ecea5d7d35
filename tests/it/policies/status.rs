//! Status endpoints tell what was really used, by the ledger's records.

use serde_json::{Value, json};

use crate::support::{Caller, Gate, Gateway, Org, RedisServer, Reply, Scene, until};

fn sum(records: &[Value], fields: &[&str]) -> f64 {
    let figures = records.iter().flat_map(|record| fields.iter().map(|field| &record[*field]));
    figures.map(|figure| figure.as_f64().unwrap_or_default()).sum()
}

/// A request to the model behind `smart`, in its vendor's dialect.
const MESSAGE: &str =
    r#"{"model":"smart","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#;

const TOKENS: [&str; 4] =
    ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"];

async fn status(acme: &Org, kind: &str) -> Vec<Value> {
    let list = acme.get(&format!("/admin/{kind}/status")).await.has_status(200).json();
    list.as_array().expect("a bare array").clone()
}

#[tokio::test]
async fn a_rate_limit_shows_the_last_minute_of_whom_it_is_about() {
    let scene = Scene::new().await;
    let acme = &scene.acme;
    assert_eq!(status(acme, "rate-limits").await, Vec::<Value>::new());
    for (name, scope) in [
        ("all", json!({"scope_type": "org", "requests_per_minute": 4, "tokens_per_minute": 1000})),
        (
            "fast",
            json!({"scope_type": "model_alias", "scope_value": "fast",
            "requests_per_minute": 4}),
        ),
        (
            "vendor",
            json!({"scope_type": "llm_provider", "scope_value": "OpenAI",
            "tokens_per_minute": 500}),
        ),
        ("nobody", json!({"scope_type": "group", "scope_value": "g", "requests_per_minute": 4})),
        ("never", json!({"scope_type": "project", "requests_per_minute": 4})),
    ] {
        let mut body = scope;
        body["name"] = json!(name);
        acme.create("rate-limits", body).await;
    }
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    scene.key.post("/v1/messages", MESSAGE).await.has_status(200);
    scene.key.chat("no-such-model").await.has_status(404);
    let records = acme.records(4).await;
    let done: Vec<Value> =
        records.into_iter().filter(|record| record["denied_by"].is_null()).collect();
    let fast: Vec<Value> =
        done.iter().filter(|record| record["alias"] == "fast").cloned().collect();
    let shown = until("all requests are shown", async || {
        let shown = status(acme, "rate-limits").await;
        (shown[0]["rpm_used"] == done.len()).then_some(shown)
    })
    .await;
    let figures = |row: usize| {
        let row = &shown[row];
        assert!(row["policy"]["scope_type"].is_string());
        (row["rpm_used"].clone(), row["tpm_used"].as_f64().unwrap())
    };
    assert_eq!(figures(0), (json!(done.len()), sum(&done, &TOKENS)));
    assert_eq!(figures(1), (json!(2), sum(&fast, &TOKENS)));
    assert_eq!(figures(2), (json!(2), sum(&fast, &TOKENS)));
    assert!(sum(&fast, &TOKENS) > 0.0);
    assert_eq!(figures(3), (json!(0), 0.0));
    assert_eq!(figures(4), (json!(0), 0.0));
    assert_eq!(shown[1]["rpm_percentage"], 50.0);
    assert_eq!((&shown[1]["rpm_limit"], &shown[1]["tpm_limit"]), (&json!(4), &json!(null)));
    assert_eq!(shown[1]["tpm_percentage"], json!(null), "null where the metric is not set");
    assert_eq!(shown[2]["rpm_percentage"], json!(null));
}

#[tokio::test]
async fn a_budget_shows_its_period_in_tokens_and_money() {
    let scene = Scene::new().await;
    let acme = &scene.acme;
    scene.key.chat("fast").await.has_status(200);
    scene.key.post("/v1/messages", MESSAGE).await.has_status(200);
    let records = acme.records(2).await;
    let fast: Vec<Value> =
        records.iter().filter(|record| record["alias"] == "fast").cloned().collect();
    // Made after the use: a budget counts from the beginning of its period.
    for period in ["daily", "weekly", "monthly", "quarterly", "yearly"] {
        let body = json!({"name": period, "scope_type": "org", "period": period,
            "token_limit": 1000, "cost_limit": 0.5});
        acme.create("budgets", body).await;
    }
    for (target, value) in [
        ("target_provider_id", json!(scene.openai_provider.id)),
        ("target_model_alias", json!("fast")),
        ("target_model_alias", json!("other")),
    ] {
        let body = json!({"name": target, "scope_type": "org", "period": "daily",
            "token_limit": 1000, target: value});
        acme.create("budgets", body).await;
    }
    let shown = status(acme, "budgets").await;
    let (tokens, cost) = (sum(&records, &TOKENS), sum(&records, &["cost_total"]));
    for row in &shown[..5] {
        let period = &row["budget"]["period"];
        assert_eq!(row["tokens_used"].as_f64(), Some(tokens), "{period}");
        let percentage = (tokens * 10.0).round() / 100.0;
        assert_eq!(row["percentage_used"].as_f64(), Some(percentage), "{period}");
        let used = row["cost_used"].as_f64().unwrap();
        assert!((used - cost).abs() < 1e-12 && used > 0.0, "{period}: {used} for {cost}");
        assert!(row["cost_percentage_used"].as_f64().unwrap() >= 0.0);
        let start = row["period_start"].as_str().unwrap();
        assert!(start.ends_with("T00:00:00Z"), "{start}");
    }
    for row in &shown[5..7] {
        assert_eq!(row["tokens_used"].as_f64(), Some(sum(&fast, &TOKENS)));
        assert_eq!(row["cost_percentage_used"], 0.0, "no limit on money");
    }
    assert_eq!(shown[7]["tokens_used"], 0);
}

/// How many requests the organization has used of its one limit of ten: as the status says, which is also what is
/// enforced.
async fn used_of_ten(acme: &Org, key: &Caller) -> u64 {
    let shown = status(acme, "rate-limits").await;
    let told = key.get("/v1/models").await.has_status(200);
    let left: u64 = told.header("x-ratelimit-remaining-requests").unwrap().parse().unwrap();
    assert_eq!(shown[0]["rpm_used"], 10 - left, "{shown:?}");
    10 - left
}

#[tokio::test]
async fn requests_under_way_are_shown_as_they_are_enforced() {
    let redis = RedisServer::start().await;
    for gateway in [
        Gateway::configured(),
        Gateway::configured().set("redis.url", redis.url()).set("redis.timeout_ms", 5000),
    ] {
        let scene = Scene::with(gateway).await;
        let (acme, key) = (&scene.acme, &scene.key);
        let ten = json!({"name": "ten", "scope_type": "api_key", "requests_per_minute": 10});
        acme.create("rate-limits", ten).await;
        let gate = Gate::closed();
        scene.openai.always(Reply::answers().gated(&gate));
        let asked = futures_util::future::join_all((0..3).map(|_| async {
            key.chat("fast").await.has_status(200);
        }));
        let shown = async {
            scene.openai.wait_for_calls(3).await;
            assert_eq!(acme.usage().await.len(), 0, "nothing is recorded yet");
            assert_eq!(used_of_ten(acme, key).await, 3);
            gate.open();
        };
        tokio::join!(asked, shown);
        acme.records(3).await;
        assert_eq!(used_of_ten(acme, key).await, 3);
    }
}

#[tokio::test]
async fn a_limit_shows_what_is_enforced_and_not_what_was_before_it() {
    let redis = RedisServer::start().await;
    for gateway in [
        Gateway::configured(),
        // Figures have to be exact: a call that is late on a busy machine is decided without Redis.
        Gateway::configured().set("redis.url", redis.url()).set("redis.timeout_ms", 5000),
    ] {
        let scene = Scene::with(gateway).await;
        let (acme, key) = (&scene.acme, &scene.key);
        for _ in 0..3 {
            key.chat("fast").await.has_status(200);
        }
        acme.records(3).await;
        let ten = json!({"name": "ten", "scope_type": "org", "requests_per_minute": 10});
        let row = acme.create("rate-limits", ten).await;
        assert_eq!(used_of_ten(acme, key).await, 0);
        key.chat("fast").await.has_status(200);
        acme.records(4).await;
        assert_eq!(used_of_ten(acme, key).await, 1);
        let path = format!("/admin/rate-limits/{}", row["id"].as_str().unwrap());
        acme.put(&path, json!({"enabled": false})).await.has_status(200);
        key.chat("fast").await.has_status(200);
        acme.records(5).await;
        assert_eq!(status(acme, "rate-limits").await[0]["rpm_used"], 0, "nothing is enforced");
        acme.put(&path, json!({"enabled": true})).await.has_status(200);
        assert_eq!(used_of_ten(acme, key).await, 1);
    }
}

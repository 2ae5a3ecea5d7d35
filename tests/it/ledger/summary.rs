//! Summing usage up over HTTP, in JSON and CSV.

use serde_json::{Value, json};

use crate::support::{Admin, Reply, Scene, until};

/// Two good requests to `fast`, one that fails, one to a name that is none.
async fn busy() -> Scene {
    let scene = Scene::new().await;
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    scene.openai.will(Reply::status(500));
    scene.key.chat("fast").await.has_status(502);
    scene.key.chat("nothing").await.has_status(404);
    scene.acme.records(4).await;
    scene
}

async fn rows(admin: &Admin, query: &str) -> Vec<Value> {
    let path = format!("/admin/usage/summary?{query}");
    let summary = admin.get(&path).await.has_status(200).json();
    summary["data"].as_array().expect("data").clone()
}

fn total(records: &[Value], field: &str) -> u64 {
    records.iter().map(|record| record[field].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn sums_are_those_of_the_records_by_whatever_they_are_grouped() {
    let scene = busy().await;
    let records = scene.acme.usage().await;
    let day = records[0]["ts"].as_str().unwrap()[..10].to_owned();
    let whole = rows(&scene.acme, "").await;
    assert_eq!(whole.len(), 1);
    assert_eq!(whole[0]["requests"], 4);
    assert_eq!(whole[0]["errors"], 2);
    for field in ["input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens"] {
        assert_eq!(whole[0][field], total(&records, field), "{field}");
    }
    assert!(total(&records, "input_tokens") > 0);
    for percentile in ["p50", "p90", "p95", "p99"] {
        let found = whole[0][format!("latency_ms_{percentile}")].as_u64().unwrap();
        let longest = records.iter().map(|it| it["latency_ms"].as_u64().unwrap()).max().unwrap();
        assert!(found <= longest + longest / 32, "{found} of {longest}");
    }

    let by_day = rows(&scene.acme, "group_by=day,upstream_model,status").await;
    // A clock may pass midnight while this runs.
    if by_day.iter().all(|row| row["day"] == day.as_str()) {
        let seen: Vec<Value> = by_day
            .iter()
            .map(|row| json!([row["upstream_model"], row["status"], row["requests"]]))
            .collect();
        assert_eq!(
            seen,
            [json!([null, 404, 1]), json!(["gpt-4o", 200, 2]), json!(["gpt-4o", 502, 1])]
        );
    }
    for (dimension, values) in [
        ("model", json!([null, "gpt-4o"])),
        ("alias", json!([null, "fast"])),
        ("provider", json!([null, "openai"])),
        ("status", json!([200, 404, 502])),
        ("group", json!([null])),
    ] {
        let rows = rows(&scene.acme, &format!("group_by={dimension}")).await;
        let seen: Vec<&Value> = rows.iter().map(|row| &row[dimension]).collect();
        assert_eq!(json!(seen), values, "{dimension}");
        let requests: u64 = rows.iter().map(|row| row["requests"].as_u64().unwrap()).sum();
        assert_eq!(requests, 4, "{dimension}");
    }
    let by_provider = rows(&scene.acme, "group_by=provider&status=200").await;
    assert_eq!(by_provider[0]["provider_id"], scene.openai_provider.id);
    for (dimension, field) in [("user", "user_id"), ("api_key", "api_key_id")] {
        let rows = rows(&scene.acme, &format!("group_by={dimension}")).await;
        assert_eq!(rows[0][dimension], records[0][field]);
    }
}

#[tokio::test]
async fn any_period_is_exact_to_the_microsecond() {
    let scene = busy().await;
    let records = scene.acme.usage().await;
    let times: Vec<&str> = records.iter().map(|record| record["ts"].as_str().unwrap()).collect();
    for (query, requests) in [
        (format!("from={}", times[3]), 4),
        (format!("from={}", times[1]), 2),
        (format!("to={}", times[1]), 2),
        (format!("from={}&to={}", times[2], times[0]), 2),
        ("from=2020-01-01T00:00:00Z&to=2120-01-01T00:00:00Z".to_owned(), 4),
        (format!("from={}&alias=fast", times[2]), 2),
        (format!("from={}&status=404", times[1]), 1),
    ] {
        assert_eq!(rows(&scene.acme, &query).await[0]["requests"], requests, "{query}");
    }
    assert!(rows(&scene.acme, "to=2020-01-01T00:00:00Z").await.is_empty());
    let hours = rows(&scene.acme, "group_by=hour").await;
    assert!(hours[0]["hour"].as_str().unwrap().ends_with(":00:00Z"), "{hours:?}");
}

#[tokio::test]
async fn csv_says_what_json_says_and_no_field_is_a_formula() {
    let scene = Scene::new().await;
    let alias = "=HYPERLINK(\"http://evil.test\",\"a\")";
    scene.acme.alias(alias, &[(&scene.openai_provider, "gpt-4o")]).await;
    scene.key.chat("fast").await.has_status(200);
    let body = json!({"model": alias, "messages": [{"role": "user", "content": "hi"}]});
    scene.key.post("/v1/chat/completions", body.to_string()).await.has_status(200);
    scene.acme.records(2).await;
    let path = "/admin/usage/summary?group_by=alias,provider&format=csv";
    let csv = scene.acme.get(path).await.has_status(200);
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"));
    let lines: Vec<&str> = csv.text().split("\r\n").collect();
    let json = rows(&scene.acme, "group_by=alias,provider").await;
    assert_eq!(lines.len(), json.len() + 2, "{lines:?}");
    assert!(lines[0].starts_with("alias,provider,provider_id,requests,errors,input_tokens,"));
    assert!(lines[0].contains(",cost_total,currency,") && lines[0].ends_with(",ttfb_ms_p99"));
    assert!(
        lines[1].starts_with("\"'=HYPERLINK(\"\"http://evil.test\"\",\"\"a\"\")\",openai,"),
        "{}",
        lines[1]
    );
    let fast = json.iter().find(|row| row["alias"] == "fast").unwrap();
    let fields: Vec<&str> = lines[2].split(',').collect();
    for (name, field) in lines[0].split(',').zip(fields) {
        let value = match &fast[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            // Numbers are the same number, however they are written.
            number => {
                assert_eq!(serde_json::from_str::<Value>(field).unwrap(), *number, "{name}");
                continue;
            }
        };
        assert_eq!(field, value, "{name}");
    }
}

#[tokio::test]
async fn another_organization_and_another_user_see_none_of_it() {
    let scene = busy().await;
    let evil = scene.gateway.org("evil");
    let ann = scene.gateway.user("acme", "ann@acme.test");
    let bob = scene.gateway.user("acme", "bob@acme.test");
    let made = ann.post("/user/api-keys", json!({"name": "mine"})).await.has_status(200).json();
    scene.key.holding(made["key"].as_str().unwrap()).chat("fast").await.has_status(200);
    let records = scene.acme.records(5).await;
    let anns = records.iter().find(|record| record["user_id"] == made["user_id"]).unwrap();

    assert!(rows(&evil, "").await.is_empty());
    let key = anns["api_key_id"].as_str().unwrap();
    assert!(rows(&evil, &format!("api_key={key}")).await.is_empty());
    let own = async |who: &Admin, query: &str| {
        let summary = who.get(&format!("/user/usage/summary?{query}")).await;
        summary.has_status(200).json()["data"].clone()
    };
    let seen = own(&ann, "group_by=user").await;
    assert_eq!(seen[0]["user"], made["user_id"]);
    assert_eq!((&seen[0]["requests"], seen.as_array().unwrap().len()), (&json!(1), 1));
    assert_eq!(own(&bob, "").await, json!([]));
    let user = made["user_id"].as_str().unwrap();
    assert_eq!(own(&bob, &format!("user={user}")).await, json!([]));
    ann.get("/admin/usage/summary").await.has_status(403);
    let strangers = scene.gateway.stranger();
    strangers.get("/api/llm-gateway/admin/usage/summary").await.has_status(401);
}

#[tokio::test]
async fn senseless_parameters_are_refused_by_name() {
    let scene = Scene::new().await;
    for (query, named) in [
        ("group_by=colour", "group_by: `colour` is none of day, hour"),
        ("group_by=day,,alias", "group_by: ``"),
        ("group_by=day,day", "group_by names day twice"),
        ("group_by=model,upstream_model", "group_by names upstream_model twice"),
        ("format=xml", "format must be json or csv"),
        ("from=yesterday", "from must be a time"),
        ("to=tomorrow", "to must be a time"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to must be later than from"),
        ("user=bob", "user: UUID parsing failed"),
        ("api_key=1", "api_key: UUID parsing failed"),
        ("status=fine", "status must be a number"),
        ("alias=a&alias=b", "alias"),
    ] {
        for surface in ["admin", "user"] {
            let answer = scene.acme.get(&format!("/{surface}/usage/summary?{query}")).await;
            let message = answer.refusal(400, "BadRequest");
            assert!(message.contains(named), "{query}: {message}");
        }
    }
}

#[tokio::test]
async fn sums_survive_a_kill_and_count_every_request_once() {
    let scene = busy().await;
    let gateway = scene.gateway.killed_and_restarted().await;
    let acme = gateway.org("acme");
    let whole =
        until("the summary is back", async || rows(&acme, "").await.into_iter().next()).await;
    assert_eq!(whole["requests"], 4);
    assert_eq!(acme.usage().await.len(), 4);
}

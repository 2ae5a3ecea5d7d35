//! When no route is left: 502 and what was tried.

use serde_json::{Value, json};

use crate::support::{Gateway, Reply, TwoRoutes, mock, operations};

#[tokio::test]
async fn every_attempt_is_told_in_order() {
    let scene = TwoRoutes::new().await;
    let (nowhere, _reserved) = mock::nobody();
    let third = scene.acme.provider("third").at_url(&nowhere).model("o3").await;
    scene.acme.route("fast", &third, "o3", json!({"priority": 9})).await;
    scene.first.will(Reply::status(503));
    scene.second.will(Reply::status(401));
    let answer = scene.key.chat("fast").header("x-request-id", "lost").await.has_status(502);
    let error = answer.openai_error();
    assert_eq!(error["code"], "all_routes_failed");
    let attempts = error["attempts"].as_array().unwrap();
    let told: Vec<_> = attempts
        .iter()
        .map(|attempt| {
            json!([
                attempt["provider"],
                attempt["upstream_model"],
                attempt["status"],
                attempt["error_type"],
                attempt["retries"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["first", "gpt-4o", 503, "upstream_error", 0]),
            json!(["second", "gpt-4o-mini", 401, "auth_failed", 0]),
            json!(["third", "o3", null, "network_error", 0]),
        ]
    );
    assert!(attempts[0]["message"].as_str().unwrap().contains("the vendor's own words for 503"));
    assert!(
        !attempts[1]["message"].as_str().unwrap().contains("own words"),
        "a refused credential is told in the gateway's words: {attempts:?}"
    );
    for attempt in attempts {
        assert!(!attempt["message"].as_str().unwrap().is_empty());
    }
    let record = scene.acme.record_of("lost").await;
    assert_eq!(record["status"], 502);
    assert_eq!(record["attempts"].as_array().unwrap().len(), 3);
    assert!(record["error_type"].is_string());
}

#[tokio::test]
async fn anthropics_clients_are_told_in_their_dialect() {
    let scene = TwoRoutes::new().await;
    let provider =
        scene.acme.provider("a").vendor("anthropic").at(&scene.first).model("claude").await;
    scene.acme.alias("smart", &[(&provider, "claude")]).await;
    for (body, reply) in [
        (operations::MESSAGES.body("smart"), Reply::status(529)),
        (operations::MESSAGES.stream_body("smart"), Reply::status(500)),
        (
            operations::MESSAGES.stream_body("smart"),
            Reply::streams([
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
            ]),
        ),
    ] {
        scene.first.will(reply);
        let answer = scene.key.post("/v1/messages", body).await.has_status(502);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let error = answer.anthropic_error();
        assert_eq!(error["type"], "api_error");
        assert_eq!(error["attempts"][0]["provider"], "a", "{error}");
    }
}

#[tokio::test]
async fn a_failed_stream_is_a_plain_json_error() {
    let scene = TwoRoutes::new().await;
    let error = "data: {\"error\":{\"message\":\"no capacity\",\"type\":\"server_error\"}}\n\n";
    scene.first.will(Reply::streams([error]));
    scene.second.will(Reply::streams([error]));
    let answer = scene.key.chat_stream("fast").await.has_status(502);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let attempts = answer.openai_error()["attempts"].clone();
    assert!(attempts[0]["message"].as_str().unwrap().contains("no capacity"), "{attempts}");
}

#[tokio::test]
async fn when_every_attempt_was_rate_limited_the_smallest_wait_is_told() {
    for (setting, status) in [(None, 502), (Some(429), 429)] {
        let mut builder = Gateway::configured().never_ejects();
        if let Some(setting) = setting {
            builder = builder.set("routing.all_rate_limited_status", setting);
        }
        let scene = TwoRoutes::with(builder).await;
        scene.first.will(Reply::status(429).retry_after(17));
        scene.second.will(Reply::status(429).retry_after(5));
        let answer = scene.key.chat("fast").await.has_status(status);
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert_eq!(answer.openai_error()["attempts"].as_array().map(Vec::len), Some(2));

        scene.first.will(Reply::status(429).retry_after(17));
        scene.second.will(Reply::status(500));
        let mixed = scene.key.chat("fast").await.has_status(502);
        assert_eq!(mixed.openai_error()["attempts"][0]["error_type"], "rate_limited");
    }
}

#[tokio::test]
async fn a_vendors_words_cannot_smuggle_the_credential_out() {
    let scene = TwoRoutes::new().await;
    for status in [401, 403, 500, 503] {
        let words =
            json!({"error": {"message": "Incorrect API key provided: sk-of-first", "type": "x"}});
        scene.first.will(Reply::status_with(status, words.to_string()));
        scene.second.will(Reply::status_with(status, words.to_string().replace("first", "second")));
        let answer = scene
            .key
            .chat("fast")
            .header("x-request-id", &format!("leak-{status}"))
            .await
            .has_status(502);
        assert!(!answer.text().contains("sk-of-"), "{}", answer.tell());
        let record: Value = scene.acme.record_of(&format!("leak-{status}")).await;
        assert!(!record.to_string().contains("sk-of-"), "{record}");
    }
}

#[tokio::test]
async fn what_vendors_say_is_told_to_the_caller_and_kept_nowhere() {
    let scene = TwoRoutes::new().await;
    let echo = "cannot answer: my secret diary";
    let body = format!(r#"{{"error":{{"message":"{echo}","type":"x","code":null}}}}"#);
    scene.first.will(Reply::status_with(500, body.clone()));
    scene.second.will(Reply::status_with(500, body));
    let answer = scene.key.chat("fast").header("x-request-id", "diary").await.has_status(502);
    assert!(answer.text().contains(echo), "{}", answer.tell());
    let record = scene.acme.record_of("diary").await;
    assert!(!record.to_string().contains("diary:"), "{record}");
    assert!(!record.to_string().contains("secret"), "{record}");
    assert!(!scene.gateway.log_line("diary").await.to_string().contains("secret"));
}

//! What makes the next route be tried, and what does not.

use serde_json::json;

use crate::support::{
    Gateway, MockVendor, Reply, TwoRoutes,
    mock::{self, Faces},
    operations,
};

/// Faults that are the vendor's: the next route is tried.
fn faults() -> Vec<(&'static str, Reply)> {
    let overloaded = "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"code\":null}}\n\n";
    vec![
        ("500", Reply::status(500)),
        ("502", Reply::status(502)),
        ("503", Reply::status(503)),
        ("504", Reply::status(504)),
        ("529", Reply::status(529)),
        ("429 without retries", Reply::status(429).retry_after(60)),
        ("401", Reply::status(401)),
        ("403", Reply::status(403)),
        ("a reset before the answer", Reply::resets()),
        ("a close before the answer", Reply::hangs_up()),
        ("half a head", Reply::writes("HTTP/1.1 200 OK\r\ncontent-ty")),
        (
            "half an answer without framing",
            Reply::writes("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{"),
        ),
        (
            "an error with a status of success",
            Reply::says(r#"{"error":{"message":"overloaded","code":502}}"#),
        ),
        ("no HTTP at all", Reply::writes("220 smtp ready\r\n\r\n")),
        ("an error as the first event of a 200 stream", Reply::streams([overloaded])),
        ("comments and then an error", Reply::streams([": hold\n\n", overloaded])),
        ("a stream that ends without an event", Reply::streams(Vec::<&str>::new())),
        ("a stream that is cut before an event", Reply::answers().cut_after(0)),
    ]
}

#[tokio::test]
async fn every_fault_of_the_vendor_fails_over() {
    let scene = TwoRoutes::with(Gateway::configured().never_ejects()).await;
    for (fault, reply) in faults() {
        for streamed in [false, true] {
            let only_streamed = fault.contains("stream") || fault.contains("comments");
            if only_streamed && !streamed {
                continue;
            }
            scene.first.always(reply.clone());
            let id = format!("{}-{streamed}", fault.replace(' ', "-"));
            let ask = if streamed { scene.key.chat_stream("fast") } else { scene.key.chat("fast") };
            let answer = ask.header("x-request-id", &id).await;
            assert_eq!(answer.status, 200, "{fault}: {}", answer.tell());
            assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"), "{fault}");
            assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"), "{fault}");
            assert!(!answer.text().contains("overloaded"), "nothing of the failed route is seen");
            if streamed {
                assert!(answer.text().ends_with("data: [DONE]\n\n"), "{fault}");
            }
            assert_eq!(scene.second.saw().pop().unwrap().json()["model"], "gpt-4o-mini");
            let record = scene.acme.record_of(&id).await;
            assert_eq!(record["attempts"].as_array().unwrap().len(), 2, "{fault}: {record}");
            assert_eq!(record["attempts"][0]["provider"], "first");
            assert_eq!(
                (&record["provider_name"], &record["status"]),
                (&json!("second"), &json!(200))
            );
        }
    }
}

#[tokio::test]
async fn an_error_with_a_status_of_success_fails_over_whatever_was_asked_for() {
    let scene = TwoRoutes::with(Gateway::configured().never_ejects()).await;
    let error = r#"{"error":{"message":"overloaded","type":"server_error"},"usage":null}"#;
    for operation in operations::ALL.into_iter().filter(|operation| !operation.anthropic) {
        scene.first.always(Reply::says(error));
        let asked = scene.first.saw().len();
        let ask = scene.key.post(operation.path, operation.body("fast"));
        let answer = ask.header("x-request-id", operation.name).await;
        assert_eq!(answer.status, 200, "{}: {}", operation.name, answer.tell());
        assert!(!answer.text().contains("overloaded"), "{}: {}", operation.name, answer.text());
        assert_eq!(scene.first.saw().len(), asked + 1, "{}", operation.name);
        let record = scene.acme.record_of(operation.name).await;
        assert_eq!(record["attempts"][0]["error_type"], "upstream_error", "{record}");
        assert_eq!(record["provider_name"], "second", "{record}");
    }
}

#[tokio::test]
async fn a_refused_connection_fails_over() {
    let scene = TwoRoutes::new().await;
    let (url, _reserved) = mock::nobody();
    scene.first_provider.put(json!({"base_url": url})).await.has_status(200);
    for ask in [scene.key.chat("fast"), scene.key.chat_stream("fast")] {
        let answer = ask.await.has_status(200);
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_fails_over() {
    let scene = TwoRoutes::new().await;
    scene
        .first_provider
        .put(json!({"base_url": "http://no-such-host.invalid"}))
        .await
        .has_status(200);
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_fails_over() {
    let scene = TwoRoutes::new().await;
    let liar = MockVendor::facing(Faces::Untrusted).await;
    scene.first_provider.put(json!({"base_url": liar.url()})).await.has_status(200);
    let answer = scene.key.chat("fast").header("x-request-id", "liar").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    liar.saw_nothing();
    let record = scene.acme.record_of("liar").await;
    assert_eq!(record["attempts"][0]["error_type"], "tls_error", "{record}");
}

#[tokio::test]
async fn tls_towards_a_plain_vendor_fails_over() {
    let scene = TwoRoutes::new().await;
    let url = scene.first.url().replace("http://127.0.0.1", "https://localhost");
    scene.first_provider.put(json!({"base_url": url})).await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    assert_eq!(scene.second.saw().len(), 1);
}

#[tokio::test]
async fn a_pinned_request_never_fails_over() {
    let scene = TwoRoutes::with(Gateway::configured().never_ejects()).await;
    for (fault, reply) in faults() {
        scene.first.always(reply);
        let answer = scene.key.chat_stream("first/gpt-4o").await;
        assert_eq!(answer.status, 502, "{fault}: {}", answer.tell());
        assert_eq!(answer.openai_error()["attempts"].as_array().unwrap().len(), 1, "{fault}");
    }
    scene.second.saw_nothing();
}

#[tokio::test]
async fn the_callers_own_mistakes_do_not_fail_over() {
    let scene = TwoRoutes::new().await;
    for status in [400, 404, 405, 409, 413, 415, 422] {
        scene.first.will(Reply::status(status));
        scene.key.chat("fast").await.has_status(status);
    }
    scene.second.saw_nothing();
}

#[tokio::test]
async fn nothing_is_retried_once_an_event_has_gone_to_the_client() {
    let scene = TwoRoutes::new().await;
    for reply in [
        Reply::answers().cut_after(1),
        Reply::answers().resets_after(2),
        Reply::answers().cut_after(3),
    ] {
        scene.first.will(reply);
        scene.key.chat_stream("fast").await.has_status(200);
    }
    scene.second.saw_nothing();
    assert_eq!(scene.first.saw().len(), 3);
}

#[tokio::test]
async fn anthropic_routes_fail_over_likewise() {
    let scene = TwoRoutes::with(Gateway::configured().never_ejects()).await;
    let overloaded = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
    let first =
        scene.acme.provider("a1").vendor("anthropic").at(&scene.first).model("claude").await;
    let second =
        scene.acme.provider("a2").vendor("anthropic").at(&scene.second).model("claude").await;
    scene.acme.alias("smart", &[(&first, "claude"), (&second, "claude")]).await;
    for reply in [
        Reply::status(529),
        Reply::status(500),
        Reply::resets(),
        Reply::streams([overloaded]),
        Reply::streams([ping, overloaded]),
    ] {
        scene.first.always(reply);
        let body = operations::MESSAGES.stream_body("smart");
        let answer = scene.key.post("/v1/messages", body).await.has_status(200);
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"), "{}", answer.tell());
        assert!(answer.text().contains("message_stop") && !answer.text().contains("Overloaded"));
    }
}

#[tokio::test]
async fn failed_attempts_do_not_cost_the_next_request_its_connection_to_the_client() {
    let scene = TwoRoutes::new().await;
    let mut wire = scene.key.connect().await;
    for reply in [Reply::status(503), Reply::resets(), Reply::answers()] {
        scene.first.will(reply);
        scene.key.chat("fast").on(&mut wire).await.has_status(200);
    }
}

//! Prometheus figures with bounded labels.

use serde_json::json;

use crate::support::{Metrics, Reply, TwoRoutes, until};

#[tokio::test]
async fn a_request_with_failover_is_counted_where_it_belongs() {
    let scene = TwoRoutes::new().await;
    scene.first.will(Reply::status(503));
    scene.key.chat("fast").await.has_status(200);
    let metrics = scene.gateway.metrics().await;
    let request = [
        ("endpoint", "chat_completions"),
        ("alias", "fast"),
        ("provider", "second"),
        ("upstream_model", "gpt-4o-mini"),
        ("status", "200"),
    ];
    assert_eq!(metrics.sum("turnpike_requests_total", &request), 1, "{}", metrics.text());
    assert_eq!(
        metrics.labels_of("turnpike_requests_total"),
        ["alias", "endpoint", "provider", "status", "upstream_model"]
    );
    let attempts = "turnpike_attempts_total";
    assert_eq!(
        metrics.sum(
            attempts,
            &[("provider", "first"), ("upstream_model", "gpt-4o"), ("outcome", "upstream_error")]
        ),
        1
    );
    assert_eq!(
        metrics.sum(
            attempts,
            &[("provider", "second"), ("upstream_model", "gpt-4o-mini"), ("outcome", "ok")]
        ),
        1
    );
    assert_eq!(metrics.labels_of(attempts), ["outcome", "provider", "upstream_model"]);
    for (kind, tokens) in [("input", 15), ("output", 10), ("cache_read", 4), ("reasoning", 3)] {
        let labels = [("provider", "second"), ("upstream_model", "gpt-4o-mini"), ("kind", kind)];
        assert_eq!(
            metrics.sum("turnpike_tokens_total", &labels),
            tokens,
            "{kind}: {}",
            metrics.text()
        );
    }
    assert_eq!(metrics.sum("turnpike_request_duration_seconds_count", &[]), 1);
    assert_eq!(metrics.sum("turnpike_time_to_first_byte_seconds_count", &[]), 1);
    assert_eq!(metrics.sum("turnpike_failovers_total", &[]), 1);
    assert_eq!(metrics.sum("turnpike_build_info", &[]), 1);
    assert!(
        metrics.has("turnpike_ledger_backlog")
            || metrics.text().contains("turnpike_ledger_backlog")
    );
    // The request ends a moment after its last byte has left.
    until("nothing is in flight", async || {
        let metrics = scene.gateway.metrics().await;
        (metrics.sum("turnpike_in_flight", &[]) == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn retries_in_place_are_counted() {
    let scene = TwoRoutes::new().await;
    scene
        .acme
        .route("patient", &scene.first_provider, "gpt-4o", json!({"retry_on_429_count": 2}))
        .await;
    scene.first.will(Reply::status(429)).will(Reply::status(429));
    scene.key.chat("patient").await.has_status(200);
    let metrics = scene.gateway.metrics().await;
    let labels = [("provider", "first"), ("upstream_model", "gpt-4o")];
    assert_eq!(metrics.sum("turnpike_retries_total", &labels), 2, "{}", metrics.text());
}

#[tokio::test]
async fn what_callers_make_up_never_becomes_a_label() {
    let scene = TwoRoutes::new().await;
    scene.key.chat("made-up-model").await.has_status(404);
    scene.key.chat("made-up-provider/x").await.has_status(404);
    scene.key.post("/v1/made-up-path", "{}").await.has_status(404);
    scene.gateway.caller("bd-made-up-key").chat("fast").await.has_status(401);
    scene.key.ask("MADEUP", "/v1/chat/completions").await;
    scene.key.chat("FIRST/gpt-4o").await.has_status(200);
    let metrics = scene.gateway.metrics().await;
    for word in ["made-up", "MADEUP", "FIRST", &scene.key.secret, &scene.key.secret[..8]] {
        assert!(!metrics.text().contains(word), "{word} is in {}", metrics.text());
    }
    let other = [("alias", "other"), ("status", "404")];
    assert!(metrics.sum("turnpike_requests_total", &other) >= 2, "{}", metrics.text());
    assert!(metrics.sum("turnpike_denied_total", &[]) >= 1, "{}", metrics.text());
    assert_eq!(metrics.labels_of("turnpike_denied_total"), ["reason"]);
}

#[tokio::test]
async fn what_is_in_flight_and_what_waits_in_the_ledger_come_back_to_nothing() {
    let scene = TwoRoutes::new().await;
    scene.first.will(Reply::hangs());
    let wire = scene.key.chat("fast").sent().await;
    scene.first.wait_for_calls(1).await;
    assert_eq!(scene.gateway.metrics().await.sum("turnpike_in_flight", &[]), 1);
    wire.leave();
    scene.acme.records(1).await;
    until("nothing is in flight or waiting", async || {
        let metrics: Metrics = scene.gateway.metrics().await;
        let idle = metrics.sum("turnpike_in_flight", &[]) == 0
            && metrics.sum("turnpike_ledger_backlog", &[]) == 0;
        idle.then_some(())
    })
    .await;
}

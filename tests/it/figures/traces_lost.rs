//! Traces that are not asked for, and a collector that is away, slow or hard to reach.

use super::traces::traced_to;
use crate::support::{Collector, Gateway, TwoRoutes, mock, until};

#[tokio::test]
async fn nothing_is_exported_when_it_is_not_asked_for() {
    let collector = Collector::start().await;
    for settings in [
        Gateway::configured().env("OTEL_SERVICE_NAME", "x"),
        traced_to(&collector).env("OTEL_SDK_DISABLED", "true"),
        traced_to(&collector).env("OTEL_TRACES_SAMPLER", "always_off"),
    ] {
        let mut scene = TwoRoutes::with(settings).await;
        scene.key.chat("fast").await.has_status(200);
        assert_eq!(scene.first.saw_one().header("traceparent"), None);
        scene.gateway.ask_to_end();
        scene.gateway.ended().await;
    }
    assert!(collector.spans().is_empty());
}

#[tokio::test]
async fn the_last_spans_are_exported_before_the_process_ends() {
    let collector = Collector::start().await;
    let mut scene = TwoRoutes::with(traced_to(&collector)).await;
    for _ in 0..5 {
        scene.key.chat("fast").await.has_status(200);
    }
    scene.gateway.ask_to_end();
    assert!(scene.gateway.ended().await.success());
    assert_eq!(collector.spans().len(), 10);
}

#[tokio::test]
async fn a_collector_that_never_answers_delays_neither_requests_nor_the_end_for_long() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let builder = Gateway::configured().env("OTEL_EXPORTER_OTLP_ENDPOINT", url);
    // Longer than anyone here waits.
    let mut scene = TwoRoutes::with(builder.env("OTEL_EXPORTER_OTLP_TIMEOUT", 60_000)).await;
    scene.key.chat("fast").await.has_status(200);
    scene.gateway.ask_to_end();
    assert!(scene.gateway.ended().await.success());
    let said = "the collector of traces did not take the last spans in time";
    assert!(scene.gateway.log().iter().any(|line| line.contains(said)));
}

#[tokio::test]
async fn spans_are_compressed_where_that_is_asked_for() {
    let collector = Collector::start().await;
    let builder = traced_to(&collector).env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    let scene = TwoRoutes::with(builder).await;
    scene.key.chat("fast").await.has_status(200);
    let headers =
        until("an export has come", async || collector.headers().into_iter().next()).await;
    assert_eq!(headers["content-encoding"], "gzip");
    assert!(collector.bytes().starts_with(&[0x1f, 0x8b]));
}

#[tokio::test]
async fn a_collector_that_is_gone_costs_no_request_and_its_losses_are_counted() {
    let (url, _reserved) = mock::nobody();
    let settings = Gateway::configured()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", 200);
    let scene = TwoRoutes::with(settings).await;
    for _ in 0..20 {
        scene.key.chat("fast").await.has_status(200);
    }
    until("all spans are counted as lost", async || {
        let metrics = scene.gateway.metrics().await;
        (metrics.sum("turnpike_spans_lost_total", &[]) == 40).then_some(())
    })
    .await;
    let complaints = || {
        let log = scene.gateway.log();
        log.iter().filter(|line| line.contains("the collector of traces takes no spans")).count()
    };
    until("the log says so", async || (complaints() > 0).then_some(())).await;
    assert_eq!(complaints(), 1, "once is enough");
}

#[test]
fn what_cannot_be_heeded_ends_the_start_with_its_name() {
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
    ] {
        let gateway = Gateway::configured()
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
            .env(variable, value);
        let output = gateway.command().arg("serve").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(variable), "{said}");
    }
}

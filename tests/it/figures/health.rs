//! Probes.

use crate::support::{Gateway, Scene};

#[tokio::test]
async fn a_running_gateway_is_alive_and_ready_without_a_key() {
    let gateway = Gateway::start().await;
    gateway.stranger().get("/healthz").await.has_status(200);
    let ready = gateway.readiness().await.has_status(200).json();
    assert_eq!(ready["status"], "ready");
    for check in ["store", "snapshot", "ledger"] {
        assert!(ready["checks"].get(check).is_some(), "{check} in {ready}");
    }
}

#[tokio::test]
async fn metrics_have_a_port_of_their_own() {
    let scene = Scene::new().await;
    scene.gateway.metrics().await;
    let answer = scene.gateway.stranger().get("/metrics").await;
    assert!(!answer.text().contains("turnpike_requests_total"), "{}", answer.tell());
}

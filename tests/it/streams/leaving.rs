//! A client that leaves stops the work, whatever was going on, and is recorded.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{
    Gate, Gateway, MockVendor, Reply, Scene, h2_client::H2Client, operations, until,
};

/// How soon the vendor must be let go.
const AT_ONCE: Duration = Duration::from_millis(250);

/// The middle one, so that one hiccup of the machine is not taken for the gateway's.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::test]
async fn leaving_while_waiting_closes_the_vendors_connection() {
    let scene = Scene::new().await;
    let mut times = Vec::new();
    for turn in 0..3 {
        scene.openai.will(Reply::hangs());
        let id = format!("waiting-{turn}");
        let wire = scene.key.chat("fast").header("x-request-id", &id).sent().await;
        let call = scene.openai.wait_for_calls(turn + 1).await.remove(turn);
        times.push(call.abandoned_after(wire.leave()).await);
        let record = scene.acme.record_of(&id).await;
        assert_eq!(record["status"], 499, "{record}");
        assert_eq!(record["attempts"][0]["error_type"], "client_gone");
    }
    assert!(median(times.clone()) <= AT_ONCE, "{times:?}");
}

#[tokio::test]
async fn leaving_in_mid_stream_closes_the_vendors_connection() {
    let scene = Scene::new().await;
    let mut times = Vec::new();
    for turn in 0..3 {
        let gate = Gate::closed();
        gate.let_one_through();
        gate.let_one_through();
        scene.anthropic.will(Reply::answers().gated(&gate));
        let id = format!("mid-stream-{turn}");
        let body = operations::MESSAGES.stream_body("smart");
        let mut live =
            scene.key.post("/v1/messages", body).header("x-request-id", &id).open().await;
        live.event().await;
        let call = scene.anthropic.saw().remove(turn);
        times.push(call.abandoned_after(live.leave()).await);
        let record = scene.acme.record_of(&id).await;
        assert_eq!(record["status"], 499, "{record}");
        assert_eq!(record["input_tokens"], 25, "what was told before is counted: {record}");
        assert_eq!(record["usage_source"], "estimated", "{record}");
    }
    assert!(median(times.clone()) <= AT_ONCE, "{times:?}");
}

#[tokio::test]
async fn leaving_in_back_off_ends_the_retries() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = MockVendor::start().await;
    let provider = acme.provider("openai").at(&vendor).model("gpt-4o").await;
    acme.route(
        "fast",
        &provider,
        "gpt-4o",
        json!({"retry_on_429_count": 5, "retry_on_429_max_wait_secs": 60}),
    )
    .await;
    let key = acme.key().await;
    vendor.always(Reply::status(429).retry_after(60));
    let mut times = Vec::new();
    for turn in 0..3 {
        let id = format!("impatient-{turn}");
        let asked = Instant::now();
        let wire = key.chat("fast").header("x-request-id", &id).sent().await;
        vendor.wait_for_calls(turn + 1).await;
        until("the gateway is in back-off", async || {
            (gateway.metrics().await.sum("turnpike_in_flight", &[]) >= 1
                && vendor.saw()[turn].was_answered())
            .then_some(())
        })
        .await;
        let stayed = wire.leave() - asked;
        let record = acme.record_of(&id).await;
        assert_eq!(record["status"], 499, "{record}");
        let latency = Duration::from_millis(record["latency_ms"].as_u64().unwrap());
        times.push(latency.saturating_sub(stayed));
    }
    assert!(median(times.clone()) <= AT_ONCE, "{times:?}");
    assert_eq!(vendor.saw().len(), 3);
}

#[tokio::test]
async fn leaving_while_uploading_reaches_no_vendor_and_is_recorded() {
    let scene = Scene::new().await;
    let ask = scene
        .key
        .post("/v1/chat/completions", operations::CHAT.body("fast"))
        .header("x-request-id", "uploading");
    let bytes = ask.bytes();
    let mut wire = scene.key.connect().await;
    wire.send(&bytes[..bytes.len() - 20]).await;
    wire.leave();
    let record = scene.acme.record_of("uploading").await;
    assert_eq!(record["status"], 499, "{record}");
    assert_eq!(record["attempts"], json!([]));
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn leaving_between_head_and_first_event_closes_the_vendors_connection() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::answers().stalls_after(0));
    let wire = scene.key.chat_stream("fast").header("x-request-id", "held").sent().await;
    let call = scene.openai.wait_for_calls(1).await.remove(0);
    call.abandoned_after(wire.leave()).await;
    assert_eq!(scene.acme.record_of("held").await["status"], 499);
}

#[tokio::test]
async fn an_http2_client_that_resets_its_stream_has_left() {
    let gateway = Gateway::configured().with_tls().start().await;
    let acme = gateway.org_over_tls("acme");
    let vendor = MockVendor::start().await;
    let provider = acme.provider("openai").at(&vendor).model("gpt-4o").await;
    acme.alias("fast", &[(&provider, "gpt-4o")]).await;
    let key = acme.key().await;
    vendor.will(Reply::answers().stalls_after(2));
    let client = H2Client::connect(gateway.address()).await;
    let body = operations::CHAT.stream_body("fast");
    let mut answer = client.post("/v1/chat/completions", &key.secret, body.clone()).await;
    answer.piece().await.unwrap();
    drop(answer);
    vendor.saw_one().abandoned_after(Instant::now()).await;
    assert_eq!(acme.records(1).await[0]["status"], 499);
    let next = client.post("/v1/chat/completions", &key.secret, body).await;
    assert_eq!(next.status, 200, "the connection lives on");
}

#[tokio::test]
async fn nothing_stays_behind_when_clients_leave() {
    let scene = Scene::new().await;
    scene.openai.always(Reply::answers().stalls_after(1));
    let mut lives = Vec::new();
    for _ in 0..20 {
        lives.push(scene.key.chat_stream("fast").open().await);
    }
    assert!(scene.gateway.metrics().await.sum("turnpike_in_flight", &[]) >= 20);
    drop(lives);
    scene.acme.records(20).await;
    until("nothing is in flight", async || {
        (scene.gateway.metrics().await.sum("turnpike_in_flight", &[]) == 0).then_some(())
    })
    .await;
}

//! SIGTERM: first unready, then no longer listening, streams finish, gone as soon as idle.

use std::time::{Duration, Instant};

use crate::support::{Ending, Gate, Gateway, Reply, Scene, until};

#[tokio::test]
async fn while_draining_it_is_unready_and_still_serves_and_streams_finish() {
    let settings = Gateway::configured()
        .set("server.drain_delay_ms", 3000)
        .set("server.shutdown_grace_secs", 30);
    let Scene { mut gateway, openai, key, .. } = Scene::with(settings).await;
    let gate = Gate::closed();
    gate.let_one_through();
    openai.will(Reply::answers().gated(&gate));
    let mut live = key.chat_stream("fast").open().await;
    live.event().await;

    gateway.ask_to_end();
    let unready = until("readiness is withdrawn", async || {
        let answer = gateway.readiness().await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert!(unready.json()["status"].is_string());
    gateway.stranger().get("/healthz").await.has_status(200);
    key.chat("fast").await.has_status(200);

    gate.open();
    let rest = live.rest().await;
    assert_eq!(rest.ending, Ending::Complete);
    assert!(rest.text().ends_with("data: [DONE]\n\n"), "{}", rest.text());
    let status = gateway.ended().await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_stream_that_goes_on_holds_the_process_until_it_is_done() {
    let settings = Gateway::configured().set("server.shutdown_grace_secs", 30);
    let Scene { mut gateway, openai, key, .. } = Scene::with(settings).await;
    let gate = Gate::closed();
    gate.let_one_through();
    openai.will(Reply::answers().gated(&gate));
    let mut live = key.chat_stream("fast").open().await;
    live.event().await;
    gateway.ask_to_end();
    until("readiness is withdrawn", async || {
        let Some(mut wire) = key.try_connect().await else { return Some(()) };
        let answer = gateway.stranger().get("/readyz").on_maybe(&mut wire).await;
        answer.is_none_or(|answer| answer.status == 503).then_some(())
    })
    .await;
    for _ in 0..3 {
        gate.let_one_through();
        live.event().await;
    }
    assert!(gateway.is_running());
    gate.open();
    assert!(live.rest().await.text().ends_with("data: [DONE]\n\n"));
    assert!(gateway.ended().await.success());
}

#[tokio::test]
async fn an_idle_gateway_ends_promptly_whatever_its_grace() {
    let settings = Gateway::configured().set("server.shutdown_grace_secs", 300);
    let Scene { mut gateway, key, .. } = Scene::with(settings).await;
    let mut idle = key.connect().await;
    key.chat("fast").on(&mut idle).await.has_status(200);
    let asked = Instant::now();
    gateway.ask_to_end();
    assert!(gateway.ended().await.success());
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn what_outlasts_the_grace_is_cut_and_recorded() {
    let settings = Gateway::configured().set("server.shutdown_grace_secs", 1);
    let Scene { mut gateway, openai, acme, key, .. } = Scene::with(settings).await;
    openai.will(Reply::answers().stalls_after(2));
    let mut live = key.chat_stream("fast").header("x-request-id", "outlasted").open().await;
    live.event().await;
    gateway.ask_to_end();
    gateway.ended().await;
    let answer = live.rest().await;
    assert!(answer.ending == Ending::Cut || answer.text().contains("error"), "{}", answer.tell());
    let jwt = acme.admin.caller.secret.clone();
    let gateway = gateway.killed_and_restarted().await;
    let acme = crate::support::Org::new(crate::support::Admin::new(gateway.caller(&jwt)));
    acme.record_of("outlasted").await;
}

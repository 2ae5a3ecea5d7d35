//! An event is with the client before the vendor sends the next.

use crate::support::{
    Gate, Gateway, MockVendor, Reply, Scene, h2_client::H2Client, mock::Faces, operations,
};

#[tokio::test]
async fn every_event_arrives_before_the_next_is_sent() {
    let scene = Scene::new().await;
    for operation in operations::ALL.iter().filter(|operation| operation.streams) {
        let vendor = if operation.anthropic { &scene.anthropic } else { &scene.openai };
        let gate = Gate::closed();
        let events = [
            "data: {\"n\":0}\n\n",
            "data: {\"n\":1}\n\n",
            "data: {\"n\":2}\n\n",
            "data: [DONE]\n\n",
        ];
        vendor.will(Reply::streams(events).gated(&gate));
        let body = operation.stream_body(operation.alias());
        gate.let_one_through();
        let mut live = scene.key.post(operation.path, body).open().await;
        for (index, event) in events.iter().enumerate() {
            assert_eq!(live.event().await, *event, "{}", operation.name);
            assert!(!vendor.saw().pop().unwrap().was_answered() || index == events.len() - 1);
            gate.let_one_through();
        }
        live.rest().await;
    }
}

#[tokio::test]
async fn an_event_that_comes_in_two_pieces_arrives_whole() {
    let scene = Scene::new().await;
    let gate = Gate::closed();
    scene.openai.will(
        Reply::streams(["data: {\"n\":0}\n\n", "data: {\"n\"", ":1}\n\n", "data: [DONE]\n\n"])
            .gated(&gate),
    );
    gate.open();
    let answer = scene.key.chat_stream("fast").await.has_status(200);
    assert_eq!(answer.text(), "data: {\"n\":0}\n\ndata: {\"n\":1}\n\ndata: [DONE]\n\n");
}

#[tokio::test]
async fn over_http2_on_both_sides_too() {
    let gateway = Gateway::configured().with_tls().start().await;
    let acme = gateway.org_over_tls("acme");
    let vendor = MockVendor::facing(Faces::TlsH2).await;
    let provider = acme.provider("openai").at(&vendor).model("gpt-4o").await;
    acme.alias("fast", &[(&provider, "gpt-4o")]).await;
    let key = acme.key().await;
    let gate = Gate::closed();
    let events = ["data: {\"n\":0}\n\n", "data: {\"n\":1}\n\n", "data: [DONE]\n\n"];
    vendor.will(Reply::streams(events).gated(&gate));
    gate.let_one_through();
    let client = H2Client::connect(gateway.address()).await;
    let body = operations::CHAT.stream_body("fast");
    let mut answer = client.post("/v1/chat/completions", &key.secret, body).await;
    for event in events {
        assert_eq!(answer.piece().await.unwrap(), event);
        gate.let_one_through();
    }
    assert_eq!(answer.piece().await, None);
}

//! HTTPS with HTTP/2 and HTTP/1.1 on one port.

use crate::support::{Gateway, MockVendor, Reply, h2_client::H2Client, operations};

#[tokio::test]
async fn one_port_speaks_http1_and_http2_over_tls() {
    let gateway = Gateway::configured().with_tls().start().await;
    let acme = gateway.org_over_tls("acme");
    let vendor = MockVendor::start().await;
    let provider = acme.provider("openai").at(&vendor).model("gpt-4o").await;
    acme.alias("fast", &[(&provider, "gpt-4o")]).await;
    let key = acme.key().await;
    key.chat("fast").await.has_status(200);
    let client = H2Client::connect(gateway.address()).await;
    for operation in operations::ALL.iter().filter(|operation| !operation.anthropic) {
        let answer = client.post(operation.path, &key.secret, operation.body("fast")).await;
        assert_eq!(answer.status, 200, "{}", operation.name);
        assert!(answer.header("x-request-id").is_some());
        assert_eq!(answer.header("connection"), None);
        answer.body().await;
        assert_eq!(vendor.saw().pop().unwrap().text(), operation.body("gpt-4o"));
    }
    let refused = client.post("/v1/chat/completions", "bd-wrong", "{}").await;
    assert_eq!(refused.status, 401);
}

#[tokio::test]
async fn streams_of_one_connection_do_not_wait_for_each_other() {
    let gateway = Gateway::configured().with_tls().start().await;
    let acme = gateway.org_over_tls("acme");
    let vendor = MockVendor::start().await;
    let provider = acme.provider("openai").at(&vendor).model("gpt-4o").await;
    acme.alias("fast", &[(&provider, "gpt-4o")]).await;
    let key = acme.key().await;
    let client = H2Client::connect(gateway.address()).await;
    vendor.will(Reply::answers().stalls_after(1));
    let mut stalled = client
        .post("/v1/chat/completions", &key.secret, operations::CHAT.stream_body("fast"))
        .await;
    stalled.piece().await.unwrap();
    let others = (0..20).map(|_| async {
        let answer =
            client.post("/v1/chat/completions", &key.secret, operations::CHAT.body("fast")).await;
        assert_eq!(answer.status, 200);
        answer.body().await
    });
    futures_util::future::join_all(others).await;
}

#[tokio::test]
async fn twenty_megabytes_come_over_http2() {
    let gateway = Gateway::configured().with_tls().start().await;
    let acme = gateway.org_over_tls("acme");
    let vendor = MockVendor::start().await;
    let provider = acme.provider("openai").at(&vendor).model("gpt-4o").await;
    acme.alias("fast", &[(&provider, "gpt-4o")]).await;
    let key = acme.key().await;
    let client = H2Client::connect(gateway.address()).await;
    let padding = "x".repeat(20 << 20);
    let body =
        |model: &str| format!(r#"{{"model":"{model}","messages":[],"padding":"{padding}"}}"#);
    let answer = client.post("/v1/chat/completions", &key.secret, body("fast")).await;
    assert_eq!(answer.status, 200);
    assert!(vendor.saw_one().body == body("gpt-4o").as_bytes());
}

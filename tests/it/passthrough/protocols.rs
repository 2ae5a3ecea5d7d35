//! HTTP/1.1 and HTTP/2 on both sides, with bodies of every framing.

use crate::support::{Gateway, MockVendor, Reply, h2_client::H2Client, mock::Faces, operations};

#[tokio::test]
async fn every_protocol_on_either_side_carries_bodies_and_streams() {
    let gateway = Gateway::configured().never_ejects().with_tls().start().await;
    let acme = gateway.org_over_tls("acme");
    let key = acme.key().await;
    for (name, faces, version) in [
        ("plain", Faces::Plain, "HTTP/1.1"),
        ("tls", Faces::Tls, "HTTP/1.1"),
        ("h2", Faces::TlsH2, "HTTP/2"),
    ] {
        let vendor = MockVendor::facing(faces).await;
        let failing = MockVendor::facing(faces).await;
        failing.always(Reply::status(503));
        let good = acme.provider(name).at(&vendor).model("gpt-4o").await;
        let bad = acme.provider(&format!("{name}-failing")).at(&failing).model("gpt-4o").await;
        acme.alias(name, &[(&bad, "gpt-4o"), (&good, "gpt-4o")]).await;
        let client = H2Client::connect(gateway.address()).await;
        for size in [1 << 10, 64 << 10, (64 << 10) + 1, 5 << 20] {
            let body = |model: &str| {
                format!(r#"{{"model":"{model}","messages":[],"pad":"{}"}}"#, "p".repeat(size))
            };
            key.post("/v1/chat/completions", body(name)).await.has_status(200);
            key.post("/v1/chat/completions", body(name)).chunked().await.has_status(200);
            let answer = client.post("/v1/chat/completions", &key.secret, body(name)).await;
            assert_eq!(
                (answer.status, answer.header("x-bd-provider-failover-count")),
                (200, Some("1"))
            );
            answer.body().await;
            let calls = vendor.saw();
            for call in &calls[calls.len() - 3..] {
                assert!(
                    call.body == body("gpt-4o").as_bytes(),
                    "{name} {size}: {} bytes",
                    call.body.len()
                );
                assert_eq!(call.version, version);
                assert_eq!(
                    call.header("authorization"),
                    Some(format!("Bearer sk-of-{name}").as_str())
                );
            }
        }
        let over_h1 = key
            .post("/v1/chat/completions", operations::CHAT.stream_body(name))
            .await
            .has_status(200);
        let over_h2 = client
            .post("/v1/chat/completions", &key.secret, operations::CHAT.stream_body(name))
            .await;
        assert!(over_h1.text().ends_with("data: [DONE]\n\n"));
        assert_eq!(over_h2.body().await, over_h1.body);
    }
}

//! Where a provider may live: decided on the resolved address, when it is connected to.

use serde_json::json;

use crate::support::{Gateway, Reply, TwoRoutes};

#[tokio::test]
async fn metadata_services_are_never_connected_to_however_they_are_spelled() {
    let scene = TwoRoutes::new().await;
    for url in [
        "http://169.254.169.254",
        "http://169.254.169.254.:80",
        "http://2852039166",
        "http://0xa9fea9fe",
        "http://0251.0376.0251.0376",
        "http://[::ffff:169.254.169.254]",
        "http://[fd00:ec2::254]",
        "http://[fe80::1]",
    ] {
        let answer = scene.first_provider.put(json!({"base_url": url})).await;
        if answer.status == 400 {
            continue;
        }
        answer.has_status(200);
        let answer = scene.key.chat("first/gpt-4o").await.has_status(502);
        let attempt = answer.openai_error()["attempts"][0].clone();
        assert!(attempt["status"].is_null(), "{url}: {attempt}");
        assert!(
            attempt["message"].as_str().unwrap().contains("deny_addresses"),
            "{url}: {attempt}"
        );
    }
}

#[tokio::test]
async fn a_denied_address_is_not_reached_by_a_name_and_the_next_route_is_tried() {
    let settings = Gateway::configured()
        .set("upstream.deny_addresses", r#"["127.0.0.0/8","::1/128"]"#)
        .set("upstream.allow_addresses", r#"["127.0.0.1/32"]"#);
    let scene = TwoRoutes::with(settings).await;
    scene.key.chat("fast").await.has_status(200);
    assert_eq!(scene.first.saw().len(), 1, "an exception is an exception");

    let scene = TwoRoutes::with(
        Gateway::configured().set("upstream.deny_addresses", r#"["127.0.0.0/8","::1/128"]"#),
    )
    .await;
    let named = scene.first.url().replace("127.0.0.1", "localhost");
    scene.first_provider.put(json!({"base_url": named})).await.has_status(200);
    let answer = scene.key.chat("fast").await.has_status(502);
    assert_eq!(answer.openai_error()["attempts"].as_array().map(Vec::len), Some(2));
    scene.first.saw_nothing();
    scene.second.saw_nothing();
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let scene = TwoRoutes::new().await;
    let elsewhere = format!("{}/v1/chat/completions", scene.second.url());
    scene.first.always(Reply::status(307).header("location", &elsewhere));
    let answer = scene.key.chat("first/gpt-4o").await;
    assert!(answer.status == 502 || answer.status == 307, "{}", answer.tell());
    scene.second.saw_nothing();
    assert_eq!(answer.header("location"), None, "nor is the client sent there with its key");
}

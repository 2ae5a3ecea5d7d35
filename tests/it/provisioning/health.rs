//! Health of providers: found out by asking the vendor, and in force.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Gateway, MockVendor, Reply, until};

#[tokio::test]
async fn a_provider_whose_key_is_refused_is_left_out_until_its_key_is_mended() {
    let gateway = Gateway::start().await;
    let (broken, fine) = (MockVendor::start().await, MockVendor::start().await);
    broken.answers_probes(Reply::status_with(401, r#"{"error":{"message":"canary"}}"#));
    let acme = gateway.org("acme");
    let enforced = json!({"enforce_health_check": true});
    let first = acme.provider("first").at(&broken).model("m").with(enforced.clone()).await;
    let second = acme.provider("second").at(&fine).model("m").with(enforced).await;
    assert_eq!(first.row["health_status"], "unhealthy");
    assert_eq!(second.row["health_status"], "healthy");
    assert!(!first.row.to_string().contains("canary"), "{}", first.row);
    let probe = &broken.probes()[0];
    assert_eq!(probe.path, "/v1/models");
    assert_eq!(probe.header("authorization"), Some("Bearer sk-of-first"));

    acme.alias("fast", &[(&first, "m"), (&second, "m")]).await;
    let key = acme.key().await;
    let answer = key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-count"), Some("1"));
    broken.saw_nothing();

    broken.answers_probes(Reply::answers());
    let mended = first.put(json!({"api_key": "sk-new"})).await.has_status(200).json();
    assert_eq!(mended["health_status"], "healthy");
    key.chat("fast").await.has_status(200);
    assert_eq!(broken.saw_one().header("authorization"), Some("Bearer sk-new"));
}

#[tokio::test]
async fn without_enforcement_an_unhealthy_provider_is_tried_all_the_same() {
    let gateway = Gateway::start().await;
    let vendor = MockVendor::start().await;
    vendor.answers_probes(Reply::status(403));
    let acme = gateway.org("acme");
    let provider = acme.provider("p").at(&vendor).model("m").await;
    assert_eq!(provider.row["health_status"], "unhealthy");
    acme.key().await.chat("p/m").await.has_status(200);
}

#[tokio::test]
async fn a_vendor_that_hangs_delays_its_creation_by_less_than_five_seconds() {
    let gateway = Gateway::start().await;
    let vendor = MockVendor::start().await;
    vendor.answers_probes(Reply::hangs());
    let acme = gateway.org("acme");
    let began = Instant::now();
    let provider = acme.provider("p").at(&vendor).model("m").await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(provider.row["health_status"], "unverified");
    let path = format!("/admin/providers/{}", provider.id);
    until("the verdict is stored", async || {
        let row = acme.get(&path).await.json();
        let detail = row["health_detail"].as_str().unwrap_or_default();
        detail
            .contains("not answered in time")
            .then(|| assert_eq!(row["health_status"], "unverified"))
    })
    .await;
    // A list of models that is slow says nothing of what is asked of the models.
    acme.key().await.chat("p/m").await.has_status(200);
}

#[tokio::test]
async fn health_is_looked_at_again_and_again() {
    let gateway = Gateway::configured().set("routing.health_check_secs", 1).start().await;
    let vendor = MockVendor::start().await;
    let acme = gateway.org("acme");
    let provider =
        acme.provider("p").at(&vendor).model("m").with(json!({"enforce_health_check": true})).await;
    assert_eq!(provider.row["health_status"], "healthy");
    let key = acme.key().await;
    for (answer, status) in [(Reply::status(401), 404), (Reply::answers(), 200)] {
        vendor.answers_probes(answer);
        until(&format!("requests are answered with {status}"), async || {
            (key.chat("p/m").await.status == status).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_check_on_demand_finds_out_now() {
    let gateway = Gateway::configured().set("routing.health_check_secs", 0).start().await;
    let vendor = MockVendor::start().await;
    let acme = gateway.org("acme");
    let provider = acme.provider("p").at(&vendor).await;
    vendor.answers_probes(Reply::status(401));
    let path = format!("/admin/providers/{}/check", provider.id);
    let checked = acme.post(&path, json!({})).await.has_status(200).json();
    assert_eq!(checked["health_status"], "unhealthy");
    assert!(checked["health_detail"].as_str().unwrap().contains("refused the credential (401)"));
    let sandbox = acme.provider("s").vendor("sandbox").with(json!({"api_key": null})).await;
    assert_eq!(sandbox.row["health_status"], "healthy");
}

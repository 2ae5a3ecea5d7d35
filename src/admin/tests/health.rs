//! When providers are probed, and how long an answer waits for it.

use std::time::{Duration, Instant};

use serde_json::json;

use super::desk::{Desk, find, id};

const PATH: &str = "/admin/providers";

fn finds(desk: &Desk, status: &'static str, after: Duration) {
    *desk.probes.finds.lock().unwrap() = Some((status, after));
}

fn probes(desk: &Desk) -> usize {
    desk.probes.asked.lock().unwrap().len()
}

#[tokio::test]
async fn a_new_provider_is_probed_before_its_answer() {
    let desk = Desk::open().await;
    finds(&desk, "unhealthy", Duration::ZERO);
    let acme = desk.admin("acme").await;
    let body = json!({"name": "p", "model_provider": "openai", "api_key": "sk-1"});
    let made = acme.post(PATH, body).await.ok();
    assert_eq!(
        (made["health_status"].as_str(), made["health_detail"].as_str()),
        (Some("unhealthy"), Some("as told"))
    );
    assert!(made["health_checked_at"].is_string());
    assert_eq!(desk.refreshed.0.lock().unwrap().len(), 2, "the verdict is in force, too");
}

#[tokio::test]
async fn a_slow_vendor_delays_an_answer_by_less_than_five_seconds() {
    let desk = Desk::open().await;
    finds(&desk, "healthy", Duration::from_millis(4500));
    let acme = desk.admin("acme").await;
    let began = Instant::now();
    let body = json!({"name": "p", "model_provider": "openai", "api_key": "sk-1"});
    let made = acme.post(PATH, body).await.ok();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(made["health_status"], "unverified");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let rows = acme.get(PATH).await.ok();
        if find(&rows, &id(&made))["health_status"] == "healthy" {
            break;
        }
        assert!(Instant::now() < deadline, "the verdict never came");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn another_key_or_address_is_probed_anew_and_another_name_is_not() {
    let desk = Desk::open().await;
    finds(&desk, "healthy", Duration::ZERO);
    let acme = desk.admin("acme").await;
    let path = format!("{PATH}/{}", acme.provider("p", &[]).await);
    assert_eq!(probes(&desk), 1);
    acme.put(&path, json!({"name": "q", "enabled": false})).await.ok();
    assert_eq!(probes(&desk), 1);
    finds(&desk, "unhealthy", Duration::ZERO);
    for change in [json!({"api_key": "sk-2"}), json!({"base_url": "https://other.example"})] {
        let before = probes(&desk);
        assert_eq!(acme.put(&path, change).await.ok()["health_status"], "unhealthy");
        assert_eq!(probes(&desk), before + 1);
    }
}

#[tokio::test]
async fn another_key_of_a_connection_has_its_providers_probed() {
    let desk = Desk::open().await;
    finds(&desk, "healthy", Duration::ZERO);
    let acme = desk.admin("acme").await;
    let shared = json!({"name": "c", "model_provider": "openai", "api_key": "sk-1"});
    let shared = id(&acme.post("/admin/connections", shared).await.ok());
    let bound = json!({"name": "p", "model_provider": "openai", "connection_id": shared});
    let bound = id(&acme.post(PATH, bound).await.ok());
    acme.provider("other", &[]).await;
    finds(&desk, "unhealthy", Duration::ZERO);
    let before = probes(&desk);
    acme.put(&format!("/admin/connections/{shared}"), json!({"name": "d"})).await.ok();
    acme.put(&format!("/admin/connections/{shared}"), json!({"api_key": "sk-2"})).await.ok();
    let deadline = Instant::now() + Duration::from_secs(20);
    while acme.get(&format!("{PATH}/{bound}")).await.ok()["health_status"] != "unhealthy" {
        assert!(Instant::now() < deadline, "it was never probed");
        tokio::task::yield_now().await;
    }
    assert_eq!(probes(&desk), before + 1, "only those that use it, and only for another key");
}

#[tokio::test]
async fn a_check_on_demand_answers_the_provider() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &[]).await;
    finds(&desk, "healthy", Duration::ZERO);
    let checked = acme.post(&format!("{PATH}/{provider}/check"), json!({})).await.ok();
    assert_eq!(
        (checked["id"].as_str(), checked["health_status"].as_str()),
        (Some(provider.as_str()), Some("healthy"))
    );
    let before = probes(&desk);
    let evil = desk.admin("evil").await;
    let foreign = evil.post(&format!("{PATH}/{provider}/check"), json!({})).await;
    let unknown = evil.post(&format!("{PATH}/{}/check", uuid::Uuid::new_v4()), json!({})).await;
    assert_eq!(foreign, unknown);
    foreign.refused(404, "NotFound");
    assert_eq!(probes(&desk), before, "another's provider is not probed");
}

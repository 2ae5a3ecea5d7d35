//! The runtime, asked from the console.

use serde_json::json;

use super::Browser;
use crate::support::Scene;

#[tokio::test]
async fn a_request_with_a_session_is_recorded_for_its_user_and_for_no_key() {
    let scene = Scene::new().await;
    let browser = Browser::of(&scene.gateway, "acme", "ann@acme.test", "user").await;
    let user = browser.session().await.json()["user"]["id"].clone();
    for (at, mount) in ["/v1", "/api/llm-gateway/v1"].iter().enumerate() {
        let id = format!("played-{at}");
        let body = json!({"model": "fast", "stream": true, "messages": [{"role": "user", "content": "Hi"}]});
        let path = format!("{mount}/chat/completions");
        let ask = browser.caller().post(&path, body.to_string()).header("x-request-id", &id);
        ask.await.has_status(200);
        let record = scene.acme.record_of(&id).await;
        assert_eq!(record["api_key_id"], json!(null), "{record}");
        assert_eq!(record["user_id"], user, "{record}");
        assert_eq!((&record["status"], &record["alias"]), (&json!(200), &json!("fast")));
    }
    let models = browser.visitor().get("/v1/models").await.has_status(200).json();
    assert!(models["data"].as_array().unwrap().iter().any(|model| model["id"] == "fast"));
}

#[tokio::test]
async fn a_request_that_another_page_may_have_sent_reaches_no_vendor() {
    let scene = Scene::new().await;
    let browser = Browser::of(&scene.gateway, "acme", "ann", "user").await;
    for forged in [
        browser.visitor(),
        browser.visitor().with("x-turnpike-csrf", "wrong"),
        browser.caller().with("origin", "https://evil.test"),
    ] {
        let error = forged.chat("fast").await.has_status(403).openai_error();
        assert_eq!(error["code"], "session_refused");
    }
    // Also after the session is known well.
    browser.caller().get("/v1/models").await.has_status(200);
    browser.visitor().chat("fast").await.has_status(403);
    let unknown = scene.gateway.stranger().with("cookie", "turnpike_session=made-up");
    assert_eq!(
        unknown.chat("fast").await.has_status(401).openai_error()["code"],
        "invalid_api_key"
    );
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn the_cookie_stays_with_the_gateway() {
    let scene = Scene::new().await;
    let browser = Browser::of(&scene.gateway, "acme", "ann", "user").await;
    browser.caller().chat("fast").await.has_status(200);
    let call = scene.openai.saw_one();
    assert_eq!((call.header("cookie"), call.header("x-turnpike-csrf")), (None, None));
}

#[tokio::test]
async fn limits_of_a_user_and_of_groups_hold_in_the_playground() {
    let scene = Scene::new().await;
    let acme = &scene.acme.admin;
    let limit = json!({
        "name": "ann", "scope_type": "user", "scope_value": "ann@acme.test",
        "requests_per_minute": 1,
    });
    acme.create("rate-limits", limit).await;
    let ann = Browser::of(&scene.gateway, "acme", "ann@acme.test", "user").await;
    let bob = Browser::of(&scene.gateway, "acme", "bob@acme.test", "user").await;
    ann.caller().chat("fast").await.has_status(200);
    ann.caller().chat("fast").await.has_status(429);
    bob.caller().chat("fast").await.has_status(200);
    bob.caller().chat("fast").await.has_status(200);
}

//! What happens while the identity provider is away, slow or wrong.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::IdScene;
use crate::support::oidc::SigningKey;

#[tokio::test]
async fn known_keys_serve_while_the_issuer_is_away() {
    let scene = IdScene::new().await;
    let token = scene.provider.token().sign();
    scene.administer(&token).await.has_status(200);
    scene.provider.answer(503);
    for _ in 0..20 {
        scene.administer(&token).await.has_status(200);
    }
    let fresh = scene.provider.token().claim("sub", json!("bob")).sign();
    scene.administer(&fresh).await.has_status(200);
}

#[tokio::test]
async fn a_token_with_an_unknown_key_is_refused_while_the_issuer_is_away() {
    let scene = IdScene::new().await;
    scene.administer(&scene.provider.token().sign()).await.has_status(200);
    scene.provider.answer(500);
    scene.provider.rotate(SigningKey::new("second", "ES256"));
    for _ in 0..20 {
        scene.administer(&scene.provider.token().sign()).await.refusal(401, "Unauthorized");
    }
    assert_eq!(scene.provider.asked().len(), 3, "it is not asked again and again");
}

#[tokio::test]
async fn where_no_keys_were_ever_known_the_answer_says_that_they_cannot_be_had() {
    let scene = IdScene::new().await;
    scene.provider.answer(500);
    let answer = scene.administer(&scene.provider.token().sign()).await;
    let message = answer.refusal(503, "Unavailable");
    assert!(message.contains("keys"), "{message}");
    let own = scene.gateway.token("acme", "ann", "admin", &[]);
    scene.administer(&own).await.has_status(200);
    scene.provider.answer(200);
    crate::support::until("the issuer is asked again", async || {
        let answer = scene.administer(&scene.provider.token().sign()).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_slow_issuer_delays_only_those_who_need_its_keys() {
    let scene = IdScene::new().await;
    scene.provider.take(Duration::from_secs(60));
    let token = scene.provider.token().sign();
    let own = scene.gateway.token("acme", "ann", "admin", &[]);
    let asking = Instant::now();
    let slow = scene.administer(&token);
    let quick = async {
        for _ in 0..10 {
            scene.administer(&own).await.has_status(200);
        }
        asking.elapsed()
    };
    let (slow, quick) = futures_util::future::join(slow, quick).await;
    assert_eq!(slow.status, 503, "{}", slow.tell());
    assert!(quick < asking.elapsed(), "the others waited for it");
    assert!(asking.elapsed() < Duration::from_secs(15), "it was waited for too long");
}

/// A key set or discovery document that is none does no harm.
#[tokio::test]
async fn documents_that_are_none_leave_the_known_keys_in_place() {
    let scene = IdScene::new().await;
    let token = scene.provider.token().sign();
    scene.administer(&token).await.has_status(200);
    let too_many = json!({"keys": vec![scene.provider.key().jwk(); 65]});
    let too_large = json!({"keys": [scene.provider.key().jwk()], "x": "x".repeat(300 << 10)});
    for document in [json!("<html>"), json!({}), json!({"keys": 7}), too_many, too_large] {
        scene.provider.publish_document(document.clone());
        let other = SigningKey::new("other", "ES256");
        let unknown = crate::support::oidc::Forge::new(&other, scene.provider.token().claims);
        scene.administer(&unknown.sign()).await.has_status(401);
        scene.administer(&token).await.has_status(200);
    }
}

async fn never_trusted(document: Value) {
    let scene = IdScene::new().await;
    scene.provider.publish_document(document);
    let answer = scene.administer(&scene.provider.token().sign()).await;
    assert!([401, 503].contains(&answer.status), "{}", answer.tell());
}

#[tokio::test]
async fn a_key_set_beyond_the_bounds_is_not_read() {
    let key = SigningKey::new("first", "RS256").jwk();
    never_trusted(json!({"keys": vec![key.clone(); 65]})).await;
    never_trusted(json!({"keys": [key], "x": "x".repeat(300 << 10)})).await;
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_not_believed() {
    let scene = IdScene::new().await;
    scene.provider.call_itself("https://id.example");
    scene.administer(&scene.provider.token().sign()).await.refusal(503, "Unavailable");
    assert_eq!(scene.provider.key_fetches(), 0);
}

#[tokio::test]
async fn an_issuer_at_a_denied_address_is_not_connected_to() {
    let provider = crate::support::oidc::OpenIdProvider::start().await;
    let gateway = crate::support::Gateway::configured()
        .set("auth.issuers", json!([provider.entry(&["acme"])]))
        .set("upstream.deny_addresses", json!(["127.0.0.0/8"]))
        .start()
        .await;
    let caller = gateway.caller(&provider.token().sign());
    caller.get("/api/llm-gateway/admin/users").await.refusal(503, "Unavailable");
    assert!(provider.asked().is_empty());
}

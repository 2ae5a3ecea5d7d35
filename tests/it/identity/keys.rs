//! Signing keys: discovery, every algorithm, rotation.

use std::time::Duration;

use serde_json::json;

use super::IdScene;
use crate::support::oidc::{OpenIdProvider, SigningKey};

#[tokio::test]
async fn a_token_of_a_configured_issuer_opens_the_api_after_discovery() {
    let scene = IdScene::new().await;
    assert!(scene.provider.asked().is_empty(), "nothing is fetched before it is needed");
    scene.administer(&scene.provider.token().sign()).await.has_status(200);
    assert_eq!(
        scene.provider.asked(),
        ["/realms/acme/.well-known/openid-configuration", "/realms/acme/certs"]
    );
    scene.administer(&scene.provider.token().sign()).await.has_status(200);
    assert_eq!(scene.provider.key_fetches(), 1, "keys are kept");
}

#[tokio::test]
async fn where_the_address_of_the_keys_is_configured_nothing_is_discovered() {
    let provider = OpenIdProvider::start().await;
    let more = json!({"jwks_url": provider.jwks_url()});
    let scene = IdScene::trusting(provider, more).await;
    scene.administer(&scene.provider.token().sign()).await.has_status(200);
    assert_eq!(scene.provider.asked(), ["/realms/acme/certs"]);
}

#[tokio::test]
async fn every_algorithm_of_the_list_is_accepted() {
    let scene = IdScene::new().await;
    let algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
    let keys: Vec<SigningKey> =
        algorithms.iter().map(|alg| SigningKey::new(&format!("key of {alg}"), alg)).collect();
    for (at, algorithm) in algorithms.iter().enumerate() {
        let mut published = keys.clone();
        published.rotate_left(at);
        scene.provider.publish(&published);
        let answer = scene.administer(&scene.provider.token().sign()).await;
        assert_eq!(answer.status, 200, "{algorithm}: {}", answer.tell());
    }
}

#[tokio::test]
async fn a_key_without_an_algorithm_is_for_rs256_and_no_other() {
    let scene = IdScene::new().await;
    let key = scene.provider.key();
    let mut jwk = key.jwk();
    jwk.as_object_mut().unwrap().remove("alg");
    jwk.as_object_mut().unwrap().remove("use");
    scene.provider.publish_document(json!({"keys": [jwk]}));
    scene.administer(&scene.provider.token().sign()).await.has_status(200);
    scene.provider.publish(&[key.by("PS256")]);
    scene.administer(&scene.provider.token().sign()).await.has_status(401);
}

#[tokio::test]
async fn after_a_rotation_the_new_key_is_accepted_at_once() {
    let scene = IdScene::new().await;
    let old = scene.provider.token().sign();
    scene.administer(&old).await.has_status(200);
    scene.provider.rotate(SigningKey::new("second", "ES256"));
    scene.administer(&scene.provider.token().sign()).await.has_status(200);
    scene.administer(&old).await.refusal(401, "Unauthorized");
    assert_eq!(scene.provider.key_fetches(), 2);
}

#[tokio::test]
async fn during_a_rotation_tokens_of_both_keys_are_accepted() {
    let scene = IdScene::new().await;
    let (old_key, new_key) = (scene.provider.key(), SigningKey::new("second", "RS256"));
    let old = scene.provider.token().sign();
    scene.provider.publish(&[new_key, old_key]);
    let new = scene.provider.token().sign();
    for token in [&new, &old, &new, &old] {
        scene.administer(token).await.has_status(200);
    }
    assert_eq!(scene.provider.key_fetches(), 1);
}

#[tokio::test]
async fn fifty_requests_at_once_have_the_keys_fetched_once() {
    let scene = IdScene::new().await;
    scene.provider.take(Duration::from_millis(200));
    let token = scene.provider.token().sign();
    let asked = futures_util::future::join_all((0..50).map(|_| scene.ask(&token))).await;
    for answer in asked {
        answer.has_status(200);
    }
    assert_eq!(scene.provider.key_fetches(), 1);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_has_them_fetched_once() {
    let scene = IdScene::new().await;
    let token = scene.provider.token().sign();
    scene.administer(&token).await.has_status(200);
    let stranger = SigningKey::new("unknown", "ES256");
    let flood = (0..300).map(|n| {
        let token = scene.provider.token();
        let header = json!(format!("unknown-{n}"));
        let forged =
            crate::support::oidc::Forge::new(&stranger, token.claims).header("kid", header);
        let scene = &scene;
        async move { scene.ask(&forged.sign()).await }
    });
    for answer in futures_util::future::join_all(flood).await {
        assert_eq!(answer.status, 401, "{}", answer.tell());
    }
    assert_eq!(scene.provider.key_fetches(), 2, "one at first, and one for all of the flood");
    scene.administer(&token).await.has_status(200);
}

#[tokio::test]
async fn two_issuers_each_speak_with_their_own_keys() {
    let (one, two) = (OpenIdProvider::start().await, OpenIdProvider::start().await);
    let entries = json!([one.entry(&["acme"]), two.entry(&["acme"])]);
    let gateway = crate::support::Gateway::configured().set("auth.issuers", entries).start().await;
    let ask =
        async |token: &str| gateway.caller(token).get("/api/llm-gateway/admin/users").await.status;
    assert_eq!(ask(&one.token().sign()).await, 200);
    assert_eq!(ask(&two.token().sign()).await, 200);
    let impostor = crate::support::oidc::Forge::new(&two.key(), one.token().claims);
    assert_eq!(ask(&impostor.sign()).await, 401, "the other's key");
    assert_eq!(ask(&impostor.header("kid", one.key().kid.into()).sign()).await, 401);
}

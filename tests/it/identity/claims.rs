//! What tokens say, in the shapes in which identity providers say it.

use serde_json::{Value, json};

use super::IdScene;

#[tokio::test]
async fn keycloaks_token_is_understood_as_it_is() {
    let scene = IdScene::new().await;
    let token = scene.provider.token().sign();
    let ann = scene.entry(&token, "9c0b6c1e-ann").await;
    assert_eq!(ann["issuer"], scene.provider.issuer());
    assert_eq!(ann["email"], "ann@acme.test");
    assert_eq!(ann["roles"], json!(["offline_access", "admin"]));
    assert_eq!(ann["groups"], json!(["research", "research/llm"]));
    assert_eq!(ann["groups_override"], Value::Null);
}

#[tokio::test]
async fn an_issuer_with_a_trailing_slash_is_the_same_issuer() {
    let scene = IdScene::new().await;
    let slashed = json!(format!("{}/", scene.provider.issuer()));
    let token = scene.provider.token().claim("iss", slashed).sign();
    let one = scene.entry(&token, "9c0b6c1e-ann").await;
    let other = scene.entry(&scene.provider.token().sign(), "9c0b6c1e-ann").await;
    assert_eq!(one["id"], other["id"]);
}

#[tokio::test]
async fn a_token_without_a_usable_role_is_a_users() {
    let scene = IdScene::new().await;
    for roles in
        [json!(null), json!({"roles": ["owner", "ADMIN"]}), json!({"roles": "x"}), json!(7)]
    {
        let token = scene.provider.token().claim("realm_access", roles.clone()).sign();
        scene.ask(&token).await.has_status(200);
        scene.administer(&token).await.refusal(403, "Forbidden");
    }
    let token = scene.provider.token().claim("realm_access", json!(null));
    scene.administer(&token.claim("roles", json!(["admin"])).sign()).await.has_status(200);
}

#[tokio::test]
async fn no_issuer_gives_more_than_its_greatest_role() {
    let superadmin = json!({"roles": ["superadmin"]});
    let scene = IdScene::new().await;
    let token = scene.provider.token().claim("realm_access", superadmin.clone()).sign();
    let ann = scene.entry(&token, "9c0b6c1e-ann").await;
    assert_eq!(ann["roles"], json!(["admin"]), "the default is admin");
    scene.gateway.admin("globex");
    let visiting = scene.holder(&token).with("x-turnpike-org", "globex");
    visiting.get("/api/llm-gateway/admin/users").await.refusal(403, "Forbidden");

    let scene = IdScene::with(json!({"max_role": "user"})).await;
    let token = scene.provider.token().claim("realm_access", superadmin).sign();
    scene.ask(&token).await.has_status(200);
    scene.administer(&token).await.refusal(403, "Forbidden");
}

#[tokio::test]
async fn claims_are_read_where_the_configuration_says() {
    let scene = IdScene::with(json!({
        "org_claim": "tenant.name",
        "roles_claim": "resource_access.turnpike.roles",
        "groups_claim": "https://acme.test/teams",
        "email_claim": "contact.mail",
    }))
    .await;
    let token = scene
        .provider
        .token()
        .claim("organization", json!(null))
        .claim("realm_access", json!(null))
        .claim("tenant", json!({"name": "acme"}))
        .claim("resource_access", json!({"turnpike": {"roles": ["admin"]}}))
        .claim("https://acme.test/teams", json!(["blue"]))
        .claim("contact", json!({"mail": "ann@other.test"}));
    let ann = scene.entry(&token.sign(), "9c0b6c1e-ann").await;
    assert_eq!(ann["email"], "ann@other.test");
    assert_eq!(ann["groups"], json!(["blue"]));
    let elsewhere = scene.provider.token().claim("roles", json!(["admin"]));
    scene.ask(&elsewhere.sign()).await.refusal(401, "Unauthorized");
}

#[tokio::test]
async fn odd_claims_are_no_reason_to_fail() {
    let scene = IdScene::new().await;
    for (name, value) in [
        ("email", json!(7)),
        ("email", json!("a\u{0}b@acme.test")),
        ("email", json!("x".repeat(5000))),
        ("groups", json!({"a": 1})),
        ("groups", json!(["\u{0}", "", 7, null, ["x"], "x".repeat(3000)])),
        ("roles", json!([["admin"], {"admin": true}])),
        ("realm_access", json!([])),
        ("nested", json!([[[[[[[[{}]]]]]]]])),
        ("sub", json!("é😀 \u{202e}x")),
    ] {
        let answer = scene.ask(&scene.provider.token().claim(name, value.clone()).sign()).await;
        assert_eq!(answer.status, 200, "{name} {value}: {}", answer.tell());
    }
}

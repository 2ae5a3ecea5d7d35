//! For which organizations an issuer may speak.

use serde_json::{Value, json};

use super::IdScene;
use crate::support::{Gateway, oidc::OpenIdProvider};

const ORG: &str = "6f1c1d0e-7c53-4a38-9a4e-0d4f3d2b1a00";

/// A gateway whose one issuer may speak for these.
async fn speaking_for(organizations: &[&str], more: Value) -> IdScene {
    let provider = OpenIdProvider::start().await;
    let mut all = more;
    all["organizations"] = json!(organizations);
    IdScene::trusting(provider, all).await
}

async fn status(scene: &IdScene, organization: Value) -> u16 {
    let token = scene.provider.token().claim("organization", organization);
    scene.administer(&token.sign()).await.status
}

#[tokio::test]
async fn an_issuer_speaks_for_its_organizations_and_no_other() {
    let scene = speaking_for(&["acme", "umbrella"], json!({})).await;
    scene.gateway.admin("globex");
    assert_eq!(status(&scene, json!("acme")).await, 200);
    assert_eq!(status(&scene, json!(["umbrella"])).await, 200);
    for other in [json!("globex"), json!("Acme"), json!("new"), json!({"globex": {"id": ORG}})] {
        assert_eq!(status(&scene, other.clone()).await, 401, "{other}");
    }
    for none in [json!(null), json!(""), json!([]), json!({}), json!(7)] {
        assert_eq!(status(&scene, none.clone()).await, 401, "{none}");
    }
}

#[tokio::test]
async fn a_token_cannot_reach_another_organization_by_its_id() {
    let scene = speaking_for(&["acme"], json!({})).await;
    let globex = scene.gateway.org("globex").provider("p").at_url("http://127.0.0.1:9").await;
    let id = globex.row["org_id"].as_str().unwrap();
    assert_eq!(status(&scene, json!({"acme": {"id": id}})).await, 401);
    assert_eq!(status(&scene, json!(id)).await, 401);
    let token = scene.provider.token().claim("organization_id", json!(id));
    scene.administer(&token.sign()).await.refusal(401, "Unauthorized");
}

#[tokio::test]
async fn an_organization_that_exists_is_found_by_name_and_by_id() {
    let scene = speaking_for(&["*"], json!({})).await;
    let acme = scene.gateway.org("acme").provider("p").at_url("http://127.0.0.1:9").await;
    let id = acme.row["org_id"].as_str().unwrap();
    for claim in
        [json!("acme"), json!(id), json!({"acme": {"id": id}}), json!({"acme": {"id": ORG}})]
    {
        let token = scene.provider.token().claim("organization", claim.clone()).sign();
        let listed = scene.holder(&token).get("/api/llm-gateway/admin/providers").await;
        assert_eq!(listed.has_status(200).json()[0]["id"], json!(acme.id), "{claim}");
    }
}

#[tokio::test]
async fn an_organization_that_the_issuer_may_name_is_made_under_the_tokens_id_and_name() {
    let scene = speaking_for(&["acme"], json!({})).await;
    let token = scene.provider.token().sign();
    let made = scene.holder(&token).post(
        "/api/llm-gateway/admin/connections",
        json!({"name": "c", "model_provider": "openai", "api_key": "sk-1"}).to_string(),
    );
    assert_eq!(made.await.has_status(200).json()["org_id"], ORG);
    let listed = scene.gateway.admin("acme").get("/admin/connections").await.json();
    assert_eq!(listed[0]["org_id"], ORG, "turnpike token knows it by name");
}

#[tokio::test]
async fn of_several_organizations_the_caller_chooses_one() {
    let scene = speaking_for(&["acme", "umbrella"], json!({})).await;
    scene.gateway.admin("globex");
    let several = json!(["acme", "umbrella", "globex"]);
    let token = scene.provider.token().claim("organization", several).sign();
    let message = scene.administer(&token).await.refusal(400, "BadRequest");
    assert!(message.contains("x-turnpike-org"), "{message}");
    let choose = async |name: &str| {
        let caller = scene.holder(&token).with("x-turnpike-org", name);
        caller.get("/api/llm-gateway/admin/users").await.status
    };
    assert_eq!(choose("acme").await, 200);
    assert_eq!(choose("umbrella").await, 200);
    assert_eq!(choose("globex").await, 403);
    assert_eq!(choose("nowhere").await, 403);
}

#[tokio::test]
async fn a_superadmin_of_an_issuer_gets_as_far_as_the_issuers_word() {
    let root = json!({"roles": ["superadmin"]});
    for (organizations, reached) in [(vec!["acme", "umbrella"], 403), (vec!["*"], 200)] {
        let scene = speaking_for(&organizations, json!({"max_role": "superadmin"})).await;
        scene.gateway.admin("umbrella");
        scene.gateway.admin("globex");
        let token = scene.provider.token().claim("realm_access", root.clone()).sign();
        let visit = async |name: &str| {
            let caller = scene.holder(&token).with("x-turnpike-org", name);
            caller.get("/api/llm-gateway/admin/users").await.status
        };
        assert_eq!(visit("umbrella").await, 200);
        assert_eq!(visit("globex").await, reached, "{organizations:?}");
        assert_eq!(visit("nowhere").await, 404);
    }
}

#[tokio::test]
async fn the_gateways_own_issuer_works_beside_the_others() {
    let scene = IdScene::new().await;
    let own = scene.gateway.token("acme", "ann", "admin", &[]);
    scene.administer(&own).await.has_status(200);
    let foreign =
        scene.provider.token().claim("iss", json!("turnpike")).claim("aud", json!("turnpike"));
    scene.administer(&foreign.sign()).await.refusal(401, "Unauthorized");
    let gateway = Gateway::start().await;
    let unknown = gateway.caller(&scene.provider.token().sign());
    unknown.get("/api/llm-gateway/admin/users").await.refusal(401, "Unauthorized");
}

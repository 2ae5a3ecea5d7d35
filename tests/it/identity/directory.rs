//! The directory of users, and the groups that count for their keys.

use serde_json::{Value, json};

use super::IdScene;
use crate::support::{Caller, Gateway, Org, oidc::Forge};

const SUBJECT: &str = "9c0b6c1e-ann";

/// Sends a request with the key; gives the groups in its usage record.
async fn groups_of(acme: &Org, key: &Caller) -> Value {
    let id = uuid::Uuid::new_v4().to_string();
    key.with("x-request-id", &id).chat("nothing").await.has_status(404);
    acme.record_of(&id).await["group_names"].clone()
}

/// A scene with a key of ann's own.
async fn with_key() -> (IdScene, Org, Caller, String) {
    let scene = IdScene::new().await;
    let token = scene.provider.token().sign();
    let acme = Org::new(crate::support::Admin::new(scene.holder(&token)));
    let made = acme.post("/user/api-keys", json!({"name": "own"})).await.has_status(200).json();
    let key = scene.holder(made["key"].as_str().unwrap());
    let id = scene.entry(&token, SUBJECT).await["id"].as_str().unwrap().to_owned();
    (scene, acme, key, id)
}

#[tokio::test]
async fn a_users_id_stays_whatever_else_changes() {
    let scene = IdScene::new().await;
    let first = scene.entry(&scene.provider.token().sign(), SUBJECT).await;
    let id = first["id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap();
    assert_eq!(id.get_version_num(), 4);
    let changed = scene
        .provider
        .token()
        .claim("email", json!("other@acme.test"))
        .claim("groups", json!(["ops"]))
        .claim("roles", json!(["admin"]))
        .sign();
    let second = scene.entry(&changed, SUBJECT).await;
    assert_eq!(second["id"], first["id"]);
    assert_eq!(second["email"], "other@acme.test");
    assert_eq!(second["groups"], json!(["ops"]));
    assert!(second["last_seen_at"].as_str() >= first["last_seen_at"].as_str());
}

#[tokio::test]
async fn an_address_never_links_two_accounts() {
    let scene = IdScene::new().await;
    let ann = scene.provider.token().sign();
    let namesake = scene.provider.token().claim("sub", json!("someone-else")).sign();
    let own = scene.gateway.token("acme", "ann@acme.test", "admin", &[]);
    let ids: Vec<Value> = [
        scene.entry(&ann, SUBJECT).await,
        scene.entry(&namesake, "someone-else").await,
        scene.entry(&own, "ann@acme.test").await,
    ]
    .iter()
    .map(|user| {
        assert_eq!(user["email"], "ann@acme.test");
        user["id"].clone()
    })
    .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    let made = scene.holder(&ann).post("/api/llm-gateway/user/api-keys", r#"{"name":"own"}"#).await;
    made.has_status(200);
    let keys = scene.ask(&namesake).await.has_status(200).json();
    assert_eq!(keys, json!([]), "one does not see the other's keys");
}

#[tokio::test]
async fn the_same_subject_of_another_issuer_or_organization_is_someone_else() {
    let (one, two) = (
        crate::support::oidc::OpenIdProvider::start().await,
        crate::support::oidc::OpenIdProvider::start().await,
    );
    let entries = json!([one.entry(&["acme", "umbrella"]), two.entry(&["acme"])]);
    let gateway = Gateway::configured().set("auth.issuers", entries).start().await;
    let ids = async |token: Forge| {
        let users = gateway.caller(&token.sign()).get("/api/llm-gateway/admin/users").await;
        let users = users.has_status(200).json();
        users.as_array().unwrap().iter().map(|user| user["id"].clone()).collect::<Vec<_>>()
    };
    let first = ids(one.token()).await;
    let both = ids(two.token()).await;
    assert_eq!((first.len(), both.len()), (1, 2));
    assert!(both.contains(&first[0]));
    let elsewhere = ids(one.token().claim("organization", json!("umbrella"))).await;
    assert_eq!(elsewhere.len(), 1, "users of another organization are not listed");
    assert!(!both.contains(&elsewhere[0]));
}

#[tokio::test]
async fn a_key_has_the_groups_of_its_user_as_last_seen() {
    let (scene, acme, key, _) = with_key().await;
    assert_eq!(groups_of(&acme, &key).await, json!(["research", "research/llm"]));
    let moved = scene.provider.token().claim("groups", json!(["/ops"])).sign();
    scene.ask(&moved).await.has_status(200);
    assert_eq!(groups_of(&acme, &key).await, json!(["ops"]));
}

#[tokio::test]
async fn an_override_is_in_force_at_once_and_holds_until_it_is_taken_away() {
    let (scene, acme, key, id) = with_key().await;
    let path = format!("/admin/users/{id}");
    assert_eq!(groups_of(&acme, &key).await, json!(["research", "research/llm"]));
    let put = async |groups: Value| {
        acme.put(&path, json!({"groups_override": groups})).await.has_status(200).json()
    };
    let changed = put(json!(["finance", "finance", "audit"])).await;
    assert_eq!(changed["groups_override"], json!(["finance", "audit"]));
    assert_eq!(changed["groups"], json!(["research", "research/llm"]), "what was seen stays told");
    assert_eq!(groups_of(&acme, &key).await, json!(["finance", "audit"]));

    let seen = scene.provider.token().claim("groups", json!(["ops"])).sign();
    scene.ask(&seen).await.has_status(200);
    assert_eq!(
        groups_of(&acme, &key).await,
        json!(["finance", "audit"]),
        "a token changes nothing"
    );

    assert_eq!(put(json!([])).await["groups_override"], json!([]));
    assert_eq!(groups_of(&acme, &key).await, json!([]));

    let kept = acme.put(&path, json!({})).await.has_status(200).json();
    assert_eq!(kept["groups_override"], json!([]), "left out it keeps its value");
    assert_eq!(put(Value::Null).await["groups_override"], Value::Null);
    let last_seen = scene.entry(&acme.caller.secret, SUBJECT).await["groups"].clone();
    assert_eq!(groups_of(&acme, &key).await, last_seen);
}

#[tokio::test]
async fn an_override_grants_no_role() {
    let (scene, acme, _, id) = with_key().await;
    let user = scene.provider.token().claim("realm_access", json!(null)).sign();
    let body = json!({"groups_override": ["admin", "superadmin"], "roles": ["superadmin"]});
    let after = acme.put(&format!("/admin/users/{id}"), body).await.has_status(200).json();
    assert_ne!(after["roles"], json!(["superadmin"]));
    scene.administer(&user).await.refusal(403, "Forbidden");
}

#[tokio::test]
async fn a_wrong_override_is_refused_and_changes_nothing() {
    let (_scene, acme, _, id) = with_key().await;
    let path = format!("/admin/users/{id}");
    for wrong in [
        json!("ops"),
        json!({}),
        json!(7),
        json!([7]),
        json!([""]),
        json!([" "]),
        json!([null]),
        json!(["a\u{0}b"]),
        json!(["x".repeat(257)]),
        json!(vec!["x"; 1001]),
    ] {
        let answer = acme.put(&path, json!({"groups_override": wrong})).await;
        let message = answer.refusal(400, "BadRequest");
        assert!(message.contains("groups_override"), "{message}");
    }
    let unknown = format!("/admin/users/{}", uuid::Uuid::new_v4());
    acme.put(&unknown, json!({"groups_override": []})).await.refusal(404, "NotFound");
    let users = acme.get("/admin/users").await.json();
    assert_eq!(users[0]["groups_override"], Value::Null);
}

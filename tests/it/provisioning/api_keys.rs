//! Gateway keys, the organization's and a user's own.

use serde_json::{Value, json};

use crate::support::Scene;

#[tokio::test]
async fn a_key_is_shown_once_and_then_only_by_its_first_characters() {
    let scene = Scene::new().await;
    let made = scene.acme.create("api-keys", json!({"name": "ci", "scopes": ["a", "b"]})).await;
    let raw = made["key"].as_str().unwrap();
    assert!(raw.starts_with("bd-") && raw.len() >= 35, "{raw}");
    assert!(raw.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{raw}");
    assert_eq!(made["key_prefix"].as_str().unwrap(), &raw[..8]);
    assert_eq!(made["scopes"], json!(["a", "b"]));

    let id = made["id"].as_str().unwrap();
    let read = scene.acme.get(&format!("/admin/api-keys/{id}")).await.has_status(200);
    assert!(!read.text().contains(raw));
    assert_eq!(
        (&read.json()["name"], &read.json()["key_prefix"]),
        (&json!("ci"), &made["key_prefix"])
    );
    assert!(!scene.acme.get("/admin/api-keys").await.has_status(200).text().contains(raw));
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_and_stays_listed() {
    let scene = Scene::new().await;
    let made = scene.acme.create("api-keys", json!({"name": "ci"})).await;
    let key = scene.key.holding(made["key"].as_str().unwrap());
    let mut wire = key.connect().await;
    key.chat("fast").on(&mut wire).await.has_status(200);

    let path = format!("/admin/api-keys/{}", made["id"].as_str().unwrap());
    assert_eq!(scene.acme.delete(&path).await.has_status(200).json(), json!({"revoked": true}));
    key.chat("fast").await.has_status(401);
    key.chat("fast").on(&mut wire).await.has_status(401);

    let listed = scene.acme.get("/admin/api-keys").await.json();
    let row = listed.as_array().unwrap().iter().find(|row| row["id"] == made["id"]).unwrap();
    assert!(row["revoked_at"].is_string());
    scene
        .acme
        .delete(&format!("/admin/api-keys/{}", uuid::Uuid::new_v4()))
        .await
        .refusal(404, "NotFound");
}

#[tokio::test]
async fn a_key_is_assigned_to_a_user_or_bound_to_a_group_and_not_both() {
    let scene = Scene::new().await;
    let own = scene
        .gateway
        .user("acme", "ann@acme.test")
        .post("/user/api-keys", json!({"name": "own"}))
        .await;
    own.has_status(200);
    let keys = scene.acme.get("/admin/api-keys").await.json();
    let user =
        keys.as_array().unwrap().iter().find_map(|row| row["user_id"].as_str()).unwrap().to_owned();
    let both = json!({"name": "x", "user_id": user, "group_name": "team"});
    scene.acme.post("/admin/api-keys", both).await.refusal(400, "BadRequest");
    let group = scene.acme.create("api-keys", json!({"name": "g", "group_name": "team"})).await;
    assert_eq!(group["group_name"], "team");
    scene.acme.create("api-keys", json!({"name": "u", "user_id": user})).await;
    scene.acme.post("/admin/api-keys", json!({"name": ""})).await.refusal(400, "BadRequest");
    scene.acme.post("/admin/api-keys", json!({})).await.refusal(400, "BadRequest");
}

#[tokio::test]
async fn keys_and_users_are_searched_and_paged_and_whole_where_no_page_is_asked_for() {
    let scene = Scene::new().await;
    for n in 0..7 {
        scene.acme.create("api-keys", json!({"name": format!("Nightly {n}")})).await;
        let user = scene.gateway.user("acme", &format!("person-{n}@acme.test"));
        user.get("/user/models").await.has_status(200);
        scene.gateway.user("evil", "person@evil.test").get("/user/models").await.has_status(200);
    }
    for (path, query, found) in [
        ("/admin/api-keys", "", 8),
        ("/admin/api-keys", "q=nightly&state=active", 7),
        ("/admin/api-keys", "q=nightly%205", 1),
        ("/admin/api-keys", "q=n%25y", 0),
        ("/admin/users", "", 8),
        ("/admin/users", "q=PERSON-", 7),
        ("/admin/users", "q=evil", 0),
    ] {
        let whole = scene.acme.get(&format!("{path}?{query}")).await.has_status(200);
        assert_eq!(whole.header("x-next-cursor"), None);
        let whole = whole.json().as_array().unwrap().clone();
        assert_eq!(whole.len(), found, "{path}?{query}");
        let mut paged = Vec::new();
        let mut page = format!("{path}?{query}&limit=3");
        loop {
            let answer = scene.acme.get(&page).await.has_status(200);
            paged.extend(answer.json().as_array().unwrap().iter().cloned());
            let Some(cursor) = answer.header("x-next-cursor") else { break };
            page = format!("{path}?{query}&limit=3&cursor={cursor}");
        }
        let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&paged), ids(&whole), "{path}?{query}");
    }
    let foreign = scene.gateway.org("evil").get("/admin/users?limit=1").await.has_status(200);
    let cursor = foreign.header("x-next-cursor").unwrap();
    let answer = scene.acme.get(&format!("/admin/users?cursor={cursor}")).await;
    assert!(answer.refusal(400, "BadRequest").starts_with("cursor must be"));
}

#[tokio::test]
async fn a_user_makes_sees_and_revokes_only_own_keys() {
    let scene = Scene::new().await;
    let ann = scene.gateway.user("acme", "ann@acme.test");
    let bob = scene.gateway.user("acme", "bob@acme.test");
    let made = ann.post("/user/api-keys", json!({"name": "mine"})).await.has_status(200).json();
    scene.key.holding(made["key"].as_str().unwrap()).chat("fast").await.has_status(200);

    let listed = ann.get("/user/api-keys").await.has_status(200).json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "organization keys are not the user's");
    assert!(listed[0]["user_id"].is_string());
    assert_eq!(bob.get("/user/api-keys").await.json(), json!([]));

    let path = format!("/user/api-keys/{}", made["id"].as_str().unwrap());
    bob.delete(&path).await.refusal(404, "NotFound");
    assert_eq!(ann.delete(&path).await.has_status(200).json(), json!({"revoked": true}));
    scene.key.holding(made["key"].as_str().unwrap()).chat("fast").await.has_status(401);
}

#[tokio::test]
async fn a_user_sees_the_models_that_may_be_named() {
    let scene = Scene::new().await;
    let models = scene
        .gateway
        .user("acme", "ann@acme.test")
        .get("/user/models")
        .await
        .has_status(200)
        .json();
    let ids: Vec<_> =
        models.as_array().unwrap().iter().filter_map(|model| model["id"].as_str()).collect();
    assert!(ids.contains(&"fast") && ids.contains(&"smart"), "{ids:?}");
}

//! `/admin/api-keys`, `/user/api-keys` and `/user/models`

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::desk::{Client, Desk, find, id};
use crate::{
    auth::{KeyRefusal, token},
    domain::Role,
};

const PATH: &str = "/admin/api-keys";

#[tokio::test]
async fn a_key_works_is_shown_once_and_stops_when_revoked() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let body = json!({"name": "ci", "scopes": ["chat"], "group_name": "ops"});
    let answer = acme.post(PATH, body).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let made = answer.ok();
    let key = made["key"].as_str().unwrap().to_owned();
    assert_eq!(made["key_prefix"], key[..8]);
    assert_eq!(made["scopes"], json!(["chat"]));
    let principal = desk.api_keys.verify(&key).await.unwrap();
    assert_eq!(&*principal.groups, ["ops"]);

    let path = format!("{PATH}/{}", id(&made));
    let seen = acme.get(&path).await.ok();
    assert_eq!(seen.get("key"), None);
    assert_eq!(seen["group_name"], "ops");
    assert_eq!(seen["user_id"], Value::Null);
    assert_eq!(seen["revoked_at"], Value::Null);
    assert!(!acme.get(PATH).await.ok().to_string().contains(&key));

    assert_eq!(acme.delete(&path).await.ok(), json!({"revoked": true}));
    assert!(matches!(desk.api_keys.verify(&key).await, Err(KeyRefusal::Revoked(_))));
    let listed = acme.get(PATH).await.ok();
    assert_ne!(find(&listed, &id(&made))["revoked_at"], Value::Null);
    assert_eq!(acme.delete(&path).await.ok(), json!({"revoked": true}));
}

#[tokio::test]
async fn keys_are_searched_and_paged() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    for name in ["one", "two", "three"] {
        acme.post(PATH, json!({"name": name})).await.ok();
    }
    acme.post("/user/api-keys", json!({"name": "own"})).await.ok();
    let names = |body: &Value| -> Vec<String> {
        let rows = body.as_array().unwrap().iter();
        rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let whole = acme.get(PATH).await;
    assert!(!whole.headers.contains_key("x-next-cursor"));
    let whole = names(&whole.ok());
    assert_eq!(whole.len(), 4);
    let first = acme.get(&format!("{PATH}?limit=3")).await;
    let cursor = first.headers["x-next-cursor"].to_str().unwrap().to_owned();
    assert_eq!(names(&first.ok()), whole[..3]);
    let last = acme.get(&format!("{PATH}?cursor={cursor}")).await;
    assert!(!last.headers.contains_key("x-next-cursor"));
    assert_eq!(names(&last.ok()), whole[3..]);
    assert_eq!(names(&acme.get(&format!("{PATH}?q=THR&state=active")).await.ok()), ["three"]);
    assert_eq!(names(&acme.get(&format!("{PATH}?state=ended")).await.ok()), [""; 0]);
    assert_eq!(names(&acme.get("/user/api-keys?q=o&limit=1").await.ok()), ["own"]);
    assert_eq!(names(&desk.admin("evil").await.get(&format!("{PATH}?q=o")).await.ok()), [""; 0]);
}

#[tokio::test]
async fn a_parameter_of_the_list_that_is_wrong_is_named() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let long = format!("q={}", "x".repeat(257));
    for path in [PATH, "/user/api-keys", "/admin/users"] {
        for (query, expected) in [
            ("limit=0", "limit must be between 1 and 500"),
            ("limit=501", "limit must be between 1 and 500"),
            ("cursor=x", "cursor must be"),
            (&long, "q must have at most 256 characters"),
            ("q=a%00", "q must not contain the character U+0000"),
            ("q=a&q=b", "duplicate field `q`"),
        ] {
            let message = acme.get(&format!("{path}?{query}")).await.refused(400, "BadRequest");
            assert!(message.contains(expected), "{path} {query}: {message}");
        }
    }
    let message = acme.get(&format!("{PATH}?state=x")).await.refused(400, "BadRequest");
    assert_eq!(message, "state must be active or ended");
}

#[tokio::test]
async fn a_key_is_for_a_user_or_a_group_or_neither() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let me = acme.post("/user/api-keys", json!({"name": "own"})).await.ok()["user_id"].clone();
    let both = json!({"name": "k", "user_id": me, "group_name": "ops"});
    let message = acme.post(PATH, both).await.refused(400, "BadRequest");
    assert!(message.contains("exclude each other"), "{message}");
    let assigned = acme.post(PATH, json!({"name": "k", "user_id": me})).await.ok();
    assert_eq!(assigned["user_id"], me);
    acme.post(PATH, json!({"name": "service"})).await.ok();
    let nobody = json!({"name": "k", "user_id": Uuid::new_v4()});
    acme.post(PATH, nobody).await.refused(400, "BadRequest");
    let foreign = json!({"name": "k", "user_id": me});
    desk.admin("evil").await.post(PATH, foreign).await.refused(400, "BadRequest");
    acme.post(PATH, json!({"name": "k", "group_name": ""})).await.refused(400, "BadRequest");
    acme.post(PATH, json!({"name": ""})).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn an_end_must_lie_ahead() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let body = |end: &str| json!({"name": "k", "expires_at": end});
    let message = acme.post(PATH, body("2020-01-01T00:00:00Z")).await.refused(400, "BadRequest");
    assert!(message.contains("expires_at must be in the future"), "{message}");
    let message = acme.post(PATH, body("soon")).await.refused(400, "BadRequest");
    assert!(message.contains("expires_at"), "{message}");
    let made = acme.post(PATH, body("2099-01-01T00:00:00Z")).await.ok();
    assert_eq!(made["expires_at"], "2099-01-01T00:00:00Z");
}

#[tokio::test]
async fn a_user_sees_and_revokes_own_keys_only() {
    let desk = Desk::open().await;
    let ada = desk.admin("acme").await;
    let bob = desk.user("acme", "bob").await;
    let org_key = id(&ada.post(PATH, json!({"name": "org"})).await.ok());
    let adas = id(&ada.post("/user/api-keys", json!({"name": "ada"})).await.ok());
    let bobs = bob.post("/user/api-keys", json!({"name": "bob"})).await.ok();
    let key = bobs["key"].as_str().unwrap();
    assert_eq!(&*desk.api_keys.verify(key).await.unwrap().groups, ["research"]);

    let listed = bob.get("/user/api-keys").await.ok();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["id"], bobs["id"]);
    let unknown = bob.delete(&format!("/user/api-keys/{}", Uuid::new_v4())).await;
    assert_eq!(unknown.status, 404);
    for foreign in [org_key, adas] {
        assert_eq!(bob.delete(&format!("/user/api-keys/{foreign}")).await, unknown);
    }
    let own = format!("/user/api-keys/{}", id(&bobs));
    assert_eq!(bob.delete(&own).await.ok(), json!({"revoked": true}));
    assert!(matches!(desk.api_keys.verify(key).await, Err(KeyRefusal::Revoked(_))));
    assert_eq!(ada.get(PATH).await.ok().as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_users_key_has_the_groups_of_the_users_latest_token_at_once() {
    let desk = Desk::open().await;
    let bob = desk.user("acme", "bob").await;
    let made = bob.post("/user/api-keys", json!({"name": "bob"})).await.ok();
    let key = made["key"].as_str().unwrap();
    assert_eq!(&*desk.api_keys.verify(key).await.unwrap().groups, ["research"]);
    let (groups, hour) = (["ops".to_owned()], Duration::from_secs(3600));
    let token = token(&desk.store, &desk.keyring, "acme", "bob", Role::User, &groups, hour);
    let moved = Client { desk: &desk, token: token.await.unwrap() };
    moved.get("/user/api-keys").await.ok();
    assert!(desk.api_keys.cached(key).is_none());
    assert_eq!(&*desk.api_keys.verify(key).await.unwrap().groups, ["ops"]);
}

#[tokio::test]
async fn a_user_sees_the_models_that_can_be_called() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &["m"]).await;
    acme.mapping(&provider, "fast", "m").await;
    let bob = desk.user("acme", "bob").await;
    let listed = bob.get("/user/models").await.ok();
    let ids: Vec<&str> =
        listed.as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"fast"), "{ids:?}");
    assert!(ids.contains(&"p/m"), "{ids:?}");
    acme.put(&format!("/admin/providers/{provider}"), json!({"enabled": false})).await.ok();
    assert_eq!(bob.get("/user/models").await.ok(), json!([]));
}

#[tokio::test]
async fn the_e_mail_of_a_key_is_what_was_given_else_its_users() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let given = json!({"name": "k", "user_email": "robot@example.org"});
    let given = acme.post("/admin/api-keys", given).await.ok();
    assert_eq!(given["user_email"], "robot@example.org");
    let admin = &given["created_by_user_id"];
    let own = acme.post("/admin/api-keys", json!({"name": "k", "user_id": admin})).await.ok();
    assert_eq!(own["user_email"], "ada@example.org");
    let service = acme.post("/admin/api-keys", json!({"name": "k"})).await.ok();
    assert_eq!(service["user_email"], json!(null));
    for wrong in ["", "nobody", "@", "a@", "@b"] {
        let body = json!({"name": "k", "user_email": wrong});
        let message = acme.post("/admin/api-keys", body).await.refused(400, "BadRequest");
        assert!(message.contains("user_email"), "{message}");
    }
}

//! What is changed on one replica is so on all.

use std::time::Duration;

use serde_json::json;

use super::fleet::Fleet;
use crate::support::until;

/// Within which a change reaches every replica (contract 3).
const BOUND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_key_that_is_revoked_on_one_is_refused_on_all_within_a_second() {
    let fleet = Fleet::new().await;
    let mut took = Vec::new();
    for _ in 0..9 {
        let (id, key) = fleet.new_key().await;
        fleet.everywhere(&key, "fast", 200).await;
        fleet.revoke(&id).await;
        fleet.replicas[0].caller(&key).chat("fast").await.has_status(401);
        took.push(fleet.everywhere(&key, "fast", 401).await);
    }
    took.sort();
    assert!(took[8] < BOUND, "{took:?}");
    // Who looks once a second finds out later than that more often than not.
    assert!(took[4] < BOUND / 3, "changes are not announced: {took:?}");
}

#[tokio::test]
async fn a_key_that_is_made_on_one_works_on_the_others_at_once() {
    let fleet = Fleet::new().await;
    for _ in 0..5 {
        let (_, key) = fleet.new_key().await;
        for caller in fleet.callers(&key) {
            caller.chat("fast").await.has_status(200);
        }
    }
}

#[tokio::test]
async fn routes_and_providers_change_everywhere() {
    let fleet = Fleet::new().await;
    let key = &fleet.key.secret;
    let routes = fleet.acme.alias("new", &[(&fleet.provider, "gpt-4o")]).await;
    assert!(fleet.everywhere(key, "new", 200).await < BOUND);

    let path = format!("/admin/model-mappings/{}", routes[0]["id"].as_str().unwrap());
    fleet.acme.delete(&path).await.has_status(200);
    assert!(fleet.everywhere(key, "new", 404).await < BOUND);

    fleet.provider.put(json!({"api_key": "sk-another-vendor-key"})).await.has_status(200);
    let before = fleet.openai.saw().len();
    until("every replica shows the vendor the new key", async || {
        for caller in fleet.callers(key) {
            caller.chat("fast").await.has_status(200);
        }
        let calls = fleet.openai.saw();
        let mut last = calls[before..].iter().rev().take(3);
        last.all(|call| call.header("authorization") == Some("Bearer sk-another-vendor-key"))
            .then_some(())
    })
    .await;

    fleet.provider.put(json!({"enabled": false})).await.has_status(200);
    fleet.everywhere(key, "fast", 404).await;
}

#[tokio::test]
async fn a_user_who_changes_groups_has_the_new_ones_on_every_replica() {
    let fleet = Fleet::new().await;
    let seen_with = |groups: &[&str]| {
        let flags: Vec<&str> = groups.iter().flat_map(|group| ["--group", *group]).collect();
        let token = fleet.replicas[0].token("acme", "ada@acme.test", "user", &flags);
        fleet.replicas[0].caller(&token)
    };
    let ada = crate::support::Admin::new(seen_with(&["research"]));
    let made = ada.post("/user/api-keys", json!({"name": "own"})).await.has_status(200).json();
    let key = made["key"].as_str().unwrap();
    fleet.everywhere(key, "fast", 200).await;

    let again = crate::support::Admin::new(seen_with(&["platform"]));
    again.get("/user/api-keys").await.has_status(200);
    let acme = fleet.acme_at(1);
    for caller in fleet.callers(key) {
        until("the record names the new group", async || {
            let id = format!("g-{}", uuid::Uuid::new_v4());
            caller.chat("fast").header("x-request-id", &id).await.has_status(200);
            let record = acme.record_of(&id).await;
            (record["group_names"] == json!(["platform"])).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_token_that_any_replica_makes_is_taken_by_all() {
    let fleet = Fleet::new().await;
    for (maker, org) in [(0, "acme"), (1, "globex"), (2, "initech")] {
        let token = fleet.replicas[maker].token(org, "admin@example.test", "admin", &[]);
        for caller in fleet.callers(&token) {
            crate::support::Admin::new(caller).get("/admin/providers").await.has_status(200);
        }
    }
}

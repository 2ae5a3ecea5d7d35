//! Every change is recorded with who, what and by which request; secrets are not.

use serde_json::{Value, json};

use super::desk::{Client, Desk, id};
use crate::domain::Role;

async fn entries(client: &Client<'_>, query: &str) -> Vec<Value> {
    let page = client.get(&format!("/admin/audit?{query}")).await.ok();
    page["data"].as_array().expect("data").clone()
}

#[tokio::test]
async fn a_change_is_recorded_as_the_api_showed_it_before_and_shows_it_after() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let made = acme
        .post(
            "/admin/connections",
            json!({"name": "c", "model_provider": "openai", "api_key": "sk-first"}),
        )
        .await
        .ok();
    let path = format!("/admin/connections/{}", id(&made));
    let renamed = acme.put(&path, json!({"name": "d"})).await.ok();
    let rotated = acme.put(&path, json!({"api_key": "sk-second"})).await.ok();
    acme.delete(&path).await.ok();

    let found = entries(&acme, "resource=connection").await;
    let actions: Vec<&str> = found.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    let expected =
        ["delete", "update", "update", "create"].map(|verb| format!("connection.{verb}"));
    assert_eq!(actions, expected);
    let [deleted, rotation, rename, creation] = found.as_slice() else { panic!("{found:?}") };
    let secret = |mut view: Value| {
        view["credentials"] = json!("changed");
        view
    };
    assert_eq!(creation["before"], json!(null));
    assert_eq!(creation["after"], secret(made.clone()));
    assert_eq!((&rename["before"], &rename["after"]), (&made, &renamed));
    assert_eq!((&rotation["before"], &rotation["after"]), (&renamed, &secret(rotated.clone())));
    assert_eq!((&deleted["before"], &deleted["after"]), (&rotated, &json!(null)));
    for entry in &found {
        assert_eq!(entry["user"], "ada@example.org");
        assert_eq!(entry["org_id"], made["org_id"]);
        assert_eq!(entry["resource_id"], made["id"]);
        assert_eq!(entry["request_id"], "desk");
        assert!(!entry.to_string().contains("sk-"), "{entry}");
    }
}

#[tokio::test]
async fn a_model_that_is_switched_off_was_on_before() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    acme.provider("p", &["m"]).await;
    let model = acme.get("/admin/model-mappings").await.ok()[0].clone();
    let path = format!("/admin/model-mappings/{}", id(&model));
    acme.put(&path, json!({"enabled": false})).await.ok();
    let found = entries(&acme, "resource=model_mapping").await;
    let told = |side: &str| [&found[0][side]["enabled"], &found[0][side]["model_enabled"]];
    assert_eq!(told("before"), [&json!(true), &json!(true)]);
    assert_eq!(told("after"), [&json!(false), &json!(false)]);
}

#[tokio::test]
async fn what_was_refused_is_not_recorded() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    acme.provider("p", &[]).await;
    let before = entries(&acme, "").await;
    let taken = json!({"name": "p", "model_provider": "openai", "api_key": "sk-1"});
    acme.post("/admin/providers", taken).await.refused(409, "Conflict");
    acme.post("/admin/providers", json!({"name": 5})).await.refused(400, "BadRequest");
    acme.delete(&format!("/admin/providers/{}", uuid::Uuid::new_v4()))
        .await
        .refused(404, "NotFound");
    assert_eq!(entries(&acme, "").await, before);
}

#[tokio::test]
async fn entries_are_filtered_and_paged_newest_first() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    for name in ["a", "b", "c", "d", "e"] {
        acme.provider(name, &[]).await;
    }
    let bob = desk.user("acme", "bob").await;
    bob.post("/user/api-keys", json!({"name": "k"})).await.ok();

    let all = entries(&acme, "").await;
    assert_eq!(all.len(), 6);
    assert_eq!(all[0]["action"], "api_key.create");
    let mut paged = Vec::new();
    let mut query = "limit=4".to_owned();
    loop {
        let page = acme.get(&format!("/admin/audit?{query}")).await.ok();
        paged.extend(page["data"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=4&cursor={cursor}");
    }
    assert_eq!(paged, all);

    let bobs = all[0]["user_id"].as_str().unwrap();
    for by_bob in [format!("user={bobs}"), "user=bob".to_owned(), "resource=api_key".to_owned()] {
        assert_eq!(entries(&acme, &by_bob).await, all[..1], "{by_bob}");
    }
    assert_eq!(entries(&acme, "action=provider.create").await, all[1..]);
    let third = all[3]["resource_id"].as_str().unwrap();
    assert_eq!(entries(&acme, &format!("resource_id={third}")).await, all[3..4]);
    let moment = all[2]["ts"].as_str().unwrap();
    assert_eq!(entries(&acme, &format!("from={moment}")).await, all[..3]);
    assert_eq!(entries(&acme, &format!("to={moment}")).await, all[3..]);
    assert_eq!(entries(&acme, "user=nobody").await, all[..0]);
}

#[tokio::test]
async fn another_organizations_changes_are_not_shown() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    acme.provider("p", &[]).await;
    assert_eq!(entries(&desk.admin("evil").await, "").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_superadmins_change_is_recorded_where_it_was_made() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let token = desk.token("ops", "root@example.org", Role::Superadmin).await;
    let root = Client { desk: &desk, token };
    let body = json!({"name": "p", "model_provider": "openai", "api_key": "sk-1"});
    let mut request = root.request("POST", "/admin/providers", body.to_string().into());
    request.headers_mut().insert("x-turnpike-org", "acme".parse().unwrap());
    desk.send(request).await.ok();
    assert_eq!(entries(&acme, "").await[0]["user"], "root@example.org");
    assert_eq!(entries(&desk.admin("ops").await, "").await, Vec::<Value>::new());
}

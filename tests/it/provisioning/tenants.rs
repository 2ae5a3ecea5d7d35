//! What belongs to one organization does not exist for another.

use serde_json::{Value, json};

use crate::support::{Answer, Scene};

/// Everything about an answer that another organization could learn from.
fn shown(answer: &Answer, id: &str) -> (u16, String) {
    (answer.status, answer.text().replace(id, "ID"))
}

#[tokio::test]
async fn a_foreign_id_answers_exactly_as_one_that_does_not_exist() {
    let scene = Scene::new().await;
    let acme = &scene.acme;
    let connection = acme
        .create("connections", json!({"name": "c", "model_provider": "openai", "api_key": "k"}))
        .await;
    let key = acme.create("api-keys", json!({"name": "k"})).await;
    let route = scene.openai_provider.one_to_one("gpt-4o").await;
    let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
    let globex = scene.gateway.admin("globex").caller;

    for (method, kind, foreign) in [
        ("GET", "connections/ID", id(&connection)),
        ("PUT", "connections/ID", id(&connection)),
        ("DELETE", "connections/ID", id(&connection)),
        ("GET", "providers/ID", scene.openai_provider.id.clone()),
        ("PUT", "providers/ID", scene.openai_provider.id.clone()),
        ("DELETE", "providers/ID", scene.openai_provider.id.clone()),
        ("GET", "providers/ID/model-mappings", scene.openai_provider.id.clone()),
        ("PUT", "model-mappings/ID", id(&route)),
        ("DELETE", "model-mappings/ID", id(&route)),
        ("GET", "api-keys/ID", id(&key)),
        ("DELETE", "api-keys/ID", id(&key)),
    ] {
        let ask = async |id: &str| {
            let path = format!("/api/llm-gateway/admin/{}", kind.replace("ID", id));
            let answer = globex.ask(method, &path).json(r#"{"name":"stolen"}"#).await;
            assert_eq!(answer.status, 404, "{method} {kind}: {}", answer.tell());
            shown(&answer, id)
        };
        let nowhere = uuid::Uuid::new_v4().to_string();
        assert_eq!(ask(&foreign).await, ask(&nowhere).await, "{method} {kind}");
    }
    scene.key.chat("fast").await.has_status(200);
}

#[tokio::test]
async fn foreign_ids_in_bodies_are_not_found_either() {
    let scene = Scene::new().await;
    let globex = scene.gateway.org("globex");
    let connection = scene
        .acme
        .create("connections", json!({"name": "c", "model_provider": "openai", "api_key": "k"}))
        .await;
    let steal = json!({"name": "x", "model_provider": "openai", "connection_id": connection["id"]});
    globex.post("/admin/providers", steal).await.refusal(404, "NotFound");
    let own = globex.provider("own").at_url("https://vendor.test").model("gpt-4o").await;
    own.put(json!({"connection_id": connection["id"]})).await.refusal(404, "NotFound");
    let body =
        json!({"provider_id": scene.openai_provider.id, "model_alias": "m", "upstream_model": "m"});
    globex.post("/admin/model-mappings", body).await.refusal(404, "NotFound");
    let foreign = scene.openai_provider.one_to_one("gpt-4o").await;
    let order = json!({"entries": [{"id": foreign["id"], "priority": 99}]});
    globex.put("/admin/model-mappings/reorder", order).await.refusal(404, "NotFound");
    assert_eq!(scene.openai_provider.one_to_one("gpt-4o").await["priority"], 0);
    let keys = scene.acme.get("/admin/api-keys").await.json();
    let user = json!({"name": "x", "user_id": keys[0]["created_by_user_id"]});
    let answer = globex.post("/admin/api-keys", user).await;
    assert!([400, 404].contains(&answer.status), "{}", answer.tell());
}

#[tokio::test]
async fn lists_and_usage_hold_only_ones_own() {
    let scene = Scene::new().await;
    scene.key.chat("fast").header("x-request-id", "acme-1").await.has_status(200);
    scene.acme.record_of("acme-1").await;
    let globex = scene.gateway.org("globex");
    for kind in ["connections", "providers", "model-mappings", "api-keys"] {
        assert_eq!(
            globex.get(&format!("/admin/{kind}")).await.has_status(200).json(),
            json!([]),
            "{kind}"
        );
    }
    assert_eq!(globex.usage().await, Vec::<Value>::new());
    let id = &scene.openai_provider.id;
    assert_eq!(globex.usage_where(&format!("provider={id}")).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_key_reaches_only_its_own_organizations_models() {
    let scene = Scene::new().await;
    let globex = scene.gateway.org("globex");
    let key = globex.key().await;
    for model in ["fast", "openai/gpt-4o", "gpt-4o"] {
        let answer = key.chat(model).await.has_status(404);
        assert_eq!(answer.openai_error()["code"], "model_not_found");
    }
    let listed = key.get("/v1/models").await.has_status(200).json();
    assert_eq!(listed["data"], json!([]));
    scene.openai.saw_nothing();
}

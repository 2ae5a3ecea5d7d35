//! Model routes: 1:1 enablement, folding, custom aliases.

use serde_json::{Value, json};

use crate::support::{Gateway, Org, Provider};

async fn stage() -> (Gateway, Org, Provider) {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let provider = acme.provider("openai").at_url("https://vendor.test").model("gpt-4o").await;
    (gateway, acme, provider)
}

fn row(provider: &Provider, alias: &str, upstream: &str, more: &Value) -> Value {
    let mut body =
        json!({"provider_id": provider.id, "model_alias": alias, "upstream_model": upstream});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_custom_alias_needs_its_model_enabled_first() {
    let (_gateway, acme, openai) = stage().await;
    let refused = acme.post("/admin/model-mappings", row(&openai, "fast", "o3", &json!({}))).await;
    assert_eq!(
        refused.refusal(400, "BadRequest"),
        "Cannot route to 'o3' on this provider: the model is not enabled. Enable it under LLM \
         Configuration → Models first, then create the route."
    );
    acme.create("model-mappings", row(&openai, "o3", "o3", &json!({}))).await;
    let made = acme.create("model-mappings", row(&openai, "fast", "o3", &json!({}))).await;
    assert_eq!(made["bare_alias"], true, "a custom alias is reached by its bare name");
}

#[tokio::test]
async fn defaults_of_a_route_are_shown() {
    let (_gateway, acme, openai) = stage().await;
    let made = acme.create("model-mappings", row(&openai, "fast", "gpt-4o", &json!({}))).await;
    assert_eq!(made["enabled"], true);
    assert_eq!(made["priority"], 0);
    assert_eq!(made["retry_on_429_count"], 0);
    assert_eq!(made["retry_on_429_max_wait_secs"], 0);
    assert_eq!(made["request_timeout_secs"], 120);
    assert_eq!(made["stream_idle_timeout_secs"], 180);
}

#[tokio::test]
async fn posting_a_one_to_one_row_again_folds_into_it() {
    let (_gateway, acme, openai) = stage().await;
    let first = openai.one_to_one("gpt-4o").await;
    let settings = json!({"priority": 7, "enabled": false, "bare_alias": true,
        "retry_on_429_count": 3, "retry_on_429_max_wait_secs": 9, "request_timeout_secs": 33});
    let folded = acme.create("model-mappings", row(&openai, "gpt-4o", "gpt-4o", &settings)).await;
    assert_eq!(folded["id"], first["id"]);
    assert_eq!((&folded["priority"], &folded["enabled"]), (&json!(7), &json!(false)));
    assert_eq!((&folded["bare_alias"], &folded["retry_on_429_count"]), (&json!(true), &json!(3)));
    assert_eq!(folded["request_timeout_secs"], 33);

    let again = acme.create("model-mappings", row(&openai, "gpt-4o", "gpt-4o", &json!({}))).await;
    assert_eq!(again["id"], first["id"]);
    assert_eq!(
        (&again["priority"], &again["enabled"]),
        (&json!(0), &json!(true)),
        "defaults overwrite"
    );
    assert_eq!((&again["bare_alias"], &again["retry_on_429_count"]), (&json!(false), &json!(0)));
    assert_eq!(again["request_timeout_secs"], 33, "timeouts are overwritten only when posted");
    assert_eq!(openai.routes().await.len(), 1);
}

#[tokio::test]
async fn custom_aliases_may_be_duplicated() {
    let (_gateway, acme, openai) = stage().await;
    let one = acme.create("model-mappings", row(&openai, "fast", "gpt-4o", &json!({}))).await;
    let two = acme.create("model-mappings", row(&openai, "fast", "gpt-4o", &json!({}))).await;
    assert_ne!(one["id"], two["id"]);
}

#[tokio::test]
async fn editing_a_row_into_a_duplicate_of_a_one_to_one_row_is_a_conflict() {
    let (_gateway, acme, openai) = stage().await;
    let made = acme.create("model-mappings", row(&openai, "fast", "gpt-4o", &json!({}))).await;
    let path = format!("/admin/model-mappings/{}", made["id"].as_str().unwrap());
    acme.put(&path, json!({"model_alias": "gpt-4o"})).await.refusal(409, "Conflict");
}

#[tokio::test]
async fn figures_out_of_range_are_refused_by_name() {
    let (_gateway, acme, openai) = stage().await;
    let made = acme.create("model-mappings", row(&openai, "fast", "gpt-4o", &json!({}))).await;
    let path = format!("/admin/model-mappings/{}", made["id"].as_str().unwrap());
    for (field, below, above) in [
        ("retry_on_429_count", -1, 11),
        ("retry_on_429_max_wait_secs", -1, 181),
        ("request_timeout_secs", 0, 3601),
        ("stream_idle_timeout_secs", 0, 1801),
        ("max_concurrent_requests", 0, 10001),
    ] {
        for value in [below, above] {
            let body = row(&openai, "fast", "gpt-4o", &json!({field: value}));
            let made = acme.post("/admin/model-mappings", body).await.refusal(400, "BadRequest");
            let changed = acme.put(&path, json!({field: value})).await.refusal(400, "BadRequest");
            assert!(made.contains(field) && changed.contains(field), "{made} / {changed}");
        }
    }
}

#[tokio::test]
async fn timeouts_of_a_route_are_kept_when_absent_and_cleared_by_null() {
    let (_gateway, acme, openai) = stage().await;
    let made = acme
        .create(
            "model-mappings",
            row(&openai, "fast", "gpt-4o", &json!({"request_timeout_secs": 5})),
        )
        .await;
    let path = format!("/admin/model-mappings/{}", made["id"].as_str().unwrap());
    let kept = acme.put(&path, json!({"priority": 3})).await.has_status(200).json();
    assert_eq!((&kept["request_timeout_secs"], &kept["priority"]), (&json!(5), &json!(3)));
    let cleared =
        acme.put(&path, json!({"request_timeout_secs": null})).await.has_status(200).json();
    assert!(cleared["request_timeout_secs"].is_null());
    let null_elsewhere = acme.put(&path, json!({"priority": null})).await.has_status(200).json();
    assert_eq!(null_elsewhere["priority"], 3, "null keeps every other field");
}

#[tokio::test]
async fn a_one_to_one_row_is_not_deleted_from_under_its_aliases() {
    let (_gateway, acme, openai) = stage().await;
    let made = acme.create("model-mappings", row(&openai, "fast", "gpt-4o", &json!({}))).await;
    let one_to_one = openai.one_to_one("gpt-4o").await;
    let path = |row: &Value| format!("/admin/model-mappings/{}", row["id"].as_str().unwrap());
    acme.delete(&path(&one_to_one)).await.refusal(409, "Conflict");
    acme.delete(&path(&made)).await.has_status(200);
    let deleted = acme.delete(&path(&one_to_one)).await.has_status(200).json();
    assert_eq!(deleted, json!({"deleted": true}));
    acme.delete(&path(&one_to_one)).await.refusal(404, "NotFound");
}

#[tokio::test]
async fn priorities_are_set_together_or_not_at_all() {
    let (_gateway, acme, openai) = stage().await;
    let one = acme.create("model-mappings", row(&openai, "fast", "gpt-4o", &json!({}))).await;
    let two = acme.create("model-mappings", row(&openai, "fast", "gpt-4o", &json!({}))).await;
    let entries =
        json!({"entries": [{"id": one["id"], "priority": 9}, {"id": two["id"], "priority": 4}]});
    acme.put("/admin/model-mappings/reorder", entries).await.has_status(200);
    let priority = async |row: &Value| {
        let rows = openai.routes().await;
        rows.iter().find(|known| known["id"] == row["id"]).unwrap()["priority"].clone()
    };
    assert_eq!((priority(&one).await, priority(&two).await), (json!(9), json!(4)));

    let foreign = json!({"entries": [{"id": one["id"], "priority": 1}, {"id": uuid::Uuid::new_v4(), "priority": 2}]});
    acme.put("/admin/model-mappings/reorder", foreign).await.refusal(404, "NotFound");
    assert_eq!(priority(&one).await, 9, "nothing of a refused order is kept");
}

#[tokio::test]
async fn the_listing_names_each_routes_provider() {
    let (_gateway, acme, openai) = stage().await;
    acme.create("model-mappings", row(&openai, "fast", "gpt-4o", &json!({}))).await;
    let rows = acme.get("/admin/model-mappings").await.has_status(200).json();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(
            (&row["provider_name"], &row["provider_id"]),
            (&json!("openai"), &json!(openai.id))
        );
    }
}

#[tokio::test]
async fn a_route_to_an_unknown_provider_is_not_found() {
    let (_gateway, acme, _) = stage().await;
    let body =
        json!({"provider_id": uuid::Uuid::new_v4(), "model_alias": "a", "upstream_model": "a"});
    acme.post("/admin/model-mappings", body).await.refusal(404, "NotFound");
}

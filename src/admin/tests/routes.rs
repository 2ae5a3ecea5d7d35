//! `/admin/model-mappings`

use serde_json::{Value, json};
use uuid::Uuid;

use super::desk::{Desk, find, id};

const PATH: &str = "/admin/model-mappings";

fn enable(provider: &str, model: &str) -> Value {
    json!({"provider_id": provider, "model_alias": model, "upstream_model": model})
}

#[tokio::test]
async fn a_new_route_has_the_documented_defaults() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &[]).await;
    let made = acme.post(PATH, enable(&provider, "gpt-4o")).await.ok();
    let expected = json!({
        "id": made["id"], "provider_id": provider, "model_alias": "gpt-4o",
        "upstream_model": "gpt-4o", "enabled": true, "model_enabled": true, "priority": 0,
        "retry_on_429_count": 0, "retry_on_429_max_wait_secs": 0, "bare_alias": false, "request_timeout_secs": 120,
        "stream_idle_timeout_secs": 180, "max_concurrent_requests": null, "provider_name": "p",
        "provider_auth_type": "api_key", "effective_pricing": made["effective_pricing"],
    });
    assert_eq!(made, expected);
    let custom = id(&acme
        .post(
            PATH,
            json!({
                "provider_id": provider, "model_alias": "fast", "upstream_model": "gpt-4o",
            }),
        )
        .await
        .ok());
    let list = acme.get(PATH).await.ok();
    assert_eq!(find(&list, &custom)["bare_alias"], true);
    assert_eq!(find(&list, made["id"].as_str().unwrap()), &expected);
}

#[tokio::test]
async fn enabling_a_model_again_folds_into_its_row() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &[]).await;
    let mut body = enable(&provider, "m");
    for (field, value) in [
        ("enabled", json!(false)),
        ("priority", json!(7)),
        ("retry_on_429_count", json!(3)),
        ("retry_on_429_max_wait_secs", json!(9)),
        ("bare_alias", json!(true)),
        ("request_timeout_secs", json!(30)),
        ("max_concurrent_requests", json!(5)),
    ] {
        body[field] = value;
    }
    let first = acme.post(PATH, body).await.ok();
    let second = acme.post(PATH, enable(&provider, "m")).await.ok();
    assert_eq!(second["id"], first["id"]);
    for (field, default) in [
        ("enabled", json!(true)),
        ("priority", json!(0)),
        ("retry_on_429_count", json!(0)),
        ("retry_on_429_max_wait_secs", json!(0)),
        ("bare_alias", json!(false)),
    ] {
        assert_eq!(second[field], default, "{field}");
    }
    assert_eq!(second["request_timeout_secs"], 30, "timeouts change only where posted");
    assert_eq!(second["max_concurrent_requests"], 5);
    assert_eq!(acme.get(PATH).await.ok().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_custom_alias_needs_its_model_enabled() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &["m"]).await;
    let orphan = json!({"provider_id": provider, "model_alias": "a", "upstream_model": "other"});
    let message = acme.post(PATH, orphan).await.refused(400, "BadRequest");
    assert_eq!(
        message,
        "Cannot route to 'other' on this provider: the model is not enabled. Enable it under LLM \
         Configuration → Models first, then create the route."
    );
}

#[tokio::test]
async fn one_alias_may_have_many_routes() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let first = acme.provider("one", &["m"]).await;
    let second = acme.provider("two", &["m"]).await;
    acme.mapping(&first, "fast", "m").await;
    acme.mapping(&first, "fast", "m").await;
    acme.mapping(&second, "fast", "m").await;
    assert_eq!(acme.get(PATH).await.ok().as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn values_outside_their_ranges_are_refused_by_name() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &["m"]).await;
    let path = format!("{PATH}/{}", acme.mapping(&provider, "a", "m").await);
    let cases = [
        ("retry_on_429_count", json!(11), "must be between 0 and 10"),
        ("retry_on_429_count", json!(-1), "must be between 0 and 10"),
        ("retry_on_429_max_wait_secs", json!(181), "must be between 0 and 180"),
        ("request_timeout_secs", json!(0), "must be between 1 and 3600"),
        ("stream_idle_timeout_secs", json!(1801), "must be between 1 and 1800"),
        ("max_concurrent_requests", json!(10_001), "must be between 1 and 10000"),
        ("model_alias", json!(" "), "must not be empty"),
        ("upstream_model", json!(""), "must not be empty"),
        ("priority", json!(3_000_000_000_i64), "priority: "),
        ("priority", json!(5.5), "priority: "),
    ];
    for (field, value, expected) in cases {
        let mut body = json!({"provider_id": provider, "model_alias": "x", "upstream_model": "m"});
        body[field] = value.clone();
        let message = acme.post(PATH, body).await.refused(400, "BadRequest");
        assert!(message.contains(field) && message.contains(expected), "{message}");
        let message = acme.put(&path, json!({ field: value })).await.refused(400, "BadRequest");
        assert!(message.contains(field) && message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn an_unknown_provider_is_not_found_and_a_bad_id_named() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let unknown = Uuid::new_v4().to_string();
    acme.post(PATH, enable(&unknown, "m")).await.refused(404, "NotFound");
    let message = acme.post(PATH, enable("x", "m")).await.refused(400, "BadRequest");
    assert!(message.contains("provider_id: UUID parsing failed"), "{message}");
    let mine = desk.admin("evil").await.provider("p", &[]).await;
    acme.post(PATH, enable(&mine, "m")).await.refused(404, "NotFound");
}

#[tokio::test]
async fn an_inherited_timeout_follows_its_tiers_and_null_shows_as_null() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &[]).await;
    let model = acme.mapping(&provider, "m", "m").await;
    let alias = acme.mapping(&provider, "a", "m").await;
    let shown = async |id: &str| {
        let list = acme.get(PATH).await.ok();
        find(&list, id)["request_timeout_secs"].clone()
    };
    assert_eq!(shown(&alias).await, 120);
    let tier = json!({"request_timeout_secs": 60});
    acme.put(&format!("/admin/providers/{provider}"), tier).await.ok();
    assert_eq!(shown(&alias).await, 60);
    assert_eq!(shown(&model).await, 60);
    acme.put(&format!("{PATH}/{model}"), json!({"request_timeout_secs": 30})).await.ok();
    assert_eq!(shown(&alias).await, 30);
    acme.put(&format!("{PATH}/{alias}"), json!({"request_timeout_secs": 10})).await.ok();
    assert_eq!(shown(&alias).await, 10);
    let cleared = json!({"request_timeout_secs": null});
    let cleared = acme.put(&format!("{PATH}/{alias}"), cleared).await.ok();
    assert_eq!(cleared["request_timeout_secs"], Value::Null);
    assert_eq!(cleared["stream_idle_timeout_secs"], 180);
}

#[tokio::test]
async fn an_update_keeps_what_it_omits_and_what_is_null() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &["m"]).await;
    let body = json!({
        "provider_id": provider, "model_alias": "a", "upstream_model": "m", "priority": 4,
        "retry_on_429_count": 2, "bare_alias": false, "max_concurrent_requests": 9,
    });
    let made = acme.post(PATH, body).await.ok();
    let path = format!("{PATH}/{}", id(&made));
    assert_eq!(acme.put(&path, json!({})).await.ok(), made);
    let nulls = json!({
        "model_alias": null, "upstream_model": null, "enabled": null, "priority": null,
        "retry_on_429_count": null, "bare_alias": null, "provider_id": provider,
    });
    assert_eq!(acme.put(&path, nulls).await.ok(), made);
    let cleared = acme.put(&path, json!({"max_concurrent_requests": null})).await.ok();
    assert_eq!(cleared["max_concurrent_requests"], Value::Null);
    let other = json!({"provider_id": Uuid::new_v4()});
    acme.put(&path, other).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn no_edit_leaves_a_custom_alias_without_its_model() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &[]).await;
    let first = format!("{PATH}/{}", acme.mapping(&provider, "m1", "m1").await);
    let second = format!("{PATH}/{}", acme.mapping(&provider, "m2", "m2").await);
    let alias = format!("{PATH}/{}", acme.mapping(&provider, "fast", "m1").await);

    let message = acme.delete(&first).await.refused(409, "Conflict");
    assert!(message.contains("fast"), "{message}");
    acme.put(&first, json!({"upstream_model": "m3"})).await.refused(409, "Conflict");
    acme.put(&second, json!({"model_alias": "m1", "upstream_model": "m1"}))
        .await
        .refused(409, "Conflict");
    acme.put(&alias, json!({"model_alias": "m1"})).await.refused(409, "Conflict");
    acme.put(&alias, json!({"upstream_model": "m9"})).await.refused(400, "BadRequest");
    acme.put(&second, json!({"model_alias": "slow"})).await.refused(400, "BadRequest");

    acme.put(&alias, json!({"upstream_model": "m2"})).await.ok();
    assert_eq!(acme.delete(&first).await.ok(), json!({"deleted": true}));
    acme.delete(&first).await.refused(404, "NotFound");
}

#[tokio::test]
async fn reordering_sets_all_priorities_or_none() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &[]).await;
    let one = acme.mapping(&provider, "m", "m").await;
    let two = acme.mapping(&provider, "a", "m").await;
    let entries = |second: &str| json!({"entries": [{"id": one, "priority": 5}, {"id": second, "priority": -1}]});
    let path = format!("{PATH}/reorder");
    acme.put(&path, entries(&Uuid::new_v4().to_string())).await.refused(404, "NotFound");
    acme.put(&path, entries(&one)).await.refused(400, "BadRequest");
    assert_eq!(find(&acme.get(PATH).await.ok(), &one)["priority"], 0);
    assert_eq!(acme.put(&path, entries(&two)).await.ok(), json!({"ok": true}));
    let list = acme.get(PATH).await.ok();
    assert_eq!(find(&list, &one)["priority"], 5);
    assert_eq!(find(&list, &two)["priority"], -1);
}

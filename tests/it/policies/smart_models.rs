//! Smart models: names that are nobody else's, slots that lead somewhere, previews.

use serde_json::{Value, json};

use crate::support::{Gateway, Org, Provider};

async fn stage() -> (Gateway, Org, Provider) {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let openai = acme.provider("openai").at_url("https://vendor.test").model("gpt-4o").await;
    acme.alias("fast", &[(&openai, "gpt-4o")]).await;
    acme.alias("large", &[(&openai, "gpt-4o")]).await;
    (gateway, acme, openai)
}

fn smart(alias: &str) -> Value {
    json!({
        "model_alias": alias, "determiner_model_alias": "fast", "context_breakpoints": [100],
        "slots": [{"model_alias": "fast"}, {"model_alias": "large"}],
        "default_slot_on_failure": 0,
    })
}

fn with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[field] = value;
    body
}

#[tokio::test]
async fn parts_that_do_not_fit_are_refused_by_name() {
    let (_gateway, acme, _) = stage().await;
    let slots = |names: &[&str]| -> Value {
        names.iter().map(|name| json!({"model_alias": name})).collect()
    };
    for (field, value, beginning) in [
        ("slots", json!([]), "slots must hold at least one slot"),
        ("slots", slots(&["fast"]), "context_breakpoints must hold one number fewer"),
        ("slots", slots(&["fast", "AUTO"]), "slots[1].model_alias must not be"),
        (
            "slots",
            slots(&["fast", "dark"]),
            "slots[1].model_alias: target 'dark' has no enabled routes",
        ),
        ("slots", slots(&["gpt-4o", "fast"]), "slots[0].model_alias: target 'gpt-4o' has no"),
        ("slots", slots(&["", "fast"]), "slots[0].model_alias must not be empty"),
        ("determiner_model_alias", json!("Auto"), "determiner_model_alias must not be"),
        (
            "determiner_model_alias",
            json!("x"),
            "determiner_model_alias: target 'x' has no enabled routes",
        ),
        ("context_breakpoints", json!([0]), "context_breakpoints must be positive"),
        ("default_slot_on_failure", json!(2), "default_slot_on_failure must be the position"),
        ("determiner_input_max_chars", json!(0), "determiner_input_max_chars must be between 1"),
    ] {
        let body = with(&smart("auto"), field, value);
        let message =
            acme.post("/admin/smart-models", body.clone()).await.refusal(400, "BadRequest");
        assert!(message.starts_with(beginning), "{field}: {message}");
        let preview = with(&body, "text", json!("Hi"));
        let message =
            acme.post("/admin/smart-models/preview", preview).await.refusal(400, "BadRequest");
        assert!(message.starts_with(beginning), "a preview checks alike: {message}");
    }
    assert_eq!(acme.get("/admin/smart-models").await.json(), json!([]));
}

#[tokio::test]
async fn an_alias_belongs_to_a_route_or_to_one_smart_model_whatever_its_case() {
    let (_gateway, acme, openai) = stage().await;
    let taken = with(&smart("LARGE"), "slots", json!([{"model_alias": "fast"}]));
    let taken = with(&taken, "context_breakpoints", json!([]));
    let refused = acme.post("/admin/smart-models", taken).await;
    assert!(refused.refusal(409, "Conflict").contains("'large' is that of a model mapping"));
    acme.create("smart-models", smart("Auto")).await;
    let refused = acme.post("/admin/smart-models", smart("auto")).await;
    assert!(refused.refusal(409, "Conflict").contains("the alias 'auto' already exists"));
    let second = acme.create("smart-models", smart("second")).await;
    let path = format!("/admin/smart-models/{}", second["id"].as_str().unwrap());
    acme.put(&path, json!({"model_alias": "AUTO"})).await.refusal(409, "Conflict");
    let taken = json!({"model_alias": "large", "slots": [{"model_alias": "fast"}],
        "context_breakpoints": []});
    acme.put(&path, taken).await.refusal(409, "Conflict");
    acme.put(&path, json!({"model_alias": "SECOND"})).await.has_status(200);

    let route = |alias: &str| json!({"provider_id": openai.id, "model_alias": alias, "upstream_model": "gpt-4o"});
    let refused = acme.post("/admin/model-mappings", route("auto")).await;
    let message = refused.refusal(400, "BadRequest");
    assert!(message.contains("model_alias") && message.contains("smart model 'Auto'"), "{message}");
    let made = acme.create("model-mappings", route("free")).await;
    let path = format!("/admin/model-mappings/{}", made["id"].as_str().unwrap());
    let renamed = acme.put(&path, json!({"model_alias": "auto"})).await;
    assert_eq!(renamed.refusal(400, "BadRequest"), message, "as for a new one");
    let provider = json!({"name": "p", "model_provider": "openai", "api_key": "k",
        "base_url": "https://vendor.test", "models": ["auto"]});
    acme.post("/admin/providers", provider).await.refusal(409, "Conflict");
}

#[tokio::test]
async fn a_model_whose_targets_are_gone_can_be_switched_off_and_not_on() {
    let (_gateway, acme, openai) = stage().await;
    let made = acme.create("smart-models", smart("auto")).await;
    let path = format!("/admin/smart-models/{}", made["id"].as_str().unwrap());
    openai.put(json!({"enabled": false})).await.has_status(200);
    acme.put(&path, json!({"enabled": false, "description": "resting"})).await.has_status(200);
    let message = acme.put(&path, json!({"enabled": true})).await.refusal(400, "BadRequest");
    assert!(message.contains("target 'fast' has no enabled routes"), "{message}");
    openai.put(json!({"enabled": true})).await.has_status(200);
    acme.put(&path, json!({"enabled": true})).await.has_status(200);
}

#[tokio::test]
async fn a_preview_applies_the_breakpoints_and_says_what_it_could_not_learn() {
    let (_gateway, acme, _) = stage().await;
    acme.create("smart-models", smart("auto")).await;
    for (more, target, decision) in [
        (json!({"text": "x".repeat(396)}), "fast", json!({"slot": 0, "token_count": 99})),
        (json!({"text": "x".repeat(397)}), "large", json!({"slot": 1, "token_count": 100})),
        (
            json!({"text": "Hi", "token_count": 100}),
            "large",
            json!({"floor_slot": 1, "token_count_estimated": false}),
        ),
        (
            json!({"text": "Hi", "default_slot_on_failure": 1}),
            "large",
            json!({"floor_slot": 0, "slot": 1, "token_count_estimated": true}),
        ),
        (
            json!({"text": "Hello", "determiner_input_max_chars": 3}),
            "fast",
            json!({"determiner_input_chars": 3}),
        ),
        (
            json!({"text": "Hi", "requires_tools": true, "requires_vision": true,
            "endpoint": "/v1/messages", "enabled": false}),
            "fast",
            json!({"slot": 0}),
        ),
    ] {
        // An edit of a stored model may be tried under its own name.
        let mut body = smart("auto");
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let shown = acme.post("/admin/smart-models/preview", body).await.has_status(200).json();
        assert_eq!(shown["target_model_alias"], target, "{shown}");
        for (field, value) in decision.as_object().unwrap() {
            assert_eq!(&shown["decision"][field], value, "{field} of {shown}");
        }
        // There is no such vendor.
        assert_eq!(shown["decision"]["determiner_slot"], json!(null));
    }
}

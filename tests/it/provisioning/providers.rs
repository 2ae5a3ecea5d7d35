//! Providers: named upstreams.

use serde_json::{Value, json};

use crate::support::{Gateway, MockVendor, operations};

#[tokio::test]
async fn a_provider_is_created_with_its_models_read_listed_changed_and_deleted() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let made = acme
        .create(
            "providers",
            json!({"name": "OpenAI US", "model_provider": "openai",
            "auth_type": "api_key", "api_key": "sk-1", "base_url": "https://vendor.test/v1/",
            "models": ["gpt-4o-mini", "gpt-4o"], "enforce_health_check": false}),
        )
        .await;
    assert_eq!(made["base_url"], "https://vendor.test/v1/", "it is echoed as given");
    assert_eq!(made["enabled"], true);
    assert_eq!(made["enforce_health_check"], false);
    assert_eq!(made["settings"], json!({}));
    assert!(made["request_timeout_secs"].is_null() && made["stream_idle_timeout_secs"].is_null());
    assert!(
        ["unverified", "healthy", "unhealthy"].contains(&made["health_status"].as_str().unwrap())
    );
    for field in ["api_key", "credentials", "sealed"] {
        assert!(made.get(field).is_none(), "{field} in {made}");
    }

    let id = made["id"].as_str().unwrap();
    let path = format!("/admin/providers/{id}");
    let read = acme.get(&path).await.has_status(200).json();
    assert_eq!((&read["id"], &read["name"]), (&made["id"], &made["name"]));
    let listed = acme.get("/admin/providers").await.has_status(200).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);

    let rows = acme.get(&format!("{path}/model-mappings")).await.has_status(200).json();
    let mut aliases: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            assert_eq!(row["model_alias"], row["upstream_model"]);
            assert_eq!(row["bare_alias"], false, "a 1:1 row is reached by its provider's name");
            row["model_alias"].as_str().unwrap().to_owned()
        })
        .collect();
    aliases.sort();
    assert_eq!(aliases, ["gpt-4o", "gpt-4o-mini"]);

    let changed = acme.put(&path, json!({"name": "OpenAI EU"})).await.has_status(200).json();
    assert_eq!(changed["name"], "OpenAI EU");
    assert_eq!(acme.delete(&path).await.has_status(200).json(), json!({"deleted": true}));
    acme.get(&path).await.refusal(404, "NotFound");
    assert_eq!(
        acme.get("/admin/model-mappings").await.json(),
        json!([]),
        "its routes went with it"
    );
}

#[tokio::test]
async fn timeouts_of_a_provider_are_in_range_kept_when_absent_and_cleared_by_null() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let provider = acme.provider("openai").at_url("https://vendor.test").await;
    for (field, low, high) in
        [("request_timeout_secs", 0, 3601), ("stream_idle_timeout_secs", 0, 1801)]
    {
        for value in [low, high] {
            let message = provider.put(json!({field: value})).await.refusal(400, "BadRequest");
            assert_eq!(message, format!("{field} must be between 1 and {}", high - 1));
        }
        provider.put(json!({field: high - 1})).await.has_status(200);
        let kept = provider.put(json!({"name": "openai"})).await.has_status(200).json();
        assert_eq!(kept[field], high - 1);
        let cleared = provider.put(json!({field: null})).await.has_status(200).json();
        assert!(cleared[field].is_null());
    }
}

#[tokio::test]
async fn what_a_provider_lacks_is_named() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let refused = async |body| acme.post("/admin/providers", body).await.refusal(400, "BadRequest");
    for body in [
        json!({"name": "x", "model_provider": "openai", "auth_type": "api_key"}),
        json!({"name": "x", "model_provider": "openai", "api_key": ""}),
    ] {
        assert_eq!(refused(body).await, "api_key is required for API-key auth providers");
    }
    let message = refused(json!({"name": "x", "model_provider": "nobody", "api_key": "k"})).await;
    assert!(message.starts_with("unknown model provider: nobody; model_provider"), "{message}");
    let message = refused(json!({"name": "x", "model_provider": "custom", "api_key": "k"})).await;
    assert!(message.contains("base_url"), "custom has no default: {message}");
    let message = refused(
        json!({"name": "x", "model_provider": "openai", "api_key": "k", "request_timeout_secs": 0}),
    )
    .await;
    assert_eq!(message, "request_timeout_secs must be between 1 and 3600");
    let nowhere = uuid::Uuid::new_v4();
    acme.post(
        "/admin/providers",
        json!({"name": "x", "model_provider": "openai", "connection_id": nowhere}),
    )
    .await
    .refusal(404, "NotFound");
    let message = acme.get("/admin/providers/7").await.refusal(400, "BadRequest");
    assert!(message.contains("UUID parsing failed"), "{message}");
}

#[tokio::test]
async fn names_of_providers_are_unique_within_the_organization() {
    let gateway = Gateway::start().await;
    let (acme, globex) = (gateway.org("acme"), gateway.org("globex"));
    let body = json!({"name": "openai", "model_provider": "openai", "api_key": "k", "enforce_health_check": false});
    acme.create("providers", body.clone()).await;
    acme.post("/admin/providers", body.clone()).await.refusal(409, "Conflict");
    let other = acme.provider("other").at_url("https://vendor.test").await;
    other.put(json!({"name": "openai"})).await.refusal(409, "Conflict");
    globex.create("providers", body).await;
}

#[tokio::test]
async fn auth_types_by_their_other_names_are_accepted_and_echoed() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    for (vendor, auth_type) in [("openai", "bearer_api_key"), ("anthropic", "x_api_key")] {
        let made =
            acme.provider(auth_type).vendor(vendor).with(json!({"auth_type": auth_type})).await;
        assert_eq!(made.row["auth_type"], auth_type);
    }
}

#[tokio::test]
async fn a_base_url_is_taken_with_and_without_its_version_and_slash() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = MockVendor::start().await;
    let key = acme.key().await;
    for (name, suffix, path) in [
        ("bare", "", "/v1/chat/completions"),
        ("slash", "/", "/v1/chat/completions"),
        ("version", "/v1", "/v1/chat/completions"),
        ("both", "/v1/", "/v1/chat/completions"),
        ("prefix", "/proxy/x/v1", "/proxy/x/v1/chat/completions"),
    ] {
        let url = format!("{}{suffix}", vendor.url());
        acme.provider(name).at_url(&url).model("gpt-4o").await;
        key.chat(&format!("{name}/gpt-4o")).await.has_status(200);
        assert_eq!(vendor.saw().last().unwrap().path, path, "{suffix:?}");
    }
}

#[tokio::test]
async fn every_openai_compatible_vendor_takes_a_chat_with_its_key_as_bearer() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = MockVendor::start().await;
    let key = acme.key().await;
    let vendors = [
        "openai",
        "groq",
        "together",
        "mistral",
        "cohere",
        "xai",
        "fireworks",
        "perplexity",
        "openrouter",
        "deepseek",
        "cerebras",
        "custom",
    ];
    for slug in vendors {
        acme.provider(&format!("my-{slug}")).vendor(slug).at(&vendor).model("some-model").await;
        let body = operations::CHAT.body(&format!("my-{slug}/some-model"));
        key.post("/v1/chat/completions", body).await.has_status(200);
        let call = vendor.saw().pop().unwrap();
        assert!(call.path.ends_with("/chat/completions"), "{slug}: {}", call.path);
        assert_eq!(call.header("authorization"), Some(format!("Bearer sk-of-my-{slug}").as_str()));
    }
}

#[tokio::test]
async fn a_custom_vendor_without_a_key_is_called_without_one() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = MockVendor::start().await;
    acme.provider("local")
        .vendor("custom")
        .at(&vendor)
        .model("llama")
        .with(json!({"api_key": ""}))
        .await;
    acme.key().await.chat("local/llama").await.has_status(200);
    assert_eq!(vendor.saw_one().header("authorization"), None);
}

#[tokio::test]
async fn a_provider_moves_between_its_own_key_and_a_shared_one() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = MockVendor::start().await;
    let provider = acme.provider("openai").at(&vendor).model("gpt-4o").await;
    let connection = acme
        .create(
            "connections",
            json!({"name": "shared", "model_provider": "openai",
            "base_url": vendor.url(), "api_key": "sk-shared"}),
        )
        .await;
    let key = acme.key().await;
    let sent_with = async || -> String {
        key.chat("openai/gpt-4o").await.has_status(200);
        vendor.saw().last().unwrap().header("authorization").unwrap().to_owned()
    };
    assert_eq!(sent_with().await, "Bearer sk-of-openai");
    provider.put(json!({"connection_id": connection["id"]})).await.has_status(200);
    assert_eq!(sent_with().await, "Bearer sk-shared");
    provider
        .put(json!({"connection_id": Value::Null, "api_key": "sk-again-own"}))
        .await
        .has_status(200);
    assert_eq!(sent_with().await, "Bearer sk-again-own");
}

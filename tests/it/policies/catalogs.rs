//! What providers can be made from, and what models can do.

use serde_json::{Value, json};

use crate::support::Gateway;

fn find<'a>(list: &'a Value, field: &str, value: &str) -> &'a Value {
    let mut rows = list.as_array().expect("a bare array").iter();
    rows.find(|row| row[field] == value).unwrap_or_else(|| panic!("no {field} {value}"))
}

#[tokio::test]
async fn a_provider_is_made_from_a_template_by_its_id() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let catalog = acme.get("/admin/provider-catalog").await.has_status(200).json();
    let again = gateway.admin("globex").get("/admin/provider-catalog").await.json();
    assert_eq!(catalog, again, "the same for everyone");
    let openai = find(&catalog, "slug", "openai");
    assert_eq!(openai["base_url"], "https://api.openai.com");
    assert_eq!(openai["available"], true);
    assert_eq!(openai["auth_types"][0]["auth_type"], "api_key");
    assert_eq!(
        openai["auth_types"][0]["fields"],
        json!([{"name": "api_key", "required": true, "secret": true, "default": null,
            "values": null}])
    );
    let custom = find(&catalog, "slug", "custom");
    assert_eq!(custom["auth_types"][0]["fields"][0]["required"], false);
    let bedrock = find(&catalog, "slug", "bedrock-claude");
    assert_eq!(
        bedrock["settings"][0],
        json!({"name": "region", "required": true,
        "secret": false, "default": null, "values": null})
    );

    let body = |template: &Value, vendor: &str| {
        json!({"name": "p", "model_provider": vendor, "api_key": "sk-1",
            "base_url": "https://vendor.test", "catalog_id": template["id"]})
    };
    let message =
        acme.post("/admin/providers", body(openai, "groq")).await.refusal(400, "BadRequest");
    assert!(message.starts_with("catalog_id is that of the template 'openai'"), "{message}");
    let made = acme.create("providers", body(openai, "openai")).await;
    assert_eq!(made["catalog_id"], openai["id"]);
    assert_eq!(made["auth_type"], "api_key");
    let unknown = json!({"id": uuid::Uuid::new_v4()});
    acme.post("/admin/providers", body(&unknown, "openai")).await.refusal(404, "NotFound");
}

#[tokio::test]
async fn an_organization_says_what_models_can_do() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let list = acme.get("/admin/model-catalog").await.has_status(200);
    assert!(list.body.len() < 1 << 20, "clients read the first MiB");
    let shipped = list.json();
    let known = find(&shipped, "model_pattern", "claude-opus-4-6");
    assert_eq!(
        (&known["origin"], &known["reasoning_mode"]),
        (&json!("shipped"), &json!("adaptive"))
    );
    assert_eq!(known["efforts"][0], "low");

    let path = "/admin/model-catalog/our%2Fmodel-1:7b*";
    let sent = json!({"model_provider": "custom", "capabilities": ["streaming", "tools"],
        "reasoning_mode": "effort", "efforts": ["none", "high"], "context_tokens": 4096,
        "max_output_tokens": 1024});
    let put = acme.put(path, sent.clone()).await.has_status(200).json();
    let mut expected = sent;
    expected["model_pattern"] = json!("our/model-1:7b*");
    expected["origin"] = json!("organization");
    expected["as_of"] = json!(null);
    assert_eq!(put, expected);
    let listed = acme.get("/admin/model-catalog").await.json();
    assert_eq!(listed[0], expected, "an organization's own come first");
    let kept = acme.put(path, json!({"capabilities": null})).await.has_status(200).json();
    assert_eq!((&kept["capabilities"], &kept["context_tokens"]), (&json!(null), &json!(4096)));
    assert_eq!(kept["efforts"], json!(["none", "high"]));
    assert_eq!(gateway.admin("globex").get("/admin/model-catalog").await.json(), shipped);
    gateway.admin("globex").delete(path).await.refusal(404, "NotFound");
    assert_eq!(acme.delete(path).await.has_status(200).json(), json!({"deleted": true}));
    acme.delete(path).await.refusal(404, "NotFound");
    acme.delete("/admin/model-catalog/claude-opus-4-6").await.refusal(404, "NotFound");
    assert_eq!(acme.get("/admin/model-catalog").await.json(), shipped);
}

#[tokio::test]
async fn what_cannot_be_said_of_a_model_is_refused_by_name() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    for (pattern, body, beginning) in [
        ("a*b", json!({}), "model_pattern may have a * at its end only"),
        ("%20", json!({}), "model_pattern must not have"),
        ("m", json!({"model_provider": "x"}), "model_provider must be one of: openai"),
        ("m", json!({"capabilities": ["tools", "x"]}), "capabilities[1] must be one of: streaming"),
        ("m", json!({"reasoning_mode": "hard"}), "reasoning_mode must be one of: manual"),
        ("m", json!({"efforts": ["low", "hard"]}), "efforts[1] must be one of: none, minimal"),
        ("m", json!({"context_tokens": 0}), "context_tokens must be between 1"),
        (
            "m",
            json!({"context_tokens": 10, "max_output_tokens": 11}),
            "max_output_tokens must not be more than context_tokens",
        ),
    ] {
        let path = format!("/admin/model-catalog/{pattern}");
        let message = acme.put(&path, body).await.refusal(400, "BadRequest");
        assert!(message.starts_with(beginning), "{message}");
    }
}

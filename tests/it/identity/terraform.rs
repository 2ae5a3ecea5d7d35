//! The token call of the public Terraform provider (spec/terraform-compat.md 1), and what follows it.

use serde_json::json;

use crate::support::Gateway;

#[tokio::test]
async fn the_providers_token_call_is_answered_as_it_expects() {
    let gateway = Gateway::start().await;
    let account = gateway.run_command(&[
        "service-account",
        "create",
        "--org",
        "acme",
        "--name",
        "terraform",
        "--role",
        "admin",
    ]);
    let account: serde_json::Value = serde_json::from_str(&account).unwrap();
    // A form with the three fields in the body: no scope, no audience, no Basic.
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", account["client_id"].as_str().unwrap())
        .append_pair("client_secret", account["client_secret"].as_str().unwrap())
        .append_pair("grant_type", "client_credentials")
        .finish();
    let answer = gateway
        .stranger()
        .ask("POST", "/api/llm-gateway/auth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .body(form)
        .await;
    assert_eq!(answer.status, 200, "exactly 200: {}", answer.tell());
    let token = answer.json();
    assert!(!token["access_token"].as_str().unwrap().is_empty());
    assert!(token["expires_in"].as_i64().unwrap() > 30, "else it asks before every request");
    let bearer = gateway.caller(token["access_token"].as_str().unwrap());
    let body = json!({
        "name": "openai", "model_provider": "openai", "base_url": "http://127.0.0.1:9",
        "api_key": "sk-1", "enforce_health_check": false,
    });
    let made = bearer
        .ask("POST", "/api/llm-gateway/admin/providers")
        .header("accept", "application/json")
        .json(body.to_string())
        .await;
    assert_eq!(made.has_status(200).json()["name"], "openai");
}

//! Bodies that are wrong as such.

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::json;

use super::desk::Desk;

const PATH: &str = "/admin/providers";

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let whole = json!({"name": "p", "model_provider": "openai", "api_key": "sk-1"}).to_string();
    let trailing = format!("{whole} x");
    let two = whole.repeat(2);
    for body in ["", "{", "{\"name\": }", "[]", "\"x\"", "null", &trailing, &two] {
        let message = acme.post_text(PATH, body.to_owned()).await.refused(400, "BadRequest");
        assert!(message.contains("body"), "{body}: {message}");
    }
    acme.post_text(PATH, vec![b'{', b'"', 0xff, b'"']).await.refused(400, "BadRequest");
    acme.post_text(PATH, "[".repeat(100_000)).await.refused(400, "BadRequest");
    let deep = format!("{{\"settings\":{}", "{\"a\":".repeat(50_000));
    acme.post_text(PATH, deep).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn a_refusal_names_the_field() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let cases = [
        (json!({"model_provider": "openai"}), "name"),
        (json!({"name": "p"}), "model_provider"),
        (json!({"name": 7, "model_provider": "openai"}), "name: invalid type"),
        (json!({"name": null, "model_provider": "openai"}), "name: invalid type"),
        (
            json!({"name": "p", "model_provider": "openai", "models": ["a", 5]}),
            "models[1]: invalid type",
        ),
        (
            json!({"name": "p", "model_provider": "openai", "connection_id": "x"}),
            "connection_id: UUID parsing failed",
        ),
        (
            json!({"name": "p", "model_provider": "openai", "request_timeout_secs": 5.5}),
            "request_timeout_secs: invalid type",
        ),
    ];
    for (body, named) in cases {
        let message = acme.post(PATH, body).await.refused(400, "BadRequest");
        assert!(message.contains(named), "{named}: {message}");
    }
}

#[tokio::test]
async fn a_field_that_is_given_twice_is_refused() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let twice = r#"{"name":"a","name":"b","model_provider":"openai","api_key":"sk-1"}"#;
    let message = acme.post_text(PATH, twice).await.refused(400, "BadRequest");
    assert!(message.contains("duplicate field `name`"), "{message}");
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let body = json!({
        "name": "p", "model_provider": "openai", "api_key": "sk-1",
        "id": "x", "org_id": "y", "billing_mode": "metered",
    });
    let made = acme.post(PATH, body).await.ok();
    assert_ne!(made["id"], "x");
    assert_ne!(made["org_id"], "y");
}

#[tokio::test]
async fn a_body_over_two_megabytes_is_too_large() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let padding = "x".repeat(2 << 20);
    acme.post(PATH, json!({"name": padding})).await.refused(413, "PayloadTooLarge");
}

#[tokio::test]
async fn another_content_type_is_refused_and_parameters_are_not() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let request = |kind: Option<&str>| {
        let body = json!({"name": "p", "model_provider": "x"}).to_string();
        let request = Request::builder()
            .method("POST")
            .uri("/api/llm-gateway/admin/providers")
            .header(header::AUTHORIZATION, format!("Bearer {}", acme.token));
        let request = match kind {
            Some(kind) => request.header(header::CONTENT_TYPE, kind),
            None => request,
        };
        request.body(Body::from(body)).unwrap()
    };
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        desk.send(request(kind)).await.refused(415, "UnsupportedMediaType");
    }
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/a+json"] {
        desk.send(request(Some(kind))).await.refused(400, "BadRequest");
    }
}

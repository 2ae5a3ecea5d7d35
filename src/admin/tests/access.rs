//! Who may call what, and how a path that is none is told.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, header},
    routing::get,
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::desk::{Client, Desk};
use crate::{
    admin::{AdminError, AdminState, Refresh, RefreshError, router, router::operations},
    auth::Caller,
    domain::{OrgId, Role},
};

fn plain(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

/// Every operation of the table: method, path, and what its caller must be.
fn operations_of_the_table() -> Vec<(String, String, String)> {
    let document = serde_json::to_value(operations().document()).unwrap();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let role = operation["x-required-role"].as_str().expect("a role").to_owned();
            found.push((method.to_uppercase(), path.clone(), role));
        }
    }
    assert!(found.len() >= 26, "{found:?}");
    found
}

fn operation(method: &str, path: &str, token: Option<&str>) -> Request<Body> {
    let ids = path.split('/').map(|part| match part.strip_prefix('{') {
        Some(_) => Uuid::new_v4().to_string(),
        None => part.to_owned(),
    });
    let path = ids.collect::<Vec<_>>().join("/");
    let mut request = plain(method, &format!("/api/llm-gateway{path}"));
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    request
}

#[tokio::test]
async fn every_operation_but_the_description_refuses_a_request_without_a_token() {
    let desk = Desk::open().await;
    for (method, path, role) in operations_of_the_table() {
        for token in [None, Some("bd-abc"), Some("eyJ.e30.x")] {
            let answer = desk.send(operation(&method, &path, token)).await;
            if role == "anyone" {
                let open = [
                    ("/openapi.json", 200),
                    ("/auth/token", 400),
                    ("/auth/issuers", 200),
                    // Of nobody's session.
                    ("/auth/session", 401),
                    ("/auth/logout", 200),
                ];
                let asked = (path.as_str(), answer.status);
                assert!(open.contains(&asked), "{asked:?}");
            } else {
                assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer", "{method} {path}");
                answer.refused(401, "Unauthorized");
            }
        }
    }
}

#[tokio::test]
async fn a_user_gets_no_further_than_user_operations() {
    let desk = Desk::open().await;
    let user = desk.token("acme", "bob", Role::User).await;
    let admin = desk.token("acme", "ada", Role::Admin).await;
    for (method, path, role) in operations_of_the_table() {
        let answer = desk.send(operation(&method, &path, Some(&user))).await;
        if path == "/auth/session" {
            // By cookie alone; tests/it/console shows it.
            continue;
        }
        let open = ["/user/", "/auth/", "/openapi.json"].iter().any(|way| path.starts_with(way));
        assert_eq!(role != "admin", open, "{method} {path} is open to: {role}");
        assert_eq!(answer.status == 403, !open, "{method} {path}: {}", answer.body);
        if !open {
            answer.refused(403, "Forbidden");
        }
        let answer = desk.send(operation(&method, &path, Some(&admin))).await;
        assert!(!matches!(answer.status, 401 | 403), "{method} {path}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_operation_that_nobody_gave_a_permission_is_denied() {
    let desk = Desk::open().await;
    let handler = async |_: Caller| Ok::<_, AdminError>("open to all");
    let router = Router::new().route("/api/llm-gateway/admin/new", get(handler));
    let desk = Desk { router: router.with_state(desk.state.clone()), ..desk };
    desk.admin("acme").await.get("/admin/new").await.refused(403, "Forbidden");
}

#[tokio::test]
async fn a_superadmin_acts_in_the_organization_that_the_header_names() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    acme.provider("p", &[]).await;
    let root = desk.token("ops", "root", Role::Superadmin).await;
    let mut request = operation("GET", "/admin/providers", Some(&root));
    assert_eq!(desk.send(request).await.ok(), serde_json::json!([]));
    request = operation("GET", "/admin/providers", Some(&root));
    request.headers_mut().insert("x-turnpike-org", "acme".parse().unwrap());
    assert_eq!(desk.send(request).await.ok()[0]["name"], "p");
    request = operation("GET", "/admin/providers", Some(&acme.token));
    request.headers_mut().insert("x-turnpike-org", "ops".parse().unwrap());
    desk.send(request).await.refused(403, "Forbidden");
}

#[tokio::test]
async fn paths_and_methods_that_are_none_are_told_in_the_flat_shape() {
    let desk = Desk::open().await;
    for path in ["/api/llm-gateway/admin/nothing", "/api/llm-gateway/user", "/elsewhere"] {
        desk.send(plain("GET", path)).await.refused(404, "NotFound");
    }
    let answer = desk.send(plain("PATCH", "/api/llm-gateway/admin/providers")).await;
    assert_eq!(answer.headers[header::ALLOW], "GET,HEAD,POST");
    answer.refused(405, "MethodNotAllowed");
}

#[tokio::test]
async fn anothers_id_and_an_unknown_one_are_told_alike_to_the_byte() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let evil = desk.admin("evil").await;
    let connection = acme
        .post(
            "/admin/connections",
            serde_json::json!({"name": "c", "model_provider": "openai", "api_key": "sk-1"}),
        )
        .await
        .ok();
    let provider = acme.provider("p", &["m"]).await;
    let mapping = super::desk::id(&acme.get("/admin/model-mappings").await.ok()[0]);
    let key = acme.post("/admin/api-keys", serde_json::json!({"name": "k"})).await.ok();
    let targets = [
        ("/admin/connections", super::desk::id(&connection)),
        ("/admin/providers", provider),
        ("/admin/model-mappings", mapping),
        ("/admin/api-keys", super::desk::id(&key)),
    ];
    for (path, foreign) in targets {
        let unknown = Uuid::new_v4();
        for method in ["GET", "PUT", "DELETE"] {
            let real = send(&evil, method, &format!("{path}/{foreign}")).await;
            let none = send(&evil, method, &format!("{path}/{unknown}")).await;
            assert_eq!(real, none, "{method} {path}");
            assert!(matches!(real.status, 404 | 405), "{method} {path}: {}", real.body);
        }
    }
}

async fn send(client: &Client<'_>, method: &str, path: &str) -> super::desk::Answer {
    match method {
        "GET" => client.get(path).await,
        "PUT" => client.put(path, serde_json::json!({"name": "x", "enabled": false})).await,
        _ => client.delete(path).await,
    }
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_named_as_such() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let message = acme.get("/admin/providers/nope").await.refused(400, "BadRequest");
    assert!(message.contains("UUID parsing failed"), "{message}");
}

/// Puts into force only once it is let.
#[derive(Default)]
struct Gate {
    reached: Notify,
    opened: Notify,
    passed: Notify,
}

#[async_trait::async_trait]
impl Refresh for Gate {
    async fn org(&self, _: OrgId) -> Result<(), RefreshError> {
        self.reached.notify_one();
        self.opened.notified().await;
        self.passed.notify_one();
        Ok(())
    }
}

#[tokio::test]
async fn a_write_is_put_into_force_although_its_client_left() {
    let desk = Desk::open().await;
    let gate = Arc::new(Gate::default());
    let state = AdminState { refresh: Arc::<Gate>::clone(&gate), ..desk.state.clone() };
    let desk = Desk { router: router(state), ..desk };
    let acme = desk.admin("acme").await;
    tokio::select! {
        answer = acme.provider("p", &[]) => panic!("answered before it was in force: {answer}"),
        () = gate.reached.notified() => {} // and the client's future is dropped
    }
    gate.opened.notify_one();
    let passed = tokio::time::timeout(Duration::from_secs(10), gate.passed.notified()).await;
    passed.expect("the write is put into force");
}

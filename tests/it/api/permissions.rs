//! Every operation says who may call it, and nobody else can.

use super::{Document, Estate, estate::call};
use crate::support::{Caller, Gateway};

/// What stands open, by the beginning of the path: an operation that is anything else than its place
/// says is a mistake.
fn who_may(path: &str) -> &'static str {
    match path {
        "/openapi.json" | "/auth/token" | "/auth/session" | "/auth/logout" | "/auth/issuers" => {
            "anyone"
        }
        path if path.starts_with("/user/") => "any authenticated user",
        path if path.starts_with("/admin/") => "admin",
        path => panic!("{path} lies nowhere"),
    }
}

#[tokio::test]
async fn every_operation_is_for_those_whom_its_path_promises() {
    let gateway = Gateway::start().await;
    for operation in Document::of(&gateway).await.operations() {
        assert_eq!(operation.role, who_may(&operation.path), "{}", operation.id);
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_or_with_a_gateway_key() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let key = acme.org.key().await;
    let stranger = gateway.stranger();
    let callers: [(&str, Caller); 4] = [
        ("nothing", stranger.clone()),
        ("a bd- key", key.clone()),
        ("a bd- key as x-api-key", stranger.with("x-api-key", &key.secret)),
        ("a token as x-api-key", stranger.with("x-api-key", &acme.admin().secret)),
    ];
    let before = acme.inventory().await;
    for operation in acme.operations.iter().filter(|operation| operation.role != "anyone") {
        let id = if operation.has_id() { acme.id_for(operation) } else { String::new() };
        for (what, caller) in &callers {
            let body = acme.body(operation, "intruder");
            let answer = call(caller, operation, &id, body.as_ref()).await;
            assert_eq!(answer.status, 401, "{} with {what}: {}", operation.id, answer.tell());
            answer.refusal(401, "Unauthorized");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{}", operation.id);
        }
    }
    assert_eq!(acme.inventory().await, before);
}

#[tokio::test]
async fn a_user_gets_no_further_than_user_operations() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let user = gateway.user("acme", "ann@acme.test").caller;
    let before = acme.inventory().await;
    for operation in &acme.operations {
        let id = if operation.has_id() { acme.id_for(operation) } else { String::new() };
        let body = acme.body(operation, "ann");
        let answer = call(&user, operation, &id, body.as_ref()).await;
        if operation.role == "admin" {
            assert_eq!(answer.status, 403, "{}: {}", operation.id, answer.tell());
            answer.refusal(403, "Forbidden");
        } else {
            assert_ne!(answer.status, 403, "{}: {}", operation.id, answer.tell());
        }
    }
    let after = acme.inventory().await;
    let administration = |lists: &[(String, serde_json::Value)]| {
        let lists = lists.iter().filter(|(path, _)| path.starts_with("/admin/"));
        // The key that the user made for themselves, and the user, are there to be seen.
        let lists = lists.filter(|(path, _)| {
            !["/admin/api-keys", "/admin/users", "/admin/audit"].contains(&path.as_str())
        });
        lists.cloned().collect::<Vec<_>>()
    };
    assert_eq!(administration(&after), administration(&before));
}

#[tokio::test]
async fn an_administrator_is_refused_nothing_that_the_description_gives_them() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let nobody = uuid::Uuid::new_v4().to_string();
    // A token is no session.
    let with_token = acme.operations.iter().filter(|operation| operation.path != "/auth/session");
    for operation in with_token {
        let body = acme.body(operation, "another");
        let answer = call(acme.admin(), operation, &nobody, body.as_ref()).await;
        assert!(![401, 403].contains(&answer.status), "{}: {}", operation.id, answer.tell());
    }
}

//! The API's description: kept in the repository, so that a change of the API shows in a diff.

use super::desk::Desk;
use crate::admin::openapi;
use axum::{body::Body, http::Request};

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");

#[test]
fn the_description_in_the_repository_is_that_of_the_code() {
    let built = format!("{}\n", openapi());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(KEPT, &built).unwrap();
    }
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    let differs = built.lines().zip(kept.lines()).position(|(built, kept)| built != kept);
    assert!(
        built == kept,
        "docs/openapi.json is not what the code says (first at line {:?}); if the change is meant, \
         run: UPDATE_OPENAPI=1 cargo test --lib the_description_in_the_repository",
        differs.map(|line| line + 1)
    );
}

#[tokio::test]
async fn the_description_is_served_to_anyone() {
    let desk = Desk::open().await;
    let request = Request::get("/api/llm-gateway/openapi.json").body(Body::empty()).unwrap();
    let served = desk.send(request).await.ok();
    assert_eq!(served, serde_json::from_str::<serde_json::Value>(openapi()).unwrap());
    assert_eq!(served["openapi"], "3.1.0");
}

#[test]
fn every_answer_of_the_description_says_what_it_means() {
    let document: serde_json::Value = serde_json::from_str(openapi()).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for field in ["summary", "operationId"] {
                assert!(operation[field].is_string(), "{method} {path} has no {field}");
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                let known = response["description"].is_string() || response["$ref"].is_string();
                assert!(known, "{method} {path} {status}");
            }
        }
    }
}

//! The caller's credentials open the gateway and go no further.

use crate::support::{Caller, Scene, operations};

#[tokio::test]
async fn both_key_headers_open_every_operation() {
    let scene = Scene::new().await;
    let address = scene.gateway.address();
    let secret = &scene.key.secret;
    for operation in operations::ALL {
        for caller in [Caller::bearer(address, secret), Caller::x_api_key(address, secret)] {
            let answer = caller.post(operation.path, operation.body(operation.alias())).await;
            assert_eq!(answer.status, 200, "{}: {}", operation.name, answer.tell());
        }
    }
    Caller::x_api_key(address, secret).get("/v1/models").await.has_status(200);
}

#[tokio::test]
async fn x_api_key_is_looked_at_first() {
    let scene = Scene::new().await;
    let right_first =
        scene.gateway.caller("sk-ant-oat-something").with("x-api-key", &scene.key.secret);
    right_first.chat("fast").await.has_status(200);
    let wrong_first = scene.key.with("x-api-key", "bd-00000000000000000000000000000000000000");
    wrong_first.chat("fast").await.has_status(401);
}

#[tokio::test]
async fn the_scheme_is_case_insensitive() {
    let scene = Scene::new().await;
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let stranger = scene
            .gateway
            .stranger()
            .with("authorization", &format!("{scheme} {}", scene.key.secret));
        stranger.chat("fast").await.has_status(200);
    }
}

#[tokio::test]
async fn the_vendor_sees_the_organizations_credential_and_nothing_of_the_callers() {
    let scene = Scene::new().await;
    let caller = scene
        .gateway
        .caller("sk-ant-oat-of-the-caller")
        .with("x-api-key", &scene.key.secret)
        .with("cookie", "session=of-the-caller")
        .with("proxy-authorization", "Basic of-the-caller");
    for operation in operations::ALL {
        caller.post(operation.path, operation.body(operation.alias())).await.has_status(200);
    }
    for call in scene.openai.saw() {
        assert_eq!(call.header("authorization"), Some("Bearer sk-openai-vendor-key"));
        assert_eq!(call.header("x-api-key"), None);
    }
    for call in scene.anthropic.saw() {
        assert_eq!(call.header("x-api-key"), Some("sk-ant-vendor-key"));
        assert_eq!(call.header("authorization"), None);
    }
    for call in scene.openai.saw().iter().chain(&scene.anthropic.saw()) {
        for (name, value) in &call.headers {
            assert!(
                !value.contains("of-the-caller") && !value.contains(&scene.key.secret),
                "{name}: {value}"
            );
        }
    }
}

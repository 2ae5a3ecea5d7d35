//! The five `x-bd-provider-*` headers, where and only where they belong.

use crate::support::{Reply, Scene, TwoRoutes, operations};

const FIVE: [&str; 5] = [
    "x-bd-provider-route-attempt",
    "x-bd-provider-route-count",
    "x-bd-provider-failover-count",
    "x-bd-provider-retry-count",
    "x-bd-provider-retry-sleep-ms",
];

#[tokio::test]
async fn successful_chat_and_messages_carry_all_five_and_nothing_else_does() {
    let scene = Scene::new().await;
    for operation in operations::ALL {
        let shown = ["chat_completions", "messages"].contains(&operation.name);
        let plain =
            scene.key.post(operation.path, operation.body(operation.alias())).await.has_status(200);
        let mut answers = vec![plain];
        if operation.streams {
            let body = operation.stream_body(operation.alias());
            answers.push(scene.key.post(operation.path, body).await.has_status(200));
        }
        for answer in answers {
            let mut seen = answer.headers.observability();
            seen.sort_unstable();
            let mut five = if shown { FIVE.to_vec() } else { Vec::new() };
            five.sort_unstable();
            assert_eq!(seen, five, "{}", operation.name);
            if shown {
                let values: Vec<_> = FIVE.iter().map(|name| answer.header(name).unwrap()).collect();
                assert_eq!(values, ["1", "1", "0", "0", "0"], "{}", operation.name);
            }
        }
    }
}

#[tokio::test]
async fn errors_carry_none() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::status(400)).will(Reply::status(500));
    for status in [400, 502] {
        assert!(scene.key.chat("fast").await.has_status(status).headers.observability().is_empty());
    }
    assert!(scene.key.chat("nothing").await.has_status(404).headers.observability().is_empty());
    assert!(
        scene
            .gateway
            .stranger()
            .chat("fast")
            .await
            .has_status(401)
            .headers
            .observability()
            .is_empty()
    );
}

#[tokio::test]
async fn they_tell_the_position_the_routes_and_what_failed_before() {
    let scene = TwoRoutes::new().await;
    scene.first.will(Reply::status(500));
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header(FIVE[0]), Some("2"));
    assert_eq!(answer.header(FIVE[1]), Some("2"));
    assert_eq!(answer.header(FIVE[2]), Some("1"));
    let pinned = scene.key.chat("second/gpt-4o-mini").await.has_status(200);
    assert_eq!(pinned.header(FIVE[0]), Some("1"));
    assert_eq!(pinned.header(FIVE[1]), Some("1"));
}

#[tokio::test]
async fn a_vendor_cannot_set_them() {
    let scene = Scene::new().await;
    scene.openai.always(Reply::answers().header("x-bd-provider-route-count", "77"));
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-count"), Some("1"));
    let body = operations::EMBEDDINGS.body("fast");
    assert!(scene.key.post("/v1/embeddings", body).await.headers.observability().is_empty());
}

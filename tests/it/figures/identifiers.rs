//! `x-request-id`, `request-id`, `traceparent`.

use crate::support::{Reply, Scene, operations};

fn is_good(id: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=128).contains(&id.len()) && id.chars().all(known)
}

#[tokio::test]
async fn a_good_request_id_is_taken_returned_sent_on_logged_and_recorded() {
    let scene = Scene::new().await;
    for id in ["a".to_owned(), "A.b_c-9".to_owned(), "x".repeat(128)] {
        let answer = scene.key.chat("fast").header("x-request-id", &id).await.has_status(200);
        assert_eq!(answer.header("x-request-id"), Some(id.as_str()));
        assert_eq!(scene.openai.saw().pop().unwrap().header("x-request-id"), Some(id.as_str()));
        scene.acme.record_of(&id).await;
        scene.gateway.log_line(&id).await;
    }
}

#[tokio::test]
async fn a_bad_or_missing_request_id_is_replaced() {
    let scene = Scene::new().await;
    let bad = [
        "x".repeat(129),
        "a b".to_owned(),
        "a/b".to_owned(),
        "é".to_owned(),
        String::new(),
        "a,b".to_owned(),
    ];
    let mut made = Vec::new();
    for id in &bad {
        let answer = scene.key.chat("fast").header("x-request-id", id).await.has_status(200);
        made.push(answer.header("x-request-id").unwrap().to_owned());
    }
    made.push(
        scene.key.chat("fast").await.has_status(200).header("x-request-id").unwrap().to_owned(),
    );
    for (id, call) in made.iter().zip(scene.openai.saw()) {
        assert!(is_good(id) && !bad.contains(id), "{id}");
        assert_eq!(call.header("x-request-id"), Some(id.as_str()));
    }
    made.sort();
    made.dedup();
    assert_eq!(made.len(), bad.len() + 1, "each is new");
}

#[tokio::test]
async fn errors_carry_the_request_id_too() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::status(500)).will(Reply::status(400));
    let answers = [
        scene.key.chat("fast").header("x-request-id", "e").await.has_status(502),
        scene.key.chat("fast").header("x-request-id", "e").await.has_status(400),
        scene.key.chat("nothing").header("x-request-id", "e").await.has_status(404),
        scene.gateway.stranger().chat("fast").header("x-request-id", "e").await.has_status(401),
        scene.key.post("/v1/nowhere", "{}").header("x-request-id", "e").await.has_status(404),
        scene
            .key
            .post("/v1/chat/completions", "{")
            .header("x-request-id", "e")
            .await
            .has_status(400),
        scene.key.get("/v1/models").header("x-request-id", "e").await.has_status(200),
    ];
    for answer in answers {
        assert_eq!(answer.header("x-request-id"), Some("e"), "{}", answer.tell());
    }
}

#[tokio::test]
async fn anthropics_paths_carry_request_id_as_well_and_others_do_not() {
    let scene = Scene::new().await;
    scene.anthropic.always(Reply::answers().header("request-id", "the-vendors-own"));
    for path in ["/v1/messages", "/v1/messages/count_tokens"] {
        let body = operations::MESSAGES.body("smart");
        let answer =
            scene.key.post(path, body).header("x-request-id", "mine").await.has_status(200);
        assert_eq!(answer.header("request-id"), Some("mine"), "{}", answer.tell());
        let answer = scene.key.post(path, "{").header("x-request-id", "mine").await.has_status(400);
        assert_eq!(answer.header("request-id"), Some("mine"), "{}", answer.tell());
    }
    assert_eq!(scene.key.chat("fast").await.has_status(200).header("request-id"), None);
}

#[tokio::test]
async fn a_trace_is_continued() {
    let scene = Scene::new().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let given = format!("00-{trace}-00f067aa0ba902b7-01");
    let ask = scene.key.chat("fast").header("traceparent", &given).header("x-request-id", "traced");
    ask.header("tracestate", "vendor=1").await.has_status(200);
    let call = scene.openai.saw_one();
    assert_eq!(call.header("tracestate"), Some("vendor=1"));
    let sent = call.header("traceparent").expect("a trace goes on");
    assert!(sent.starts_with(&format!("00-{trace}-")) && sent.len() == given.len(), "{sent}");
    assert_eq!(scene.gateway.log_line("traced").await["trace_id"], trace);

    for bad in ["00-0-0-0", "nonsense", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"] {
        let ask = scene.key.chat("fast").header("traceparent", bad);
        ask.header("tracestate", "vendor=1").await.has_status(200);
        let call = scene.openai.saw().pop().unwrap();
        assert_ne!(call.header("traceparent"), Some(bad), "what is no trace is not sent on");
        assert_eq!(call.header("tracestate"), None, "the state of no trace is none");
    }
}

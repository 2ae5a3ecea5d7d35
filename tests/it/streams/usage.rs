//! Token usage is always known, and what was not asked for is not seen.

use crate::support::{
    Caller, Reply, Scene,
    operations::{self, Operation},
};

/// What the vendor streams when it is asked for usage, and the same without the usage chunk.
async fn spoken(scene: &Scene, operation: Operation) -> (String, String) {
    let vendor = Caller::bearer(scene.openai.address(), "sk-direct");
    let body =
        r#"{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},"messages":[]}"#;
    let whole = vendor.post(operation.path, body).await.has_status(200).text().to_owned();
    let kept: String =
        whole.split_inclusive("\n\n").filter(|event| !event.contains("\"usage\":{")).collect();
    assert_ne!(whole, kept);
    (whole, kept)
}

#[tokio::test]
async fn the_usage_chunk_that_was_not_asked_for_is_removed_at_every_split() {
    let scene = Scene::new().await;
    let (whole, kept) = spoken(&scene, operations::CHAT).await;
    let mut wire = scene.key.connect().await;
    for at in 1..whole.len() {
        scene.openai.will(Reply::answers().split_at(at));
        let answer = scene.key.chat_stream("fast").on(&mut wire).await.has_status(200);
        assert_eq!(answer.text(), kept, "split at {at}");
    }
    scene.openai.will(Reply::answers().byte_by_byte());
    let answer = scene.key.chat_stream("fast").on(&mut wire).await.has_status(200);
    assert_eq!(answer.text(), kept, "byte by byte");
    let records = scene.acme.records(whole.len()).await;
    for record in records {
        assert_eq!(record["output_tokens"], 10, "{record}");
    }
}

#[tokio::test]
async fn the_usage_chunk_that_was_asked_for_is_kept() {
    let scene = Scene::new().await;
    let (whole, _) = spoken(&scene, operations::CHAT).await;
    let body =
        r#"{"model":"fast","stream":true,"stream_options":{"include_usage":true},"messages":[]}"#;
    for reply in [Reply::answers(), Reply::answers().byte_by_byte()] {
        scene.openai.will(reply);
        let answer = scene.key.post("/v1/chat/completions", body).await.has_status(200);
        assert_eq!(answer.text(), whole);
    }
}

#[tokio::test]
async fn legacy_completions_are_treated_alike() {
    let scene = Scene::new().await;
    let (_, kept) = spoken(&scene, operations::COMPLETIONS).await;
    let body = operations::COMPLETIONS.stream_body("fast");
    let answer = scene
        .key
        .post("/v1/completions", body)
        .header("x-request-id", "legacy")
        .await
        .has_status(200);
    assert_eq!(answer.text(), kept);
    assert_eq!(scene.acme.record_of("legacy").await["input_tokens"], 5);
}

#[tokio::test]
async fn a_chunk_with_choices_and_usage_is_content_and_stays() {
    let scene = Scene::new().await;
    let events = [
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":3}}\n\n",
        "data: [DONE]\n\n",
    ];
    scene.openai.will(Reply::streams(events));
    let answer = scene.key.chat_stream("fast").header("x-request-id", "both").await.has_status(200);
    assert_eq!(answer.text(), events.concat());
    let record = scene.acme.record_of("both").await;
    assert_eq!((&record["input_tokens"], &record["output_tokens"]), (&2.into(), &3.into()));
}

#[tokio::test]
async fn usage_of_every_operation_reaches_the_ledger_each_token_once() {
    let scene = Scene::new().await;
    // (operation, input, output, cache read, cache written, reasoning)
    let expected = [
        (operations::CHAT, 15, 10, 4, 0, 3),
        (operations::COMPLETIONS, 5, 7, 0, 0, 0),
        (operations::EMBEDDINGS, 8, 0, 0, 0, 0),
        (operations::RESPONSES, 30, 12, 6, 0, 2),
        (operations::MESSAGES, 25, 15, 6, 5, 0),
    ];
    for (operation, input, output, read, written, reasoning) in expected {
        for streamed in [false, true].into_iter().filter(|streamed| !streamed || operation.streams)
        {
            let alias = operation.alias();
            let body = if streamed { operation.stream_body(alias) } else { operation.body(alias) };
            let id = format!("{}-{streamed}", operation.name);
            scene.key.post(operation.path, body).header("x-request-id", &id).await.has_status(200);
            let record = scene.acme.record_of(&id).await;
            let fields = [
                "input_tokens",
                "output_tokens",
                "cache_read_tokens",
                "cache_write_tokens",
                "reasoning_tokens",
            ];
            let counted: Vec<_> =
                fields.iter().map(|field| record[field].as_u64().unwrap()).collect();
            assert_eq!(counted, [input, output, read, written, reasoning], "{id}");
            assert_eq!(record["usage_source"], "reported", "{id}");
            assert_eq!(
                record["used_model"],
                format!("{}-2026-05-05", operation.upstream_model()),
                "{id}"
            );
            assert_eq!(
                (&record["stream"], &record["endpoint"]),
                (&streamed.into(), &operation.name.into())
            );
        }
    }
}

//! Strict budgets: never exceeded by a token.

use futures_util::future::join_all;
use serde_json::json;

use super::{costing, strict};
use crate::support::Scene;

/// A question of `bytes` bytes in all, with or without a limit of its answer.
fn question(max_tokens: Option<u64>) -> String {
    let mut body = json!({"model": "fast", "messages": [{"role": "user", "content": "Hi"}]});
    if let Some(limit) = max_tokens {
        body["max_completion_tokens"] = json!(limit);
    }
    body.to_string()
}

#[tokio::test]
async fn a_request_that_could_exceed_it_is_refused_before_it_is_sent() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", strict(500)).await;
    let ask = |limit| scene.key.post("/v1/chat/completions", question(limit));
    let refused = ask(Some(10_000)).await.has_status(429).openai_error();
    let needed = 10_000 + question(Some(10_000)).len();
    let told = format!("needs {needed} tokens, 500 are left; try again in ");
    assert!(refused["message"].as_str().unwrap().contains(&told), "{refused}");
    scene.openai.saw_nothing();
    scene.openai.will(costing(20, 30));
    ask(Some(30)).await.has_status(200);
}

#[tokio::test]
async fn output_that_nobody_limits_is_capped_at_what_is_left() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", strict(500)).await;
    scene.openai.will(costing(20, 30));
    let body = question(None);
    scene.key.post("/v1/chat/completions", body.clone()).await.has_status(200);
    let sent = scene.openai.saw_one().json();
    let cap = sent["max_completion_tokens"].as_u64().expect("a limit was set");
    let input = u64::try_from(body.len()).unwrap();
    assert_eq!(cap, 500 - input, "what is left behind the most that the input may be");
    scene.key.post("/v1/chat/completions", body).await.has_status(200);
    let sent = scene.openai.saw()[1].json();
    assert_eq!(sent["max_completion_tokens"].as_u64(), Some(500 - 50 - input));
}

#[tokio::test]
async fn translated_requests_are_capped_too() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", strict(700)).await;
    let body = json!({"model": "smart", "messages": [{"role": "user", "content": "Hi"}]});
    scene.key.post("/v1/chat/completions", body.to_string()).await.has_status(200);
    let sent = scene.anthropic.saw_one().json();
    let cap = sent["max_tokens"].as_u64().unwrap();
    assert!(cap < 700 && cap > 500, "{cap}");
}

#[tokio::test]
async fn thinking_that_is_asked_of_another_vendor_makes_no_room_for_itself() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", strict(9000)).await;
    for (limit, thinks) in [(1500, false), (6000, true)] {
        let body = json!({"model": "smart", "reasoning_effort": "high", "max_completion_tokens": limit,
            "messages": [{"role": "user", "content": "Hi"}]});
        scene.key.post("/v1/chat/completions", body.to_string()).await.has_status(200);
        let sent = scene.anthropic.saw().last().expect("it was sent").json();
        assert_eq!(sent["max_tokens"], limit, "{sent}");
        assert_eq!(sent.get("thinking").is_some(), thinks, "{sent}");
    }
}

#[tokio::test]
async fn a_burst_never_exceeds_it_by_a_token() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", strict(1000)).await;
    let body = question(Some(40));
    // As much as such a request may use.
    let input = u64::try_from(body.len()).unwrap();
    scene.openai.always(costing(input, 40));
    let ask = || async { scene.key.post("/v1/chat/completions", body.clone()).await };
    for _ in 0..4 {
        join_all((0..16).map(|_| ask())).await;
    }
    let sent = scene.openai.saw().len();
    let used = u64::try_from(sent).unwrap() * (input + 40);
    assert!(used <= 1000 && used + input + 40 > 1000, "{used} by {sent}");
}

#[tokio::test]
async fn every_answer_and_prompt_counts_however_it_is_asked_for() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", strict(300)).await;
    let chat = |more: &str| {
        format!(
            r#"{{"model":"fast","max_completion_tokens":50,{more},"messages":[{{"role":"user","content":"Hi"}}]}}"#
        )
    };
    for more in [r#""n":1,"max_tokens":50,"n":9"#, r#""n":9.0"#, r#""\u006e":9"#] {
        scene.key.post("/v1/chat/completions", chat(more)).await.has_status(429);
    }
    let prompts =
        json!({"model": "fast", "max_tokens": 50, "prompt": ["a", "b", "c", "d", "e", "f"]});
    scene.key.post("/v1/completions", prompts.to_string()).await.has_status(429);
    scene.openai.saw_nothing();
    scene.openai.will(costing(20, 30));
    scene.key.post("/v1/chat/completions", chat(r#""n":2.0"#)).await.has_status(200);
}

#[tokio::test]
async fn what_is_only_named_may_be_as_long_as_the_model_can_read() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", strict(5000)).await;
    let picture = |url: &str| {
        let part = json!({"type": "image_url", "image_url": {"url": url}});
        let content = [json!({"type": "text", "text": "What is it?"}), part];
        json!({"model": "fast", "max_completion_tokens": 10, "messages": [{"role": "user", "content": content}]})
            .to_string()
    };
    for url in
        ["https://pictures.test/a.png", "gs://pictures/a.png", "data:image/png;base64,iVBORw0KGgo="]
    {
        scene.key.post("/v1/chat/completions", picture(url)).await.has_status(429);
    }
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn what_is_shown_counts_however_it_is_spelled() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", strict(5000)).await;
    for part in [
        r#"{"type":"im\u0061ge_url","im\u0061ge_url":{"url":"data:image/png;base64,AAAA"}}"#,
        r#"{"type":"f\u0069le","f\u0069le":{"file_\u0069d":"file-1"}}"#,
        r#"{"type":"video_url","video_url":{"url":"data:video/mp4;base64,AAAA"}}"#,
        r#"{"type":"vid\u0065o_url","vid\u0065o_url":{"url":"https://videos.test/a.mp4"}}"#,
    ] {
        let body = format!(
            r#"{{"model":"fast","max_completion_tokens":10,"messages":[{{"role":"user","content":[{part}]}}]}}"#
        );
        let refused = scene.key.post("/v1/chat/completions", body).await.has_status(429);
        assert!(refused.text().contains("tokens, 5000 are left"), "{part}: {}", refused.text());
    }
    scene.openai.saw_nothing();
    scene.openai.will(costing(5, 5));
    let said = r#"{"model":"fast","max_completion_tokens":10,"messages":[{"role":"user","content":"video games?"}]}"#;
    scene.key.post("/v1/chat/completions", said).await.has_status(200);
}

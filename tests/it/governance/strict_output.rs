//! Strict budgets: however the output is limited, and by whatever name.

use serde_json::{Value, json};

use super::{costing, strict};
use crate::support::{Caller, Gateway, MockVendor, Org};

/// Models of which nothing is known: at a vendor of the customer's own that speaks OpenAI's API, and at one
/// that speaks Anthropic's.
struct Unknown {
    _gateway: Gateway,
    acme: Org,
    vendor: MockVendor,
    key: Caller,
}

impl Unknown {
    async fn with(budget: u64) -> Self {
        let gateway = Gateway::configured().start().await;
        let vendor = MockVendor::start().await;
        let acme = gateway.org("acme");
        acme.provider("mine").vendor("custom").at(&vendor).model("m").await;
        acme.provider("claude").vendor("anthropic").at(&vendor).model("new-model").await;
        let key = acme.key().await;
        acme.create("budgets", strict(budget)).await;
        Self { _gateway: gateway, acme, vendor, key }
    }

    /// Asks for chat completions.
    async fn chat(&self, more: &str) -> crate::support::Answer {
        let body =
            format!(r#"{{"model":"mine/m","messages":[{{"role":"user","content":"Hi"}}]{more}}}"#);
        self.key.post("/v1/chat/completions", body).await
    }

    fn last(&self) -> Value {
        self.vendor.saw().last().expect("it was sent").json()
    }
}

#[tokio::test]
async fn a_limit_beyond_what_is_only_guessed_of_a_model_is_reserved_in_full() {
    let scene = Unknown::with(10_000).await;
    scene.chat(r#","max_tokens":50000"#).await.has_status(429);
    let message = json!({"model": "claude/new-model", "max_tokens": 50_000,
        "messages": [{"role": "user", "content": "Hi"}]});
    scene.key.post("/v1/messages", message.to_string()).await.has_status(429);
    scene.vendor.saw_nothing();
    scene.vendor.will(costing(5, 9000));
    scene.chat(r#","max_tokens":9800"#).await.has_status(200);
    assert_eq!(scene.last()["max_tokens"], 9800);
}

#[tokio::test]
async fn what_is_left_is_shared_by_the_answers_that_nobody_limits() {
    let scene = Unknown::with(1000).await;
    scene.vendor.will(costing(5, 5));
    let asked = r#","n":3"#;
    scene.chat(asked).await.has_status(200);
    let sent = scene.last();
    let input = 1000 - 3 * sent["max_tokens"].as_u64().expect("a limit was set");
    assert!((70..80).contains(&input), "{sent}: a third of what is left behind the input");
    // What is left is less than a token for each.
    scene.chat(r#","n":2000"#).await.has_status(429);
    assert_eq!(scene.vendor.saw().len(), 1);
}

#[tokio::test]
async fn every_prompt_of_a_completion_is_capped() {
    let scene = Unknown::with(300).await;
    let ask = |prompt: Value| {
        let body = json!({"model": "mine/m", "prompt": prompt});
        scene.key.post("/v1/completions", body.to_string())
    };
    for (prompt, cap) in [(json!("a"), 16), (json!(["a", "b"]), 16)] {
        scene.vendor.will(costing(1, 1));
        ask(prompt).await.has_status(200);
        assert_eq!(scene.last()["max_tokens"], cap);
    }
    scene.vendor.will(costing(1, 1));
    ask(json!(vec!["a"; 50])).await.has_status(200);
    let cap = scene.last()["max_tokens"].as_u64().unwrap();
    assert!((1..16).contains(&cap), "{cap}");
}

#[tokio::test]
async fn of_several_limits_the_largest_counts() {
    let scene = Unknown::with(10_000).await;
    let completion =
        r#"{"model":"mine/m","prompt":"a","max_tokens":50000,"max_completion_tokens":1}"#;
    scene.key.post("/v1/completions", completion).await.has_status(429);
    scene.chat(r#","max_tokens":50000,"max_completion_tokens":1"#).await.has_status(429);
    scene.chat(r#","max_tokens":50000,"max_tokens":1"#).await.has_status(429);
    scene.chat(r#","max_tokens":1,"max\u005ftokens":50000"#).await.has_status(429);
    scene.vendor.saw_nothing();
}

#[tokio::test]
async fn a_limit_is_told_by_the_name_that_the_vendor_has_for_it() {
    let scene = Unknown::with(10_000).await;
    for (more, told) in [
        (r#","max_completion_tokens":5"#, 5),
        (r#","max_completion_tokens":5.0"#, 5),
        (r#","max_completion_tokens":"5""#, 5),
        (r#","max_completion_tokens":6,"max_tokens":null"#, 6),
        (r#","max_completion_tokens":8,"max_tokens":7"#, 7),
    ] {
        scene.vendor.will(costing(5, 5));
        scene.chat(more).await.has_status(200);
        let sent = scene.last();
        assert_eq!(sent["max_tokens"], told, "{more}");
        // Servers that know both names refuse to be given both.
        let both = more.contains("max_tokens\"");
        assert_eq!(sent.get("max_completion_tokens").is_some(), both, "{more}");
    }
    let completion = r#"{"model":"mine/m","prompt":"a","max_completion_tokens":9}"#;
    scene.vendor.will(costing(5, 5));
    scene.key.post("/v1/completions", completion).await.has_status(200);
    assert_eq!(scene.last()["max_tokens"], 9);
}

#[tokio::test]
async fn a_limit_below_nothing_is_none_and_what_is_left_takes_its_place() {
    let scene = Unknown::with(1000).await;
    for more in [
        r#","max_tokens":-1"#,
        r#","max_tokens":"\u002d1""#,
        r#","max_completion_tokens":-1"#,
        r#","max_completion_tokens":-1.0,"max_tokens":null"#,
        r#","max_tokens":-1,"max_completion_tokens":-1"#,
    ] {
        scene.vendor.will(costing(5, 5));
        scene.chat(more).await.has_status(200);
        let sent = scene.last();
        let cap = sent["max_tokens"].as_u64().unwrap_or_else(|| panic!("{more}: {sent}"));
        assert!((700..1000).contains(&cap), "{more}: {sent}");
        assert!(sent["max_completion_tokens"].is_null(), "{more}: {sent}");
    }
    // Beside a limit it would be the vendor's choice which of both to read.
    scene.vendor.will(costing(5, 5));
    scene.chat(r#","max_tokens":50,"max_completion_tokens":-1"#).await.has_status(200);
    let sent = scene.last();
    assert_eq!((&sent["max_tokens"], &sent["max_completion_tokens"]), (&json!(50), &Value::Null));
}

#[tokio::test]
async fn a_limit_that_a_vendor_may_read_otherwise_is_refused() {
    let scene = Unknown::with(10_000).await;
    for (more, param) in [
        (r#","max_tokens":1,"Max_Tokens":50000"#, "max_tokens"),
        (r#","max_tokens":1,"max_to\u212aens":50000"#, "max_tokens"),
        (r#","max_tokens":1,"N":100"#, "n"),
        (r#","max_tokens":1,"max_tokens":null"#, "max_tokens"),
    ] {
        let error = scene.chat(more).await.has_status(400).openai_error();
        assert_eq!(error["param"], param, "{error}");
    }
    scene.vendor.saw_nothing();
    assert_eq!(scene.acme.records(4).await.len(), 4);
}

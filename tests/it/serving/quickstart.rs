//! The newcomer's first run: a key and lines to paste, without any network.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Caller, Gateway, operations};

/// The words of the banner that look like a gateway key.
fn shown_key(banner: &str) -> Option<String> {
    let words = banner.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.into_iter().find(|word| word.starts_with("bd-") && word.len() > 30).map(str::to_owned)
}

/// The models that the key may name.
async fn names(key: &Caller) -> Vec<String> {
    let listed = key.get("/v1/models").await.has_status(200).json();
    let names = listed["data"].as_array().unwrap().iter();
    names.map(|model| model["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_printed_lines_work_as_pasted_and_the_sandbox_answers_everything() {
    let (gateway, banner) = Gateway::configured().quickstart().await;
    let key = gateway.caller(&shown_key(&banner).expect("a key is shown"));
    assert!(banner.contains(&format!("http://{}", gateway.address())), "{banner}");

    let lines: Vec<_> =
        banner.lines().map(str::trim).filter(|line| line.starts_with("curl ")).collect();
    assert!(lines[0].contains("/chat/completions"), "the first is a chat completion: {banner}");
    for line in &lines {
        let output = Command::new("sh")
            .args(["-c", &line.replacen("curl", "curl -sSf", 1)])
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        assert!(!output.stdout.is_empty(), "{line}");
    }

    let model = lines[0].split(r#""model":""#).nth(1).unwrap().split('"').next().unwrap();
    assert!(names(&key).await.iter().any(|name| name == model), "{model} is listed");
    for operation in operations::ALL {
        let answer = key.post(operation.path, operation.body(model)).await;
        assert_eq!(answer.status, 200, "{}: {}", operation.name, answer.tell());
        if operation.streams {
            let answer =
                key.post(operation.path, operation.stream_body(model)).await.has_status(200);
            let last = answer.events().pop().unwrap();
            let ending = if operation.anthropic {
                "message_stop"
            } else if operation.name == "responses" {
                "response.completed"
            } else {
                "[DONE]"
            };
            assert!(last.contains(ending), "{}: {last}", operation.name);
        }
    }
}

#[tokio::test]
async fn a_second_run_keeps_everything_and_shows_no_key_again() {
    let (gateway, banner) = Gateway::configured().quickstart().await;
    let secret = shown_key(&banner).expect("a key is shown");
    let before = names(&gateway.caller(&secret)).await;
    let (gateway, banner) = gateway.quickstart_again().await;
    assert_eq!(shown_key(&banner), None, "{banner}");
    assert_eq!(names(&gateway.caller(&secret)).await, before);
    let model = before.iter().find(|name| name.ends_with("sandbox-small")).expect("it is offered");
    gateway.caller(&secret).chat(model).await.has_status(200);
    let admin = gateway.token("default", "someone", "admin", &[]);
    let providers: Value =
        gateway.caller(&admin).get("/api/llm-gateway/admin/providers").await.has_status(200).json();
    let names: Vec<_> =
        providers.as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, [json!("sandbox")]);
}

//! Bodies that cannot be understood.

use crate::support::{Gateway, Scene, operations};

/// Asserts that each body is refused with `status` on every operation, and that nobody saw it.
async fn refused(scene: &Scene, bodies: &[String], status: u16) {
    for body in bodies {
        let shown: String = body.chars().take(120).collect();
        for operation in operations::ALL {
            let answer = scene.key.post(operation.path, body.clone()).await;
            assert_eq!(answer.status, status, "{} {shown}: {}", operation.name, answer.tell());
            if operation.anthropic {
                assert_eq!(answer.anthropic_error()["type"], "invalid_request_error", "{shown}");
            } else {
                assert_eq!(answer.openai_error()["type"], "invalid_request_error", "{shown}");
            }
        }
    }
    scene.openai.saw_nothing();
    scene.anthropic.saw_nothing();
}

fn deep(levels: usize) -> String {
    format!(
        "{{\"model\":\"fast\",\"x\":{}{},\"messages\":[]}}",
        "[".repeat(levels),
        "]".repeat(levels)
    )
}

#[tokio::test]
async fn what_is_not_one_json_object_is_refused() {
    let scene = Scene::new().await;
    let bodies = [
        "",
        " ",
        "{",
        "null",
        "[]",
        "7",
        "\"fast\"",
        "{\"model\":\"fast\"",
        "{\"model\":\"fast\"}}",
        "{\"model\":\"fast\"}{}",
        "{'model':'fast'}",
        "{\"model\":\"fast\",}",
        "{\"model\" \"fast\"}",
        "{\"model\":\"fast\",\"x\":01}",
        "{\"model\":\"fast\",\"x\":\"\n\"}",
        "{\"model\":\"fast\",\"x\":\"\\q\"}",
        "{\"model\":\"fast\",\"x\":NaN}",
        "{\"model\":\"fast\" /* no */}",
        "{\"model\":\"fast\\",
        "\u{feff}{",
    ]
    .map(str::to_owned);
    refused(&scene, &bodies, 400).await;
    let not_utf8 =
        [b"{\"model\":\"fast\",\"messages\":[],\"x\":\"".as_slice(), &[0xff, 0xfe], b"\"}"]
            .concat();
    scene.key.post("/v1/chat/completions", not_utf8).await.has_status(400);
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn a_model_must_be_given_once_as_a_string() {
    let scene = Scene::new().await;
    let rest = "\"messages\":[],\"input\":\"x\",\"prompt\":\"x\",\"max_tokens\":1";
    let bodies = [
        format!("{{{rest}}}"),
        format!("{{\"model\":null,{rest}}}"),
        format!("{{\"model\":7,{rest}}}"),
        format!("{{\"model\":[\"fast\"],{rest}}}"),
        format!("{{\"model\":{{\"id\":\"fast\"}},{rest}}}"),
        format!("{{\"model\":true,{rest}}}"),
        format!("{{\"model\":\"\",{rest}}}"),
        format!("{{\"Model\":\"fast\",{rest}}}"),
        format!("{{\"model\":\"fast\",{rest},\"model\":\"smart\"}}"),
        format!("{{\"model\":\"fast\",{rest},\"model\":\"fast\"}}"),
        format!("{{\"model\":\"fast\",{rest},\"mod\\u0065l\":\"smart\"}}"),
        format!("{{\"\\u006d\\u006f\\u0064\\u0065\\u006c\":\"fast\",{rest},\"model\":\"smart\"}}"),
        format!("{{\"model\":\"\\ud800\",{rest}}}"),
    ];
    refused(&scene, &bodies, 400).await;
    let answer = scene.key.post("/v1/chat/completions", format!("{{{rest}}}")).await;
    assert_eq!(answer.openai_error()["param"], "model");
}

#[tokio::test]
async fn nested_fields_called_model_are_nobodys_business() {
    let scene = Scene::new().await;
    let body = r#"{"x":{"model":1,"model":2},"model":"fast","messages":[{"model":"a"}]}"#;
    scene.key.post("/v1/chat/completions", body).await.has_status(200);
    assert_eq!(scene.openai.saw_one().text(), body.replace("fast", "gpt-4o"));
}

#[tokio::test]
async fn json_that_is_nested_too_deeply_is_refused() {
    let scene = Scene::new().await;
    refused(&scene, &[deep(300), deep(100_000)], 400).await;
    scene.key.post("/v1/chat/completions", deep(100)).await.has_status(200);
}

#[tokio::test]
async fn many_keys_and_long_numbers_do_no_harm() {
    let scene = Scene::new().await;
    let keys: Vec<String> = (0..200_000).map(|n| format!("\"k{n}\":{n},")).collect();
    let keys = keys.concat();
    let body = format!(
        "{{{keys}\"model\":\"fast\",\"messages\":[],\"n\":1e400,\"m\":{}}}",
        "9".repeat(100_000)
    );
    scene.key.post("/v1/chat/completions", body.clone()).await.has_status(200);
    assert!(scene.openai.saw_one().text() == body.replace("\"fast\"", "\"gpt-4o\""));
}

#[tokio::test]
async fn messages_must_be_there_and_an_array() {
    let scene = Scene::new().await;
    for operation in [operations::CHAT, operations::MESSAGES] {
        for messages in [
            "",
            "\"messages\":null,",
            "\"messages\":{},",
            "\"messages\":\"Hi\",",
            "\"messages\":7,",
        ] {
            let body =
                format!("{{{messages}\"model\":\"{}\",\"max_tokens\":1}}", operation.alias());
            let answer = scene.key.post(operation.path, body).await.has_status(400);
            if operation.anthropic {
                assert!(answer.anthropic_error()["message"].as_str().unwrap().contains("messages"));
            } else {
                let error = answer.openai_error();
                assert_eq!(
                    (&error["code"], &error["param"]),
                    (&"invalid_parameters".into(), &serde_json::Value::Null)
                );
            }
        }
    }
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let scene = Scene::new().await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
    ] {
        for operation in operations::ALL {
            let ask = scene.key.ask("POST", operation.path).header("content-type", kind);
            let answer = ask.body(operation.body(operation.alias())).await.has_status(415);
            if operation.anthropic {
                answer.anthropic_error()
            } else {
                answer.openai_error()
            };
        }
    }
    scene.openai.saw_nothing();
    for kind in
        ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"]
    {
        let ask = scene.key.ask("POST", "/v1/chat/completions").header("content-type", kind);
        ask.body(operations::CHAT.body("fast")).await.has_status(200);
    }
}

#[tokio::test]
async fn compressed_bodies_are_refused_unread() {
    let scene = Scene::new().await;
    for coding in ["gzip", "br", "deflate", "gzip, gzip"] {
        let ask = scene.key.post("/v1/chat/completions", operations::CHAT.body("fast"));
        let answer = ask.header("content-encoding", coding).await;
        assert!([400, 415].contains(&answer.status), "{coding}: {}", answer.tell());
    }
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_by_its_length_and_by_its_bytes() {
    let scene = Scene::with(Gateway::configured().set("server.max_body_mb", 1)).await;
    let padding = "x".repeat(1 << 20);
    let body = |model: &str| {
        format!("{{\"model\":\"{model}\",\"messages\":[],\"padding\":\"{padding}\"}}")
    };
    for operation in [operations::CHAT, operations::MESSAGES] {
        for chunked in [false, true] {
            let mut ask = scene.key.post(operation.path, body(operation.alias()));
            if chunked {
                ask = ask.chunked();
            }
            let answer = ask.await.has_status(413);
            if operation.anthropic {
                assert_eq!(answer.anthropic_error()["type"], "request_too_large");
            } else {
                assert_eq!(answer.openai_error()["code"], "request_too_large");
            }
        }
    }
    let ask = scene.key.post("/v1/chat/completions", body("fast"));
    let mut wire = scene.key.connect().await;
    wire.send(ask.head()).await;
    assert_eq!(wire.answer().await.status, 413, "its announcement is enough");
    scene.openai.saw_nothing();
    let fits = &body("fast").replace(&padding, &padding[..(1 << 20) - 100]);
    scene.key.post("/v1/chat/completions", fits.clone()).await.has_status(200);
}

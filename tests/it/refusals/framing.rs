//! Requests whose end two parsers would see in two places.

use serde_json::json;

use crate::support::{Gate, Gateway, Reply, Scene, Wire};

/// What follows an ambiguous request: a good one, which must never be taken for one.
fn smuggled(key: &str) -> String {
    let body = r#"{"model":"fast","input":"owned"}"#;
    let head = head(key, &format!("content-length: {}", body.len()));
    format!("{}{body}", head.replace("chat/completions", "embeddings"))
}

fn head(key: &str, framing: &str) -> String {
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\n{framing}\r\n\r\n"
    )
}

/// Sends `bytes` and whatever hides behind them; the gateway must refuse or close, and no vendor
/// may see anything but what `allowed` says.
async fn harmless(scene: &Scene, name: &str, bytes: String) {
    let mut wire = Wire::connect(scene.gateway.address()).await;
    wire.send(bytes).await;
    if let Some(answer) = wire.try_answer().await {
        assert!((400..500).contains(&answer.status), "{name}: {}", answer.tell());
        let rest = wire.closed().await;
        assert!(rest.is_empty(), "{name}: more was said: {}", String::from_utf8_lossy(&rest));
    }
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn ambiguous_framing_is_refused_and_the_connection_closed() {
    let scene = Scene::new().await;
    let key = scene.key.secret.clone();
    let body = r#"{"model":"fast","messages":[]}"#;
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let cases = [
        ("two lengths", format!("content-length: {}\r\ncontent-length: 5", body.len()), body),
        ("two lengths in one line", format!("content-length: {}, 5", body.len()), body),
        ("a signed length", format!("content-length: +{}", body.len()), body),
        ("a negative length", "content-length: -1".to_owned(), body),
        ("a hexadecimal length", "content-length: 0x1e".to_owned(), body),
        ("an endless length", "content-length: 99999999999999999999999".to_owned(), body),
        ("an unknown coding", "transfer-encoding: xchunked".to_owned(), chunked.as_str()),
        ("a second coding", "transfer-encoding: chunked, identity".to_owned(), chunked.as_str()),
        (
            "a coding twice",
            "transfer-encoding: chunked\r\ntransfer-encoding: identity".to_owned(),
            chunked.as_str(),
        ),
        ("a coding in a coding", "transfer-encoding: gzip, chunked".to_owned(), chunked.as_str()),
        ("a nominated host", format!("connection: host\r\ncontent-length: {}", body.len()), body),
        (
            "a length beside chunks",
            "content-length: 4\r\ntransfer-encoding: chunked".to_owned(),
            chunked.as_str(),
        ),
        ("a folded header", format!("x-a: b\r\n c: d\r\ncontent-length : {}", body.len()), body),
        ("space before the colon", format!("content-length : {}", body.len()), body),
        ("no name", format!(": x\r\ncontent-length: {}", body.len()), body),
        ("a NUL in a value", format!("x-a: b\0c\r\ncontent-length: {}", body.len()), body),
        ("a bad chunk size", "transfer-encoding: chunked".to_owned(), "ZZ\r\nabc\r\n0\r\n\r\n"),
        ("a negative chunk", "transfer-encoding: chunked".to_owned(), "-5\r\nabc\r\n0\r\n\r\n"),
        (
            "an endless chunk",
            "transfer-encoding: chunked".to_owned(),
            "ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        ),
    ];
    for (name, framing, body) in cases {
        harmless(&scene, name, format!("{}{body}{}", head(&key, &framing), smuggled(&key))).await;
    }
    scene.key.chat("fast").await.has_status(200);
}

#[tokio::test]
async fn length_and_chunks_together_never_desynchronize() {
    let scene = Scene::new().await;
    let body = r#"{"model":"fast","messages":[]}"#;
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let smuggled = smuggled(&scene.key.secret);
    for framing in [
        format!("content-length: {}\r\ntransfer-encoding: chunked", chunked.len() + smuggled.len()),
        "content-length: 4\r\ntransfer-encoding: chunked".to_owned(),
        "transfer-encoding: chunked\r\ncontent-length: 0".to_owned(),
    ] {
        let before = scene.openai.saw().len();
        let mut wire = Wire::connect(scene.gateway.address()).await;
        wire.send(format!("{}{chunked}{smuggled}", head(&scene.key.secret, &framing))).await;
        let answer = wire.answer().await;
        wire.closed().await;
        let calls = scene.openai.saw();
        if answer.status == 200 {
            assert_eq!(calls.len(), before + 1, "{framing}");
            assert_eq!(
                calls[before].text(),
                body.replace("fast", "gpt-4o"),
                "chunks win: {framing}"
            );
        } else {
            assert!((400..500).contains(&answer.status), "{framing}: {}", answer.tell());
            assert_eq!(calls.len(), before, "{framing}");
        }
        assert!(calls.iter().all(|call| call.path == "/v1/chat/completions"), "{framing}");
    }
}

#[tokio::test]
async fn old_protocols_cannot_chunk() {
    let scene = Scene::new().await;
    let body = r#"{"model":"fast","messages":[]}"#;
    let head = head(&scene.key.secret, "transfer-encoding: chunked");
    let smuggled = smuggled(&scene.key.secret);
    let request = format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n{smuggled}", body.len());
    let mut wire = Wire::connect(scene.gateway.address()).await;
    wire.send(request.replace("HTTP/1.1", "HTTP/1.0")).await;
    wire.try_answer().await;
    wire.closed().await;
    assert!(scene.openai.saw().len() <= 1);
    assert!(scene.openai.saw().iter().all(|call| call.path == "/v1/chat/completions"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_each_with_its_own_key() {
    let scene = Scene::new().await;
    let first = scene.key.chat("fast").header("x-request-id", "first").bytes();
    let second =
        scene.gateway.caller("bd-wrong").chat("fast").header("x-request-id", "second").bytes();
    let mut wire = scene.key.connect().await;
    wire.send([first, second].concat()).await;
    let answer = wire.answer().await.has_status(200);
    assert_eq!(answer.header("x-request-id"), Some("first"));
    let answer = wire.answer().await.has_status(401);
    assert_eq!(answer.header("x-request-id"), Some("second"));
    assert_eq!(scene.openai.saw().len(), 1);
}

#[tokio::test]
async fn a_request_sent_while_another_is_answered_waits_for_its_turn() {
    let scene = Scene::new().await;
    let gate = Gate::closed();
    scene.openai.will(Reply::answers().gated(&gate));
    let mut wire = scene.key.connect().await;
    wire.send(scene.key.chat("fast").header("x-request-id", "first").bytes()).await;
    scene.openai.wait_for_calls(1).await;
    let second = scene.key.chat("fast").header("x-request-id", "second").bytes();
    let (early, late) = second.split_at(second.len() / 2);
    wire.send(early).await;
    gate.open();
    let answer = wire.answer().await.has_status(200);
    assert_eq!(answer.header("x-request-id"), Some("first"));
    wire.send(late).await;
    let answer = wire.answer().await.has_status(200);
    assert_eq!(answer.header("x-request-id"), Some("second"));
}

/// A chat request of a header and a body of so many bytes.
fn long(key: &str, id: &str, length: usize) -> (String, String) {
    let (before, after) = (r#"{"model":"fast","messages":[],"user":""#, r#""}"#);
    let text: String = ('a'..='z').cycle().take(length - before.len() - after.len()).collect();
    let head = head(key, &format!("x-request-id: {id}\r\ncontent-length: {length}"));
    (head, format!("{before}{text}{after}"))
}

#[tokio::test]
async fn a_request_that_comes_with_the_end_of_a_long_body_is_answered_in_its_turn() {
    let scene = Scene::new().await;
    let mut wire = scene.key.connect().await;
    for length in [9_000, 20_000, 65_536, 65_537, 131_073, 300_000] {
        let (head, body) = long(&scene.key.secret, "first", length);
        let (next_head, next_body) = long(&scene.key.secret, "second", length);
        let (early, late) = body.split_at(length - 100);
        let (next_early, next_late) = next_body.split_at(length / 2);
        wire.send(format!("{head}{early}")).await;
        wire.send(format!("{late}{next_head}{next_early}")).await;
        let answer = wire.answer().await.has_status(200);
        assert_eq!(answer.header("x-request-id"), Some("first"));
        wire.send(next_late).await;
        let answer = wire.answer().await.has_status(200);
        assert_eq!(answer.header("x-request-id"), Some("second"));
        let (first, second) = {
            let mut saw = scene.openai.saw();
            let second = saw.pop().unwrap();
            (saw.pop().unwrap(), second)
        };
        for (call, body) in [(first, &body), (second, &next_body)] {
            let expected = body.replacen("fast", "gpt-4o", 1);
            assert!(call.text() == expected, "{length}");
            assert_eq!(call.header("content-length"), Some(&*expected.len().to_string()));
        }
    }
}

#[tokio::test]
async fn a_long_body_that_came_too_late_or_for_nobody_is_never_taken_for_requests() {
    let scene = Scene::with(Gateway::configured().set("server.body_timeout_secs", 1)).await;
    let hidden = smuggled(&scene.key.secret).repeat(1000);
    for (key, status) in [(&*scene.key.secret, 408), ("bd-wrong", 401)] {
        for early in [0, 1, 5_000, 65_536, 150_000] {
            let head = head(key, &format!("content-length: {}", hidden.len()));
            let mut wire = Wire::connect(scene.gateway.address()).await;
            wire.send(format!("{head}{}", &hidden[..early])).await;
            wire.answer().await.has_status(status);
            // Each of the requests in it begins at a place where the body might be thought to end.
            let _closed_before = wire.try_send(&hidden[early..]).await;
            assert!(wire.try_answer().await.is_none(), "{status} {early}: more was served");
        }
    }
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn a_request_line_that_pingora_mends_shifts_no_body() {
    let mended = ["?u=a b", "#a b"];
    let lengths = [(9_000, 2_000), (20_000, 0), (65_537, 1), (131_073, 2)];
    for (target, (length, first)) in mended.iter().flat_map(|one| lengths.map(|two| (one, two))) {
        let scene = Scene::new().await;
        let (head, body) = long(&scene.key.secret, "first", length);
        let head = head.replacen("completions", &format!("completions{target}"), 1);
        let (next_head, next_body) = long(&scene.key.secret, "second", length);
        let (early, late) = body.split_at(first);
        let mut wire = scene.key.connect().await;
        wire.send(format!("{head}{early}")).await;
        wire.send(format!("{late}{next_head}{next_body}")).await;
        let answer = wire.answer().await.has_status(200);
        assert_eq!(answer.header("x-request-id"), Some("first"));
        assert!(wire.try_answer().await.is_none(), "{length}: what came early is not served");
        assert!(scene.openai.saw_one().text() == body.replacen("fast", "gpt-4o", 1), "{length}");
    }
}

#[tokio::test]
async fn who_sends_early_and_leaves_is_noticed_all_the_same() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::hangs());
    let mut wire = scene.key.connect().await;
    wire.send(scene.key.chat("fast").bytes()).await;
    let call = scene.openai.wait_for_calls(1).await.remove(0);
    wire.send("\r\nPOST /v1/chat").await;
    let left = std::time::Instant::now();
    drop(wire);
    let late = call.abandoned_after(left).await;
    assert!(late < std::time::Duration::from_millis(250), "{late:?}");
}

#[tokio::test]
async fn a_header_that_came_in_part_with_the_request_before_has_its_time_too() {
    let scene = Scene::with(Gateway::configured().set("server.header_timeout_secs", 1)).await;
    let mut wire = scene.key.connect().await;
    let begun = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n";
    wire.send([&scene.key.chat("fast").bytes()[..], begun.as_bytes()].concat()).await;
    wire.answer().await.has_status(200);
    wire.closed().await;
}

#[tokio::test]
async fn behind_a_body_that_cannot_be_read_nothing_is_served() {
    let scene = Scene::new().await;
    let next = scene.key.chat("fast").bytes();
    for path in ["/v1/chat/completions", "/api/llm-gateway/admin/providers"] {
        let head =
            head("bd-wrong", "transfer-encoding: chunked").replace("/v1/chat/completions", path);
        let mut wire = Wire::connect(scene.gateway.address()).await;
        wire.send(format!("{head}ZZ\r\n")).await;
        let answer = wire.answer().await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.tell());
        if wire.try_send(&next).await.is_ok() {
            assert!(wire.try_answer().await.is_none(), "{path}: more was served");
        }
    }
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn behind_chunks_nothing_is_served_that_came_early() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::answers().after(std::time::Duration::from_secs(1)));
    let body = r#"{"model":"fast","messages":[]}"#;
    let head = head(&scene.key.secret, "transfer-encoding: chunked");
    let mut wire = Wire::connect(scene.gateway.address()).await;
    wire.send(format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len())).await;
    scene.openai.wait_for_calls(1).await;
    wire.send(smuggled(&scene.key.secret)).await;
    wire.answer().await.has_status(200);
    assert!(wire.closed().await.is_empty());
    assert_eq!(scene.openai.saw().len(), 1);
}

#[tokio::test]
async fn who_is_still_sending_reads_why_its_header_was_refused() {
    let scene = Scene::new().await;
    let mut wire = Wire::connect(scene.gateway.address()).await;
    let head = "POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 900000\r\n\r\n";
    let body = "x".repeat(900_000);
    wire.send(format!("{head}{body}")).await;
    wire.answer().await.has_status(400).anthropic_error();
}

#[tokio::test]
async fn a_header_that_cannot_be_read_is_refused_in_words_and_recorded() {
    let scene = Scene::new().await;
    let headers = "x-a: y\r\n".repeat(300);
    let target = "x".repeat(70_000);
    let length = "content-length: 2\r\ncontent-length: 3\r\n";
    for (name, request) in [
        ("300 headers", format!("GET /v1/models HTTP/1.1\r\nhost: x\r\n{headers}\r\n")),
        ("a long target", format!("GET /v1/{target} HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("a folded line", "GET /v1/models HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n".to_owned()),
        ("two lengths", format!("POST /v1/responses HTTP/1.1\r\nhost: x\r\n{length}\r\n{{}}")),
    ] {
        let mut wire = Wire::connect(scene.gateway.address()).await;
        wire.send(request.as_bytes()).await;
        let answer = wire.answer().await.has_status(400);
        let error = answer.openai_error();
        assert!(error["message"].to_string().contains("256 header lines"), "{name}: {error}");
        assert_eq!(answer.header("server"), None, "{name}");
        assert_eq!(answer.header("connection"), Some("close"), "{name}");
        wire.closed().await;
        let logged = scene.gateway.log_line(answer.header("x-request-id").unwrap()).await;
        assert_eq!((&logged["status"], &logged["denied_by"]), (&json!(400), &json!("unreadable")));
    }
    let metrics = scene.gateway.metrics().await;
    assert_eq!(metrics.sum("turnpike_denied_total", &[("reason", "unreadable")]), 4);
    let mut wire = Wire::connect(scene.gateway.address()).await;
    wire.send(format!("POST /v1/messages HTTP/1.1\r\nhost: x\r\n{headers}\r\n").as_bytes()).await;
    wire.answer().await.has_status(400).anthropic_error();
    let mut wire = Wire::connect(scene.gateway.address()).await;
    wire.send("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n").await;
    wire.answer().await.has_status(405).openai_error();
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn a_request_names_one_host() {
    let scene = Scene::new().await;
    for host in ["x-a: b", "host: a\r\nhost: b"] {
        let request = head(&scene.key.secret, "content-length: 2").replace("host: x", host) + "{}";
        let mut wire = Wire::connect(scene.gateway.address()).await;
        wire.send(request).await;
        wire.answer().await.has_status(400).openai_error();
        wire.closed().await;
    }
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn line_breaks_in_values_make_no_headers() {
    let scene = Scene::new().await;
    let body = "{\"model\":\"fast\\r\\nx-evil: 1\",\"messages\":[]}";
    let answer = scene.key.post("/v1/chat/completions", body).await.has_status(404);
    assert_eq!(answer.header("x-evil"), None);
    let bytes = head(&scene.key.secret, "anthropic-beta: a\nx-evil: 1\r\ncontent-length: 2") + "{}";
    let mut wire = Wire::connect(scene.gateway.address()).await;
    wire.send(bytes).await;
    wire.try_answer().await;
    scene.openai.saw_nothing();
}

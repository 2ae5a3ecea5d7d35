use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, routing::get};
use futures_util::stream;
use pingora_core::{
    connectors::http::Connector, protocols::http::client::HttpSession, upstreams::peer::HttpPeer,
};
use pingora_http::RequestHeader;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::*;

const DEADLINE: Duration = Duration::from_secs(10);

fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: sandbox\r\ncontent-type: application/json\r\nx-sandbox-pace-ms: 0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads until `end` is there.
async fn read_until(near: &mut DuplexStream, end: &str) -> String {
    let mut text = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&text).contains(end) {
            assert!(near.read_buf(&mut text).await.expect("readable") > 0, "ended early: {text:?}");
        }
    };
    timeout(DEADLINE, reading).await.expect("within the deadline");
    String::from_utf8(text).expect("UTF-8")
}

/// Reads an answer of known length.
async fn read_answer(near: &mut DuplexStream) -> String {
    let mut answer = read_until(near, "\r\n\r\n").await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.expect("a length").parse().expect("a number");
    let mut rest = vec![0; length - body.len()];
    let reading = timeout(DEADLINE, near.read_exact(&mut rest)).await;
    reading.expect("within the deadline").expect("readable");
    answer.push_str(&String::from_utf8(rest).expect("UTF-8"));
    answer
}

async fn eventually(what: &str, done: impl Fn() -> bool) {
    let polling = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, polling).await.unwrap_or_else(|_| panic!("not within the deadline: {what}"));
}

#[tokio::test]
async fn one_pipe_carries_several_requests() {
    let mut near = InProcess::new().open();
    for text in ["first", "second"] {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]}}"#);
        near.write_all(post("/v1/chat/completions", &body).as_bytes()).await.expect("written");
        let answer = read_answer(&mut near).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains(&format!("You said: {text}")), "{answer}");
    }
}

#[tokio::test]
async fn a_stream_comes_in_chunks_and_ends_properly() {
    let mut near = InProcess::new().open();
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"one two"}]}"#;
    near.write_all(post("/v1/chat/completions", body).as_bytes()).await.expect("written");
    let answer = read_until(&mut near, "\r\n0\r\n\r\n").await;
    assert!(answer.contains("transfer-encoding: chunked"), "{answer}");
    assert!(answer.contains("data: [DONE]\n\n"), "{answer}");
}

#[tokio::test]
async fn a_cut_answer_ends_without_its_end() {
    let mut near = InProcess::new().open();
    let body = r#"{"model":"sandbox-cut","stream":true,"messages":[{"role":"user","content":"one two three"}]}"#;
    near.write_all(post("/v1/chat/completions", body).as_bytes()).await.expect("written");
    let mut answer = String::new();
    timeout(DEADLINE, near.read_to_string(&mut answer))
        .await
        .expect("within the deadline")
        .expect("closed");
    assert!(answer.contains("You "), "{answer}");
    assert!(!answer.contains("[DONE]") && !answer.ends_with("0\r\n\r\n"), "{answer}");
}

/// Tells when it is dropped.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A vendor that never answers `/hang` and never ends `/drip`.
fn stuck_vendor(dropped: &Arc<AtomicBool>) -> InProcess {
    let (hanging, dripping) = (dropped.clone(), dropped.clone());
    let router = Router::new()
        .route(
            "/hang",
            get(move || async move {
                let _guard = Guard(hanging);
                std::future::pending::<()>().await;
            }),
        )
        .route(
            "/drip",
            get(move || async move {
                Body::from_stream(stream::unfold(
                    (0, Guard(dripping)),
                    |(count, guard)| async move {
                        if count > 0 {
                            std::future::pending::<()>().await;
                        }
                        Some((Ok::<_, io::Error>("drop"), (count + 1, guard)))
                    },
                ))
            }),
        );
    InProcess { router }
}

#[tokio::test]
async fn a_client_that_leaves_while_waiting_ends_the_far_end() {
    let dropped = Arc::default();
    let mut near = stuck_vendor(&dropped).open();
    near.write_all(b"GET /hang HTTP/1.1\r\nhost: sandbox\r\n\r\n").await.expect("written");
    eventually("the handler runs", || Arc::strong_count(&dropped) > 3).await;
    drop(near);
    eventually("the handler is dropped", || dropped.load(Ordering::SeqCst)).await;
}

#[tokio::test]
async fn a_client_that_leaves_amid_a_stream_ends_the_far_end() {
    let dropped = Arc::default();
    let mut near = stuck_vendor(&dropped).open();
    near.write_all(b"GET /drip HTTP/1.1\r\nhost: sandbox\r\n\r\n").await.expect("written");
    read_until(&mut near, "drop").await;
    drop(near);
    eventually("the stream is dropped", || dropped.load(Ordering::SeqCst)).await;
}

#[tokio::test]
async fn pingora_takes_it_for_a_connection() {
    let connector: Connector = Connector::new(None);
    let mut peer = HttpPeer::new("192.0.2.1:80", false, String::new());
    peer.options.custom_l4 = Some(Arc::new(InProcess::new()));
    peer.options.idle_timeout = Some(Duration::ZERO);
    for _ in 0..2 {
        let (mut session, _) = connector.get_http_session(&peer).await.expect("connected");
        let mut request = RequestHeader::build("GET", b"/v1/models", None).expect("a request");
        request.insert_header("host", "sandbox.turnpike.internal").expect("a header");
        session.write_request_header(Box::new(request)).await.expect("written");
        session.finish_request_body().await.expect("finished");
        session.read_response_header().await.expect("answered");
        assert_eq!(status(&session), 200);
        let mut body = Vec::new();
        while let Some(chunk) = session.read_response_body().await.expect("a body") {
            body.extend_from_slice(&chunk);
        }
        assert!(String::from_utf8_lossy(&body).contains("sandbox-large"));
        connector.release_http_session(session, &peer, peer.options.idle_timeout).await;
    }
}

fn status(session: &HttpSession) -> u16 {
    session.response_header().expect("a header").status.as_u16()
}

//! The mock and the clients must be right before anything is judged by them.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{
    Caller, Ending, Gate, Metrics, MockVendor, PostgresServer, Reply,
    mock::{self, Faces},
    operations,
    scan::{self, Canary},
    until, within,
};

fn caller(mock: &MockVendor) -> Caller {
    Caller::bearer(mock.address(), "sk-test")
}

#[tokio::test]
async fn the_mock_answers_every_operation_and_logs_the_bytes() {
    let mock = MockVendor::start().await;
    for operation in operations::ALL {
        let body = operation.body("gpt-4o");
        let answer = caller(&mock).post(operation.path, body.clone()).await.has_status(200);
        assert!(answer.json().is_object());
        let call = mock.saw().pop().unwrap();
        assert_eq!(call.text(), body);
        assert_eq!(call.path, operation.path);
        assert_eq!(call.header("authorization"), Some("Bearer sk-test"));
    }
}

#[tokio::test]
async fn the_mock_reads_chunked_uploads() {
    let mock = MockVendor::start().await;
    let body = "x".repeat(200_000);
    caller(&mock).post("/v1/embeddings", body.clone()).chunked().await.has_status(200);
    assert_eq!(mock.saw_one().text(), body);
}

#[tokio::test]
async fn scripts_are_played_in_the_order_in_which_they_were_said() {
    let mock = MockVendor::start().await;
    mock.will(Reply::status(503)).will(Reply::status(429).retry_after(7));
    mock.always(Reply::says("{}"));
    caller(&mock).chat("m").await.has_status(503);
    let limited = caller(&mock).chat("m").await.has_status(429);
    assert_eq!(limited.header("retry-after"), Some("7"));
    assert_eq!(caller(&mock).chat("m").await.text(), "{}");
    caller(&mock).get("/v1/models").await.has_status(200);
    assert_eq!(mock.saw().len(), 3);
}

#[tokio::test]
async fn a_gate_holds_each_event_back() {
    let mock = MockVendor::start().await;
    let gate = Gate::closed();
    mock.will(Reply::streams(["data: 1\n\n", "data: 2\n\n"]).gated(&gate));
    let mut live = caller(&mock).chat_stream("m").open().await;
    gate.let_one_through();
    assert_eq!(live.event().await, "data: 1\n\n");
    let nothing = tokio::time::timeout(Duration::from_millis(30), live.event()).await;
    assert!(nothing.is_err(), "the gate is closed");
    gate.let_one_through();
    assert_eq!(live.event().await, "data: 2\n\n");
    assert_eq!(live.rest().await.ending, Ending::Complete);
}

#[tokio::test]
async fn splitting_changes_the_pieces_and_not_the_bytes() {
    let mock = MockVendor::start().await;
    mock.always(Reply::answers());
    let whole = caller(&mock).chat_stream("m").await.body;
    for reply in [Reply::answers().split_at(17), Reply::answers().byte_by_byte()] {
        mock.will(reply);
        assert_eq!(caller(&mock).chat_stream("m").await.body, whole);
    }
}

#[tokio::test]
async fn faults_look_like_faults() {
    let mock = MockVendor::start().await;
    mock.will(Reply::answers().cut_after(2));
    assert_eq!(caller(&mock).chat_stream("m").await.ending, Ending::Cut);
    mock.will(Reply::answers().resets_after(2));
    assert_eq!(caller(&mock).chat_stream("m").await.ending, Ending::Cut);
    for reply in [Reply::resets(), Reply::hangs_up()] {
        mock.will(reply);
        let mut wire = caller(&mock).chat("m").sent().await;
        assert!(within("the connection to end", wire.head()).await.is_none());
    }
    assert!(!mock.saw()[0].was_answered());
}

#[tokio::test]
async fn the_mock_notices_when_its_client_leaves() {
    let mock = MockVendor::start().await;
    mock.will(Reply::hangs()).will(Reply::answers().stalls_after(2));
    let waiting = caller(&mock).chat("m").sent().await;
    let call = mock.wait_for_calls(1).await.remove(0);
    assert!(call.abandoned_after(waiting.leave()).await < Duration::from_secs(5));
    let mut live = caller(&mock).chat_stream("m").open().await;
    live.event().await;
    let call = mock.saw().remove(1);
    assert!(call.gone_at().is_none());
    call.abandoned_after(live.leave()).await;
}

#[tokio::test]
async fn an_early_answer_reaches_a_client_that_still_uploads() {
    let mock = MockVendor::start().await;
    mock.will(Reply::status(413).early());
    let body = vec![b'x'; 20 << 20];
    caller(&mock).post("/v1/embeddings", body).await.has_status(413);
}

#[tokio::test]
async fn nobody_listens_at_nobodys_address() {
    let (url, _reserved) = mock::nobody();
    let address = url.strip_prefix("http://").unwrap();
    let refused = tokio::net::TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn tls_mocks_are_trusted_by_the_authority_that_the_gateway_is_told_of() {
    let mock = MockVendor::facing(Faces::Tls).await;
    caller(&mock).over_tls().chat("m").await.has_status(200);
    let h2 = MockVendor::facing(Faces::TlsH2).await;
    let client = crate::support::h2_client::H2Client::connect(h2.address()).await;
    let body = vec![b'x'; 3 << 20];
    let answer = client.post("/v1/embeddings", "sk-test", body.clone()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body().await.starts_with(b"{"));
    let call = h2.saw_one();
    assert_eq!((call.version, call.body.as_ref()), ("HTTP/2", body.as_slice()));
}

#[tokio::test]
async fn an_http2_mock_notices_resets() {
    let mock = MockVendor::facing(Faces::TlsH2).await;
    mock.will(Reply::answers().stalls_after(1));
    let client = crate::support::h2_client::H2Client::connect(mock.address()).await;
    let body = json!({"model": "m", "stream": true, "messages": []}).to_string();
    let mut answer = client.post("/v1/chat/completions", "sk-test", body).await;
    answer.piece().await.unwrap();
    drop(answer);
    mock.saw_one().abandoned_after(Instant::now()).await;
}

#[test]
fn canaries_sing_in_every_spelling() {
    use base64::Engine as _;
    let secret = b"sk-canary-0123456789+/~~";
    let canary = Canary::new("the key", secret);
    canary.is_not_in("a clean page", b"nothing here");
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let leaks: [Vec<u8>; 4] = [
        [b"key=".as_slice(), secret, b";"].concat(),
        encode(&[b"{\"k\":\"".as_slice(), secret, b"\"}"].concat()).into_bytes(),
        encode(&[b"ab".as_slice(), secret].concat()).into_bytes(),
        scan::hex(secret).into_bytes(),
    ];
    for leak in leaks {
        let found = std::panic::catch_unwind(|| canary.is_not_in("a leak", &leak));
        assert!(found.is_err(), "{}", String::from_utf8_lossy(&leak));
    }
}

#[test]
fn metrics_are_read_with_their_labels() {
    let metrics = Metrics::read(
        "# HELP a_total x\n# TYPE a_total counter\na_total{b=\"1\",c=\"x, y\"} 2\na_total{b=\"2\",c=\"z\"} 3\nup 1\n",
    );
    assert_eq!(metrics.sum("a_total", &[]), 5);
    assert_eq!(metrics.sum("a_total", &[("c", "x, y")]), 2);
    assert_eq!(metrics.labels_of("a_total"), ["b", "c"]);
    assert!(metrics.has("up") && !metrics.has("down"));
}

#[tokio::test]
async fn a_postgres_server_takes_its_folder_with_it_though_nobody_drops_it() {
    let folder = PostgresServer::start().leave();
    until("the folder is gone", async || (!folder.exists()).then_some(())).await;
}

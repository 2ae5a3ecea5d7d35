//! Against a server of this process.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Body, response::Redirect, routing::get};
use http::header;

use super::*;
use crate::net::look_up::testing::Script;

const BOUNDS: Bounds = Bounds { time: Duration::from_secs(5), bytes: 1000 };
const LOOPBACK: [&str; 1] = ["127.0.0.1"];

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|ip| ip.parse().unwrap()).collect()
}

fn fetcher(deny: &[&str], names: &Arc<Script>) -> Fetcher {
    let deny = deny.iter().map(|range| range.parse().unwrap()).collect();
    let policy = AddressPolicy { deny, allow: Vec::new() };
    let resolver = Resolver::new(Arc::clone(names) as Arc<dyn crate::net::LookUp>);
    Fetcher::new(policy, resolver, Duration::from_secs(2), None).unwrap()
}

/// A server's port, and how many requests came.
async fn server() -> (u16, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new()
        .route("/ok", get(|| async { ([(header::CACHE_CONTROL, "max-age=1")], "hello") }))
        .route("/away", get(|| async { Redirect::temporary("/ok") }))
        .route("/large", get(|| async { "x".repeat(1001) }))
        .route("/endless", get(|| async { Body::from_stream(endless()) }))
        .route(
            "/drips",
            get(|| async { Body::from_stream(futures_util::stream::pending::<Chunk>()) }),
        )
        .route("/never", get(std::future::pending::<()>))
        .route("/echo", axum::routing::post(|body: Bytes| async move { body }))
        .layer(axum::middleware::map_request(move |request: axum::extract::Request| {
            count.fetch_add(1, Ordering::SeqCst);
            async move { request }
        }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (port, asked)
}

type Chunk = Result<Bytes, std::io::Error>;

fn endless() -> impl futures_util::Stream<Item = Chunk> {
    futures_util::stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 100])))
}

#[tokio::test]
async fn an_answer_has_status_headers_and_body() {
    let (port, _) = server().await;
    let fetcher = fetcher(&[], &Script::answering(&ips(&LOOPBACK)));
    let answer = fetcher.get(&format!("http://keys.example:{port}/ok"), BOUNDS).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "max-age=1");
    assert_eq!(answer.body(), "hello");
    let post = Request::post(format!("http://keys.example:{port}/echo"));
    let echoed = fetcher.send(post.body(Bytes::from_static(b"a=b")).unwrap(), BOUNDS).await;
    assert_eq!(echoed.unwrap().body(), "a=b");
    let missing = fetcher.get(&format!("http://keys.example:{port}/no"), BOUNDS).await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn a_name_that_leads_to_a_denied_address_is_not_connected_to() {
    let (port, asked) = server().await;
    for address in ["127.0.0.1", "::ffff:127.0.0.1"] {
        let fetcher = fetcher(&["127.0.0.0/8"], &Script::answering(&ips(&[address])));
        let refused = fetcher.get(&format!("http://keys.example:{port}/ok"), BOUNDS).await;
        assert_eq!(refused.unwrap_err(), FetchError::Denied, "{address}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn of_a_names_addresses_only_the_permitted_are_tried() {
    let (port, _) = server().await;
    let names = Script::answering(&ips(&["127.0.0.9", "127.0.0.1"]));
    let fetcher = fetcher(&["127.0.0.9"], &names);
    assert!(fetcher.get(&format!("http://keys.example:{port}/ok"), BOUNDS).await.is_ok());
}

#[tokio::test]
async fn an_address_in_place_of_a_name_obeys_the_policy_however_it_is_written() {
    let fetcher = fetcher(&["169.254.0.0/16"], &Script::answering(&ips(&LOOPBACK)));
    for host in [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0xa9.0xfe.43518",
        "0251.0376.0251.0376",
        "169.254.43518",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "169.254.169.254.",
    ] {
        let refused = fetcher.get(&format!("http://{host}:1/ok"), BOUNDS).await;
        assert_eq!(refused.unwrap_err(), FetchError::Denied, "{host}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (port, asked) = server().await;
    let fetcher = fetcher(&[], &Script::answering(&ips(&LOOPBACK)));
    let answer = fetcher.get(&format!("http://keys.example:{port}/away"), BOUNDS).await.unwrap();
    assert_eq!(answer.status(), 307);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_not_read() {
    let (port, _) = server().await;
    let fetcher = fetcher(&[], &Script::answering(&ips(&LOOPBACK)));
    for path in ["large", "endless"] {
        let refused = fetcher.get(&format!("http://keys.example:{port}/{path}"), BOUNDS).await;
        assert_eq!(refused.unwrap_err(), FetchError::TooLarge, "{path}");
    }
}

#[tokio::test]
async fn a_status_counts_whatever_follows_it() {
    let (port, _) = server().await;
    let fetcher = fetcher(&[], &Script::answering(&ips(&LOOPBACK)));
    for (path, status) in
        [("ok", 200), ("away", 307), ("large", 200), ("endless", 200), ("drips", 200), ("no", 404)]
    {
        let request = Request::get(format!("http://keys.example:{port}/{path}"));
        let answer = fetcher.status(request.body(Bytes::new()).unwrap(), BOUNDS).await;
        assert_eq!(answer.unwrap(), status, "{path}");
    }
    let bounds = Bounds { time: Duration::from_millis(200), ..BOUNDS };
    let silent = Request::get(format!("http://keys.example:{port}/never")).body(Bytes::new());
    let refused = fetcher.status(silent.unwrap(), bounds).await;
    assert_eq!(refused.unwrap_err(), FetchError::Timeout);
}

#[tokio::test]
async fn a_server_that_keeps_silent_is_left_in_time() {
    let (port, _) = server().await;
    let fetcher = fetcher(&[], &Script::answering(&ips(&LOOPBACK)));
    let bounds = Bounds { time: Duration::from_millis(200), ..BOUNDS };
    let refused = fetcher.get(&format!("http://keys.example:{port}/never"), bounds).await;
    assert_eq!(refused.unwrap_err(), FetchError::Timeout);
}

#[tokio::test]
async fn no_name_no_listener_and_no_url_are_told_apart() {
    let names = Script::answering(&ips(&LOOPBACK));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let closed = fetcher(&[], &names).get(&format!("http://a.example:{port}"), BOUNDS).await;
    assert_eq!(closed.unwrap_err(), FetchError::Unreached);
    names.fail();
    let unknown = fetcher(&[], &names).get("http://b.example", BOUNDS).await;
    assert_eq!(unknown.unwrap_err(), FetchError::Unresolved);
    for url in
        ["", "/x", "a.example", "ftp://a.example/", "file:///etc/passwd", "http://u:p@a.example/"]
    {
        let refused = fetcher(&[], &names).get(url, BOUNDS).await;
        assert_eq!(refused.unwrap_err(), FetchError::Url, "{url}");
    }
}

#[tokio::test]
async fn given_authorities_take_the_place_of_the_systems() {
    let made = rcgen::generate_simple_self_signed(vec!["keys.example".into()]).unwrap();
    let port = tls_server(&made).await;
    let names = Script::answering(&ips(&LOOPBACK));
    let with = |pem: Option<&str>| {
        let resolver = Resolver::new(Arc::clone(&names) as Arc<dyn crate::net::LookUp>);
        let limit = Duration::from_secs(2);
        Fetcher::new(AddressPolicy::default(), resolver, limit, pem.map(str::as_bytes)).unwrap()
    };
    let url = format!("https://keys.example:{port}/ok");
    let trusted = with(Some(&made.cert.pem())).get(&url, BOUNDS).await.unwrap();
    assert_eq!(trusted.body(), "hello");
    assert_eq!(with(None).get(&url, BOUNDS).await.unwrap_err(), FetchError::Unreached);
}

/// Answers every connection's first request with 200.
async fn tls_server(made: &rcgen::CertifiedKey<rcgen::KeyPair>) -> u16 {
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else { continue };
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await;
        }
    });
    port
}

#[tokio::test]
async fn the_beginning_of_an_answer_counts_however_it_ends() {
    let (port, _) = server().await;
    let fetcher = fetcher(&[], &Script::answering(&ips(&LOOPBACK)));
    let begun = async |url: String, bounds| {
        let request = Request::get(url).body(Bytes::new()).unwrap();
        fetcher.beginning(request, bounds).await
    };
    let bounds = Bounds { time: Duration::from_millis(500), ..BOUNDS };
    for (path, status) in
        [("ok", 200), ("no", 404), ("large", 200), ("endless", 200), ("drips", 200)]
    {
        let answer = begun(format!("http://keys.example:{port}/{path}"), bounds).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert!(answer.body().len() <= bounds.bytes, "{path}");
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut asked = [0; 1024];
        let _ = tokio::io::AsyncReadExt::read(&mut socket, &mut asked).await.unwrap();
        let cut = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 100\r\n\r\nno such";
        tokio::io::AsyncWriteExt::write_all(&mut socket, cut).await.unwrap();
    });
    let answer = begun(format!("http://keys.example:{port}/cut"), BOUNDS).await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (401, &b"no such"[..]));
}

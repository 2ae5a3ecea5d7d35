//! A server that stands in for a cloud's services: says what it was told to, by the beginning of the
//! path, and keeps what it was asked.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, response::IntoResponse, routing::any};
use http::{HeaderMap, StatusCode, Uri};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Default)]
struct Inner {
    answers: Mutex<Vec<(String, u16, String)>>,
    asked: Mutex<Vec<Asked>>,
}

#[derive(Clone)]
pub struct MockCloud {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl MockCloud {
    pub async fn start() -> Self {
        let inner = Arc::<Inner>::default();
        let app = Router::new().fallback(any(answer)).with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, inner }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, requests whose path begins so are answered so.
    pub fn says(&self, path: &str, status: u16, body: impl std::fmt::Display) -> &Self {
        let mut answers = self.inner.answers.lock().unwrap();
        answers.insert(0, (path.to_owned(), status, format!("{body}")));
        self
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().unwrap().clone()
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let (path, body) = (uri.to_string(), String::from_utf8_lossy(&body).into_owned());
    let answers = inner.answers.lock().unwrap().clone();
    inner.asked.lock().unwrap().push(Asked { path: path.clone(), headers, body });
    let told = answers.into_iter().find(|(start, ..)| path.starts_with(start.as_str()));
    let (_, status, body) = told.unwrap_or_else(|| (String::new(), 404, "nothing here".to_owned()));
    (StatusCode::from_u16(status).unwrap(), body)
}

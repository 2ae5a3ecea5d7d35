use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    response::IntoResponse as _,
    routing::get,
};

use super::*;
use crate::provider::catalog;

/// A vendor on a local port that answers pages in turn and keeps the requests.
struct Mock {
    base: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Mock {
    async fn answering(pages: Vec<(u16, &'static str)>) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&seen);
        let answer = move |request: Request| async move {
            let mut seen = keep.lock().unwrap();
            let (status, body) = pages[seen.len().min(pages.len() - 1)];
            seen.push(request);
            let to = [(header::LOCATION, "http://127.0.0.1:1/stolen")];
            (StatusCode::from_u16(status).unwrap(), to, body).into_response()
        };
        let router: Router = Router::new().route("/v1/models", get(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, seen }
    }

    /// Asks it as the vendor of that slug.
    async fn ask(&self, slug: &str) -> Result<Vec<String>, DiscoverError> {
        let key = Secret::new("sk-key".into());
        VendorLists::new().models(&self.vendor(slug), &key).await
    }

    /// The catalogue's row with this address.
    fn vendor(&self, slug: &str) -> Vendor {
        let row = catalog().vendor(slug).unwrap();
        Vendor { base_url: Some(self.base.clone()), ..row.clone() }
    }

    fn header(&self, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        seen[0].headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn an_openai_list_is_read_with_the_key_as_bearer() {
    let mock = Mock::answering(vec![(
        200,
        r#"{"object":"list","data":[{"id":"b"},{"id":"a"},{"id":"b"}]}"#,
    )]);
    let mock = mock.await;
    assert_eq!(mock.ask("openai").await.unwrap(), ["b", "a"]);
    assert_eq!(mock.header("authorization").as_deref(), Some("Bearer sk-key"));
}

#[tokio::test]
async fn an_anthropic_list_is_read_to_its_last_page() {
    let mock = Mock::answering(vec![
        (200, r#"{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}"#),
        (200, r#"{"data":[{"id":"b"}],"has_more":false,"last_id":"b"}"#),
    ])
    .await;
    assert_eq!(mock.ask("anthropic").await.unwrap(), ["a", "b"]);
    assert_eq!(mock.header("x-api-key").as_deref(), Some("sk-key"));
    assert_eq!(mock.header("anthropic-version").as_deref(), Some("2023-06-01"));
    assert_eq!(mock.header("authorization"), None);
    assert_eq!(mock.seen.lock().unwrap()[1].uri().query(), Some("after_id=a"));
}

#[tokio::test]
async fn a_bare_array_is_read_too() {
    let mock = Mock::answering(vec![(200, r#"[{"id":"a","object":"model"}]"#)]).await;
    assert_eq!(mock.ask("together").await.unwrap(), ["a"]);
}

#[tokio::test]
async fn what_is_no_list_is_told_apart() {
    for (status, body) in
        [(200, "<html>"), (200, r#"{"data":[]}"#), (200, r#"{"data":[{"id":"\n"}]}"#)]
    {
        let mock = Mock::answering(vec![(status, body)]).await;
        assert!(matches!(mock.ask("openai").await, Err(DiscoverError::Content)), "{body}");
    }
    let mock = Mock::answering(vec![(401, "{}")]).await;
    assert!(matches!(mock.ask("openai").await, Err(DiscoverError::Status(401))));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mock = Mock::answering(vec![(302, "")]).await;
    assert!(matches!(mock.ask("openai").await, Err(DiscoverError::Status(302))));
}

#[tokio::test]
async fn a_list_without_end_is_cut_off() {
    let mock =
        Mock::answering(vec![(200, r#"{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}"#)]);
    let mock = mock.await;
    assert_eq!(mock.ask("anthropic").await.unwrap(), ["a"]);
    assert_eq!(mock.seen.lock().unwrap().len(), MAX_PAGES);
}

#[tokio::test]
async fn a_vendor_that_is_away_or_has_no_list_is_no_hindrance() {
    let mock = Mock { base: "http://127.0.0.1:1".into(), seen: Arc::default() };
    assert!(matches!(mock.ask("openai").await, Err(DiscoverError::Unreachable)));
    assert!(matches!(mock.ask("cohere").await, Err(DiscoverError::NotOffered)));
}

#[tokio::test]
async fn a_vendor_that_hangs_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mock = Mock { base, seen: Arc::default() };
    let hasty = VendorLists { limit: Duration::from_millis(50), ..VendorLists::new() };
    let answer = hasty.models(&mock.vendor("openai"), &Secret::new("sk-key".into())).await;
    assert!(matches!(answer, Err(DiscoverError::Timeout)));
}

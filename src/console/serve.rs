//! Serves the console's files. A path that is none of them and nothing else opens the console, which
//! finds the page by itself.

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};

use super::{asset::Asset, embedded::ASSETS, headers::guarded};

const INDEX: &str = "/index.html";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Below these, what does not exist does not exist.
const NO_PAGES: [&str; 5] = ["/api", "/v1", "/auth", "/assets", "/.well-known"];

/// Answers a request that nothing else answers, if the console has something for it.
pub fn answer(request: &Request<Body>) -> Option<Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let asset = find(ASSETS, request.uri().path())?;
    Some(guarded(file(asset, request.headers())))
}

fn find(assets: &'static [Asset], path: &str) -> Option<&'static Asset> {
    let named = |path: &str| assets.iter().find(|asset| asset.path == path);
    match named(path) {
        Some(asset) => Some(asset),
        None if NO_PAGES.iter().any(|place| is_below(path, place)) => None,
        None => named(INDEX),
    }
}

fn is_below(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn file(asset: &Asset, headers: &HeaderMap) -> Response {
    let known = asset.is_known(headers);
    let (bytes, compressed) = asset.body(headers);
    let body = if known { Body::empty() } else { Body::from(Bytes::from_static(bytes)) };
    let mut response = Response::new(body);
    let answer = response.headers_mut();
    let caching = if asset.immutable { FOR_EVER } else { "no-cache" };
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    answer.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert(header::CONTENT_LENGTH, bytes.len().into());
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    if compressed {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn asset(path: &'static str, immutable: bool) -> Asset {
        let (bytes, brotli): (&[u8], &[u8]) = (b"console", b"br");
        Asset { path, kind: "text/html", bytes, brotli: Some(brotli), etag: "\"7\"", immutable }
    }

    const FILES: &[Asset] = &[asset("/index.html", false), asset("/assets/index-Ab1.js", true)];

    #[test]
    fn every_page_opens_the_console() {
        for path in ["/", "/index.html", "/reporting/usage", "/apiary", "/v10", "/authors"] {
            assert_eq!(find(FILES, path).map(|asset| asset.path), Some("/index.html"), "{path}");
        }
        assert!(find(FILES, "/assets/index-Ab1.js").is_some_and(|asset| asset.immutable));
    }

    #[test]
    fn what_is_missing_among_files_and_apis_is_missing() {
        for path in ["/assets/old-Ab1.js", "/api/llm-gateway/nowhere", "/v1/x", "/auth", "/api"] {
            assert!(find(FILES, path).is_none(), "{path}");
        }
    }

    #[test]
    fn files_are_kept_by_what_their_names_promise() {
        let caching = |asset: &Asset, headers: &HeaderMap| {
            let response = file(asset, headers);
            let headers = response.headers().clone();
            (response.status().as_u16(), headers[header::CACHE_CONTROL].clone(), headers)
        };
        let none = HeaderMap::new();
        assert_eq!(caching(&FILES[1], &none).1, FOR_EVER);
        let (status, index, headers) = caching(&FILES[0], &none);
        assert_eq!((status, index.to_str().unwrap()), (200, "no-cache"));
        assert_eq!(headers[header::CONTENT_LENGTH], "7");
        let mut asking = HeaderMap::new();
        asking.insert(header::IF_NONE_MATCH, headers[header::ETAG].clone());
        assert_eq!(caching(&FILES[0], &asking).0, 304);
        asking.remove(header::IF_NONE_MATCH);
        asking.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
        let compressed = caching(&FILES[0], &asking).2;
        assert_eq!(compressed[header::CONTENT_ENCODING], "br");
        assert_eq!(compressed[header::CONTENT_LENGTH], "2");
    }

    #[test]
    fn the_console_is_in_the_binary() {
        let index = find(ASSETS, "/").unwrap();
        assert_eq!(index.kind, "text/html; charset=utf-8");
        let page = std::str::from_utf8(index.bytes).unwrap();
        assert!(page.contains("Turnpike") && !page.contains("http://"), "{page}");
    }
}

//! Which headers travel, in both directions.
//!
//! Names are lower case, as `http::HeaderName` has them.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, CONTENT_TYPE},
};

/// The request's id, in both directions. Here and below once for all: a name is looked at letter by letter
/// when it is made, and when it is looked up as a text.
pub static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The same, where Anthropic's clients look for it.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// The caller's key, where Anthropic's clients put it.
pub static X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The caller's place in its trace (<https://www.w3.org/TR/trace-context/#traceparent-header>).
pub static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Asks for `metadata` in a stream, too (contract 4.8).
pub static X_BD_METADATA: HeaderName = HeaderName::from_static("x-bd-metadata");

/// The type of a stream of events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
pub const EVENT_STREAM: &str = "text/event-stream";

/// Headers about one connection, never forwarded
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1>).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Request headers that travel to every vendor.
const COMMON_REQUEST: [&str; 5] =
    ["accept", "content-type", "idempotency-key", "user-agent", "accept-language"];

/// Request headers that never travel, whatever a vendor's row lists: the caller's credentials and
/// identity, and what the gateway writes itself.
const PRIVATE_REQUEST: [&str; 10] = [
    "accept-encoding",
    "authorization",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "x-api-key",
    "x-request-id",
];

/// Response headers that speak of the vendor's site or connection, not of the answer: on the
/// gateway's own origin they would be false or harmful. The request ids are the gateway's own.
const PRIVATE_RESPONSE: [&str; 8] = [
    "alt-svc",
    "clear-site-data",
    "nel",
    "report-to",
    "request-id",
    "set-cookie",
    "strict-transport-security",
    "x-request-id",
];

/// Whether the header is about one connection.
#[must_use]
pub fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.contains(&name)
}

/// Whether the message's own `Connection` header names `name` as being about this connection.
#[must_use]
pub fn is_nominated(headers: &HeaderMap, name: &str) -> bool {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case(name))
}

/// Whether a client's request header may travel upstream. `vendor_list` is the vendor's own
/// allow-list (`Vendor::forward_headers`): names, or prefixes that end in `*`.
#[must_use]
pub fn is_forwardable_request(name: &str, vendor_list: &[String]) -> bool {
    let listed = COMMON_REQUEST.contains(&name)
        || vendor_list.iter().any(|entry| match entry.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => entry == name,
        });
    listed && !is_hop_by_hop(name) && !PRIVATE_REQUEST.contains(&name) && !name.starts_with("x-bd-")
}

/// Whether an upstream's response header may travel to the client. `body_changed`: the gateway
/// adds or removes bytes, so lengths and digests no longer hold.
#[must_use]
pub fn is_forwardable_response(name: &str, body_changed: bool) -> bool {
    let kept =
        !is_hop_by_hop(name) && !PRIVATE_RESPONSE.contains(&name) && !name.starts_with("x-bd-");
    let about_bytes =
        matches!(name, "content-length" | "content-digest" | "digest" | "content-md5" | "etag");
    kept && !(body_changed && about_bytes)
}

/// Whether a body is of a type, whatever its parameters.
#[must_use]
pub fn is_of_type(headers: &HeaderMap, name: &str) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
}

/// A number as a header's value. The small ones, which are nearly all, are nobody's to make.
#[must_use]
pub fn number(number: u64) -> HeaderValue {
    const SMALL: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let small = usize::try_from(number).ok().and_then(|number| SMALL.get(number).copied());
    // Digits are always a value; `HeaderValue::from` allocates twice.
    let long = || HeaderValue::from_str(itoa::Buffer::new().format(number)).ok();
    small.map(HeaderValue::from_static).or_else(long).unwrap_or_else(|| HeaderValue::from(number))
}

/// The same for a count or a length.
#[must_use]
pub fn count(count: usize) -> HeaderValue {
    u64::try_from(count).map_or_else(|_| HeaderValue::from(count), number)
}

/// The betas of Anthropic's API that a client names in `anthropic-beta`, which may come several times.
pub fn betas(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all("anthropic-beta").iter();
    let words = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    words.map(str::trim).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{is_forwardable_request, is_forwardable_response, is_nominated, number};

    #[test]
    fn numbers_are_written_in_digits() {
        for given in [0, 1, 9, 10, 1202, u64::MAX] {
            assert_eq!(number(given), given.to_string());
        }
    }

    #[test]
    fn common_and_listed_request_headers_travel() {
        let list = ["anthropic-beta".to_owned(), "openai-*".to_owned()];
        for name in
            ["content-type", "accept", "user-agent", "anthropic-beta", "openai-organization"]
        {
            assert!(is_forwardable_request(name, &list), "{name}");
        }
        for name in ["anthropic-version", "x-forwarded-for", "x-custom", "openai"] {
            assert!(!is_forwardable_request(name, &list), "{name}");
        }
    }

    #[test]
    fn the_callers_credentials_never_travel_even_if_listed() {
        let list = ["*".to_owned()];
        for name in [
            "authorization",
            "x-api-key",
            "cookie",
            "proxy-authorization",
            "host",
            "te",
            "x-bd-metadata",
        ] {
            assert!(!is_forwardable_request(name, &list), "{name}");
        }
        assert!(is_forwardable_request("x-anything", &list));
    }

    #[test]
    fn vendor_headers_of_an_answer_travel_but_those_of_its_site_do_not() {
        for name in [
            "content-type",
            "x-ratelimit-remaining-requests",
            "openai-processing-ms",
            "retry-after",
        ] {
            assert!(is_forwardable_response(name, true), "{name}");
        }
        for name in [
            "set-cookie",
            "transfer-encoding",
            "alt-svc",
            "x-bd-provider-route-count",
            "connection",
        ] {
            assert!(!is_forwardable_response(name, false), "{name}");
        }
        assert!(is_forwardable_response("content-length", false));
        assert!(!is_forwardable_response("content-length", true));
    }

    #[test]
    fn headers_named_by_connection_are_known() {
        let mut headers = HeaderMap::new();
        headers.append("connection", HeaderValue::from_static("close, X-Secret-Hop"));
        headers.append("connection", HeaderValue::from_static("x-other"));
        assert!(is_nominated(&headers, "x-secret-hop"));
        assert!(is_nominated(&headers, "x-other"));
        assert!(!is_nominated(&headers, "x-kept"));
    }
}

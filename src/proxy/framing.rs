//! What a request's header says of its framing, held to more than Pingora asks for.

use http::{HeaderMap, Version, header};
use pingora_proxy::Session;

/// Most tokens of `Connection` headers; a client has no use for more.
const MAX_TOKENS: usize = 16;

/// Why the header cannot be trusted to say where the request ends, or what of it travels.
///
/// A body with both `Transfer-Encoding` and `Content-Length`, or with a coding other than `chunked`,
/// ends elsewhere for whoever stands before us (RFC 9112 6.1 and 11.2). A `Connection` header that
/// nominates `host` would strip the request of its own address, and one that names no host or two
/// is addressed to nobody in particular (RFC 9112 3.2).
pub fn fault(session: &Session) -> Option<&'static str> {
    let head = session.req_header();
    let headers = &head.headers;
    if head.version == Version::HTTP_11 && headers.get_all(header::HOST).iter().count() != 1 {
        return Some("send one Host header");
    }
    if nominates_wrongly(headers) {
        return Some("the Connection header names too much, or Host");
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let coding = codings.next()?;
    if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        return Some("send the body with Transfer-Encoding: chunked or with Content-Length");
    }
    // Pingora has dropped the length by now; the raw header still shows it.
    let raw = session.as_http1().map(|h1| h1.get_headers_raw_bytes().to_ascii_lowercase());
    let both = raw.is_some_and(|raw| memchr::memmem::find(&raw, b"\ncontent-length").is_some());
    both.then_some("send Transfer-Encoding or Content-Length, not both")
}

fn nominates_wrongly(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CONNECTION).iter();
    let tokens = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut count = 0;
    for token in tokens {
        count += 1;
        if count > MAX_TOKENS || token.trim().eq_ignore_ascii_case("host") {
            return true;
        }
    }
    false
}

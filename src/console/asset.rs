//! A file of the console.

use http::{HeaderMap, HeaderValue, header};

/// A file that is part of the binary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asset {
    /// Where it is served, from the root.
    pub(super) path: &'static str,
    /// Its media type.
    pub(super) kind: &'static str,
    pub(super) bytes: &'static [u8],
    /// The same, compressed when the console was built.
    pub(super) brotli: Option<&'static [u8]>,
    /// Quoted.
    pub(super) etag: &'static str,
    /// Whether its name changes with its content.
    pub(super) immutable: bool,
}

impl Asset {
    /// What to send to a client that takes these encodings, and whether it is compressed.
    pub(super) fn body(&self, headers: &HeaderMap) -> (&'static [u8], bool) {
        match self.brotli.filter(|_| takes_brotli(headers)) {
            Some(compressed) => (compressed, true),
            None => (self.bytes, false),
        }
    }

    /// Whether the client has it already.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let plain = |tag: &str| tag.trim().trim_start_matches("W/") == self.etag;
        known.is_some_and(|tags| tags.trim() == "*" || tags.split(',').any(plain))
    }
}

/// RFC 9110, 12.5.3: `br` is named, and not with a weight of nothing.
fn takes_brotli(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().map(HeaderValue::to_str);
    let mut codings = lines.flatten().flat_map(|line| line.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br"));
        let refused = |part: &str| {
            part.strip_prefix("q=").is_some_and(|weight| weight.parse::<f32>() == Ok(0.0))
        };
        named && !parts.any(refused)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSET: Asset = Asset {
        path: "/assets/a.js",
        kind: "text/javascript",
        bytes: b"plain",
        brotli: Some(b"br"),
        etag: "\"1\"",
        immutable: true,
    };

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        [(name, HeaderValue::from_static(value))].into_iter().collect()
    }

    #[test]
    fn brotli_is_for_those_who_take_it() {
        for (value, takes) in [
            ("gzip, deflate, br", true),
            ("BR;q=0.5", true),
            ("br;q=0", false),
            ("br; q=0.0", false),
            ("gzip", false),
            ("brotli", false),
            ("", false),
        ] {
            let headers = headers(header::ACCEPT_ENCODING, value);
            assert_eq!(ASSET.body(&headers).1, takes, "{value}");
        }
        assert_eq!(ASSET.body(&HeaderMap::new()), (&b"plain"[..], false));
        let never = Asset { brotli: None, ..ASSET };
        assert!(!never.body(&headers(header::ACCEPT_ENCODING, "br")).1);
    }

    #[test]
    fn what_a_client_has_is_known_by_its_tag() {
        for (value, known) in [
            ("\"1\"", true),
            ("W/\"1\"", true),
            ("\"0\", \"1\"", true),
            ("*", true),
            ("\"2\"", false),
        ] {
            assert_eq!(ASSET.is_known(&headers(header::IF_NONE_MATCH, value)), known, "{value}");
        }
    }
}

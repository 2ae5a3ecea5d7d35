//! What of a request tells who sends it, and from where; and where the console is.

use http::{
    HeaderMap, Method, Uri,
    header::{HOST, ORIGIN},
};

const FETCH_SITE: &str = "sec-fetch-site";

/// What of a request tells who sends it, and from where.
#[derive(Clone, Copy)]
pub struct Head<'r> {
    /// Its method.
    pub method: &'r Method,
    /// Its target; with HTTP/2 it names the host.
    pub uri: &'r Uri,
    /// Its headers.
    pub headers: &'r HeaderMap,
}

impl<'r> Head<'r> {
    /// Of a request of `http`.
    #[must_use]
    pub fn of<B>(request: &'r http::Request<B>) -> Self {
        Self { method: request.method(), uri: request.uri(), headers: request.headers() }
    }

    /// Host and port as the client knows them.
    fn authority(&self) -> Option<&'r str> {
        let named = self.uri.authority().map(http::uri::Authority::as_str);
        named.or_else(|| self.headers.get(HOST)?.to_str().ok()).filter(|host| is_host(host))
    }
}

/// Nothing but a host and a port: it becomes part of URLs.
fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

/// Where the console is, as browsers see it.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The URL that users see, without trailing slash; none: the request's `Host`.
    pub public_url: Option<String>,
    /// Whether this process serves it over TLS.
    pub tls: bool,
    /// Where clients reach the runtime, without `/v1`; none: where the console is.
    pub gateway_url: Option<String>,
}

impl Site {
    /// Whether browsers reach it over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.public_url.as_ref().map_or(self.tls, |url| url.starts_with("https://"))
    }

    /// The URL that the sender of a request knows it by, without trailing slash; none where the
    /// request names no host.
    #[must_use]
    pub fn base(&self, head: &Head<'_>) -> Option<String> {
        if let Some(url) = &self.public_url {
            return Some(url.clone());
        }
        let scheme = if self.tls { "https" } else { "http" };
        Some(format!("{scheme}://{}", head.authority()?))
    }

    /// Whether a request comes from the console's own pages, as far as its browser says. Browsers say
    /// it in a header that no page can set; older ones, and all of them without TLS on other hosts
    /// than this machine, name the page's origin only.
    pub(super) fn is_own_page(&self, head: &Head<'_>) -> bool {
        let text = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap_or(""));
        if let Some(site) = text(FETCH_SITE) {
            return site == "same-origin";
        }
        let Some(origin) = text(ORIGIN.as_str()) else { return true };
        let is_public = self.public_url.as_deref().and_then(origin_of).as_deref() == Some(origin);
        let host = origin.split_once("://").map(|(_, host)| host);
        is_public || (host.is_some() && host == head.authority())
    }
}

fn origin_of(url: &str) -> Option<String> {
    Some(url::Url::parse(url).ok()?.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(site: &Site, headers: &[(&str, &str)]) -> bool {
        let mut request = http::Request::post("/x").header(HOST, "llm.test:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        site.is_own_page(&Head::of(&request.body(()).unwrap()))
    }

    #[test]
    fn a_browser_that_tells_the_page_is_believed() {
        let site = Site::default();
        assert!(own(&site, &[]), "no browser");
        assert!(own(&site, &[("sec-fetch-site", "same-origin"), ("origin", "https://proxied")]));
        for other in ["cross-site", "same-site", "none", ""] {
            assert!(!own(&site, &[("sec-fetch-site", other)]), "{other}");
        }
    }

    #[test]
    fn an_origin_is_the_host_that_was_asked_or_the_public_one() {
        let site = Site::default();
        let public =
            Site { public_url: Some("https://llm.example/gw".to_owned()), ..Site::default() };
        assert!(own(&site, &[("origin", "http://llm.test:8080")]));
        for other in ["http://llm.test", "http://evil.test:8080", "null", "llm.test:8080"] {
            assert!(!own(&site, &[("origin", other)]), "{other}");
            assert!(!own(&public, &[("origin", other)]), "{other}");
        }
        assert!(own(&public, &[("origin", "https://llm.example")]));
        assert!(!own(&site, &[("origin", "https://llm.example")]));
    }

    #[test]
    fn the_address_is_the_public_one_or_the_hosts() {
        let request = http::Request::get("/x").header(HOST, "h:1").body(()).unwrap();
        let site = Site { tls: true, ..Site::default() };
        assert_eq!(site.base(&Head::of(&request)).as_deref(), Some("https://h:1"));
        let site = Site { public_url: Some("https://p".to_owned()), ..Site::default() };
        assert_eq!(site.base(&Head::of(&request)).as_deref(), Some("https://p"));
        let h2 = http::Request::get("http://a:2/x").body(()).unwrap();
        assert_eq!(Site::default().base(&Head::of(&h2)).as_deref(), Some("http://a:2"));
        for odd in ["", "a/b", "a b", "a@b", "a?b"] {
            let request = http::Request::get("/x").header(HOST, odd).body(()).unwrap();
            assert_eq!(Site::default().base(&Head::of(&request)), None, "{odd}");
        }
    }
}

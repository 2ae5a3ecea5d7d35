//! `base_url` of providers and connections, checked and taken apart once.

use std::{net::IpAddr, sync::Arc};

use url::{Host, Url};

/// Longest base URL taken, bytes.
const MAX_LEN: usize = 2048;

/// `base_url`, taken apart once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    /// `https`.
    pub tls: bool,
    /// Host name or address literal, without brackets; also SNI.
    pub host: Arc<str>,
    /// The host, where it is an address literal: nothing to look up.
    pub ip: Option<IpAddr>,
    /// Port, explicit or the scheme's.
    pub port: u16,
    /// `Host` header value.
    pub authority: Arc<str>,
    /// Path before the vendor's own path, without a trailing slash; empty for the root.
    pub prefix: Arc<str>,
}

impl BaseUrl {
    /// Takes `scheme://host[:port][/prefix]` apart. A version at the end of the prefix, such as
    /// `/v1`, is the vendor's matter: [`crate::provider::Vendor::root`].
    ///
    /// # Errors
    /// When the text is not such a URL.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        if text.len() > MAX_LEN {
            return Err(BaseUrlError::TooLong);
        }
        // The URL standard drops or rewrites these; what was meant is then anyone's guess.
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(BaseUrlError::Character);
        }
        let url = Url::parse(text).map_err(BaseUrlError::Syntax)?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(BaseUrlError::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Query);
        }
        let host = url.host().ok_or(BaseUrlError::Host)?;
        let port =
            url.port_or_known_default().filter(|port| *port != 0).ok_or(BaseUrlError::Port)?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        Ok(Self {
            tls,
            host: bare(&host).into(),
            ip: literal(&host),
            port,
            authority: authority.into(),
            prefix: url.path().trim_end_matches('/').into(),
        })
    }

    /// The same with another prefix.
    #[must_use]
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.into(), ..self }
    }
}

fn literal(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Ipv4(address) => Some((*address).into()),
        Host::Ipv6(address) => Some((*address).into()),
        Host::Domain(_) => None,
    }
}

fn bare(host: &Host<&str>) -> String {
    match host {
        // Without the brackets that the URL needs.
        Host::Ipv6(address) => address.to_string(),
        Host::Ipv4(_) | Host::Domain(_) => host.to_string(),
    }
}

/// Why a text is no base URL. Messages complete the sentence "`base_url` …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// More than 2048 bytes.
    #[error("must be at most {MAX_LEN} bytes long")]
    TooLong,
    /// Whitespace, control characters, backslashes.
    #[error("must not contain spaces, control characters or backslashes")]
    Character,
    /// Not a URL at all.
    #[error("must be an absolute URL such as https://host.example ({0})")]
    Syntax(url::ParseError),
    /// Neither `http` nor `https`.
    #[error("must begin with https:// or http://")]
    Scheme,
    /// `user:password@`.
    #[error("must not contain a user name or password; credentials have their own field")]
    Credentials,
    /// `?…` or `#…`.
    #[error("must not contain a query or a fragment")]
    Query,
    /// No host.
    #[error("must name a host")]
    Host,
    /// Port zero.
    #[error("must not have port 0")]
    Port,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_taken_apart() {
        for (text, tls, host, port, authority, prefix) in [
            ("https://api.openai.com", true, "api.openai.com", 443, "api.openai.com", ""),
            ("https://api.openai.com/", true, "api.openai.com", 443, "api.openai.com", ""),
            ("https://api.openai.com:443/v1", true, "api.openai.com", 443, "api.openai.com", "/v1"),
            ("http://localhost:8000/v1/", false, "localhost", 8000, "localhost:8000", "/v1"),
            ("http://127.0.0.1", false, "127.0.0.1", 80, "127.0.0.1", ""),
            ("http://[::1]:9000/a/b//", false, "::1", 9000, "[::1]:9000", "/a/b"),
            ("https://[2001:db8::1]", true, "2001:db8::1", 443, "[2001:db8::1]", ""),
            (
                "HTTPS://API.Example.COM/Path",
                true,
                "api.example.com",
                443,
                "api.example.com",
                "/Path",
            ),
            (
                "https://bücher.example",
                true,
                "xn--bcher-kva.example",
                443,
                "xn--bcher-kva.example",
                "",
            ),
            ("http://2130706433:80/x", false, "127.0.0.1", 80, "127.0.0.1", "/x"),
            ("https://h.example/a%2Fb/../c", true, "h.example", 443, "h.example", "/c"),
        ] {
            let url = BaseUrl::parse(text).unwrap();
            let seen = (url.tls, &*url.host, url.port, &*url.authority, &*url.prefix);
            assert_eq!(seen, (tls, host, port, authority, prefix), "{text}");
            assert_eq!(url.ip, host.parse().ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for (text, why) in [
            ("ftp://host", BaseUrlError::Scheme),
            ("file:///etc/passwd", BaseUrlError::Scheme),
            ("https://user@host", BaseUrlError::Credentials),
            ("https://user:secret@host", BaseUrlError::Credentials),
            ("https://host/?key=1", BaseUrlError::Query),
            ("https://host/#a", BaseUrlError::Query),
            ("https://host:0", BaseUrlError::Port),
            (" https://host", BaseUrlError::Character),
            ("https://ho\nst", BaseUrlError::Character),
            ("https:\\\\host", BaseUrlError::Character),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(why), "{text}");
        }
        for text in ["", "host", "//host", "https://", "https://host:99999", "https://[::1"] {
            assert!(matches!(BaseUrl::parse(text), Err(BaseUrlError::Syntax(_))), "{text}");
        }
        let long = format!("https://host/{}", "a".repeat(MAX_LEN));
        assert_eq!(BaseUrl::parse(&long), Err(BaseUrlError::TooLong));
    }
}

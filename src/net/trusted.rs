//! Where tokens may go that are not the organization's own, whoever chose the address.

use url::Url;

use crate::snapshot::BaseUrl;

/// Google's own APIs.
pub const GOOGLE: &str = "*.googleapis.com";
/// Where Claude's OAuth tokens are made for.
pub const CLAUDE: &str = "api.anthropic.com";

/// `upstream.trusted_hosts`.
#[derive(Clone, Debug, Default)]
pub struct TrustedHosts(Vec<String>);

impl TrustedHosts {
    /// `hosts` as `host` (every port) or `host:port`, in lower case.
    #[must_use]
    pub fn new(hosts: Vec<String>) -> Self {
        Self(hosts)
    }

    /// [`TrustedHosts::permit`] of a provider's base URL.
    #[must_use]
    pub fn permits(&self, base: &BaseUrl, own: &str) -> bool {
        let scheme = if base.tls { "https" } else { "http" };
        self.permit(&format!("{scheme}://{}", base.authority), own)
    }

    /// Whether a token may go to `url`: its vendor's own host (`*.` stands for any name below) over
    /// HTTPS, or one that the operator trusts.
    #[must_use]
    pub fn permit(&self, url: &str, own: &str) -> bool {
        let Ok(url) = Url::parse(url) else { return false };
        let Some(host) = url.host_str().map(str::to_lowercase) else { return false };
        let port = url.port_or_known_default().unwrap_or_default();
        let is_own = match own.strip_prefix('*') {
            Some(suffix) => host.ends_with(suffix),
            None => host == own,
        };
        (is_own && url.scheme() == "https" && port == 443)
            || self.0.iter().any(|known| *known == host || *known == format!("{host}:{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendors_own_host_is_trusted_over_https_alone() {
        let none = TrustedHosts::default();
        for url in [
            "https://us-central1-aiplatform.googleapis.com/v1",
            "https://aiplatform.googleapis.com",
            "https://AIPLATFORM.googleapis.com:443",
        ] {
            assert!(none.permit(url, GOOGLE), "{url}");
        }
        for url in [
            "http://aiplatform.googleapis.com",
            "https://aiplatform.googleapis.com:8443",
            "https://googleapis.com",
            "https://evilgoogleapis.com",
            "https://aiplatform.googleapis.com.evil.example",
            "https://evil.example/aiplatform.googleapis.com",
            "https://aiplatform.googleapis.com@evil.example",
            "not a url",
        ] {
            assert!(!none.permit(url, GOOGLE), "{url}");
        }
        assert!(none.permit("https://api.anthropic.com", CLAUDE));
        assert!(!none.permit("https://eu.api.anthropic.com", CLAUDE));
    }

    #[test]
    fn a_listed_host_is_trusted_on_every_port_or_on_the_one_that_it_names() {
        let hosts = ["llm.example.com", "127.0.0.1:8443", "[::1]"].map(str::to_owned).to_vec();
        let trusted = TrustedHosts::new(hosts);
        for url in [
            "https://llm.example.com",
            "http://LLM.example.com:99/x",
            "http://127.0.0.1:8443",
            "http://[::1]:5",
        ] {
            assert!(trusted.permit(url, CLAUDE), "{url}");
        }
        for url in ["http://127.0.0.1:8444", "https://a.llm.example.com"] {
            assert!(!trusted.permit(url, CLAUDE), "{url}");
        }
    }
}

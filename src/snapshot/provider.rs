//! A provider as the data plane calls it. What all of its requests have in common is put together
//! here, once per snapshot and not once per request.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::Arc,
};

use http::{HeaderName, HeaderValue, Uri, header};

use super::BaseUrl;
use crate::{
    domain::{Endpoint, ProviderId},
    provider::{AuthScheme, Vendor},
    secrets::Secret,
    translate::{ClientApi, Framing, Platform, VendorApi},
};

/// How a provider is made to answer a client's endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It speaks the same API: bytes pass.
    Pass,
    /// It speaks the same API in another envelope (Claude on Bedrock and Vertex).
    Rehost(Platform),
    /// It speaks another API.
    Translate(ClientApi, VendorApi),
}

/// What a provider is made of.
pub struct ProviderParts {
    /// Its id.
    pub id: ProviderId,
    /// Its name, as shown in records and `error.attempts`.
    pub name: Arc<str>,
    /// The vendor's row of the catalog.
    pub vendor: &'static Vendor,
    /// Where it lives.
    pub base: BaseUrl,
    /// The API key, if the auth type has one. Empty for `custom` without a key.
    pub api_key: Option<Secret>,
    /// Runtime endpoints that it speaks natively.
    pub endpoints: Vec<Endpoint>,
}

/// A named upstream with its credential, ready for use.
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Its name, as shown in records and `error.attempts`.
    pub name: Arc<str>,
    /// The vendor's row of the catalog.
    pub vendor: &'static Vendor,
    /// Where it lives.
    pub base: BaseUrl,
    /// The API key, to be taken out of a vendor's words; it is sent by way of [`Self::headers`].
    pub api_key: Option<Secret>,
    /// Runtime endpoints that it speaks natively.
    pub endpoints: Vec<Endpoint>,
    /// Where its models run.
    pub platform: Platform,
    /// Headers that every request to it has, whatever the client sent: `Host`, the credential
    /// (marked as sensitive), and `Accept-Encoding`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Keeps its pooled connections apart from those of other providers at the same address. The
    /// top bit is always set.
    pub group_key: u64,
    paths: Vec<(Endpoint, Uri)>,
}

/// Why a provider cannot be called. Messages never contain a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The key is no header value.
    #[error("its API key has characters that an HTTP header cannot carry")]
    KeyCharacters,
    /// The host is no header value, or the path no request target.
    #[error("its base_url cannot be requested over HTTP")]
    BaseUrl,
}

impl Provider {
    /// Makes everything ready that its requests share.
    ///
    /// # Errors
    /// When the key, the host or the path cannot travel in a request.
    pub fn new(parts: ProviderParts) -> Result<Self, ProviderError> {
        let ProviderParts { id, name, vendor, base, api_key, endpoints } = parts;
        let headers = headers(vendor, &base, api_key.as_ref())?;
        let paths = endpoints
            .iter()
            .map(|endpoint| {
                let path = format!("{}{}", base.prefix, vendor.path(*endpoint));
                Ok((*endpoint, Uri::try_from(path).map_err(|_| ProviderError::BaseUrl)?))
            })
            .collect::<Result<_, _>>()?;
        let group_key = group_key(id);
        let platform = Platform::Own;
        Ok(Self { id, name, vendor, base, api_key, endpoints, platform, headers, group_key, paths })
    }

    /// How it answers `endpoint`; none where it cannot.
    #[must_use]
    pub fn way(&self, endpoint: Endpoint) -> Option<Way> {
        if self.endpoints.contains(&endpoint) {
            return Some(Way::Pass);
        }
        let client = ClientApi::of(endpoint)?;
        [
            (Endpoint::ChatCompletions, VendorApi::Chat),
            (Endpoint::Messages, VendorApi::Messages),
            (Endpoint::Responses, VendorApi::Responses),
        ]
        .into_iter()
        .find(|(own, _)| self.endpoints.contains(own))
        .map(|(_, vendor)| Way::Translate(client, vendor))
    }

    /// How its streams are cut into events.
    #[must_use]
    pub fn framing(&self, way: Way) -> Framing {
        match (way, self.platform) {
            (Way::Translate(_, VendorApi::Converse), _) => Framing::EventStream,
            (Way::Rehost(_) | Way::Translate(..), Platform::Bedrock) => Framing::InvokeStream,
            _ => Framing::Sse,
        }
    }

    /// The path of an endpoint that it speaks, in origin form.
    #[must_use]
    pub fn path(&self, endpoint: Endpoint) -> Option<&Uri> {
        self.paths.iter().find(|(own, _)| *own == endpoint).map(|(_, path)| path)
    }
}

fn headers(
    vendor: &Vendor,
    base: &BaseUrl,
    key: Option<&Secret>,
) -> Result<Vec<(HeaderName, HeaderValue)>, ProviderError> {
    let host = HeaderValue::try_from(&*base.authority).map_err(|_| ProviderError::BaseUrl)?;
    // A compressed stream would be held back by the compressor, and its usage could not be read.
    let plain = HeaderValue::from_static("identity");
    let mut headers = vec![(header::HOST, host), (header::ACCEPT_ENCODING, plain)];
    if let Some(key) = key.filter(|key| !key.expose().is_empty()) {
        headers.push(credential(vendor.auth, key)?);
    }
    Ok(headers)
}

fn credential(
    scheme: AuthScheme,
    key: &Secret,
) -> Result<(HeaderName, HeaderValue), ProviderError> {
    let value = HeaderValue::try_from(format!("{}{}", scheme.prefix(), key.expose()));
    let mut value = value.map_err(|_| ProviderError::KeyCharacters)?;
    value.set_sensitive(true);
    Ok((scheme.header(), value))
}

fn group_key(id: ProviderId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish() | (1 << 63)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalog;

    fn provider(vendor: &str, base: &str, key: &str) -> Result<Provider, ProviderError> {
        let vendor = catalog().vendor(vendor).unwrap();
        Provider::new(ProviderParts {
            id: ProviderId::random(),
            name: "p".into(),
            vendor,
            base: BaseUrl::parse(base).unwrap(),
            api_key: Some(Secret::new(key.to_owned())),
            endpoints: vendor.endpoints.clone(),
        })
    }

    fn header<'a>(provider: &'a Provider, name: &str) -> Option<&'a HeaderValue> {
        provider.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    #[test]
    fn the_credential_travels_as_its_vendor_wants_it_and_is_never_printed() {
        for (vendor, name, value) in
            [("openai", "authorization", "Bearer sk-1"), ("anthropic", "x-api-key", "sk-1")]
        {
            let provider = provider(vendor, "https://host.example", "sk-1").unwrap();
            let sent = header(&provider, name).unwrap();
            assert_eq!(sent, value);
            assert!(!format!("{sent:?}").contains("sk-1"));
        }
    }

    #[test]
    fn without_a_key_no_credential_travels() {
        let provider = provider("custom", "http://[::1]:8000", "").unwrap();
        assert_eq!(header(&provider, "authorization"), None);
        assert_eq!(header(&provider, "host").unwrap(), "[::1]:8000");
    }

    #[test]
    fn paths_stand_below_the_base_url() {
        let provider = provider("openai", "https://host.example/proxy", "sk").unwrap();
        let path = provider.path(Endpoint::ChatCompletions).unwrap();
        assert_eq!(path, "/proxy/v1/chat/completions");
        assert_eq!(provider.path(Endpoint::Messages), None, "it does not speak that");
    }

    #[test]
    fn a_key_that_no_header_can_carry_is_refused() {
        let refused = provider("openai", "https://host.example", "sk\n1").map(|_| ());
        assert_eq!(refused, Err(ProviderError::KeyCharacters));
    }

    #[test]
    fn providers_at_one_address_do_not_share_connections() {
        let one = provider("openai", "https://host.example", "sk").unwrap();
        let two = provider("openai", "https://host.example", "sk").unwrap();
        assert_ne!(one.group_key, two.group_key);
    }
}

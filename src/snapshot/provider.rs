//! A provider as the data plane calls it. What all of its requests have in common is put together
//! here, once per snapshot and not once per request.

use std::{
    borrow::Cow,
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::Arc,
};

use http::{HeaderName, HeaderValue, Uri, header};

use super::{Auth, BaseUrl, address::Address};
use crate::{
    domain::{Endpoint, ModelFacts, ProviderId},
    provider::{AuthScheme, Hosting, Operation, Protocol, Variant, Vendor},
    secrets::Secret,
    translate::{ClientApi, CountApi, EmbeddingApi, Framing, Platform, VendorApi},
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
    /// It has an API of its own for embeddings.
    Embed(EmbeddingApi),
    /// It has an API of its own for counting tokens.
    Count(CountApi),
    /// It counts no tokens: the gateway estimates them.
    Estimate,
}

/// One call of a provider, as far as its address depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Upcall<'c> {
    /// What the client called.
    pub endpoint: Endpoint,
    /// How the provider is made to answer it.
    pub way: Way,
    /// The upstream model's id.
    pub model: &'c str,
    /// The model that the id stands for ([`Route::base_model`](super::Route::base_model)).
    pub base_model: &'c str,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// The client's query string.
    pub query: Option<&'c str>,
}

/// What a provider is made of.
pub struct ProviderParts<'s> {
    /// Its id.
    pub id: ProviderId,
    /// Its name, as shown in records and `error.attempts`.
    pub name: Arc<str>,
    /// The vendor's row of the catalog.
    pub vendor: &'static Vendor,
    /// The catalog's slug for it: several ways to call one vendor have one each.
    pub catalog: &'static str,
    /// Where it lives.
    pub base: BaseUrl,
    /// The API key, if the auth type has one. Empty for `custom` without a key.
    pub api_key: Option<Secret>,
    /// What its requests show beyond that.
    pub auth: Auth,
    /// Runtime endpoints that it speaks natively.
    pub endpoints: Vec<Endpoint>,
    /// Answers a setting's value.
    pub setting: &'s dyn Fn(&str) -> Option<String>,
}

/// A named upstream with its credential, ready for use.
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Its name, as shown in records and `error.attempts`.
    pub name: Arc<str>,
    /// The vendor's row of the catalog.
    pub vendor: &'static Vendor,
    /// The catalog's slug for it.
    pub catalog: &'static str,
    /// Where it lives.
    pub base: BaseUrl,
    /// The API key, to be taken out of a vendor's words; it is sent by way of [`Self::headers`].
    pub api_key: Option<Secret>,
    /// What its requests show beyond [`Self::headers`].
    pub auth: Auth,
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
    /// What other dialects are translated into.
    protocol: Option<VendorApi>,
    paths: Vec<(Endpoint, Address)>,
    /// Where the protocol's answers and streams are asked for.
    calls: [Option<Address>; Operation::COUNT],
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
    /// A setting that stands in its addresses is missing.
    #[error("a setting is missing that its addresses are made of")]
    Setting,
    /// Nothing like the call is spoken by it.
    #[error("it does not speak what it is asked for")]
    NotSpoken,
}

impl Provider {
    /// Makes everything ready that its requests share.
    ///
    /// # Errors
    /// When the key, the host or the path cannot travel in a request.
    pub fn new(parts: ProviderParts<'_>) -> Result<Self, ProviderError> {
        let ProviderParts { id, name, vendor, catalog, base, api_key, auth, endpoints, setting } =
            parts;
        let headers = headers(vendor, &base, api_key.as_ref())?;
        let setting =
            |name: &str| setting(name).or_else(|| vendor.default_setting(name).map(str::to_owned));
        let variant = vendor.variant_for(setting);
        let version = setting("api_version");
        let is_there = |endpoint: &Endpoint| {
            variant.is_none_or(|variant| variant.has(*endpoint, version.as_deref()))
        };
        let endpoints: Vec<Endpoint> = endpoints.into_iter().filter(is_there).collect();
        let address = |path: &str| Address::new(&base.prefix, path, &setting);
        let paths = endpoints
            .iter()
            .map(|endpoint| Ok((*endpoint, address(&path(vendor, variant, *endpoint))?)))
            .collect::<Result<Vec<_>, _>>()?;
        // Another's token is for the API that it was made for, as its owner calls it.
        let protocol = Some(&auth).filter(|auth| !matches!(auth, Auth::Caller));
        let protocol = protocol.and_then(|_| protocol_of(variant, &endpoints));
        let platform = variant.map_or(Platform::Own, |variant| platform_of(variant.hosting));
        let call = |operation| variant.and_then(|variant| variant.call(operation)).map(address);
        let calls = [
            call(Operation::Generate).transpose()?,
            call(Operation::Stream).transpose()?,
            call(Operation::Embed).transpose()?,
            call(Operation::Count).transpose()?,
        ];
        let group_key = group_key(id);
        Ok(Self {
            id,
            name,
            vendor,
            catalog,
            base,
            api_key,
            auth,
            endpoints,
            platform,
            headers,
            group_key,
            protocol,
            paths,
            calls,
        })
    }

    /// How it answers `endpoint` by a model, which it may know by another id; none where it cannot.
    #[must_use]
    pub fn way(&self, endpoint: Endpoint, model: &str) -> Option<Way> {
        if self.endpoints.contains(&endpoint) {
            return Some(Way::Pass);
        }
        let api = self.protocol?;
        if endpoint == Endpoint::Messages && api == VendorApi::Messages {
            return Some(Way::Rehost(self.platform));
        }
        match endpoint {
            Endpoint::Embeddings => self.embeds(api, model).map(Way::Embed),
            Endpoint::CountTokens => Some(self.counts(api).map_or(Way::Estimate, Way::Count)),
            _ => ClientApi::of(endpoint).map(|client| Way::Translate(client, api)),
        }
    }

    /// Whether other dialects are translated for a model's Responses API instead of chat completions,
    /// where `OpenAI`'s newer models refuse tools, or think only without them, and some are not found at
    /// all: <https://developers.openai.com/api/docs/guides/reasoning>,
    /// <https://github.com/openai/openai-openapi/issues/541>.
    #[must_use]
    pub fn prefers_responses(&self, facts: &ModelFacts) -> bool {
        self.vendor.quirks.openai_models
            && self.endpoints.contains(&Endpoint::Responses)
            && facts.lacks_tools_in_chat
    }

    fn embeds(&self, api: VendorApi, model: &str) -> Option<EmbeddingApi> {
        let [_, _, embed, _] = &self.calls;
        embed.as_ref()?;
        match (api, self.platform) {
            (_, Platform::Bedrock) => EmbeddingApi::of_bedrock(model),
            (VendorApi::Gemini, Platform::Vertex) => Some(EmbeddingApi::Vertex),
            (VendorApi::Gemini, Platform::Own) => Some(EmbeddingApi::Gemini),
            _ => None,
        }
    }

    fn counts(&self, api: VendorApi) -> Option<CountApi> {
        let [.., count] = &self.calls;
        count.as_ref()?;
        match (api, self.platform) {
            (VendorApi::Gemini, _) => Some(CountApi::Gemini),
            (VendorApi::Converse, _) => Some(CountApi::Converse),
            (VendorApi::Messages, Platform::Bedrock) => Some(CountApi::AnthropicBedrock),
            (VendorApi::Messages, Platform::Vertex) => Some(CountApi::AnthropicVertex),
            (VendorApi::Chat | VendorApi::Responses, _) => Some(CountApi::OpenAi),
            (VendorApi::Messages, Platform::Own) => None,
        }
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

    /// Where a call goes, in origin form. A client's query is passed on with its own bytes alone.
    ///
    /// # Errors
    /// When it does not speak the like, or the client's query cannot be sent.
    pub fn target(&self, call: &Upcall<'_>) -> Result<Uri, ProviderError> {
        let [.., embed, count] = &self.calls;
        let address = match call.way {
            Way::Pass => self.address(call.endpoint),
            Way::Embed(api) => {
                let embed = embed.as_ref().ok_or(ProviderError::NotSpoken)?;
                return embed.of_method(call.model, api.method(call.base_model));
            }
            // Bedrock counts for models, not for what stands for one: "The provided model doesn't support
            // counting tokens", https://github.com/pydantic/pydantic-ai/issues/4001.
            Way::Count(CountApi::Converse | CountApi::AnthropicBedrock) => {
                return count.as_ref().ok_or(ProviderError::NotSpoken)?.of(call.base_model);
            }
            Way::Count(_) => count.as_ref(),
            Way::Estimate => None,
            Way::Rehost(_) => self.own_call(call).or_else(|| self.address(Endpoint::Messages)),
            Way::Translate(_, api) => {
                self.own_call(call).or_else(|| self.address(usual_endpoint(api)?))
            }
        };
        let address = address.ok_or(ProviderError::NotSpoken)?;
        match call.query.filter(|_| call.way == Way::Pass) {
            Some(query) => address.with_query(call.model, query),
            None => address.of(call.model),
        }
    }

    /// Where the protocol's answers or streams are asked for, where it has a place of its own.
    const fn own_call(&self, call: &Upcall<'_>) -> Option<&Address> {
        let [generate, stream, ..] = &self.calls;
        if call.stream { stream.as_ref() } else { generate.as_ref() }
    }

    fn address(&self, endpoint: Endpoint) -> Option<&Address> {
        self.paths.iter().find(|(own, _)| *own == endpoint).map(|(_, address)| address)
    }
}

/// The path of an endpoint that is spoken natively.
fn path<'v>(vendor: &'v Vendor, variant: Option<&'v Variant>, endpoint: Endpoint) -> Cow<'v, str> {
    let own = variant.and_then(|variant| variant.paths.iter().find(|(own, _)| *own == endpoint));
    own.map_or_else(|| vendor.path(endpoint), |(_, path)| Cow::Borrowed(path.as_str()))
}

/// What other dialects are translated into: what the vendor's row says, else the first of the usual
/// APIs that is spoken.
fn protocol_of(variant: Option<&Variant>, endpoints: &[Endpoint]) -> Option<VendorApi> {
    if let Some(told) = variant.and_then(|variant| variant.protocol) {
        return Some(api(told));
    }
    [VendorApi::Chat, VendorApi::Messages, VendorApi::Responses]
        .into_iter()
        .find(|api| usual_endpoint(*api).is_some_and(|own| endpoints.contains(&own)))
}

const fn api(protocol: Protocol) -> VendorApi {
    match protocol {
        Protocol::ChatCompletions => VendorApi::Chat,
        Protocol::Responses => VendorApi::Responses,
        Protocol::Messages => VendorApi::Messages,
        Protocol::Gemini => VendorApi::Gemini,
        Protocol::Converse => VendorApi::Converse,
    }
}

const fn platform_of(hosting: Hosting) -> Platform {
    match hosting {
        Hosting::Own => Platform::Own,
        Hosting::Bedrock => Platform::Bedrock,
        Hosting::Vertex => Platform::Vertex,
    }
}

/// The endpoint whose path is the API's, where it has one.
const fn usual_endpoint(api: VendorApi) -> Option<Endpoint> {
    match api {
        VendorApi::Chat => Some(Endpoint::ChatCompletions),
        VendorApi::Messages => Some(Endpoint::Messages),
        VendorApi::Responses => Some(Endpoint::Responses),
        VendorApi::Gemini | VendorApi::Converse => None,
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
#[path = "provider_tests.rs"]
mod tests;

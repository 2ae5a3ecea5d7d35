//! One vendor: where its endpoints are and how it is spoken to.

use std::{borrow::Cow, collections::BTreeMap};

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer, de};

use super::{AuthKind, Environment, Variant};
use crate::domain::{Endpoint, Quirks};

/// How the gateway's credential is sent to a vendor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthScheme {
    /// `Authorization: Bearer <key>`
    #[default]
    Bearer,
    /// `x-api-key: <key>`
    XApiKey,
    /// `x-goog-api-key: <key>`
    XGoogApiKey,
    /// `api-key: <key>`
    AzureApiKey,
}

impl AuthScheme {
    /// The header that carries a key.
    #[must_use]
    pub const fn header(self) -> HeaderName {
        match self {
            Self::Bearer => http::header::AUTHORIZATION,
            Self::XApiKey => HeaderName::from_static("x-api-key"),
            Self::XGoogApiKey => HeaderName::from_static("x-goog-api-key"),
            Self::AzureApiKey => HeaderName::from_static("api-key"),
        }
    }

    /// Its value, before the key.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer ",
            Self::XApiKey | Self::XGoogApiKey | Self::AzureApiKey => "",
        }
    }
}

/// How the vendor is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TCP, with TLS for `https`.
    #[default]
    Network,
    /// The simulated vendor inside this process.
    InProcess,
}

/// One row of `conf/providers.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// `model_provider` on the wire.
    pub slug: String,
    /// Name shown to people.
    pub name: String,
    /// What traces call it (`gen_ai.provider.name`), where that is not the slug.
    pub telemetry_name: Option<String>,
    /// Default base URL, in which `{setting}` stands for one of the provider's settings; none where it
    /// must be given.
    pub base_url: Option<String>,
    /// How the gateway may show who it is.
    #[serde(default = "by_key")]
    pub auth_types: Vec<AuthKind>,
    /// Settings that a provider must have.
    #[serde(default)]
    pub required_settings: Vec<String>,
    /// Settings with their values where a provider has none.
    #[serde(default, deserialize_with = "pairs")]
    pub default_settings: Vec<(String, String)>,
    /// Path below the root that a health probe asks for; none: that of the list of models, if there is
    /// one.
    pub probe: Option<String>,
    /// What stands before the endpoint's path, such as `/v1`; empty where the base URL has it all.
    #[serde(default = "usual_version_prefix")]
    pub version_prefix: String,
    /// Further endings of a provider's own base URL that are removed, the longest first.
    #[serde(default)]
    pub base_endings: Vec<String>,
    /// How the credential travels.
    #[serde(default)]
    pub auth: AuthScheme,
    /// Endpoints spoken natively, unless a provider's setting `dialects` says otherwise
    /// ([`Vendor::endpoints_for`]).
    pub endpoints: Vec<Endpoint>,
    /// Endpoints spoken only where a provider's setting `dialects` names them.
    #[serde(default)]
    pub optional_endpoints: Vec<Endpoint>,
    /// Endpoints whose path is not the usual one ([`Vendor::path`]).
    #[serde(default, deserialize_with = "pairs")]
    pub paths: Vec<(Endpoint, String)>,
    /// What its ids of models may begin with that say where a model runs, not which it is.
    #[serde(default)]
    pub profile_prefixes: Vec<String>,
    /// How it is spoken to, where it has an API of its own or several ([`Vendor::variant_for`]).
    #[serde(default, rename = "variant")]
    pub variants: Vec<Variant>,
    /// Request headers of the client that may travel, lower case, beyond the common allow-list; a
    /// trailing `*` matches a prefix.
    #[serde(default)]
    pub forward_headers: Vec<String>,
    /// Headers sent where the client sent none.
    #[serde(default, deserialize_with = "pairs")]
    pub default_headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether `stream_options.include_usage` may be added to a stream request.
    pub stream_usage_option: bool,
    /// Where its chat completions depart from `OpenAI`'s, for requests that are translated into them.
    #[serde(default)]
    pub quirks: Quirks,
    /// Whether an empty key is allowed.
    #[serde(default)]
    pub key_optional: bool,
    /// How it is reached.
    #[serde(default)]
    pub transport: Transport,
    /// Environment variable that quickstart looks for.
    pub env_key: Option<String>,
    /// What else quickstart reads from the environment.
    #[serde(default)]
    pub environment: Environment,
    /// Models enabled by quickstart when the vendor's own list can't be reached.
    pub models: Vec<String>,
}

impl Vendor {
    /// What traces call it: <https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/>.
    #[must_use]
    pub fn telemetry_name(&self) -> &str {
        self.telemetry_name.as_deref().unwrap_or(&self.slug)
    }

    /// A provider's base URL, or the path of one, without trailing slashes and without the version
    /// that [`Vendor::path`] adds again: `https://host/v1/` and `https://host` are the same root.
    #[must_use]
    pub fn root<'a>(&self, base_url: &'a str) -> &'a str {
        let base = base_url.trim_end_matches('/');
        std::iter::once(&self.version_prefix)
            .chain(&self.base_endings)
            .filter(|ending| !ending.is_empty())
            .find_map(|ending| base.strip_suffix(ending.as_str()))
            .map_or(base, |root| root.trim_end_matches('/'))
    }

    /// The endpoint's path below the root, with a leading slash.
    #[must_use]
    pub fn path(&self, endpoint: Endpoint) -> Cow<'_, str> {
        match self.paths.iter().find(|(own, _)| *own == endpoint) {
            Some((_, path)) => Cow::Borrowed(path),
            None => Cow::Owned(format!("{}{}", self.version_prefix, endpoint.path())),
        }
    }

    /// The endpoint's whole URL below a provider's base URL.
    #[must_use]
    pub fn url(&self, base_url: &str, endpoint: Endpoint) -> String {
        format!("{}{}", self.root(base_url), self.path(endpoint))
    }

    /// What a provider of this vendor speaks natively, given its setting `dialects`. The setting
    /// chooses among all endpoints of the row; listing models needs no mention.
    #[must_use]
    pub fn endpoints_for(&self, dialects: Option<&[Endpoint]>) -> Vec<Endpoint> {
        let Some(dialects) = dialects else {
            return self.endpoints.clone();
        };
        let all = self.endpoints.iter().chain(&self.optional_endpoints);
        all.filter(|endpoint| **endpoint == Endpoint::Models || dialects.contains(endpoint))
            .copied()
            .collect()
    }

    /// The model that an id of the vendor's stands for: the id itself, without the place where it runs
    /// (Bedrock's inference profiles, ARNs among them).
    #[must_use]
    pub fn base_model<'m>(&self, id: &'m str) -> &'m str {
        if self.profile_prefixes.is_empty() {
            return id;
        }
        // Ids that an account gave itself tell nothing, and have no dot.
        let arn = id.starts_with("arn:").then(|| id.rsplit_once('/')).flatten();
        let name = arn.map(|(_, name)| name).filter(|name| name.contains('.')).unwrap_or(id);
        let mut prefixes = self.profile_prefixes.iter();
        prefixes.find_map(|prefix| name.strip_prefix(prefix.as_str())).unwrap_or(name)
    }

    /// How a provider with these settings is spoken to; none where the vendor has one way only.
    /// `setting` answers a setting's value.
    pub fn variant_for(&self, setting: impl Fn(&str) -> Option<String>) -> Option<&Variant> {
        let chosen = self.variants.iter().find(|variant| {
            let when = variant.when.as_ref();
            when.is_some_and(|(name, value)| setting(name).as_ref() == Some(value))
        });
        chosen.or_else(|| self.variants.first())
    }

    /// A setting's value where a provider has none.
    #[must_use]
    pub fn default_setting(&self, name: &str) -> Option<&str> {
        let default = self.default_settings.iter().find(|(known, _)| known == name);
        default.map(|(_, value)| value.as_str())
    }

    /// Where a health probe asks, below the root; none where the vendor is not probed.
    #[must_use]
    pub fn probe_path(&self) -> Option<Cow<'_, str>> {
        match &self.probe {
            Some(path) => Some(Cow::Borrowed(path)),
            None => self.endpoints.contains(&Endpoint::Models).then(|| self.path(Endpoint::Models)),
        }
    }

    /// The default base URL with a provider's settings in it; none where there is none, or a setting is
    /// missing. `setting` answers a setting's value.
    pub fn base_url_for(&self, setting: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut url = self.base_url.clone()?;
        while let Some((before, rest)) = url.split_once('{') {
            let (name, after) = rest.split_once('}')?;
            let default = || self.default_setting(name).map(str::to_owned);
            let value = setting(name).or_else(default)?;
            // Google's global endpoint has no region before its name.
            let after = match value.as_str() {
                "global" => after.strip_prefix('-').unwrap_or(after),
                _ => after,
            };
            let value = if value == "global" { "" } else { value.as_str() };
            url = format!("{before}{value}{after}");
        }
        Some(url)
    }

    /// Whether the client's header of this lower-case name may travel.
    #[must_use]
    pub fn forwards(&self, header: &str) -> bool {
        self.forward_headers.iter().any(|allowed| match allowed.strip_suffix('*') {
            Some(prefix) => header.starts_with(prefix),
            None => header == allowed,
        })
    }
}

fn by_key() -> Vec<AuthKind> {
    vec![AuthKind::ApiKey]
}

fn usual_version_prefix() -> String {
    "/v1".to_owned()
}

/// A table as a list: the rows are short, and most are walked rather than looked up.
pub(super) fn pairs<'de, D, K, V>(deserializer: D) -> Result<Vec<(K, V)>, D::Error>
where
    D: Deserializer<'de>,
    K: FromText,
    V: FromText,
{
    let table = BTreeMap::<String, String>::deserialize(deserializer)?;
    table.into_iter().map(|(key, value)| Ok((K::from_text(key)?, V::from_text(value)?))).collect()
}

/// What a key or a value of a table may be.
pub(super) trait FromText: Sized {
    fn from_text<E: de::Error>(text: String) -> Result<Self, E>;
}

impl FromText for String {
    fn from_text<E: de::Error>(text: String) -> Result<Self, E> {
        Ok(text)
    }
}

impl FromText for Endpoint {
    fn from_text<E: de::Error>(text: String) -> Result<Self, E> {
        Self::deserialize(de::value::StringDeserializer::new(text))
    }
}

impl FromText for HeaderName {
    fn from_text<E: de::Error>(text: String) -> Result<Self, E> {
        Self::try_from(text).map_err(E::custom)
    }
}

impl FromText for HeaderValue {
    fn from_text<E: de::Error>(text: String) -> Result<Self, E> {
        Self::try_from(text).map_err(E::custom)
    }
}

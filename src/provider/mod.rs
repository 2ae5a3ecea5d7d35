//! The vendors, as data.

use crate::domain::Endpoint;

/// How the gateway's credential is sent to a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthScheme {
    /// `Authorization: Bearer <key>`
    Bearer,
    /// `x-api-key: <key>`
    XApiKey,
}

/// How the vendor is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP, with TLS for `https`.
    Network,
    /// The simulated vendor inside this process.
    InProcess,
}

/// One row of `conf/providers.toml`.
#[derive(Debug)]
pub struct Vendor {
    /// `model_provider` on the wire.
    pub slug: String,
    /// Name shown to people.
    pub name: String,
    /// Default base URL; none where it must be given.
    pub base_url: Option<String>,
    /// What stands before the endpoint's path, such as `/v1`; empty where the base URL has it all.
    pub version_prefix: String,
    /// How the credential travels.
    pub auth: AuthScheme,
    /// Endpoints spoken natively (a `custom` provider's setting `dialects` narrows them).
    pub endpoints: Vec<Endpoint>,
    /// Request headers of the client that may travel, lower case, beyond the common allow-list; a
    /// trailing `*` matches a prefix.
    pub forward_headers: Vec<String>,
    /// Headers sent where the client sent none, lower-case names.
    pub default_headers: Vec<(String, String)>,
    /// Whether `stream_options.include_usage` may be added to a stream request.
    pub stream_usage_option: bool,
    /// Whether an empty key is allowed.
    pub key_optional: bool,
    /// How it is reached.
    pub transport: Transport,
    /// Environment variable that quickstart looks for.
    pub env_key: Option<String>,
    /// Models enabled by quickstart when the vendor's own list can't be reached.
    pub models: Vec<String>,
}

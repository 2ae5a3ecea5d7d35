//! What a provider looks like in requests and answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    patch::Patch,
    schemas::{AuthType, Credentials, HealthStatus, ModelProvider, Settings, Url},
    sealing::{CredentialsInput, KeyInput},
    sorting::{Entry, Sorts, name, time},
};
use crate::{
    domain::{CredentialId, OrgId, ProviderId, Timestamp},
    provider::templates,
    store::ProviderRow,
};

/// A new provider; it is always enabled, so there is no such field
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateProviderRequest)]
pub(super) struct Create {
    #[schema(min_length = 1, max_length = 256)]
    pub(super) name: String,
    #[schema(value_type = ModelProvider)]
    pub(super) model_provider: String,
    /// The connection's where absent, else `api_key`.
    #[schema(value_type = Option<AuthType>)]
    pub(super) auth_type: Option<String>,
    /// The connection's where absent, else the vendor's own.
    #[schema(value_type = Option<Url>)]
    pub(super) base_url: Option<String>,
    /// An inline key, where there is no connection. Empty is as absent.
    #[schema(value_type = Option<String>, write_only)]
    pub(super) api_key: Option<KeyInput>,
    #[schema(value_type = Option<Credentials>, write_only)]
    pub(super) credentials: Option<CredentialsInput>,
    pub(super) catalog_id: Option<Uuid>,
    /// A shared credential; `auth_type`, `base_url` and `settings` come from it where absent.
    pub(super) connection_id: Option<CredentialId>,
    /// Upstream models to enable in the same call.
    pub(super) models: Option<Vec<String>>,
    #[schema(value_type = Option<Settings>)]
    pub(super) settings: Option<Value>,
    /// Total time of a request that is not streamed, seconds.
    #[schema(minimum = 1, maximum = 3600)]
    pub(super) request_timeout_secs: Option<i64>,
    /// Longest gap between two chunks of a stream, seconds.
    #[schema(minimum = 1, maximum = 1800)]
    pub(super) stream_idle_timeout_secs: Option<i64>,
    #[schema(default = true)]
    pub(super) enforce_health_check: Option<bool>,
}

/// Changes to a provider; absent keeps, and so does null except where it is told apart
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateProviderRequest)]
pub(super) struct Update {
    #[schema(min_length = 1, max_length = 256)]
    pub(super) name: Option<String>,
    /// Fixed; only the stored value is accepted.
    #[schema(value_type = Option<ModelProvider>)]
    pub(super) model_provider: Option<String>,
    #[schema(value_type = Option<AuthType>)]
    pub(super) auth_type: Option<String>,
    #[schema(value_type = Option<Url>)]
    pub(super) base_url: Option<String>,
    /// Rotates the inline key.
    #[schema(value_type = Option<String>, write_only)]
    pub(super) api_key: Option<KeyInput>,
    /// Rotates the inline secret.
    #[schema(value_type = Option<Credentials>, write_only)]
    pub(super) credentials: Option<CredentialsInput>,
    pub(super) enabled: Option<bool>,
    #[schema(value_type = Option<Settings>)]
    pub(super) settings: Option<Value>,
    pub(super) enforce_health_check: Option<bool>,
    /// Null detaches: back to an inline key.
    #[serde(default)]
    #[schema(value_type = Option<CredentialId>)]
    pub(super) connection_id: Patch<CredentialId>,
    /// Null clears.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 3600)]
    pub(super) request_timeout_secs: Patch<i64>,
    /// Null clears.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1800)]
    pub(super) stream_idle_timeout_secs: Patch<i64>,
}

/// A named upstream, without its secret
#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
pub(super) struct ProviderView {
    id: ProviderId,
    org_id: OrgId,
    name: String,
    #[schema(value_type = ModelProvider)]
    model_provider: String,
    #[schema(value_type = AuthType)]
    auth_type: String,
    #[schema(value_type = Url)]
    base_url: String,
    /// The operator's switch, whatever the health.
    #[schema(default = true)]
    enabled: bool,
    #[schema(value_type = Settings)]
    settings: Value,
    /// The catalog template it was made from.
    catalog_id: Option<Uuid>,
    /// That template's slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog_slug: Option<&'static str>,
    /// Its shared credential.
    connection_id: Option<CredentialId>,
    /// Where the inline secret is kept; there is no way to read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    secret_path: Option<String>,
    /// Total time of a request that is not streamed, seconds.
    #[schema(minimum = 1, maximum = 3600)]
    request_timeout_secs: Option<u32>,
    /// Longest gap between two chunks of a stream, seconds.
    #[schema(minimum = 1, maximum = 1800)]
    stream_idle_timeout_secs: Option<u32>,
    /// Whether an unhealthy probe takes it out of routing.
    #[schema(default = true)]
    enforce_health_check: bool,
    /// What the last probe found.
    #[schema(value_type = HealthStatus)]
    health_status: String,
    /// Why the last probe failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    health_detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health_checked_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ProviderView {
    pub(super) const fn id(&self) -> ProviderId {
        self.id
    }

    /// Whether what is known of its health holds for what it is now.
    pub(super) const fn was_checked(&self) -> bool {
        self.health_checked_at.is_some()
    }
}

impl Entry for ProviderView {
    const LIST: &'static str = "providers";
    const SORTS: Sorts<Self> = &[
        ("name", |provider| Some(name(&provider.name))),
        ("vendor", |provider| Some(name(templates().vendor_name(&provider.model_provider)))),
        ("health", |provider| Some(provider.health_status.clone())),
        ("created", |provider| Some(time(provider.created_at))),
    ];

    fn text(&self) -> String {
        let vendor = templates().vendor_name(&self.model_provider);
        [&*self.name, vendor, &*self.model_provider, &*self.base_url].join("\n")
    }

    /// Names are the organization's own.
    fn identity(&self) -> String {
        self.name.clone()
    }
}

impl From<ProviderRow> for ProviderView {
    fn from(row: ProviderRow) -> Self {
        Self {
            id: row.id,
            org_id: row.org_id,
            name: row.name,
            model_provider: row.model_provider,
            auth_type: row.auth_type,
            base_url: row.base_url,
            enabled: row.enabled,
            settings: row.settings,
            catalog_id: row.catalog_id,
            catalog_slug: row
                .catalog_id
                .and_then(|id| templates().by_id(id))
                .map(|template| template.slug.as_str()),
            connection_id: row.connection_id,
            secret_path: row.sealed.map(|_| format!("providers/{}/credentials", row.id)),
            request_timeout_secs: row.request_timeout_secs,
            stream_idle_timeout_secs: row.stream_idle_timeout_secs,
            enforce_health_check: row.enforce_health_check,
            health_status: row.health_status,
            health_detail: row.health_detail,
            health_checked_at: row.health_checked_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

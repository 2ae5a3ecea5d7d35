//! What a provider looks like in requests and answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    patch::Patch,
    sealing::{CredentialsInput, KeyInput},
};
use crate::{
    domain::{CredentialId, OrgId, ProviderId, Timestamp},
    store::ProviderRow,
};

/// A new provider is always enabled: there is no such field.
#[derive(Deserialize)]
pub(super) struct Create {
    pub(super) name: String,
    pub(super) model_provider: String,
    pub(super) auth_type: Option<String>,
    pub(super) base_url: Option<String>,
    pub(super) api_key: Option<KeyInput>,
    pub(super) credentials: Option<CredentialsInput>,
    pub(super) catalog_id: Option<Uuid>,
    pub(super) connection_id: Option<CredentialId>,
    /// Upstream models to enable in the same call.
    pub(super) models: Option<Vec<String>>,
    pub(super) settings: Option<Value>,
    pub(super) request_timeout_secs: Option<i64>,
    pub(super) stream_idle_timeout_secs: Option<i64>,
    pub(super) enforce_health_check: Option<bool>,
}

/// Null keeps, except where it is told apart.
#[derive(Deserialize)]
pub(super) struct Update {
    pub(super) name: Option<String>,
    pub(super) model_provider: Option<String>,
    pub(super) auth_type: Option<String>,
    pub(super) base_url: Option<String>,
    pub(super) api_key: Option<KeyInput>,
    pub(super) credentials: Option<CredentialsInput>,
    pub(super) enabled: Option<bool>,
    pub(super) settings: Option<Value>,
    pub(super) enforce_health_check: Option<bool>,
    /// Null detaches: back to an inline key.
    #[serde(default)]
    pub(super) connection_id: Patch<CredentialId>,
    #[serde(default)]
    pub(super) request_timeout_secs: Patch<i64>,
    #[serde(default)]
    pub(super) stream_idle_timeout_secs: Patch<i64>,
}

/// A provider without its secret.
#[derive(Serialize)]
pub(super) struct ProviderView {
    id: ProviderId,
    org_id: OrgId,
    name: String,
    model_provider: String,
    auth_type: String,
    base_url: String,
    enabled: bool,
    settings: Value,
    catalog_id: Option<Uuid>,
    connection_id: Option<CredentialId>,
    request_timeout_secs: Option<u32>,
    stream_idle_timeout_secs: Option<u32>,
    enforce_health_check: bool,
    health_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    health_detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health_checked_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
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
            connection_id: row.connection_id,
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

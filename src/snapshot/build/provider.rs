//! One provider's row, with the secret that it uses, made ready to be called.

use serde::Deserialize;

use crate::{
    domain::Endpoint,
    provider::{AuthKind, Catalog, Vendor},
    secrets::{self, Keyring, SealError, Secret},
    snapshot::{BaseUrl, BaseUrlError, Provider, ProviderError, ProviderParts},
    store::{ConnectionRow, ProviderRow},
};

/// Why a provider cannot be used. Messages never contain a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderFault {
    #[error("its vendor '{0}' is not in the catalogue of this version")]
    UnknownVendor(String),
    #[error("it has no base_url and its vendor has no default")]
    NoBaseUrl,
    #[error("its base_url {0}")]
    BaseUrl(#[from] BaseUrlError),
    #[error("its credential does not exist")]
    NoConnection,
    #[error("its secret cannot be opened: {0}")]
    Seal(#[from] SealError),
    #[error("it has no API key, which its vendor needs")]
    NoKey,
    #[error(transparent)]
    Request(#[from] ProviderError),
    #[error("its setting 'dialects' is not a list of known endpoints")]
    Dialects,
}

pub(super) fn provider(
    row: &ProviderRow,
    connections: &[ConnectionRow],
    keyring: &Keyring,
    vendors: &'static Catalog,
) -> Result<Provider, ProviderFault> {
    let vendor = vendors
        .vendor(&row.model_provider)
        .ok_or_else(|| ProviderFault::UnknownVendor(row.model_provider.clone()))?;
    let parts = ProviderParts {
        id: row.id,
        name: row.name.as_str().into(),
        vendor,
        base: base(row, vendor)?,
        api_key: api_key(row, connections, keyring, vendor)?,
        endpoints: endpoints(row, vendor)?,
    };
    Ok(Provider::new(parts)?)
}

/// One provider, ready to be called; else why it is not, without any secret.
///
/// # Errors
/// Why it cannot be called.
pub fn usable_provider(
    row: &ProviderRow,
    connections: &[ConnectionRow],
    keyring: &Keyring,
    vendors: &'static Catalog,
) -> Result<Provider, String> {
    provider(row, connections, keyring, vendors).map_err(|fault| fault.to_string())
}

fn base(row: &ProviderRow, vendor: &Vendor) -> Result<BaseUrl, ProviderFault> {
    let own = Some(row.base_url.as_str()).filter(|text| !text.is_empty());
    let text = own.or(vendor.base_url.as_deref()).ok_or(ProviderFault::NoBaseUrl)?;
    let base = BaseUrl::parse(text)?;
    let root = vendor.root(&base.prefix).to_owned();
    Ok(base.with_prefix(&root))
}

fn api_key(
    row: &ProviderRow,
    connections: &[ConnectionRow],
    keyring: &Keyring,
    vendor: &Vendor,
) -> Result<Option<Secret>, ProviderFault> {
    let (record, sealed) = match row.connection_id {
        None => (row.id.0, row.sealed.as_deref()),
        Some(id) => {
            let shared = connections.iter().find(|connection| connection.id == id);
            (id.0, shared.ok_or(ProviderFault::NoConnection)?.sealed.as_deref())
        }
    };
    let key = match sealed {
        Some(sealed) => secrets::open_api_key(keyring, row.org_id, record, sealed)?,
        None => None,
    };
    match key {
        Some(key) if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(ProviderError::KeyCharacters.into())
        }
        None if !vendor.key_optional && kind(row).is_key() => Err(ProviderFault::NoKey),
        key => Ok(key),
    }
}

fn kind(row: &ProviderRow) -> AuthKind {
    AuthKind::named(&row.auth_type).unwrap_or(AuthKind::ApiKey)
}

/// What this version cannot authenticate is not spoken. A setting `dialects` is read of `custom` providers alone: what a known vendor speaks is known.
fn endpoints(row: &ProviderRow, vendor: &Vendor) -> Result<Vec<Endpoint>, ProviderFault> {
    if !kind(row).is_key() {
        return Ok(Vec::new());
    }
    match row.settings.get("dialects") {
        Some(named) if vendor.slug == "custom" && !named.is_null() => {
            let named = Vec::<Endpoint>::deserialize(named).map_err(|_| ProviderFault::Dialects)?;
            Ok(vendor.endpoints_for(Some(&named)))
        }
        _ => Ok(vendor.endpoints_for(None)),
    }
}

//! The rules by which a request becomes a provider's row, or changes one.

use serde_json::{Value, json};

use super::{
    error::AdminError,
    patch::Patch,
    provider_inputs::{Create, Update},
    sealing::{KeyInput, given_key},
    state::AdminState,
    upstream,
};
use crate::{
    domain::{CredentialId, OrgId, ProviderId, Timestamp},
    provider::Vendor,
    store::{ConnectionRow, Inherits, ProviderRow, Tx},
};

const UNVERIFIED: &str = "unverified";

/// The connection that a request names.
pub(super) async fn connection(
    tx: &mut Tx,
    org: OrgId,
    id: CredentialId,
    vendor: &Vendor,
) -> Result<ConnectionRow, AdminError> {
    let found = tx.connection(org, id).await?;
    let found = found.ok_or_else(|| AdminError::not_found("connection"))?;
    if found.model_provider == vendor.slug {
        return Ok(found);
    }
    Err(AdminError::bad_request(format!(
        "connection_id names a connection of model_provider '{}'; this provider's is '{}'",
        found.model_provider, vendor.slug
    )))
}

/// What describes the upstream, after defaults and inheritance.
struct Described {
    auth_type: String,
    base_url: String,
    settings: Value,
    inherits: Inherits,
}

fn describe(
    body: &mut Create,
    vendor: &Vendor,
    shared: Option<&ConnectionRow>,
) -> Result<Described, AdminError> {
    let auth_type = body.auth_type.take().map(upstream::auth_type).transpose()?;
    let base_url = body.base_url.take().map(upstream::base_url).transpose()?;
    let settings = upstream::settings(body.settings.take(), vendor)?;
    let inherits = Inherits {
        auth_type: shared.is_some() && auth_type.is_none(),
        base_url: shared.is_some() && base_url.is_none(),
        settings: shared.is_some() && settings.is_none(),
    };
    let base_url = match (base_url, shared) {
        (Some(given), _) => given,
        (None, Some(shared)) => shared.base_url.clone(),
        (None, None) => upstream::default_base_url(vendor)?,
    };
    let inherited = shared.map(|shared| (shared.auth_type.clone(), shared.settings.clone()));
    let (inherited_auth, inherited_settings) =
        inherited.unwrap_or_else(|| (upstream::default_auth_type(), json!({})));
    Ok(Described {
        auth_type: auth_type.unwrap_or(inherited_auth),
        base_url,
        settings: settings.unwrap_or(inherited_settings),
        inherits,
    })
}

/// A new provider's row.
pub(super) fn new_row(
    state: &AdminState,
    org: OrgId,
    mut body: Create,
    vendor: &Vendor,
    shared: Option<&ConnectionRow>,
) -> Result<(ProviderRow, Inherits), AdminError> {
    let described = describe(&mut body, vendor, shared)?;
    let id = ProviderId::random();
    let key = given_key(body.api_key, body.credentials)?.filter(|key| !key.is_empty());
    let sealed = inline_secret(state, org, id, vendor, shared.is_some(), key)?;
    let now = Timestamp::now();
    let row = ProviderRow {
        id,
        org_id: org,
        name: name(body.name)?,
        model_provider: body.model_provider,
        auth_type: described.auth_type,
        base_url: described.base_url,
        settings: described.settings,
        catalog_id: body.catalog_id,
        connection_id: shared.map(|shared| shared.id),
        sealed,
        enabled: true,
        enforce_health_check: body.enforce_health_check.unwrap_or(true),
        health_status: UNVERIFIED.to_owned(),
        health_detail: None,
        health_checked_at: None,
        request_timeout_secs: body
            .request_timeout_secs
            .map(upstream::request_timeout)
            .transpose()?,
        stream_idle_timeout_secs: body
            .stream_idle_timeout_secs
            .map(upstream::stream_idle_timeout)
            .transpose()?,
        created_at: now,
        updated_at: now,
    };
    Ok((row, described.inherits))
}

fn inline_secret(
    state: &AdminState,
    org: OrgId,
    id: ProviderId,
    vendor: &Vendor,
    shared: bool,
    key: Option<KeyInput>,
) -> Result<Option<Vec<u8>>, AdminError> {
    if shared && key.is_some() {
        let message = "api_key and connection_id exclude each other; send one of them";
        return Err(AdminError::bad_request(message));
    }
    if !shared {
        upstream::require_key(vendor, key.as_ref())?;
    }
    key.map(|key| key.seal(&state.keyring, org, id.0)).transpose()
}

/// Applies an update to a stored row.
pub(super) async fn change(
    state: &AdminState,
    tx: &mut Tx,
    row: &mut ProviderRow,
    body: Update,
) -> Result<Inherits, AdminError> {
    let given = body.model_provider.as_deref();
    upstream::unchanged("model_provider", given, &row.model_provider)?;
    let vendor = upstream::vendor(&row.model_provider)?;
    let mut inherits = tx.provider_inherits(row.org_id, row.id).await?;
    rebind(tx, row, &mut inherits, vendor, body.connection_id).await?;
    if let Some(given) = body.name.filter(|given| *given != row.name) {
        row.name = name(given)?;
    }
    if let Some(auth_type) = body.auth_type {
        row.auth_type = upstream::auth_type(auth_type)?;
        inherits.auth_type = false;
    }
    if let Some(base_url) = body.base_url {
        row.base_url = upstream::base_url(base_url)?;
        inherits.base_url = false;
    }
    if let Some(settings) = upstream::settings(body.settings, vendor)? {
        row.settings = settings;
        inherits.settings = false;
    }
    row.enabled = body.enabled.unwrap_or(row.enabled);
    row.enforce_health_check = body.enforce_health_check.unwrap_or(row.enforce_health_check);
    let timeout = body.request_timeout_secs.try_map(upstream::request_timeout)?;
    timeout.apply(&mut row.request_timeout_secs);
    let timeout = body.stream_idle_timeout_secs.try_map(upstream::stream_idle_timeout)?;
    timeout.apply(&mut row.stream_idle_timeout_secs);
    rotate(state, row, vendor, given_key(body.api_key, body.credentials)?)?;
    row.updated_at = Timestamp::now();
    Ok(inherits)
}

/// Binding inherits everything that the same request does not set; detaching keeps the values that
/// were inherited until then.
async fn rebind(
    tx: &mut Tx,
    row: &mut ProviderRow,
    inherits: &mut Inherits,
    vendor: &Vendor,
    wanted: Patch<CredentialId>,
) -> Result<(), AdminError> {
    match wanted {
        Patch::Keep => {}
        Patch::Set(id) if row.connection_id == Some(id) => {}
        Patch::Set(id) => {
            let shared = connection(tx, row.org_id, id, vendor).await?;
            row.connection_id = Some(id);
            row.sealed = None;
            row.auth_type = shared.auth_type;
            row.base_url = shared.base_url;
            row.settings = shared.settings;
            *inherits = Inherits { auth_type: true, base_url: true, settings: true };
            forget_health(row);
        }
        Patch::Clear => {
            row.connection_id = None;
            *inherits = Inherits::default();
        }
    }
    Ok(())
}

/// Replaces the inline key, if one is given; a provider without connection must end up with one.
fn rotate(
    state: &AdminState,
    row: &mut ProviderRow,
    vendor: &Vendor,
    key: Option<KeyInput>,
) -> Result<(), AdminError> {
    let Some(key) = key else {
        return match (row.connection_id, &row.sealed) {
            (None, None) => upstream::require_key(vendor, None),
            _ => Ok(()),
        };
    };
    let full = Some(key).filter(|key| !key.is_empty());
    if row.connection_id.is_some() && full.is_none() {
        return Ok(());
    }
    let shared = row.connection_id.is_some();
    row.sealed = inline_secret(state, row.org_id, row.id, vendor, shared, full)?;
    forget_health(row);
    Ok(())
}

/// What was found out with another key says nothing.
fn forget_health(row: &mut ProviderRow) {
    UNVERIFIED.clone_into(&mut row.health_status);
    row.health_detail = None;
    row.health_checked_at = None;
}

/// A provider's name. Models are called as `<name>/<model>`, cut at the first slash.
fn name(given: String) -> Result<String, AdminError> {
    let given = upstream::text("name", given)?;
    if given.contains('/') {
        let why = "name must not contain '/': models are called as <name>/<model>";
        return Err(AdminError::bad_request(why));
    }
    Ok(given)
}

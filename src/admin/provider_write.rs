//! The rules by which a request becomes a provider's row, or changes one.

use serde_json::{Value, json};

use super::{
    error::AdminError,
    patch::Patch,
    provider_inputs::{Create, Update},
    sealing::{Given, Purpose},
    state::AdminState,
    upstream,
};
use crate::{
    domain::{CredentialId, OrgId, ProviderId, Timestamp},
    provider::Vendor,
    secrets::Credential,
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
    state: &AdminState,
    body: &mut Create,
    vendor: &Vendor,
    shared: Option<&ConnectionRow>,
) -> Result<Described, AdminError> {
    let auth_type = body.auth_type.take();
    let auth_type = auth_type.map(|given| upstream::auth_type(given, vendor)).transpose()?;
    let base_url = body.base_url.take().map(upstream::base_url).transpose()?;
    let settings = upstream::settings(body.settings.take(), vendor)?;
    let inherits = Inherits {
        auth_type: shared.is_some() && auth_type.is_none(),
        base_url: shared.is_some() && base_url.is_none(),
        settings: shared.is_some() && settings.is_none(),
    };
    let inherited = shared.map(|shared| (shared.auth_type.clone(), shared.settings.clone()));
    let (inherited_auth, inherited_settings) =
        inherited.unwrap_or_else(|| (upstream::default_auth_type(vendor), json!({})));
    let auth_type = auth_type.unwrap_or(inherited_auth);
    let settings = settings.unwrap_or(inherited_settings);
    let base_url = match (base_url, shared) {
        (Some(given), _) => given,
        (None, Some(shared)) => shared.base_url.clone(),
        (None, None) => upstream::default_base_url(vendor, &settings)?,
    };
    upstream::complete(state, vendor, &auth_type, &base_url, &settings)?;
    Ok(Described { auth_type, base_url, settings, inherits })
}

/// A new provider's row, its secret yet to be sealed into it.
pub(super) fn new_row(
    state: &AdminState,
    org: OrgId,
    mut body: Create,
    vendor: &Vendor,
    shared: Option<&ConnectionRow>,
) -> Result<(ProviderRow, Inherits, Option<Credential>), AdminError> {
    let described = describe(state, &mut body, vendor, shared)?;
    let given = Given::new(body.api_key, body.credentials);
    let credential = if let Some(shared) = shared {
        one_or_the_other(&given)?;
        same_kind(&described.auth_type, shared)?;
        None
    } else {
        let (auth_type, settings) = (described.auth_type.as_str(), &described.settings);
        given.credential(Purpose { vendor, auth_type, settings }, None)?
    };
    let now = Timestamp::now();
    let row = ProviderRow {
        id: ProviderId::random(),
        org_id: org,
        name: name(body.name)?,
        model_provider: body.model_provider,
        auth_type: described.auth_type,
        base_url: described.base_url,
        settings: described.settings,
        catalog_id: body.catalog_id,
        connection_id: shared.map(|shared| shared.id),
        sealed: None,
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
    Ok((row, described.inherits, credential))
}

fn one_or_the_other(given: &Given) -> Result<(), AdminError> {
    if given.is_full() {
        let message = "api_key and connection_id exclude each other; send one of them";
        return Err(AdminError::bad_request(message));
    }
    Ok(())
}

/// A provider's own `auth_type` must be able to use the connection's secret.
fn same_kind(auth_type: &str, shared: &ConnectionRow) -> Result<(), AdminError> {
    let (own, theirs) = (upstream::kind(auth_type), upstream::kind(&shared.auth_type));
    if own == theirs || (own.is_key() && theirs.is_key()) {
        return Ok(());
    }
    Err(AdminError::bad_request(format!(
        "auth_type '{auth_type}' cannot use the connection's credential, which is of auth_type '{}'",
        shared.auth_type
    )))
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
    let was = (row.auth_type.clone(), row.base_url.clone());
    if let Some(auth_type) = body.auth_type {
        row.auth_type = upstream::auth_type(auth_type, vendor)?;
        inherits.auth_type = false;
    }
    // An address that follows from the settings follows them.
    let follows = upstream::usual_base_url(vendor, &row.settings).as_ref() == Some(&row.base_url);
    if let Some(settings) = upstream::settings(body.settings, vendor)? {
        row.settings = settings;
        inherits.settings = false;
    }
    if let Some(base_url) = body.base_url {
        row.base_url = upstream::base_url(base_url)?;
        inherits.base_url = false;
    } else if follows && !inherits.base_url {
        let usual = upstream::usual_base_url(vendor, &row.settings);
        row.base_url = usual.unwrap_or_else(|| row.base_url.clone());
    }
    upstream::complete(state, vendor, &row.auth_type, &row.base_url, &row.settings)?;
    if was != (row.auth_type.clone(), row.base_url.clone()) {
        forget_health(row);
    }
    row.enabled = body.enabled.unwrap_or(row.enabled);
    row.enforce_health_check = body.enforce_health_check.unwrap_or(row.enforce_health_check);
    let timeout = body.request_timeout_secs.try_map(upstream::request_timeout)?;
    timeout.apply(&mut row.request_timeout_secs);
    let timeout = body.stream_idle_timeout_secs.try_map(upstream::stream_idle_timeout)?;
    timeout.apply(&mut row.stream_idle_timeout_secs);
    rotate(state, tx, row, vendor, Given::new(body.api_key, body.credentials)).await?;
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

/// Replaces the inline secret, if one is given; a provider without connection must end up with what
/// its auth type needs.
async fn rotate(
    state: &AdminState,
    tx: &mut Tx,
    row: &mut ProviderRow,
    vendor: &Vendor,
    given: Given,
) -> Result<(), AdminError> {
    let (org, id) = (row.org_id, row.id.0);
    if let Some(shared) = row.connection_id {
        one_or_the_other(&given)?;
        let shared = tx.connection(org, shared).await?;
        shared.map_or(Ok(()), |shared| same_kind(&row.auth_type, &shared))?;
        tx.set_claim(org, id, None).await?;
        return Ok(());
    }
    let is_given = given.is_given();
    let stored = state.open(org, id, row.sealed.as_deref())?;
    let claimed = stored.as_ref().and_then(Credential::claim);
    let had = stored.is_some();
    let purpose = Purpose { vendor, auth_type: &row.auth_type, settings: &row.settings };
    let credential = given.credential(purpose, stored)?;
    let claims = credential.as_ref().and_then(Credential::claim);
    if is_given || claims != claimed || had != credential.is_some() {
        row.sealed = state.seal(tx, org, id, credential.as_ref()).await?;
        forget_health(row);
    }
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

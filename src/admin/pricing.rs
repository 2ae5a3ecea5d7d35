//! `/admin/model-pricing`: what models cost.

use std::collections::HashSet;

use axum::{Json, extract::State};
use serde_json::json;
use uuid::Uuid;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, MaybeBody, Params, PathId},
    paging::{Listed, Listing},
    pricing_inputs::{Create, History, Import, Sync, Update},
    pricing_view::{
        self, ArchiveMode, ArchiveView, DefaultView, Imported, RuleView, Synced, VersionView,
    },
    pricing_write::{IMPORT_MODE, Writer},
    refusals::Conflict,
    sorting::{self, Order},
    state::AdminState,
};
use crate::{
    auth::Caller,
    domain::{ChangeSource, OrgId, PriceId, Timestamp},
    pricing::{self, DefaultPrice, copy_of, due},
    store::{PricingRow, RuleKey, Tx},
};

const WHAT: &str = "pricing";

/// List pricing rules
///
/// Archived ones are hidden. Each word of `q` is searched in pattern, vendor and provider; `sort` is
/// `model`, `for` (the provider or vendor), `input`, `output` (prices) or `since`.
#[utoipa::path(
    get,
    path = "/admin/model-pricing",
    operation_id = "listPricing",
    tag = "Model Pricing",
    params(Listing, Order),
    responses((status = 200, body = [RuleView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<RuleView>, AdminError> {
    sorting::part(rules(&state, caller.org, false).await?, &listing, &order)
}

/// List archived pricing rules
///
/// Searched and sorted as those in force.
#[utoipa::path(
    get,
    path = "/admin/model-pricing/archived",
    operation_id = "listArchivedPricing",
    tag = "Model Pricing",
    params(Listing, Order),
    responses((status = 200, body = [RuleView]))
)]
pub(super) async fn archived(
    State(state): State<AdminState>,
    caller: Caller,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<RuleView>, AdminError> {
    sorting::part(rules(&state, caller.org, true).await?, &listing, &order)
}

async fn rules(
    state: &AdminState,
    org: OrgId,
    archived: bool,
) -> Result<Vec<RuleView>, AdminError> {
    let now = Timestamp::now();
    let mut tx = state.store.read().await?;
    let (rows, counts) = (tx.price_rules(org, now).await?, tx.price_counts(org).await?);
    let mut rules = pricing_view::rules(rows, counts, now);
    rules.retain(|rule| rule.is_archived() == archived);
    Ok(rules)
}

/// List the managed default prices
///
/// They price what no rule of the organization does.
#[utoipa::path(
    get,
    path = "/admin/model-pricing/defaults",
    operation_id = "listPricingDefaults",
    tag = "Model Pricing",
    responses((status = 200, body = [DefaultView]))
)]
pub(super) async fn defaults(_caller: Caller) -> Json<Vec<DefaultView>> {
    Json(pricing::defaults().iter().map(DefaultView::from).collect())
}

/// List the versions of one rule
///
/// Newest first, tombstones and versions to come included; none for a rule that is not known.
#[utoipa::path(
    get,
    path = "/admin/model-pricing/history",
    operation_id = "getPricingHistory",
    tag = "Model Pricing",
    params(History),
    responses((status = 200, body = [VersionView]))
)]
pub(super) async fn history(
    State(state): State<AdminState>,
    caller: Caller,
    Params(query): Params<History>,
) -> Result<Json<Vec<VersionView>>, AdminError> {
    let mut tx = state.store.read().await?;
    let slug = query.model_provider.unwrap_or_default();
    let rows = tx.price_history(caller.org, &query.model_pattern, &slug).await?;
    Ok(Json(rows.into_iter().map(VersionView::from).collect()))
}

/// Get one version
///
/// Usage records name the version that priced them.
#[utoipa::path(
    get,
    path = "/admin/model-pricing/version/{id}",
    operation_id = "getPricingVersion",
    tag = "Model Pricing",
    responses((status = 200, body = VersionView))
)]
pub(super) async fn version(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<VersionView>, AdminError> {
    let mut tx = state.store.read().await?;
    Ok(Json(existing(&mut tx, caller.org, id).await?.into()))
}

/// Set or schedule a price
///
/// A price that is in force already is answered as it is, with the same id.
#[utoipa::path(
    post,
    path = "/admin/model-pricing",
    operation_id = "createPricing",
    tag = "Model Pricing",
    request_body = Create,
    responses((status = 200, body = VersionView), Conflict)
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<Create>,
) -> Result<Json<VersionView>, AdminError> {
    let wanted = body.checked()?;
    let mut change = state.change(&actor).await?;
    let (id, is_new) = writer(&actor).set(change.tx(), wanted).await?;
    let view = VersionView::from(existing(change.tx(), actor.org, id.0).await?);
    if is_new {
        change.commit(Audit::created(WHAT, id.0, &view)?).await?;
    }
    Ok(Json(view))
}

/// Edit a scheduled version
///
/// What has taken effect is never changed.
#[utoipa::path(
    put,
    path = "/admin/model-pricing/{id}",
    operation_id = "updatePricing",
    tag = "Model Pricing",
    request_body = Update,
    responses((status = 200, body = VersionView), Conflict)
)]
pub(super) async fn update(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<Json<VersionView>, AdminError> {
    let body = body.checked()?;
    let mut change = state.change(&actor).await?;
    let stored = existing(change.tx(), actor.org, id).await?;
    let before = VersionView::from(stored.clone());
    writer(&actor).change(change.tx(), stored.version, body).await?;
    let view = VersionView::from(existing(change.tx(), actor.org, id).await?);
    if view != before {
        change.commit(Audit::updated(WHAT, id, &before, &view)?).await?;
    }
    Ok(Json(view))
}

/// Cancel a scheduled version, or archive the rule of one that has taken effect
#[utoipa::path(
    delete,
    path = "/admin/model-pricing/{id}",
    operation_id = "archivePricing",
    tag = "Model Pricing",
    responses((status = 200, body = ArchiveView))
)]
pub(super) async fn archive(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<ArchiveView>, AdminError> {
    let mut change = state.change(&actor).await?;
    let named = existing(change.tx(), actor.org, id).await?;
    let writer = writer(&actor);
    let scheduled = named.version.effective_from > writer.now;
    let deleted = writer.delete(change.tx(), &named.version).await?;
    let view = ArchiveView {
        deleted: true,
        mode: if scheduled { ArchiveMode::CancelledScheduled } else { ArchiveMode::ArchivedRule },
        cancelled_scheduled: deleted.cancelled,
        archived: deleted.tombstone.is_some(),
    };
    let before = VersionView::from(named);
    if scheduled {
        change.commit(Audit::deleted(WHAT, id, &before)?).await?;
    } else if view.archived || view.cancelled_scheduled > 0 {
        let audit = Audit::new(WHAT, "archive", deleted.tombstone.map(|id| id.0).or(Some(id)));
        change.commit(audit.before(&before)?.after(&view)?).await?;
    }
    Ok(Json(view))
}

/// Restore an archived rule
///
/// Its last prices are in force again, as a new version.
#[utoipa::path(
    post,
    path = "/admin/model-pricing/{id}/restore",
    operation_id = "restorePricing",
    tag = "Model Pricing",
    responses((status = 200, body = VersionView))
)]
pub(super) async fn restore(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<VersionView>, AdminError> {
    let mut change = state.change(&actor).await?;
    let named = existing(change.tx(), actor.org, id).await?;
    let restored = writer(&actor).restore(change.tx(), &named.version).await?;
    let view = VersionView::from(existing(change.tx(), actor.org, restored.0).await?);
    let audit = Audit::new(WHAT, "restore", Some(restored.0));
    change.commit(audit.before(&VersionView::from(named))?.after(&view)?).await?;
    Ok(Json(view))
}

/// Copy managed defaults into the organization
///
/// Rules that are there, archived ones too, are left alone.
#[utoipa::path(
    post,
    path = "/admin/model-pricing/import-defaults",
    operation_id = "importPricingDefaults",
    tag = "Model Pricing",
    request_body = Option<Import>,
    responses((status = 200, body = Imported))
)]
pub(super) async fn import_defaults(
    State(state): State<AdminState>,
    actor: Actor,
    MaybeBody(body): MaybeBody<Import>,
) -> Result<Json<Imported>, AdminError> {
    let chosen = chosen(body.ids)?;
    let mode = body.sync_mode.unwrap_or(IMPORT_MODE);
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let now = Timestamp::now();
    let known: HashSet<RuleKey> =
        tx.price_counts(actor.org).await?.into_iter().map(|(key, _)| key).collect();
    let mut imported = 0;
    for default in chosen {
        let copy = copy_of(default, mode, now, Some(actor.user));
        if !known.contains(&RuleKey::of(&copy)) {
            tx.insert_price(actor.org, &copy, now).await?;
            imported += 1;
        }
    }
    if imported > 0 {
        let after = json!({ "imported": imported, "sync_mode": mode });
        change.commit(Audit::new(WHAT, "import_defaults", None).after(&after)?).await?;
    }
    Ok(Json(Imported { imported }))
}

/// Bring copies of managed defaults up to date
///
/// Rules that are pinned stay as they are.
#[utoipa::path(
    post,
    path = "/admin/model-pricing/sync-defaults",
    operation_id = "syncPricingDefaults",
    tag = "Model Pricing",
    request_body = Option<Sync>,
    responses((status = 200, body = Synced))
)]
pub(super) async fn sync_defaults(
    State(state): State<AdminState>,
    actor: Actor,
    MaybeBody(body): MaybeBody<Sync>,
) -> Result<Json<Synced>, AdminError> {
    let only: HashSet<PriceId> = chosen(body.ids)?.iter().map(|default| default.id).collect();
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let now = Timestamp::now();
    let versions = tx.prices_in_force(actor.org, now).await?;
    let wanted = |id| only.contains(&id);
    let due = due(&versions, pricing::defaults(), ChangeSource::SyncManual, wanted, now);
    let mut synced = 0;
    for mut version in due {
        version.created_by = Some(actor.user);
        tx.insert_price(actor.org, &version, now).await?;
        synced += 1;
    }
    if synced > 0 {
        let after = json!({ "synced": synced });
        change.commit(Audit::new(WHAT, "sync_defaults", None).after(&after)?).await?;
    }
    Ok(Json(Synced { synced }))
}

/// The managed defaults of these ids; all where there are none.
fn chosen(ids: Option<Vec<Uuid>>) -> Result<Vec<&'static DefaultPrice>, AdminError> {
    let ids = ids.unwrap_or_default();
    if ids.is_empty() {
        return Ok(pricing::defaults().iter().collect());
    }
    let mut seen = HashSet::new();
    let distinct = ids.into_iter().enumerate().filter(|(_, id)| seen.insert(*id));
    let find = |(place, id)| {
        pricing::defaults().get(PriceId(id)).ok_or_else(|| {
            AdminError::bad_request(format!(
                "ids[{place}] is not the id of a managed default; GET \
                 /admin/model-pricing/defaults lists them"
            ))
        })
    };
    distinct.map(find).collect()
}

fn writer(actor: &Actor) -> Writer {
    Writer { org: actor.org, user: actor.user, now: Timestamp::now() }
}

async fn existing(tx: &mut Tx, org: OrgId, id: Uuid) -> Result<PricingRow, AdminError> {
    let found = tx.price(org, PriceId(id)).await?;
    found.ok_or_else(|| AdminError::not_found("pricing version"))
}

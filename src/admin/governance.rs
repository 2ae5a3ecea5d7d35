//! `/admin/governance-config`: the organization's switches.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::Body,
    state::AdminState,
};
use crate::{auth::Caller, store::GovernanceRow};

const WHAT: &str = "governance config";

/// The organization's switches
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = GovernanceConfig)]
pub(super) struct Config {
    /// Whether a route that is enabled needs a price; managed defaults count.
    require_pricing_for_mappings: bool,
}

impl From<GovernanceRow> for Config {
    fn from(row: GovernanceRow) -> Self {
        Self { require_pricing_for_mappings: row.require_pricing_for_mappings }
    }
}

/// Get the organization's switches
#[utoipa::path(
    get,
    path = "/admin/governance-config",
    operation_id = "getGovernanceConfig",
    tag = "Governance Configuration",
    responses((status = 200, body = Config))
)]
pub(super) async fn get(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<Config>, AdminError> {
    let mut tx = state.store.read().await?;
    Ok(Json(tx.governance(caller.org).await?.into()))
}

/// Set the organization's switches
///
/// Routes that exist stay as they are.
#[utoipa::path(
    put,
    path = "/admin/governance-config",
    operation_id = "updateGovernanceConfig",
    tag = "Governance Configuration",
    request_body = Config,
    responses((status = 200, body = Config))
)]
pub(super) async fn update(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<Config>,
) -> Result<Json<Config>, AdminError> {
    let mut change = state.change(&actor).await?;
    let stored = change.tx().governance(actor.org).await?;
    let row = GovernanceRow { require_pricing_for_mappings: body.require_pricing_for_mappings };
    if row != stored {
        change.tx().set_governance(actor.org, row).await?;
        let audit = Audit::new(WHAT, "update", None);
        change.commit(audit.before(&Config::from(stored))?.after(&body)?).await?;
    }
    Ok(Json(body))
}

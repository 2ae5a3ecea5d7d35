//! What keeps routes from being tried now: budgets that have run out, and ejections.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::{Number, Value, json};

use super::{
    error::AdminError,
    policy_status::{UsedBudget, used_budgets},
    state::AdminState,
};
use crate::{
    domain::{BudgetId, BudgetTarget, ExhaustAction, OrgId, Period, ProviderId, ScopeType},
    policy::{Subject, Used},
    route::{
        RouteHealth,
        health::{Reason, State, Status},
    },
    store::BudgetRow,
};

/// How the organization's routes stand at a moment.
pub(super) struct Standing {
    spent: Vec<UsedBudget>,
    health: Arc<RouteHealth>,
    now: Instant,
}

/// A budget that keeps a route from being tried
#[derive(Serialize)]
pub(super) struct BudgetHold {
    budget_id: BudgetId,
    budget_name: String,
    period: Period,
    scope: ScopeType,
    target_id: Option<String>,
    usage: Value,
    limit: Value,
}

/// An ejection, or the trial after it
#[derive(Serialize)]
pub(super) struct HealthHold {
    state: &'static str,
    reason: &'static str,
    scope: &'static str,
    recovers_in_secs: u64,
    message: String,
}

impl Standing {
    /// How they stand now.
    pub(super) async fn now(state: &AdminState, org: OrgId) -> Result<Self, AdminError> {
        let mut rows = state.store.read().await?.budgets(org).await?;
        rows.retain(drops_routes);
        let spent = used_budgets(state, org, rows).await?;
        Ok(Self { spent, health: Arc::clone(&state.outside.routes), now: Instant::now() })
    }

    /// The budget that has run out for a route, the oldest of several.
    pub(super) fn budget(&self, route: &Subject<'_>) -> Option<BudgetHold> {
        self.spent.iter().filter(|budget| route.is_target(&budget.row.target)).find_map(|budget| {
            let (usage, limit) = exhausted(&budget.row, used_of(budget, route)?)?;
            Some(hold(&budget.row, usage, limit))
        })
    }

    /// Why a route is skipped, or on trial.
    pub(super) fn health(&self, provider: ProviderId, model: &str) -> Option<HealthHold> {
        let status = self.health.status(provider, &Arc::from(model), self.now);
        let (state, message) = match status.state {
            State::Healthy => return None,
            State::Ejected => ("suspended", "skipped while other routes are there"),
            State::HalfOpen => ("recovering", "on trial with one request at a time"),
        };
        let (reason, because) = reason(&status);
        Some(HealthHold {
            state,
            reason,
            // Every caller of a provider goes by the provider's own credential.
            scope: "all_users",
            recovers_in_secs: seconds_up(status.remaining.unwrap_or_default()),
            message: format!("{because}; {message}"),
        })
    }
}

fn reason(status: &Status) -> (&'static str, &'static str) {
    match status.reason {
        Some(Reason::RateLimited) => {
            ("rate_limited", "the vendor said that it has too much to do (429, 529)")
        }
        Some(Reason::RollingFailures) => {
            ("provider_errors", "too many of its latest attempts failed")
        }
        None => ("unavailable", "it did not answer"),
    }
}

/// Whether it drops routes, whoever calls, when it has run out: others refuse requests, or only tell, or
/// are about each of many callers.
fn drops_routes(row: &BudgetRow) -> bool {
    let scope = &row.scope;
    let is_one = scope.kind == ScopeType::Org || scope.id.is_some() || scope.value.is_some();
    let is_targeted = row.target != BudgetTarget::default() && is_one;
    row.enabled
        && row.action == ExhaustAction::Block
        && (scope.kind.is_about_routes() || is_targeted)
}

/// What was used of the counter that a route counts against; none where it counts against none.
fn used_of(budget: &UsedBudget, route: &Subject<'_>) -> Option<Used> {
    let scope = &budget.row.scope;
    if !scope.kind.is_about_routes() {
        return Some(Used::most(budget.used.values().copied()));
    }
    let entities = route.entities(scope);
    let used = entities.iter().filter_map(|entity| budget.used.get(entity)).copied();
    (!entities.is_empty()).then(|| Used::most(used))
}

/// What was used and what may be, of the limit that is reached.
fn exhausted(row: &BudgetRow, used: Used) -> Option<(Value, Value)> {
    let tokens = u64::try_from(row.token_limit).unwrap_or_default();
    if tokens > 0 && used.tokens >= tokens {
        return Some((Number::from(used.tokens).into(), Number::from(tokens).into()));
    }
    let cost = row.cost_limit.filter(|limit| limit.0 > 0)?;
    (used.cost >= cost).then(|| (json!(used.cost), json!(cost)))
}

fn hold(row: &BudgetRow, usage: Value, limit: Value) -> BudgetHold {
    let target = &row.target;
    let target_id = target.model_alias.clone().or_else(|| target.upstream_model.clone());
    BudgetHold {
        budget_id: row.id,
        budget_name: row.name.clone(),
        period: row.period,
        scope: row.scope.kind,
        target_id: target_id.or_else(|| target.provider.map(|id| id.to_string())),
        usage,
        limit,
    }
}

/// Whole seconds, so that the time is over once they are.
pub(super) fn seconds_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

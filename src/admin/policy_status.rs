//! `/admin/rate-limits/status` and `/admin/budgets/status`: what was used. Of budgets the ledger says it; of limits
//! whoever enforces them, who says together with the ledger who used anything lately; of a metric that has no limit
//! the ledger alone.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
    sync::Arc,
};

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    budget_inputs::{self, BudgetView},
    error::AdminError,
    extract::Params,
    outside::{Counted, RateCounter},
    paging::{Listed, Listing},
    policy_list::{self, BY_SCOPE, Names, Policy, Shown, by_name, by_scope},
    rate_limits::{self, RateLimitView},
    sorting::{self, Order, Sorts},
    state::AdminState,
};
use crate::{
    auth::Caller,
    domain::{BudgetTarget, Directory, Money, OrgId, Period, RateLimitId, Scope, Spent, Timestamp},
    policy::{Used, counters, end_of, start_of},
    store::{BudgetRow, RateLimitRow},
};

/// What rate limits look back on, microseconds: a minute, and the second that it begins in.
const MINUTE: i64 = 61_000_000;

/// A rate limit and what the last 60 seconds used of it
#[derive(Serialize, ToSchema)]
#[schema(as = RateLimitStatus)]
pub(super) struct RateLimitStatus {
    policy: RateLimitView,
    /// Requests. Where the policy is about everyone of a type, those of whoever used most.
    rpm_used: u64,
    rpm_limit: Option<u32>,
    /// Null where there is no such limit; a limit of 0 is always used up.
    rpm_percentage: Option<f64>,
    /// Tokens, likewise.
    tpm_used: u64,
    tpm_limit: Option<u32>,
    tpm_percentage: Option<f64>,
}

/// A budget and what its current period used of it
#[derive(Serialize, ToSchema)]
#[schema(as = TokenBudgetStatus)]
pub(super) struct BudgetStatus {
    budget: BudgetView,
    /// Tokens. Where the budget is about everyone of a type, those of whoever used most.
    #[schema(value_type = i64)]
    tokens_used: u64,
    /// 0 where there is no limit on tokens.
    percentage_used: f64,
    /// Money, likewise, as far as prices were known.
    cost_used: Money,
    /// 0 where there is no limit on money.
    cost_percentage_used: f64,
    /// When the current period began.
    period_start: Timestamp,
}

impl Shown for RateLimitStatus {
    const LIST: &'static str = "rate limit status";
    const SORTS: Sorts<Policy<Self>> = &[
        ("name", by_name),
        (BY_SCOPE, by_scope),
        ("used", |status| {
            let status = &status.shown;
            let shares = [status.rpm_percentage, status.tpm_percentage];
            shares.into_iter().flatten().reduce(f64::max).map(sorting::percentage)
        }),
    ];
}

impl Shown for BudgetStatus {
    const LIST: &'static str = "budget status";
    const SORTS: Sorts<Policy<Self>> = &[
        ("name", by_name),
        (BY_SCOPE, by_scope),
        ("used", |status| {
            let status = &status.shown;
            Some(sorting::percentage(status.percentage_used.max(status.cost_percentage_used)))
        }),
    ];
}

/// Live usage per rate limit
///
/// What the next request would meet: a limit that is new has counted nothing yet, and requests under way count. With
/// Redis, those under way at other replicas count once the caller has used anything here or is in the records of the
/// last minute. Of a metric that the policy does not limit, what is recorded of the last 60 seconds. Searched as the
/// list of rate limits; `sort` is `name`, `scope` or `used` (the greater share).
#[utoipa::path(
    get,
    path = "/admin/rate-limits/status",
    operation_id = "getRateLimitStatus",
    tag = "Rate Limits",
    params(Listing, Order),
    responses((status = 200, body = [RateLimitStatus]))
)]
pub(super) async fn of_rate_limits(
    State(state): State<AdminState>,
    caller: Caller,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<RateLimitStatus>, AdminError> {
    let mut tx = state.store.read().await?;
    let rows = tx.rate_limits(caller.org).await?;
    if rows.is_empty() {
        return policy_list::part(Vec::new(), &listing, &order);
    }
    let scopes: Vec<&Scope> = rows.iter().map(|row| &row.scope).collect();
    let directory = tx.directory(caller.org, &scopes).await?;
    let names = Names::of(&mut tx, caller.org, &scopes, (&listing, &order)).await?;
    drop(tx);
    let since = Timestamp(Timestamp::now().0.saturating_sub(MINUTE));
    let spent = state.store.spent(caller.org, since).await?;
    let used = used_limits(&state, caller.org, rows, &spent, &directory).await;
    let status = |(row, used)| Policy {
        place: rate_limits::place(&row, &names),
        shown: rate_limit(row, used),
    };
    policy_list::part(used.into_iter().map(status).collect(), &listing, &order)
}

/// Each limit with what is used of it, by whoever used most.
async fn used_limits(
    state: &AdminState,
    org: OrgId,
    rows: Vec<RateLimitRow>,
    spent: &[Spent],
    directory: &Directory,
) -> Vec<(RateLimitRow, Used)> {
    let target = BudgetTarget::default();
    let lately: Vec<HashMap<String, Used>> = rows
        .iter()
        .map(|row| counters(&row.scope, &target, row.traffic, spent, directory))
        .collect();
    let counter = |row: &RateLimitRow, entity: &Arc<str>| RateCounter {
        limit: row.id,
        entity: Arc::clone(entity),
        requests: row.requests_per_minute,
        tokens: row.tokens_per_minute,
    };
    // What is under way, or was long, is in the counters and not in what is recorded lately.
    let limits: Vec<RateLimitId> = rows.iter().map(|row| row.id).collect();
    let mut whose: HashMap<RateLimitId, BTreeSet<Arc<str>>> = HashMap::new();
    for (limit, entity) in state.outside.enforcement.held(org, &limits) {
        whose.entry(limit).or_default().insert(entity);
    }
    for (row, lately) in rows.iter().zip(&lately) {
        whose.entry(row.id).or_default().extend(lately.keys().map(|entity| entity.as_str().into()));
    }
    let asked: Vec<RateCounter> = rows
        .iter()
        .filter(|row| row.enabled)
        .flat_map(|row| whose.get(&row.id).into_iter().flatten().map(move |of| counter(row, of)))
        .collect();
    let counted = state.outside.enforcement.counted(org, &asked).await;
    let mut held: HashMap<RateLimitId, Counted> = HashMap::new();
    for (counter, counted) in asked.iter().zip(counted.iter().flatten()) {
        let most = held.entry(counter.limit).or_default();
        most.requests = most.requests.max(counted.requests);
        most.tokens = most.tokens.max(counted.tokens);
    }
    let of = |(row, lately): (RateLimitRow, HashMap<String, Used>)| {
        let mut used = Used::most(lately.into_values());
        // Where the counters cannot be asked, the ledger has to do.
        if counted.is_some() {
            let held = held.get(&row.id).copied().unwrap_or_default();
            used.requests = row.requests_per_minute.map_or(used.requests, |_| held.requests);
            used.tokens = row.tokens_per_minute.map_or(used.tokens, |_| held.tokens);
        }
        (row, used)
    };
    rows.into_iter().zip(lately).map(of).collect()
}

/// Live usage per budget
///
/// From what is recorded of each budget's current period. Searched as the list of budgets; `sort` is
/// `name`, `scope` or `used` (the greater share).
#[utoipa::path(
    get,
    path = "/admin/budgets/status",
    operation_id = "getBudgetStatus",
    tag = "Token Budgets",
    params(Listing, Order),
    responses((status = 200, body = [BudgetStatus]))
)]
pub(super) async fn of_budgets(
    State(state): State<AdminState>,
    caller: Caller,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<BudgetStatus>, AdminError> {
    let mut tx = state.store.read().await?;
    let rows = tx.budgets(caller.org).await?;
    let scopes: Vec<&Scope> = rows.iter().map(|row| &row.scope).collect();
    let names = Names::of(&mut tx, caller.org, &scopes, (&listing, &order)).await?;
    drop(tx);
    let used = used_budgets(&state, caller.org, rows).await?;
    let status = |used: UsedBudget| Policy {
        place: budget_inputs::place(&used.row, &names),
        shown: budget(used),
    };
    policy_list::part(used.into_iter().map(status).collect(), &listing, &order)
}

/// A budget, and what its current period used of it.
pub(super) struct UsedBudget {
    pub(super) row: BudgetRow,
    period_start: Timestamp,
    /// By counter: one for everyone of the scope's type whom the budget is about.
    pub(super) used: HashMap<String, Used>,
}

/// What is recorded of each budget's current period.
pub(super) async fn used_budgets(
    state: &AdminState,
    org: OrgId,
    rows: Vec<BudgetRow>,
) -> Result<Vec<UsedBudget>, AdminError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let scopes: Vec<&Scope> = rows.iter().map(|row| &row.scope).collect();
    let directory = state.store.read().await?.directory(org, &scopes).await?;
    let now = Timestamp::now();
    let mut periods: BTreeMap<Period, (Timestamp, Vec<Spent>)> = BTreeMap::new();
    for row in &rows {
        if let Entry::Vacant(period) = periods.entry(row.period) {
            let start = start_of(row.period, now);
            let mut tx = state.store.read().await?;
            let spent = tx.spent_in_days(org, start, end_of(row.period, now)).await?;
            period.insert((start, spent));
        }
    }
    let with_use = |row: BudgetRow| {
        let (start, spent) = periods.get(&row.period)?;
        let used = counters(&row.scope, &row.target, row.traffic, spent, &directory);
        Some(UsedBudget { row, period_start: *start, used })
    };
    Ok(rows.into_iter().filter_map(with_use).collect())
}

fn rate_limit(row: RateLimitRow, used: Used) -> RateLimitStatus {
    let percentage =
        |used: u64, limit: Option<u32>| limit.map(|limit| percentage(used, u64::from(limit)));
    RateLimitStatus {
        rpm_used: used.requests,
        rpm_limit: row.requests_per_minute,
        rpm_percentage: percentage(used.requests, row.requests_per_minute),
        tpm_used: used.tokens,
        tpm_limit: row.tokens_per_minute,
        tpm_percentage: percentage(used.tokens, row.tokens_per_minute),
        policy: row.into(),
    }
}

fn budget(budget: UsedBudget) -> BudgetStatus {
    let UsedBudget { row, period_start, used } = budget;
    let used = Used::most(used.into_values());
    let of = |used: u64, limit: i64| match u64::try_from(limit) {
        Ok(limit) if limit > 0 => percentage(used, limit),
        _ => 0.0,
    };
    let cost = u64::try_from(used.cost.0).unwrap_or_default();
    BudgetStatus {
        tokens_used: used.tokens,
        percentage_used: of(used.tokens, row.token_limit),
        cost_used: used.cost,
        cost_percentage_used: of(cost, row.cost_limit.unwrap_or_default().0),
        period_start,
        budget: row.into(),
    }
}

/// With two digits after the point: figures for people.
#[expect(clippy::cast_precision_loss, reason = "two digits are asked for")]
fn percentage(used: u64, limit: u64) -> f64 {
    if limit == 0 {
        return 100.0;
    }
    (used as f64 / limit as f64 * 10_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "rounded to figures that doubles show exactly")]
    fn percentages_have_two_digits_after_the_point() {
        assert_eq!(percentage(1, 3), 33.33);
        assert_eq!(percentage(5, 4), 125.0);
        assert_eq!(percentage(0, 7), 0.0);
        assert_eq!(percentage(0, 0), 100.0, "a limit of nothing is used up");
    }
}

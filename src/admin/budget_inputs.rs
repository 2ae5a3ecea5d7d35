//! What a budget looks like in requests and answers, and how a request becomes or changes a row.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    error::AdminError,
    policy_list::{BY_SCOPE, Names, Place, Policy, Shown, by_name, by_scope},
    schemas::{BudgetPeriod, OnExhaust, Percentage, ScopeTypeLimit, Traffic},
    scopes,
    sorting::{Key, Sorts, number},
    upstream,
};
use crate::{
    domain::{
        BudgetId, BudgetTarget, CURRENCY, ExhaustAction, Money, OrgId, Period, ProviderId,
        ScopeType, Timestamp, TrafficType,
    },
    store::BudgetRow,
};

/// Percentages where a request names none.
const DEFAULT_THRESHOLDS: [u8; 2] = [80, 90];
const MAX_THRESHOLDS: usize = 100;

/// A new budget; one of the two limits is needed, and it is always enabled
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateTokenBudgetRequest)]
pub(super) struct Create {
    #[schema(min_length = 1, max_length = 256)]
    name: String,
    #[schema(value_type = ScopeTypeLimit)]
    scope_type: String,
    /// Which one, where it has an id.
    scope_id: Option<Uuid>,
    /// Which one, by name. With neither, everyone of that type, each on their own.
    #[schema(max_length = 256)]
    scope_value: Option<String>,
    #[schema(value_type = BudgetPeriod)]
    period: String,
    /// 0 for no limit on tokens.
    #[schema(minimum = 0)]
    token_limit: i64,
    /// Percentages at which alerts are sent; 80 and 90 where absent.
    #[schema(value_type = Option<Vec<Percentage>>, max_items = 100, default = json!([80, 90]))]
    alert_thresholds: Option<Vec<i64>>,
    /// `block` where absent.
    #[schema(value_type = Option<OnExhaust>, default = "block")]
    action_on_exhaust: Option<String>,
    /// `all` where absent.
    #[schema(value_type = Option<Traffic>)]
    traffic_type: Option<String>,
    /// In `currency`; 0 or null for no limit on money.
    cost_limit: Option<Money>,
    /// That of the prices: USD.
    #[schema(default = "USD")]
    currency: Option<String>,
    /// Only what this provider serves.
    target_provider_id: Option<ProviderId>,
    /// Only what reaches this upstream model of `target_provider_id`.
    #[schema(max_length = 256)]
    target_upstream_model: Option<String>,
    /// Only what asks for this alias; excludes the other two.
    #[schema(max_length = 256)]
    target_model_alias: Option<String>,
    /// Never exceed it, by reserving the most that a request can use. Where false, requests in
    /// flight may exceed it.
    #[schema(default = false)]
    strict: Option<bool>,
}

/// Changes to a budget; absent and null keep
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateTokenBudgetRequest)]
pub(super) struct Update {
    #[schema(min_length = 1, max_length = 256)]
    name: Option<String>,
    #[schema(value_type = Option<BudgetPeriod>)]
    period: Option<String>,
    /// 0 for no limit on tokens.
    #[schema(minimum = 0)]
    token_limit: Option<i64>,
    #[schema(value_type = Option<Vec<Percentage>>, max_items = 100)]
    alert_thresholds: Option<Vec<i64>>,
    #[schema(value_type = Option<OnExhaust>)]
    action_on_exhaust: Option<String>,
    #[schema(value_type = Option<Traffic>)]
    traffic_type: Option<String>,
    enabled: Option<bool>,
    /// 0 for no limit on money.
    cost_limit: Option<Money>,
    strict: Option<bool>,
    /// Fixed; only the stored value is accepted.
    #[schema(value_type = Option<ScopeTypeLimit>)]
    scope_type: Option<String>,
    /// Fixed, likewise.
    scope_id: Option<Uuid>,
    /// Fixed, likewise.
    #[schema(max_length = 256)]
    scope_value: Option<String>,
    /// Fixed, likewise.
    target_provider_id: Option<ProviderId>,
    /// Fixed, likewise.
    #[schema(max_length = 256)]
    target_upstream_model: Option<String>,
    /// Fixed, likewise.
    #[schema(max_length = 256)]
    target_model_alias: Option<String>,
    /// Fixed, likewise.
    currency: Option<String>,
}

/// A budget
#[derive(Serialize, ToSchema)]
#[schema(as = TokenBudget)]
pub(super) struct BudgetView {
    id: BudgetId,
    org_id: OrgId,
    name: String,
    #[schema(value_type = ScopeTypeLimit)]
    scope_type: ScopeType,
    scope_id: Option<Uuid>,
    scope_value: Option<String>,
    #[schema(value_type = BudgetPeriod)]
    period: Period,
    /// 0 for no limit on tokens.
    #[schema(minimum = 0)]
    pub(super) token_limit: i64,
    #[schema(value_type = Vec<Percentage>)]
    alert_thresholds: Vec<u8>,
    #[schema(value_type = OnExhaust)]
    action_on_exhaust: ExhaustAction,
    #[schema(value_type = Traffic)]
    traffic_type: TrafficType,
    enabled: bool,
    pub(super) cost_limit: Option<Money>,
    #[schema(default = "USD")]
    currency: String,
    target_provider_id: Option<ProviderId>,
    target_upstream_model: Option<String>,
    target_model_alias: Option<String>,
    strict: bool,
    created_at: Timestamp,
}

impl Shown for BudgetView {
    const LIST: &'static str = "budgets";
    const SORTS: Sorts<Policy<Self>> = &[
        ("name", by_name),
        (BY_SCOPE, by_scope),
        ("period", by_period),
        ("tokens", |budget| Some(budget.shown.token_limit).filter(|limit| *limit > 0).map(number)),
        ("cost", |budget| {
            budget.shown.cost_limit.filter(|limit| limit.0 > 0).map(|it| number(it.0))
        }),
    ];
}

/// The shortest first.
fn by_period(budget: &Policy<BudgetView>) -> Key {
    let place = Period::ALL.iter().position(|period| *period == budget.shown.period);
    place.map(|place| place.to_string())
}

/// Where a budget stands in a list: searched for what it counts, too.
pub(super) fn place(row: &BudgetRow, names: &Names) -> Place {
    let target = &row.target;
    let provider = target.provider.and_then(|id| names.provider(id));
    let counted = [target.model_alias.as_deref(), target.upstream_model.as_deref(), provider];
    names.place(row.id.0, &row.name, &row.scope, &counted.map(Option::unwrap_or_default))
}

impl From<BudgetRow> for BudgetView {
    fn from(row: BudgetRow) -> Self {
        Self {
            id: row.id,
            org_id: row.org_id,
            name: row.name,
            scope_type: row.scope.kind,
            scope_id: row.scope.id,
            scope_value: row.scope.value,
            period: row.period,
            token_limit: row.token_limit,
            alert_thresholds: row.alert_thresholds,
            action_on_exhaust: row.action,
            traffic_type: row.traffic,
            enabled: row.enabled,
            cost_limit: row.cost_limit,
            currency: row.currency,
            target_provider_id: row.target.provider,
            target_upstream_model: row.target.upstream_model,
            target_model_alias: row.target.model_alias,
            strict: row.strict,
            created_at: row.created_at,
        }
    }
}

impl Create {
    /// The new row.
    pub(super) fn row(self, org: OrgId, now: Timestamp) -> Result<BudgetRow, AdminError> {
        if self.currency.is_some_and(|given| given != CURRENCY) {
            return Err(AdminError::bad_request("currency must be USD, as prices are in USD"));
        }
        let target =
            target(self.target_provider_id, self.target_upstream_model, self.target_model_alias)?;
        let action = self.action_on_exhaust.map_or(Ok(ExhaustAction::Block), |text| action(&text));
        let traffic = self.traffic_type.map_or(Ok(TrafficType::All), |text| scopes::traffic(&text));
        let kind = self.scope_type.as_str();
        let row = BudgetRow {
            id: BudgetId::random(),
            org_id: org,
            name: upstream::text("name", self.name)?,
            scope: scopes::scope(scopes::LIMITS, kind, self.scope_id, self.scope_value)?,
            target,
            period: period(&self.period)?,
            token_limit: token_limit(self.token_limit)?,
            cost_limit: self.cost_limit,
            currency: CURRENCY.to_owned(),
            alert_thresholds: self
                .alert_thresholds
                .map_or(Ok(DEFAULT_THRESHOLDS.to_vec()), thresholds)?,
            action: action?,
            traffic: traffic?,
            enabled: true,
            strict: self.strict.unwrap_or(false),
            created_at: now,
            updated_at: now,
        };
        has_a_limit(&row)?;
        Ok(row)
    }
}

impl Update {
    /// The changed row.
    pub(super) fn applied(
        self,
        mut row: BudgetRow,
        now: Timestamp,
    ) -> Result<BudgetRow, AdminError> {
        self.keeps_what_is_fixed(&row)?;
        if let Some(name) = self.name {
            row.name = upstream::text("name", name)?;
        }
        if let Some(text) = self.period {
            row.period = period(&text)?;
        }
        if let Some(limit) = self.token_limit {
            row.token_limit = token_limit(limit)?;
        }
        if let Some(given) = self.alert_thresholds {
            row.alert_thresholds = thresholds(given)?;
        }
        if let Some(text) = self.action_on_exhaust {
            row.action = action(&text)?;
        }
        if let Some(text) = self.traffic_type {
            row.traffic = scopes::traffic(&text)?;
        }
        row.cost_limit = self.cost_limit.or(row.cost_limit);
        row.enabled = self.enabled.unwrap_or(row.enabled);
        row.strict = self.strict.unwrap_or(row.strict);
        row.updated_at = now;
        has_a_limit(&row)?;
        Ok(row)
    }

    fn keeps_what_is_fixed(&self, row: &BudgetRow) -> Result<(), AdminError> {
        let (scope, target) = (&row.scope, &row.target);
        let id = |id: Option<Uuid>| id.map(|id| id.to_string());
        let provider = |id: Option<ProviderId>| id.map(|id| id.to_string());
        let kind = Some(scope.kind.to_string());
        for (field, given, stored) in [
            ("scope_type", self.scope_type.clone(), kind),
            ("scope_id", id(self.scope_id), id(scope.id)),
            ("scope_value", self.scope_value.clone(), scope.value.clone()),
            ("target_provider_id", provider(self.target_provider_id), provider(target.provider)),
            (
                "target_upstream_model",
                self.target_upstream_model.clone(),
                target.upstream_model.clone(),
            ),
            ("target_model_alias", self.target_model_alias.clone(), target.model_alias.clone()),
            ("currency", self.currency.clone(), Some(row.currency.clone())),
        ] {
            upstream::unchanged(field, given.as_deref(), stored.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }
}

fn period(text: &str) -> Result<Period, AdminError> {
    scopes::word("period", text, Period::ALL)
}

fn action(text: &str) -> Result<ExhaustAction, AdminError> {
    scopes::word("action_on_exhaust", text, ExhaustAction::ALL)
}

fn token_limit(value: i64) -> Result<i64, AdminError> {
    if value < 0 {
        return Err(AdminError::bad_request("token_limit must be non-negative"));
    }
    Ok(value)
}

fn has_a_limit(row: &BudgetRow) -> Result<(), AdminError> {
    if row.token_limit > 0 || row.cost_limit.is_some_and(|limit| limit > Money(0)) {
        return Ok(());
    }
    let message = "At least one limit is required: token_limit or cost_limit";
    Err(AdminError::bad_request(message))
}

fn thresholds(given: Vec<i64>) -> Result<Vec<u8>, AdminError> {
    if given.len() > MAX_THRESHOLDS {
        let message = format!("alert_thresholds must have at most {MAX_THRESHOLDS} entries");
        return Err(AdminError::bad_request(message));
    }
    let read = |(place, value): (usize, i64)| {
        let inside = u8::try_from(value).ok().filter(|value| *value <= 100);
        inside.ok_or_else(|| {
            let message = format!("alert_thresholds[{place}] must be between 0 and 100");
            AdminError::bad_request(message)
        })
    };
    given.into_iter().enumerate().map(read).collect()
}

/// Empty texts are none.
fn target(
    provider: Option<ProviderId>,
    upstream_model: Option<String>,
    model_alias: Option<String>,
) -> Result<BudgetTarget, AdminError> {
    let text = |field: &str, given: Option<String>| {
        let given = given.filter(|text| !text.is_empty());
        given.map(|text| upstream::text(field, text)).transpose()
    };
    let target = BudgetTarget {
        provider,
        upstream_model: text("target_upstream_model", upstream_model)?,
        model_alias: text("target_model_alias", model_alias)?,
    };
    scopes::literal("target_upstream_model", target.upstream_model.as_deref())?;
    scopes::literal("target_model_alias", target.model_alias.as_deref())?;
    if target.upstream_model.is_some() && target.provider.is_none() {
        let message = "target_upstream_model needs target_provider_id, whose model it is";
        return Err(AdminError::bad_request(message));
    }
    if target.model_alias.is_some() && target.provider.is_some() {
        let message = "target_model_alias excludes target_provider_id and target_upstream_model";
        return Err(AdminError::bad_request(message));
    }
    Ok(target)
}

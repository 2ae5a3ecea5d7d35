//! What a route looks like in answers: its own values, and what it inherits where it has none.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    error::AdminError,
    price_guard::Prices,
    pricing_view::EffectiveView,
    route_standing::{BudgetHold, HealthHold, Standing},
    schemas::{AuthType, RouteBudgetStatus, RouteHealthStatus},
};
use crate::{
    domain::{OrgId, ProviderId, RouteId},
    policy::Subject,
    snapshot::{DEFAULT_REQUEST_TIMEOUT_SECS, DEFAULT_STREAM_IDLE_TIMEOUT_SECS},
    store::{ProviderRow, RouteRow, Tx},
};

/// A route (wire name: model mapping)
#[derive(Serialize, ToSchema)]
#[schema(as = ModelRoute)]
pub(super) struct RouteView {
    id: RouteId,
    pub(super) provider_id: ProviderId,
    /// The name that callers send.
    pub(super) model_alias: String,
    /// The name that is sent to the vendor.
    pub(super) upstream_model: String,
    enabled: bool,
    /// The switch of the 1:1 row, which enables the model on its provider: while it is off, no route
    /// to the model there is tried.
    model_enabled: bool,
    /// Lower is tried first.
    priority: i64,
    /// Retries on this route after an upstream's 429, before the next is tried.
    #[schema(minimum = 0, maximum = 10)]
    retry_on_429_count: u32,
    /// Longest Retry-After that is waited for, seconds; 0 ignores the header.
    #[schema(minimum = 0, maximum = 180)]
    retry_on_429_max_wait_secs: u32,
    /// Whether the plain alias resolves to this row.
    pub(super) bare_alias: bool,
    /// Total time of a request that is not streamed, seconds. Null only after an explicit null.
    #[schema(minimum = 1, maximum = 3600)]
    request_timeout_secs: Option<u32>,
    /// Longest gap between two chunks of a stream, seconds. Null only after an explicit null.
    #[schema(minimum = 1, maximum = 1800)]
    stream_idle_timeout_secs: Option<u32>,
    /// Requests at a time, in each process.
    #[schema(minimum = 1, maximum = 10_000)]
    max_concurrent_requests: Option<u32>,
    pub(super) provider_name: String,
    #[schema(value_type = AuthType)]
    provider_auth_type: String,
    pub(super) effective_pricing: EffectiveView,
    /// There only while a budget of this route has run out and the route is skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = RouteBudgetStatus, required = false)]
    budget_status: Option<BudgetHold>,
    /// There only while the route is skipped, or on trial after it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = RouteHealthStatus, required = false)]
    route_health_status: Option<HealthHold>,
}

/// The value of one timeout, from the most specific tier that has one.
#[derive(Clone, Copy)]
struct Tiers {
    own: Option<u32>,
    inherits: bool,
    enablement: Option<u32>,
    provider: Option<u32>,
    platform: u32,
}

impl Tiers {
    fn shown(self) -> Option<u32> {
        if self.own.is_some() || !self.inherits {
            return self.own;
        }
        Some(self.enablement.or(self.provider).unwrap_or(self.platform))
    }
}

impl RouteView {
    /// Whether it enables its model on its provider.
    pub(super) fn is_enablement(&self) -> bool {
        self.model_alias == self.upstream_model
    }

    /// With what keeps it from being tried now.
    pub(super) fn standing(mut self, standing: &Standing) -> Self {
        let (provider, model) = (self.provider_id, &self.upstream_model);
        self.budget_status = standing.budget(&Subject {
            alias: Some(&self.model_alias),
            provider: Some(provider),
            provider_name: Some(&self.provider_name),
            upstream_model: Some(model),
            ..Subject::default()
        });
        self.route_health_status = standing.health(provider, model);
        self
    }
}

fn view(
    row: RouteRow,
    enablement: Option<&Enablement>,
    provider: &ProviderRow,
    prices: &Prices,
) -> RouteView {
    let effective_pricing = prices.of(provider, &row.upstream_model).into();
    // A 1:1 row speaks for itself: the audit log shows it as it was before a change, too.
    let model_enabled =
        if row.is_enablement() { row.enabled } else { enablement.is_none_or(|row| row.enabled) };
    let total = Tiers {
        own: row.request_timeout_secs,
        inherits: row.request_timeout_inherited,
        enablement: enablement.and_then(|row| row.total),
        provider: provider.request_timeout_secs,
        platform: DEFAULT_REQUEST_TIMEOUT_SECS,
    };
    let idle = Tiers {
        own: row.stream_idle_timeout_secs,
        inherits: row.stream_idle_timeout_inherited,
        enablement: enablement.and_then(|row| row.idle),
        provider: provider.stream_idle_timeout_secs,
        platform: DEFAULT_STREAM_IDLE_TIMEOUT_SECS,
    };
    RouteView {
        id: row.id,
        provider_id: row.provider_id,
        model_alias: row.model_alias,
        upstream_model: row.upstream_model,
        enabled: row.enabled,
        model_enabled,
        priority: row.priority,
        retry_on_429_count: row.retry_on_429_count,
        retry_on_429_max_wait_secs: row.retry_on_429_max_wait_secs,
        bare_alias: row.bare_alias,
        request_timeout_secs: total.shown(),
        stream_idle_timeout_secs: idle.shown(),
        max_concurrent_requests: row.max_concurrent_requests,
        provider_name: provider.name.clone(),
        provider_auth_type: provider.auth_type.clone(),
        effective_pricing,
        budget_status: None,
        route_health_status: None,
    }
}

/// What a 1:1 row says of all routes to its model.
struct Enablement {
    enabled: bool,
    /// The timeouts that it sets itself.
    total: Option<u32>,
    idle: Option<u32>,
}

impl Enablement {
    fn of(row: &RouteRow) -> Self {
        Self {
            enabled: row.enabled,
            total: row.request_timeout_secs,
            idle: row.stream_idle_timeout_secs,
        }
    }
}

/// One route.
pub(super) async fn one(tx: &mut Tx, row: RouteRow) -> Result<RouteView, AdminError> {
    let (org, provider) = (row.org_id, row.provider_id);
    let enablement = tx.enablement(org, provider, &row.upstream_model).await?;
    let provider = super::providers::existing(tx, org, provider).await?;
    let prices = Prices::now(tx, org).await?;
    Ok(view(row, enablement.as_ref().map(Enablement::of).as_ref(), &provider, &prices))
}

/// One provider's routes.
pub(super) async fn of_provider(
    tx: &mut Tx,
    provider: &ProviderRow,
) -> Result<Vec<RouteView>, AdminError> {
    let routes = tx.provider_routes(provider.org_id, provider.id).await?;
    let prices = Prices::now(tx, provider.org_id).await?;
    let enabled: HashMap<String, Enablement> = routes
        .iter()
        .filter(|row| row.is_enablement())
        .map(|row| (row.upstream_model.clone(), Enablement::of(row)))
        .collect();
    let show = |row: RouteRow| {
        let enablement = enabled.get(&row.upstream_model);
        view(row, enablement, provider, &prices)
    };
    Ok(routes.into_iter().map(show).collect())
}

/// All of an organization's routes, by alias in the order in which they are tried.
pub(super) async fn all(tx: &mut Tx, org: OrgId) -> Result<Vec<RouteView>, AdminError> {
    let routes = tx.routes(org).await?;
    let prices = Prices::now(tx, org).await?;
    let providers: HashMap<ProviderId, ProviderRow> =
        tx.providers(org).await?.into_iter().map(|row| (row.id, row)).collect();
    let enabled: HashMap<(ProviderId, String), Enablement> = routes
        .iter()
        .filter(|row| row.is_enablement())
        .map(|row| ((row.provider_id, row.upstream_model.clone()), Enablement::of(row)))
        .collect();
    let show = |row: RouteRow| {
        let provider = providers.get(&row.provider_id)?;
        let enablement = enabled.get(&(row.provider_id, row.upstream_model.clone()));
        Some(view(row, enablement, provider, &prices))
    };
    Ok(routes.into_iter().filter_map(show).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Tiers =
        Tiers { own: None, inherits: true, enablement: None, provider: None, platform: 120 };

    #[test]
    fn the_most_specific_tier_is_shown() {
        assert_eq!(NONE.shown(), Some(120));
        assert_eq!(Tiers { provider: Some(60), ..NONE }.shown(), Some(60));
        assert_eq!(Tiers { provider: Some(60), enablement: Some(30), ..NONE }.shown(), Some(30));
        let own = Tiers { own: Some(5), inherits: false, enablement: Some(30), ..NONE };
        assert_eq!(own.shown(), Some(5));
    }

    #[test]
    fn an_explicit_null_is_shown_as_null() {
        assert_eq!(Tiers { inherits: false, provider: Some(60), ..NONE }.shown(), None);
    }
}

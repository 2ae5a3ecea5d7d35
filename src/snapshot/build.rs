//! Rows → [`super::OrgSnapshot`].
//!
//! A row that cannot be used (an unreadable secret, an unknown vendor) is left out and reported; it
//! never hides the others.

mod facts;
mod listing;
mod names;
mod provider;
#[cfg(test)]
mod tests;

use facts::facts;
pub use provider::usable_provider;

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use hashbrown::HashMap;
use serde_json::Value;

use super::{
    Alias, Caps, DEFAULT_REQUEST_TIMEOUT_SECS, DEFAULT_STREAM_IDLE_TIMEOUT_SECS, OrgSnapshot,
    Pinned, Policies, Prefixes, Provider, Route, SmartModel,
};
use crate::{
    domain::ProviderId,
    pricing::{self, Line, ModelNames, PriceBook},
    provider::{Catalog, catalog_slug},
    secrets::Keyring,
    store::{ModelOverrideRow, ProviderRow, RouteRow, RuntimeRows},
};

/// The rows of an organization cannot become a snapshot; the one before stays in force.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A row of another organization is among them. Nothing of such a read can be trusted.
    #[error("the store returned a {0} of another organization")]
    ForeignRow(&'static str),
}

/// Builds what the data plane needs to know of one organization.
///
/// # Errors
/// [`BuildError::ForeignRow`], which means a defect in the store.
pub fn build_org(
    rows: &RuntimeRows,
    keyring: &Keyring,
    vendors: &'static Catalog,
) -> Result<OrgSnapshot, BuildError> {
    refuse_foreign_rows(rows)?;
    let providers = usable_providers(rows, keyring, vendors);
    let prices = PriceBook::new(&rows.prices, pricing::defaults());
    let routes = eligible_routes(rows, &providers, &prices);
    let smart = smart(rows);
    let prefixes = prefixes(rows, &providers, &routes);
    Ok(OrgSnapshot {
        id: rows.org.id,
        name: rows.org.name.clone(),
        aliases: aliases(&routes),
        listing: listing::listing(&routes, &smart, &prefixes),
        prefixes,
        policies: policies(rows, &routes),
        smart,
        serial: SERIAL.fetch_add(1, Ordering::Relaxed),
    })
}

static SERIAL: AtomicU64 = AtomicU64::new(1);

fn policies(rows: &RuntimeRows, routes: &[Eligible<'_>]) -> Policies {
    let routes: Vec<Arc<Route>> = routes.iter().map(|found| Arc::clone(&found.route)).collect();
    Policies::new(rows.org.id, &rows.rate_limits, &rows.budgets, &rows.access, &routes)
}

fn smart(rows: &RuntimeRows) -> HashMap<Box<str>, Arc<SmartModel>> {
    let smart = rows.smart_models.iter().map(SmartModel::from);
    smart.map(|model| (Box::from(&*model.alias), Arc::new(model))).collect()
}

/// A provider that can be called, with its row.
struct Usable<'a> {
    row: &'a ProviderRow,
    provider: Arc<Provider>,
}

type Providers<'a> = HashMap<ProviderId, Usable<'a>>;

/// A route that may be tried, with its row.
struct Eligible<'a> {
    row: &'a RouteRow,
    route: Arc<Route>,
}

fn refuse_foreign_rows(rows: &RuntimeRows) -> Result<(), BuildError> {
    let own = rows.org.id;
    if rows.connections.iter().any(|row| row.org_id != own) {
        return Err(BuildError::ForeignRow("credential"));
    }
    if rows.providers.iter().any(|row| row.org_id != own) {
        return Err(BuildError::ForeignRow("provider"));
    }
    if rows.routes.iter().any(|row| row.org_id != own) {
        return Err(BuildError::ForeignRow("route"));
    }
    let limits = rows.rate_limits.iter().map(|row| row.org_id);
    let budgets = rows.budgets.iter().map(|row| row.org_id);
    let access = rows.access.iter().map(|row| row.org_id);
    if limits.chain(budgets).chain(access).any(|org| org != own) {
        return Err(BuildError::ForeignRow("policy"));
    }
    if rows.smart_models.iter().any(|row| row.org_id != own) {
        return Err(BuildError::ForeignRow("smart model"));
    }
    Ok(())
}

fn usable_providers<'a>(
    rows: &'a RuntimeRows,
    keyring: &Keyring,
    vendors: &'static Catalog,
) -> Providers<'a> {
    let mut usable = HashMap::new();
    for row in rows.providers.iter().filter(|row| row.enabled) {
        match provider::provider(row, &rows.connections, keyring, vendors) {
            Ok(provider) => {
                usable.insert(row.id, Usable { row, provider: Arc::new(provider) });
            }
            Err(fault) => tracing::error!(
                org = %rows.org.name, provider = %row.name, %fault,
                "a provider cannot be used and is left out; its routes are skipped"
            ),
        }
    }
    usable
}

/// The rows that may be tried, in the order in which they are: by priority, then by age.
fn eligible_routes<'a>(
    rows: &'a RuntimeRows,
    providers: &Providers<'_>,
    prices: &PriceBook<'_>,
) -> Vec<Eligible<'a>> {
    let enablements: HashMap<(ProviderId, &str), &RouteRow> = rows
        .routes
        .iter()
        .filter(|row| row.is_enablement())
        .map(|row| ((row.provider_id, row.upstream_model.as_str()), row))
        .collect();
    let mut eligible: Vec<Eligible<'_>> = rows
        .routes
        .iter()
        .filter(|row| row.enabled)
        .filter_map(|row| {
            let usable = providers.get(&row.provider_id).filter(|usable| is_healthy(usable.row))?;
            // Without its 1:1 row, or with that disabled, a custom alias is dark.
            let enablement = enablements.get(&(row.provider_id, row.upstream_model.as_str()))?;
            enablement.enabled.then(|| Eligible {
                row,
                route: Arc::new(route(row, enablement, usable, prices, &rows.model_overrides)),
            })
        })
        .collect();
    eligible.sort_by_key(|found| (found.row.priority, found.row.created_at, found.row.id));
    eligible
}

fn is_healthy(row: &ProviderRow) -> bool {
    !row.enforce_health_check || row.health_status != "unhealthy"
}

fn route(
    row: &RouteRow,
    enablement: &RouteRow,
    usable: &Usable<'_>,
    prices: &PriceBook<'_>,
    overrides: &[ModelOverrideRow],
) -> Route {
    let request_timeout = row
        .request_timeout_secs
        .or(enablement.request_timeout_secs)
        .or(usable.row.request_timeout_secs)
        .unwrap_or(DEFAULT_REQUEST_TIMEOUT_SECS);
    let stream_idle_timeout = row
        .stream_idle_timeout_secs
        .or(enablement.stream_idle_timeout_secs)
        .or(usable.row.stream_idle_timeout_secs)
        .unwrap_or(DEFAULT_STREAM_IDLE_TIMEOUT_SECS);
    let names = ModelNames::of(usable.row, usable.provider.vendor, &row.upstream_model);
    Route {
        id: row.id,
        provider: Arc::clone(&usable.provider),
        alias: row.model_alias.as_str().into(),
        priority: row.priority,
        upstream_model: row.upstream_model.as_str().into(),
        base_model: names.base.into(),
        upstream_model_json: Bytes::from(Value::from(row.upstream_model.as_str()).to_string()),
        retry_on_429_count: row.retry_on_429_count,
        retry_on_429_max_wait: seconds(row.retry_on_429_max_wait_secs),
        request_timeout: seconds(request_timeout),
        stream_idle_timeout: seconds(stream_idle_timeout),
        caps: Caps {
            model: enablement.max_concurrent_requests,
            alias: row.max_concurrent_requests.filter(|_| !row.is_enablement()),
        },
        prices: prices.timeline(&line(usable.row), &names),
        facts: facts(overrides, &usable.row.model_provider, &names),
    }
}

/// What a provider is to the rules for prices.
#[must_use]
pub fn line(row: &ProviderRow) -> Line<'_> {
    let (vendor, auth) = (row.model_provider.as_str(), row.auth_type.as_str());
    Line { provider: row.id, vendor, catalog: catalog_slug(vendor, auth, &row.settings) }
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(u64::from(count))
}

fn aliases(routes: &[Eligible<'_>]) -> HashMap<Box<str>, Arc<Alias>> {
    let mut by_name: BTreeMap<&str, Vec<Arc<Route>>> = BTreeMap::new();
    for found in routes.iter().filter(|found| found.row.bare_alias) {
        by_name.entry(&found.row.model_alias).or_default().push(Arc::clone(&found.route));
    }
    by_name
        .into_iter()
        .map(|(name, routes)| {
            let has_equals = routes.windows(2).any(|pair| match pair {
                [one, next] => one.priority == next.priority,
                _ => false,
            });
            (name.into(), Arc::new(Alias { name: name.into(), routes, has_equals }))
        })
        .collect()
}

/// Providers by what a model name may begin with.
fn prefixes(rows: &RuntimeRows, providers: &Providers<'_>, routes: &[Eligible<'_>]) -> Prefixes {
    let pinned: HashMap<ProviderId, Arc<Pinned>> = providers
        .iter()
        .map(|(id, usable)| (*id, Arc::new(pinned_routes(usable, routes))))
        .collect();
    let holders = prefix_holders(&rows.providers).into_iter();
    let usable = |(prefix, holder): (String, ProviderId)| {
        pinned.get(&holder).map(|pinned| (prefix.into(), Arc::clone(pinned)))
    };
    holders.filter_map(usable).collect()
}

/// What a model name may begin with, in lower case, and the provider that it means (contract 4.4).
/// Every row counts for whether a slug is ambiguous, so that a switch or a failing probe never makes
/// a prefix mean another provider.
#[must_use]
pub fn prefix_holders(providers: &[ProviderRow]) -> HashMap<String, ProviderId> {
    let (mut prefixes, mut taken) = (HashMap::new(), HashSet::new());
    // A name goes before the catalog's slug, and that before the vendor's.
    let ways: [fn(&ProviderRow) -> &str; 3] =
        [|row| &row.name, |row| line(row).catalog, |row| &row.model_provider];
    for way in ways {
        let mut holders: HashMap<String, Vec<ProviderId>> = HashMap::new();
        for row in providers {
            holders.entry(way(row).to_lowercase()).or_default().push(row.id);
        }
        for (prefix, held_by) in holders {
            if let (true, [holder]) = (taken.insert(prefix.clone()), held_by.as_slice()) {
                prefixes.insert(prefix, *holder);
            }
        }
    }
    prefixes
}

/// One provider's routes by alias, of which the upstream models are a part: an eligible custom alias
/// has an eligible 1:1 row, and that one wins where both have the name.
fn pinned_routes(usable: &Usable<'_>, routes: &[Eligible<'_>]) -> Pinned {
    let own = || routes.iter().filter(|found| found.row.provider_id == usable.row.id);
    let enablements = own().filter(|found| found.row.is_enablement());
    let custom = own().filter(|found| !found.row.is_enablement());
    let mut by_name: HashMap<Box<str>, Arc<Route>> = HashMap::new();
    for found in enablements.chain(custom) {
        let name = found.row.model_alias.as_str().into();
        by_name.entry(name).or_insert_with(|| Arc::clone(&found.route));
    }
    Pinned { provider: Arc::clone(&usable.provider), routes: by_name }
}

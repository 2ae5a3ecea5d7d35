//! The state of routes, as the metrics show it.

use std::sync::Arc;

use crate::{
    observe::Metrics,
    route::{RouteHealth, health::RouteKey},
    snapshot::{Provider, Snapshot},
};

/// Shows the state of every route that was used and is configured now. One that is gone, or whose provider is
/// switched off, is tried by nobody and would keep its state for good.
pub fn publish(metrics: &Metrics, snapshot: &Snapshot, routes: &RouteHealth) {
    let mut states = Vec::new();
    routes.each(|key, healthy| {
        if let Some(provider) = configured(snapshot, key) {
            states.push((Arc::clone(provider), Arc::clone(&key.model), healthy));
        }
    });
    let states = states.iter();
    metrics.upstream_states(
        states.map(|(provider, model, healthy)| ([&*provider.name, &**model], *healthy)),
    );
}

/// The provider of a route, if there is a way to that model of it: by a prefix, or by an alias alone where another
/// provider's name is too much like its own.
fn configured<'a>(snapshot: &'a Snapshot, key: &RouteKey) -> Option<&'a Arc<Provider>> {
    let org = snapshot.orgs.get(&key.org)?;
    let is_own = |provider: &Arc<Provider>| provider.id == key.provider;
    let pinned = org.prefixes.values().find(|pinned| is_own(&pinned.provider));
    if let Some(pinned) = pinned {
        return pinned.routes.contains_key(&*key.model).then_some(&pinned.provider);
    }
    let mut routes = org.aliases.values().flat_map(|alias| &alias.routes);
    let route =
        routes.find(|route| is_own(&route.provider) && route.upstream_model == key.model)?;
    Some(&route.provider)
}

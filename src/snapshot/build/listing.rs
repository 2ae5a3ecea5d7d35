//! `GET /v1/models`: every name that a caller may send, before policies.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use hashbrown::HashMap;

use super::Eligible;
use crate::{
    domain::Timestamp,
    snapshot::{ListedModel, Prefixes, Route, SmartModel, pinned},
};

/// Who has a model that the gateway itself makes of others.
const OWN: &str = "turnpike";

/// Bare aliases by name, each followed by its `provider/alias` forms where several providers have
/// it; then the rows without a bare alias, as `provider/model`; then smart models.
pub(super) fn listing(
    routes: &[Eligible<'_>],
    smart: &HashMap<Box<str>, Arc<SmartModel>>,
    prefixes: &Prefixes,
) -> Vec<ListedModel> {
    let mut aliases: BTreeMap<&str, Vec<&Eligible<'_>>> = BTreeMap::new();
    let mut standalone = BTreeMap::new();
    for found in routes {
        if found.row.bare_alias {
            aliases.entry(&found.row.model_alias).or_default().push(found);
        } else {
            standalone.entry(prefixed(found)).or_insert(found);
        }
    }
    let mut listing = Vec::new();
    for (name, routes) in aliases {
        listing.extend(routes.first().map(|first| {
            let all = routes.iter().map(|found| Arc::clone(&found.route)).collect();
            ListedModel { routes: all, ..entry(name.to_owned(), first) }
        }));
        let providers: BTreeSet<_> = routes.iter().map(|found| found.row.provider_id).collect();
        if providers.len() > 1 {
            listing.extend(routes.iter().map(|found| entry(prefixed(found), found)));
        }
    }
    listing.extend(standalone.into_iter().map(|(name, found)| entry(name, found)));
    let smart: BTreeMap<_, _> = smart.iter().filter(|(_, model)| model.enabled).collect();
    listing.extend(smart.into_iter().map(|(name, model)| ListedModel {
        id: name.to_string(),
        owned_by: OWN.to_owned(),
        created: model.created,
        routes: behind(model, routes, prefixes),
    }));
    let mut seen = HashSet::new();
    listing.retain(|model| seen.insert(model.id.clone()));
    listing
}

/// Where a smart model's slots may lead, by whatever name they are told.
fn behind(smart: &SmartModel, routes: &[Eligible<'_>], prefixes: &Prefixes) -> Vec<Arc<Route>> {
    let bare = |name: &str| {
        let named = routes.iter().filter(|found| found.row.bare_alias);
        let named = named.filter(|found| found.row.model_alias == name);
        named.map(|found| Arc::clone(&found.route)).collect::<Vec<_>>()
    };
    let leads = |name: &str| match bare(name) {
        none if none.is_empty() => pinned(prefixes, name).into_iter().cloned().collect(),
        routes => routes,
    };
    smart.slots.iter().flat_map(|slot| leads(&slot.alias)).collect()
}

fn prefixed(found: &Eligible<'_>) -> String {
    format!("{}/{}", found.route.provider.name, found.row.model_alias)
}

fn entry(id: String, found: &Eligible<'_>) -> ListedModel {
    ListedModel {
        id,
        owned_by: found.route.provider.vendor.slug.clone(),
        created: Timestamp::unix_seconds(found.row.created_at),
        routes: vec![Arc::clone(&found.route)],
    }
}

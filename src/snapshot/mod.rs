//! Everything the data plane knows, as one immutable value.
//!
//! A request loads the current [`Snapshot`] once and sees nothing else; the admin API writes the
//! store and publishes a new one. Nothing here waits, locks or decrypts: [`build`] did that.

mod address;
mod auth;
mod base_url;
mod build;
mod policies;
mod provider;
mod publisher;
mod smart;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use hashbrown::HashMap;

use crate::{
    domain::{Endpoint, ModelFacts, OrgId, RouteId},
    pricing::Timeline,
    translate::VendorApi,
};

pub use auth::{AWS_SERVICE, Auth, AwsSource};
pub use base_url::{BaseUrl, BaseUrlError};
pub use build::{BuildError, build_org, line, prefix_holders, usable_provider};
pub use policies::{CallerPolicies, Policies, Policy};
pub use provider::{Provider, ProviderError, ProviderParts, Upcall, Way};
pub use publisher::Publisher;
pub use smart::{Slot, SmartModel};

/// The platform's total limit where no tier sets one, seconds.
pub const DEFAULT_REQUEST_TIMEOUT_SECS: u32 = 120;
/// The platform's idle limit for streams where no tier sets one, seconds.
pub const DEFAULT_STREAM_IDLE_TIMEOUT_SECS: u32 = 180;

/// What all organizations have configured.
#[derive(Default)]
pub struct Snapshot {
    /// Grows by one with every publication.
    pub generation: u64,
    /// By id.
    pub orgs: HashMap<OrgId, Arc<OrgSnapshot>>,
}

/// What one organization has configured.
pub struct OrgSnapshot {
    /// Its id.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// Eligible rows with `bare_alias`, by alias, in the order in which they are tried.
    pub aliases: HashMap<Box<str>, Arc<Alias>>,
    /// Providers that a prefix can name, by lower-case provider name; then by lower-case catalog or
    /// vendor slug where only one provider has it (names win).
    pub prefixes: Prefixes,
    /// `GET /v1/models` without policies: ids in listing order.
    pub listing: Vec<ListedModel>,
    /// What callers are held to.
    pub policies: Policies,
    /// Names for which another model chooses, by alias.
    pub smart: HashMap<Box<str>, Arc<SmartModel>>,
    /// Unlike that of any other build of this process: what was derived from one is known by it.
    pub serial: u64,
}

/// A bare alias and its ordered routes.
pub struct Alias {
    /// The name callers send.
    pub name: Arc<str>,
    /// Ascending priority; ineligible ones are not in it.
    pub routes: Vec<Arc<Route>>,
    /// Whether some are of equal priority: among those each request chooses.
    pub has_equals: bool,
}

/// One provider's routes, for `<provider>/<alias or upstream model>`.
pub struct Pinned {
    /// The provider.
    pub provider: Arc<Provider>,
    /// By alias and by upstream model; the 1:1 row wins over custom aliases of the same name.
    pub routes: HashMap<Box<str>, Arc<Route>>,
}

/// Providers by what a name that is pinned to one may begin with, in lower case.
pub type Prefixes = HashMap<Box<str>, Arc<Pinned>>;

/// Where `<prefix>/<alias or upstream model>` leads (contract 4.4): the name is cut at its first `/`.
#[must_use]
pub fn pinned<'p>(prefixes: &'p Prefixes, name: &str) -> Option<&'p Arc<Route>> {
    let (prefix, rest) = name.split_once('/')?;
    prefixes.get(prefix.to_lowercase().as_str())?.routes.get(rest)
}

/// One (provider, upstream model) pair behind an alias.
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// Whom it calls.
    pub provider: Arc<Provider>,
    /// The alias of the row.
    pub alias: Arc<str>,
    /// Its place among the routes of its alias.
    pub priority: i64,
    /// What is sent upstream.
    pub upstream_model: Arc<str>,
    /// The model that `upstream_model` stands for: the one that the provider's setting `base_models` tells
    /// for a deployment or a profile, without the place where it runs; else the same.
    pub base_model: Arc<str>,
    /// `upstream_model` as a JSON string literal, quotes included.
    pub upstream_model_json: Bytes,
    /// Retries in place after a 429.
    pub retry_on_429_count: u32,
    /// Cap on a vendor's Retry-After; zero ignores the header.
    pub retry_on_429_max_wait: Duration,
    /// Total limit of a non-streamed request, per attempt (route, 1:1 row, provider, platform).
    pub request_timeout: Duration,
    /// Longest gap between streamed chunks, and the wait for the first event (same tiers).
    pub stream_idle_timeout: Duration,
    /// How many requests it may have under way.
    pub caps: Caps,
    /// What its tokens cost, from now into the future.
    pub prices: Timeline,
    /// What is known of the model.
    pub facts: ModelFacts,
}

impl OrgSnapshot {
    /// `GET /v1/models` for a caller: the names that lead to a route that they may use.
    pub fn listing_for<'a>(
        &'a self,
        caller: &'a CallerPolicies,
    ) -> impl Iterator<Item = &'a ListedModel> {
        let usable = |model: &&ListedModel| {
            model.routes.iter().any(|route| caller.may_use(&model.id, route))
        };
        self.listing.iter().filter(usable)
    }
}

/// Most requests under way at once (`max_concurrent_requests`), per process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// Of the provider's model, whatever alias they came by: what its 1:1 row says.
    pub model: Option<u32>,
    /// Of a custom alias: what its own row says.
    pub alias: Option<u32>,
}

impl Route {
    /// How `endpoint` is answered on it; none where it cannot be.
    #[must_use]
    pub fn way(&self, endpoint: Endpoint) -> Option<Way> {
        match self.provider.way(endpoint, &self.base_model)? {
            Way::Translate(client, VendorApi::Chat)
                if self.provider.prefers_responses(&self.facts) =>
            {
                Some(Way::Translate(client, VendorApi::Responses))
            }
            way => Some(way),
        }
    }
}

/// An entry of `GET /v1/models`.
#[derive(Clone)]
pub struct ListedModel {
    /// What a caller sends as `model`.
    pub id: String,
    /// Vendor slug, for `owned_by`.
    pub owned_by: String,
    /// Unix seconds of the row's creation.
    pub created: i64,
    /// Where it may lead.
    pub routes: Vec<Arc<Route>>,
}

//! What handlers reach beside the store: clouds, the health of vendors and routes, the models that choose.

use std::{sync::Arc, time::Duration};

use super::{error::AdminError, state::AdminState};
use crate::{
    auth::Principal,
    cloud::{Aws, CloudError, Google},
    domain::{OrgId, ProviderId, RateLimitId, RequestId},
    health::Probe,
    net::TrustedHosts,
    route::{RouteHealth, health::Sharing},
    snapshot::SmartModel,
};

/// A probe delays an answer by no more than five seconds (contract, 3), of which this leaves some for
/// everything else.
const PROBE_PATIENCE: Duration = Duration::from_secs(4);

/// Who is asked outside. Clones share it.
#[derive(Clone)]
pub struct Outside {
    /// Amazon Web Services.
    pub aws: Aws,
    /// Google Cloud.
    pub google: Google,
    /// Where tokens may go that are not the organization's own.
    pub trusted: TrustedHosts,
    /// Looks at providers.
    pub health: Arc<dyn Probe>,
    /// How routes are.
    pub routes: Arc<RouteHealth>,
    /// Tells the other replicas of routes; none where nothing is shared.
    pub sharing: Option<Arc<Sharing>>,
    /// Asks the determiners of smart models.
    pub determiner: Arc<dyn Determiner>,
    /// Holds requests to limits per minute.
    pub enforcement: Arc<dyn Enforcement>,
}

/// Who holds requests to limits per minute.
#[async_trait::async_trait]
pub trait Enforcement: Send + Sync {
    /// What counters hold now, in order; none where they cannot be asked.
    async fn counted(&self, org: OrgId, counters: &[RateCounter]) -> Option<Vec<Counted>>;

    /// Whose counters of these limits this process holds: those who used anything in the last minute here, be it
    /// under way or recorded.
    fn held(&self, org: OrgId, limits: &[RateLimitId]) -> Vec<(RateLimitId, Arc<str>)>;
}

/// The counter of a limit per minute.
#[derive(Clone, Debug)]
pub struct RateCounter {
    /// Which limit.
    pub limit: RateLimitId,
    /// Whose.
    pub entity: Arc<str>,
    /// What the limit is.
    pub requests: Option<u32>,
    /// Likewise.
    pub tokens: Option<u32>,
}

/// What it holds, of what is limited.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// Requests.
    pub requests: u64,
    /// Tokens.
    pub tokens: u64,
}

/// The models that choose for smart models.
#[async_trait::async_trait]
pub trait Determiner: Send + Sync {
    /// The slot that the determiner of `draft` names for `text`, on behalf of `principal`, who is charged,
    /// and by the request of that id; none where it names none, or not in time.
    async fn slot(
        &self,
        principal: Arc<Principal>,
        draft: &SmartModel,
        text: &str,
        request: &RequestId,
    ) -> Option<usize>;
}

impl AdminState {
    /// Probes a provider and waits a while for the verdict; one that takes longer is stored and in force
    /// when it is there.
    pub(super) async fn probe(&self, org: OrgId, provider: ProviderId) {
        let probing = self.probe_later(org, provider);
        let _not_in_time = tokio::time::timeout(PROBE_PATIENCE, probing).await;
    }

    /// Probes a provider in its own time.
    pub(super) fn probe_later(
        &self,
        org: OrgId,
        provider: ProviderId,
    ) -> tokio::task::JoinHandle<()> {
        let state = self.clone();
        tokio::spawn(async move {
            match state.outside.health.probe(org, provider).await {
                Ok(false) => {}
                // Where this fails, it is tried again elsewhere.
                Ok(true) => drop(state.put_into_force(org).await),
                Err(error) => tracing::warn!(%error, "a health check could not be stored"),
            }
        })
    }
}

impl From<CloudError> for AdminError {
    fn from(error: CloudError) -> Self {
        Self::bad_request(error.to_string())
    }
}

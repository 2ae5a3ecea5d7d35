//! Credentials of the gateway that a vendor refuses: told once in a while, off the requests' way.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::ctx::Call;
use crate::{
    domain::{AttemptOutcome, OrgId, ProviderId},
    route::Failure,
    snapshot::Route,
};

/// Refusals that may wait to be told; beyond it the metrics alone know of them.
const WAITING: usize = 256;

/// A vendor refused the credential of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCredential {
    /// Whose provider.
    pub org: OrgId,
    /// Which.
    pub provider: ProviderId,
    /// Its name.
    pub provider_name: Arc<str>,
    /// The vendor's status: 401 or 403.
    pub status: Option<u16>,
}

/// Tells of refused credentials.
pub struct RefusedCredentials(mpsc::Sender<RefusedCredential>);

impl RefusedCredentials {
    /// One to tell, and one to hear.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<RefusedCredential>) {
        let (tell, hear) = mpsc::channel(WAITING);
        (Self(tell), hear)
    }

    /// Tells of an attempt that ended so, if that is why.
    pub(super) fn note(&self, call: &Call, route: &Route, end: &Failure) {
        if end.outcome != AttemptOutcome::AuthFailed {
            return;
        }
        let Some(principal) = &call.principal else { return };
        let refused = RefusedCredential {
            org: principal.org,
            provider: route.provider.id,
            provider_name: Arc::clone(&route.provider.name),
            status: end.status,
        };
        let _told_often_enough = self.0.try_send(refused);
    }
}

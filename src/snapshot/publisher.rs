//! Holds the current snapshot and replaces one organization's part of it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use hashbrown::HashMap;

use super::{OrgSnapshot, Snapshot};
use crate::domain::OrgId;

/// The one place where the data plane's knowledge is exchanged.
#[derive(Default)]
pub struct Publisher {
    current: ArcSwap<Snapshot>,
}

impl Publisher {
    /// What requests see now. Wait-free.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Replaces everything, as at start.
    pub fn replace(&self, orgs: &HashMap<OrgId, Arc<OrgSnapshot>>) {
        self.current.rcu(|old| Snapshot { generation: old.generation + 1, orgs: orgs.clone() });
    }

    /// Replaces one organization. Requests that began before keep what they loaded.
    pub fn publish(&self, org: &Arc<OrgSnapshot>) {
        self.current.rcu(|old| {
            let mut orgs = old.orgs.clone();
            orgs.insert(org.id, Arc::clone(org));
            Snapshot { generation: old.generation + 1, orgs }
        });
    }
}

//! Store → snapshot: at start for all organizations, later for one that changed.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use hashbrown::HashMap;
use tokio::sync::Mutex;

use crate::{
    admin::{Refresh, RefreshError},
    auth::ApiKeys,
    domain::OrgId,
    govern::{self, Governor, Limits, Rule},
    provider,
    secrets::Keyring,
    snapshot::{OrgSnapshot, Policy, Publisher, build_org},
    store::Store,
};

/// A store that does not answer by then is away.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a change waits for its budgets to know what was used before; later they do as if Redis were away.
const BEGUN_WITHIN: Duration = Duration::from_millis(1500);

/// Puts what is stored into force: the snapshot of an organization, and what is known of its keys.
pub struct Refresher {
    store: Store,
    keyring: Arc<Keyring>,
    publisher: Arc<Publisher>,
    keys: Arc<ApiKeys>,
    governor: Arc<Governor>,
    /// Held while rebuilding, because two rebuilds at once could publish the older rows last.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The revision that is in force, of every organization.
    known: HashMap<OrgId, i64>,
    /// Organizations whose last rebuild failed: what is stored of them is not in force.
    behind: BTreeSet<OrgId>,
}

impl Refresher {
    /// Publishes to `publisher` what `store` holds.
    pub fn new(
        store: Store,
        keyring: Arc<Keyring>,
        publisher: Arc<Publisher>,
        keys: Arc<ApiKeys>,
        governor: Arc<Governor>,
    ) -> Self {
        Self { store, keyring, publisher, keys, governor, state: Mutex::default() }
    }

    /// The store whose changes are put into force.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Publishes every organization.
    pub async fn all(&self) -> Result<(), RefreshError> {
        let mut state = self.state.lock().await;
        let mut orgs = HashMap::new();
        for (id, _) in self.store.revisions().await.map_err(failed)? {
            let rows = self.store.runtime_rows(id).await.map_err(failed)?;
            let org = build_org(&rows, &self.keyring, provider::catalog()).map_err(failed)?;
            orgs.insert(id, Arc::new(org));
            state.known.insert(id, rows.org.revision);
        }
        let govern = |org: &Arc<OrgSnapshot>| (org.id, self.govern(org));
        let policies: Vec<_> = orgs.values().map(govern).collect();
        let _kept_up = self.governor.wait_begun(BEGUN_WITHIN).await;
        self.publisher.replace(&orgs);
        for (org, policies) in &policies {
            self.governor.in_force(*org, policies);
        }
        state.behind.clear();
        Ok(())
    }

    /// Puts into force what changed since it was last looked at, and what could not be then. An
    /// organization for which that fails is tried again at the next call, and holds up no other.
    ///
    /// # Errors
    /// When the store does not answer; the next call makes up for it.
    pub async fn catch_up(&self) -> Result<(), RefreshError> {
        let stored = tokio::time::timeout(PATIENCE, self.store.revisions()).await;
        let stored = stored.map_err(|_| failed("it does not answer"))?.map_err(failed)?;
        let mut state = self.state.lock().await;
        for (org, revision) in stored {
            let was_behind = state.behind.contains(&org);
            if !was_behind && state.known.get(&org) == Some(&revision) {
                continue;
            }
            match self.rebuild(&mut state, org).await {
                Ok(()) if was_behind => tracing::info!(%org, "a stored change is in force at last"),
                Err(error) if !was_behind => {
                    tracing::error!(%org, %error, "a change is stored but not in force");
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn rebuild(&self, state: &mut State, org: OrgId) -> Result<(), RefreshError> {
        // Also if this is cut short.
        state.behind.insert(org);
        let rows = self.store.runtime_rows(org).await.map_err(failed)?;
        let known = state.known.get(&org).copied().unwrap_or_default();
        let keys = self.store.keys_changed_after(org, known).await.map_err(failed)?;
        let built = build_org(&rows, &self.keyring, provider::catalog()).map_err(failed)?;
        let policies = self.govern(&built);
        // A budget that is made now is in force with what was used before.
        let _kept_up = self.governor.wait_begun(BEGUN_WITHIN).await;
        self.publisher.publish(&Arc::new(built));
        self.governor.in_force(org, &policies);
        self.keys.learn(keys);
        state.known.insert(org, rows.org.revision);
        state.behind.remove(&org);
        Ok(())
    }
}

impl Refresher {
    /// Lets the governor know what there is to count, before requests are held to it.
    fn govern(&self, org: &OrgSnapshot) -> Vec<govern::Policy> {
        let policies: Vec<_> = org.policies.limits().map(|policy| counted(policy)).collect();
        self.governor.policies(org.id, policies.clone());
        policies
    }
}

/// What the governor has to know of a policy before a request comes.
fn counted(policy: &Policy) -> govern::Policy {
    let (period, limits) = match policy.rule {
        Rule::Budget { period, tokens, cost, .. } => (Some(period), Limits { tokens, cost }),
        Rule::Rate { .. } => (None, Limits::default()),
    };
    govern::Policy { id: policy.id, period, thresholds: policy.thresholds.to_vec(), limits }
}

fn failed(error: impl std::fmt::Display) -> RefreshError {
    RefreshError(error.to_string())
}

#[async_trait]
impl Refresh for Refresher {
    async fn org(&self, org: OrgId) -> Result<(), RefreshError> {
        let mut state = self.state.lock().await;
        self.rebuild(&mut state, org).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sqlx::{ConnectOptions as _, Executor as _, sqlite::SqliteConnectOptions};

    use super::*;
    use crate::{
        app::{follow, history::LedgerHistory},
        govern::{OnFailure, Settings},
        ledger::{Ledger, OnFull, SpoolLimits},
        store::testing::{org_with_user, temp_store},
    };

    fn governor(dir: &tempfile::TempDir, store: &Store) -> Arc<Governor> {
        let limits = SpoolLimits { max_bytes: 64 << 20, on_full: OnFull::Block };
        let ledger = Arc::new(Ledger::open(&dir.path().join("spool"), limits).unwrap());
        Governor::new(Settings {
            ledger: ledger.id(),
            history: Arc::new(LedgerHistory::new(store.clone(), ledger)),
            listener: Box::new(|_| {}),
            link: None,
            on_failure: OnFailure::Local,
        })
    }

    #[tokio::test]
    async fn a_change_that_could_not_be_read_back_is_in_force_once_it_can() {
        let (dir, store) = temp_store().await;
        let (org, _) = org_with_user(&store, "acme").await;
        let publisher = Arc::new(Publisher::default());
        let keyring = Arc::new(Keyring::new([1; 32]));
        let keys = Arc::new(ApiKeys::new(store.clone(), Arc::clone(&keyring)));
        let governor = governor(&dir, &store);
        let published = Arc::clone(&publisher);
        let refresher = Arc::new(Refresher::new(store.clone(), keyring, published, keys, governor));
        let file = SqliteConnectOptions::new().filename(dir.path().join("turnpike.db"));
        let mut database = file.connect().await.unwrap();

        database.execute("ALTER TABLE routes RENAME TO elsewhere").await.unwrap();
        assert!(refresher.org(org.id).await.is_err());
        assert!(publisher.load().orgs.is_empty());
        tokio::spawn(follow::run(Arc::clone(&refresher)));

        database.execute("ALTER TABLE elsewhere RENAME TO routes").await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while publisher.load().orgs.is_empty() {
            assert!(Instant::now() < deadline, "not in force");
            tokio::task::yield_now().await;
        }
        assert!(refresher.state.lock().await.behind.is_empty());
    }
}

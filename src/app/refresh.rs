//! Store → snapshot: at start for all organizations, later for one that changed.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::Mutex, time::MissedTickBehavior};

use crate::{
    admin::{Refresh, RefreshError},
    domain::OrgId,
    provider,
    secrets::Keyring,
    snapshot::{OrgSnapshot, Publisher, build_org},
    store::Store,
};

/// How often what could not be put into force is tried again.
const CATCH_UP_EVERY: Duration = Duration::from_secs(1);

/// Puts what is stored into force.
pub struct Refresher {
    store: Store,
    keyring: Arc<Keyring>,
    publisher: Arc<Publisher>,
    /// Organizations whose last rebuild failed: what is stored of them is not in force. Held while
    /// rebuilding, because two rebuilds at once could publish the older rows last.
    behind: Mutex<BTreeSet<OrgId>>,
}

impl Refresher {
    /// Publishes to `publisher` what `store` holds.
    pub fn new(store: Store, keyring: Arc<Keyring>, publisher: Arc<Publisher>) -> Self {
        Self { store, keyring, publisher, behind: Mutex::default() }
    }

    /// Publishes every organization.
    pub async fn all(&self) -> Result<(), RefreshError> {
        let mut behind = self.behind.lock().await;
        let mut orgs = HashMap::new();
        for row in self.store.orgs().await.map_err(failed)? {
            let org = self.build(row.id).await?;
            orgs.insert(org.id, org);
        }
        self.publisher.replace(&orgs);
        behind.clear();
        Ok(())
    }

    /// Tries every second, for as long as the process lives, to put into force what could not be.
    pub async fn catch_up(self: Arc<Self>) {
        let mut tick = tokio::time::interval(CATCH_UP_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let behind = self.behind.lock().await.clone();
            for org in behind {
                if self.org(org).await.is_ok() {
                    tracing::info!(%org, "a stored change is in force at last");
                }
            }
        }
    }

    async fn build(&self, org: OrgId) -> Result<Arc<OrgSnapshot>, RefreshError> {
        let rows = self.store.runtime_rows(org).await.map_err(failed)?;
        build_org(&rows, &self.keyring, provider::catalog()).map(Arc::new).map_err(failed)
    }
}

fn failed(error: impl std::fmt::Display) -> RefreshError {
    RefreshError(error.to_string())
}

#[async_trait]
impl Refresh for Refresher {
    async fn org(&self, org: OrgId) -> Result<(), RefreshError> {
        let mut behind = self.behind.lock().await;
        // Also if this is cut short.
        behind.insert(org);
        let built = self.build(org).await?;
        self.publisher.publish(&built);
        behind.remove(&org);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sqlx::{ConnectOptions as _, Executor as _, sqlite::SqliteConnectOptions};

    use super::*;
    use crate::store::testing::{org_with_user, temp_store};

    #[tokio::test]
    async fn a_change_that_could_not_be_read_back_is_in_force_once_it_can() {
        let (dir, store) = temp_store().await;
        let (org, _) = org_with_user(&store, "acme").await;
        let publisher = Arc::new(Publisher::default());
        let keyring = Arc::new(Keyring::new([1; 32]));
        let refresher = Arc::new(Refresher::new(store.clone(), keyring, Arc::clone(&publisher)));
        tokio::spawn(Arc::clone(&refresher).catch_up());
        let file = SqliteConnectOptions::new().filename(dir.path().join("turnpike.db"));
        let mut database = file.connect().await.unwrap();

        database.execute("ALTER TABLE routes RENAME TO elsewhere").await.unwrap();
        assert!(refresher.org(org.id).await.is_err());
        assert!(publisher.load().orgs.is_empty());

        database.execute("ALTER TABLE elsewhere RENAME TO routes").await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while publisher.load().orgs.is_empty() {
            assert!(Instant::now() < deadline, "not in force");
            tokio::task::yield_now().await;
        }
        assert!(refresher.behind.lock().await.is_empty());
    }
}

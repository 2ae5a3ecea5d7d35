//! Store → snapshot: at start for all organizations, later for one that changed.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::{
    admin::{Refresh, RefreshError},
    domain::OrgId,
    provider,
    secrets::Keyring,
    snapshot::{OrgSnapshot, Publisher, build_org},
    store::Store,
};

/// Puts what is stored into force.
pub struct Refresher {
    store: Store,
    keyring: Arc<Keyring>,
    publisher: Arc<Publisher>,
    /// Two rebuilds at once could publish the older rows last.
    turn: Mutex<()>,
}

impl Refresher {
    /// Publishes to `publisher` what `store` holds.
    pub fn new(store: Store, keyring: Arc<Keyring>, publisher: Arc<Publisher>) -> Self {
        Self { store, keyring, publisher, turn: Mutex::new(()) }
    }

    /// Publishes every organization.
    pub async fn all(&self) -> Result<(), RefreshError> {
        let _turn = self.turn.lock().await;
        let mut orgs = HashMap::new();
        for row in self.store.orgs().await.map_err(failed)? {
            let org = self.build(row.id).await?;
            orgs.insert(org.id, org);
        }
        self.publisher.replace(&orgs);
        Ok(())
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
        let _turn = self.turn.lock().await;
        let built = self.build(org).await?;
        self.publisher.publish(&built);
        Ok(())
    }
}

//! What a snapshot of one organization is built from.

use super::{RuntimeRows, Store, StoreError, Tx};
use crate::domain::{OrgId, Timestamp};

impl Store {
    /// Everything the data plane needs of one organization, read at one moment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown organization.
    pub async fn runtime_rows(&self, org: OrgId) -> Result<RuntimeRows, StoreError> {
        let now = Timestamp::now();
        let mut tx = Tx::read(&self.lookups).await?;
        Ok(RuntimeRows {
            org: tx.org(org).await?.ok_or(StoreError::NotFound("organization"))?,
            connections: tx.connections(org).await?,
            providers: tx.providers(org).await?,
            routes: tx.routes(org).await?,
            prices: tx.prices_in_force(org, now).await?,
            model_overrides: tx.model_overrides(org).await?,
            rate_limits: tx.rate_limits(org).await?,
            budgets: tx.budgets(org).await?,
            access: tx.access_policies(org).await?,
            smart_models: tx.smart_models(org).await?,
        })
    }
}

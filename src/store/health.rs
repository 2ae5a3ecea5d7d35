//! What probes found out about providers.

use super::{ProviderRow, StoreError, Tx, statement::sql};
use crate::domain::{CredentialId, OrgId, Timestamp};

const SET: &str =
    "UPDATE providers SET health_status = $4, health_detail = $5, health_checked_at = $6
    WHERE org_id = $1 AND id = $2 AND updated_at = $3";
const FORGET: &str = "UPDATE providers SET health_status = 'unverified', health_detail = NULL,
        health_checked_at = NULL, updated_at = $3
    WHERE org_id = $1 AND connection_id = $2";

impl Tx {
    /// Stores a verdict on the provider as it was `seen`; answers whether it is still that.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn set_health(
        &mut self,
        seen: &ProviderRow,
        status: &str,
        detail: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let query = sql(SET)
            .bind(seen.org_id.0)
            .bind(seen.id.0)
            .bind(seen.updated_at.0)
            .bind(status)
            .bind(detail.map(str::to_owned))
            .bind(at.0);
        Ok(self.execute(query).await? > 0)
    }

    /// Forgets what is known of the providers that use a connection, because it changes.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn forget_health_of(
        &mut self,
        org: OrgId,
        connection: CredentialId,
    ) -> Result<(), StoreError> {
        let now = Timestamp::now().0;
        self.execute(sql(FORGET).bind(org.0).bind(connection.0).bind(now)).await?;
        Ok(())
    }
}

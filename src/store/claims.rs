//! Which organization may use what the gateway's own identity gives access to. The one question of the
//! store that looks across organizations: its answer is yes or no, and never whose.

use uuid::Uuid;

use super::{StoreError, Tx, statement::sql};
use crate::domain::OrgId;

const TAKEN: &str =
    "SELECT holder_id FROM identity_claims WHERE claim = $1 AND org_id <> $2 LIMIT 1";
const CLAIM: &str = "INSERT INTO identity_claims (holder_id, org_id, claim) VALUES ($1, $2, $3)
    ON CONFLICT (holder_id) DO UPDATE SET claim = excluded.claim";
const RELEASE: &str = "DELETE FROM identity_claims WHERE org_id = $1 AND holder_id = $2";

impl Tx {
    /// Whether another organization has claimed this.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn is_claimed_by_another(
        &mut self,
        org: OrgId,
        claim: &str,
    ) -> Result<bool, StoreError> {
        let found: Option<Uuid> = self.optional(sql(TAKEN).bind(claim).bind(org.0)).await?;
        Ok(found.is_some())
    }

    /// What a connection or provider claims from now on; none: nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another organization has it; or when the database is unavailable.
    pub async fn set_claim(
        &mut self,
        org: OrgId,
        holder: Uuid,
        claim: Option<&str>,
    ) -> Result<(), StoreError> {
        let Some(claim) = claim else {
            self.execute(sql(RELEASE).bind(org.0).bind(holder)).await?;
            return Ok(());
        };
        if self.is_claimed_by_another(org, claim).await? {
            return Err(StoreError::Conflict);
        }
        self.execute(sql(CLAIM).bind(holder).bind(org.0).bind(claim)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{org_with_user, postgres_store, temp_store};

    #[tokio::test]
    async fn a_claim_is_one_organizations_until_its_last_holder_lets_go() {
        let (_dir, sqlite) = temp_store().await;
        for store in [sqlite, postgres_store().await] {
            let (one, _) = org_with_user(&store, "one").await;
            let (other, _) = org_with_user(&store, "other").await;
            let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
            let mut tx = store.write().await.unwrap();
            for holder in [first, second, first] {
                tx.set_claim(one.id, holder, Some("aws_role a 1")).await.unwrap();
            }
            for free in [None, Some("aws_role a 2")] {
                tx.set_claim(other.id, Uuid::new_v4(), free).await.unwrap();
            }
            tx.set_claim(one.id, first, None).await.unwrap();
            let taken = tx.set_claim(other.id, Uuid::new_v4(), Some("aws_role a 1")).await;
            assert!(matches!(taken, Err(StoreError::Conflict)), "the second still holds it");
            tx.set_claim(one.id, second, Some("aws_role a 3")).await.unwrap();
            tx.set_claim(other.id, Uuid::new_v4(), Some("aws_role a 1")).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
}

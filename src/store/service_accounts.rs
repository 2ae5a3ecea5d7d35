//! Service accounts. Only the keyed hash of their secret is here.

use super::{
    ServiceAccountRow, Store, StoreError, Tx,
    record::{Found, Record, unreadable},
    statement::sql,
};
use crate::domain::{OrgId, Role, ServiceAccountId, Timestamp};

const LIST: &str = "SELECT * FROM service_accounts WHERE org_id = $1 ORDER BY created_at, id";
const GET: &str = "SELECT * FROM service_accounts WHERE org_id = $1 AND id = $2";
/// Without an organization: the client id, shown with its secret, says which one it is.
const BY_ID: &str = "SELECT * FROM service_accounts WHERE id = $1";
const INSERT: &str = "INSERT INTO service_accounts
        (id, org_id, name, role, secret_hash, created_at, last_used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const DELETE: &str = "DELETE FROM service_accounts WHERE org_id = $1 AND id = $2";
const USED: &str = "UPDATE service_accounts SET last_used_at = $3 WHERE org_id = $1 AND id = $2";

impl Store {
    /// The account with that id, for whoever knows its secret.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn service_account_by_id(
        &self,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccountRow>, StoreError> {
        Ok(self.lookups.optional(sql(BY_ID).bind(id.0)).await?)
    }

    /// One account of the organization.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn service_account(
        &self,
        org: OrgId,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccountRow>, StoreError> {
        Ok(self.lookups.optional(sql(GET).bind(org.0).bind(id.0)).await?)
    }

    /// Notes that the account got a token.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn service_account_used(
        &self,
        org: OrgId,
        id: ServiceAccountId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer.execute(sql(USED).bind(org.0).bind(id.0).bind(at.0)).await?;
        Ok(())
    }
}

impl Tx {
    /// The organization's accounts, oldest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn service_accounts(
        &mut self,
        org: OrgId,
    ) -> Result<Vec<ServiceAccountRow>, StoreError> {
        Ok(self.all(sql(LIST).bind(org.0)).await?)
    }

    /// One account.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn service_account(
        &mut self,
        org: OrgId,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccountRow>, StoreError> {
        Ok(self.optional(sql(GET).bind(org.0).bind(id.0)).await?)
    }

    /// Adds an account.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the organization has one of that name.
    pub async fn insert_service_account(
        &mut self,
        new: &ServiceAccountRow,
    ) -> Result<(), StoreError> {
        let query = sql(INSERT)
            .bind(new.id.0)
            .bind(new.org_id.0)
            .bind(new.name.as_str())
            .bind(new.role.as_str())
            .bind(new.secret_hash.as_slice())
            .bind(new.created_at.0)
            .bind(new.last_used_at.map(|at| at.0));
        self.execute(query).await?;
        Ok(())
    }

    /// Removes an account; its tokens are void with the commit.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_service_account(
        &mut self,
        org: OrgId,
        id: ServiceAccountId,
    ) -> Result<(), StoreError> {
        self.execute(sql(DELETE).bind(org.0).bind(id.0)).await?;
        Ok(())
    }
}

impl Record for ServiceAccountRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let role: String = found.get("role")?;
        Ok(Self {
            id: found.id("id", ServiceAccountId)?,
            org_id: found.id("org_id", OrgId)?,
            name: found.get("name")?,
            role: role.parse::<Role>().map_err(|error| unreadable("role", error))?,
            secret_hash: found.get("secret_hash")?,
            created_at: found.time("created_at")?,
            last_used_at: found.time_opt("last_used_at")?,
        })
    }
}

//! Links that sign someone in once. Only the keyed hash of their token is here.

use super::{
    Store, StoreError,
    record::{Found, Record, unreadable},
    statement::sql,
};
use crate::domain::{OrgId, Role, Timestamp, UserId};

const INSERT: &str = "INSERT INTO sign_in_links (hash, org_id, user_id, role, ends_at)
    VALUES ($1, $2, $3, $4, $5)";
/// Without an organization: the token, which only its holder knows, says which one it is. One
/// statement, so that of two who come at once one gets it.
const TAKE: &str = "DELETE FROM sign_in_links WHERE hash = $1 AND ends_at > $2
    RETURNING org_id, user_id, role, ends_at";
const EXPIRE: &str = "DELETE FROM sign_in_links WHERE ends_at <= $1";

/// Whom a link signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// Their organization.
    pub org: OrgId,
    /// Who.
    pub user: UserId,
    /// What they may do.
    pub role: Role,
    /// Until when it can be used.
    pub ends_at: Timestamp,
}

impl Store {
    /// Adds a link.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn insert_link(&self, hash: &[u8; 32], link: &LinkRow) -> Result<(), StoreError> {
        let query = sql(INSERT)
            .bind(hash.to_vec())
            .bind(link.org.0)
            .bind(link.user.0)
            .bind(link.role.as_str())
            .bind(link.ends_at.0);
        self.writer.execute(query).await?;
        Ok(())
    }

    /// Takes a link that can still be used: nobody else gets it.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn take_link(
        &self,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<LinkRow>, StoreError> {
        let mut tx = self.write().await?;
        let link = tx.optional(sql(TAKE).bind(hash.to_vec()).bind(now.0)).await?;
        tx.commit().await?;
        Ok(link)
    }

    /// Removes the links whose time is over; answers how many.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn expire_links(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.writer.execute(sql(EXPIRE).bind(now.0)).await?)
    }
}

impl Record for LinkRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let role: String = found.get("role")?;
        Ok(Self {
            org: found.id("org_id", OrgId)?,
            user: found.id("user_id", UserId)?,
            role: role.parse().map_err(|error| unreadable("role", error))?,
            ends_at: found.time("ends_at")?,
        })
    }
}

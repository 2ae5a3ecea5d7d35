//! Gateway API keys. Only their keyed hash is here.

use sqlx::{FromRow, Row as _, sqlite::SqliteRow};

use super::{KeyRow, Store, StoreError, Tx, row};
use crate::domain::{KeyId, OrgId, Timestamp, UserId};

/// Keys with the groups of their user, as last seen.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT k.*, u.groups AS user_groups FROM api_keys k
             LEFT JOIN users u ON u.org_id = k.org_id AND u.id = k.user_id ",
            $rest
        )
    };
}

/// The one statement on tenant data without an organization: the key says which one it is.
const BY_HASH: &str = select!("WHERE k.hash = $1");
const LIST: &str = select!("WHERE k.org_id = $1 ORDER BY k.created_at DESC, k.id");
const OF_USER: &str =
    select!("WHERE k.org_id = $1 AND k.user_id = $2 ORDER BY k.created_at DESC, k.id");
const GET: &str = select!("WHERE k.org_id = $1 AND k.id = $2");
const INSERT: &str = "INSERT INTO api_keys (id, org_id, name, key_prefix, hash, created_by_user_id,
        user_id, group_name, scopes, created_at, expires_at, revoked_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const REVOKE: &str = "UPDATE api_keys SET revoked_at = $3
    WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL";

impl Store {
    /// The key with that keyed hash, whatever its state.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError> {
        let query = sqlx::query_as(BY_HASH).bind(hash.to_vec());
        Ok(query.fetch_optional(&self.lookups).await?)
    }
}

impl Tx {
    /// The organization's keys, newest first, revoked ones too.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn keys(&mut self, org: OrgId) -> Result<Vec<KeyRow>, StoreError> {
        let query = sqlx::query_as(LIST).bind(org.0);
        Ok(query.fetch_all(self.connection_mut()).await?)
    }

    /// One user's keys, newest first, revoked ones too.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn user_keys(&mut self, org: OrgId, user: UserId) -> Result<Vec<KeyRow>, StoreError> {
        let query = sqlx::query_as(OF_USER).bind(org.0).bind(user.0);
        Ok(query.fetch_all(self.connection_mut()).await?)
    }

    /// One key.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn key(&mut self, org: OrgId, id: KeyId) -> Result<Option<KeyRow>, StoreError> {
        let query = sqlx::query_as(GET).bind(org.0).bind(id.0);
        Ok(query.fetch_optional(self.connection_mut()).await?)
    }

    /// Adds a key.
    ///
    /// # Errors
    /// When the database is unavailable, or a user that it names is not of its organization.
    pub async fn insert_key(&mut self, new: &KeyRow) -> Result<(), StoreError> {
        let query = sqlx::query(INSERT)
            .bind(new.id.0)
            .bind(new.org_id.0)
            .bind(new.name.clone())
            .bind(new.key_prefix.clone())
            .bind(new.hash.clone())
            .bind(new.created_by_user_id.0)
            .bind(new.user_id.map(|id| id.0))
            .bind(new.group_name.clone())
            .bind(row::json_list(&new.scopes))
            .bind(new.created_at.0)
            .bind(new.expires_at.map(|at| at.0))
            .bind(new.revoked_at.map(|at| at.0));
        query.execute(self.connection_mut()).await?;
        Ok(())
    }

    /// Revokes a key; one that is revoked keeps its time.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn revoke_key(
        &mut self,
        org: OrgId,
        id: KeyId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(REVOKE).bind(org.0).bind(id.0).bind(at.0);
        query.execute(self.connection_mut()).await?;
        Ok(())
    }
}

impl FromRow<'_, SqliteRow> for KeyRow {
    fn from_row(found: &SqliteRow) -> sqlx::Result<Self> {
        let groups: Option<&str> = found.try_get("user_groups")?;
        let user_groups =
            if groups.is_some() { row::json(found, "user_groups")? } else { Vec::new() };
        Ok(Self {
            id: row::id(found, "id", KeyId)?,
            org_id: row::id(found, "org_id", OrgId)?,
            name: found.try_get("name")?,
            key_prefix: found.try_get("key_prefix")?,
            hash: found.try_get("hash")?,
            created_by_user_id: row::id(found, "created_by_user_id", UserId)?,
            user_id: row::id_opt(found, "user_id", UserId)?,
            group_name: found.try_get("group_name")?,
            scopes: row::json(found, "scopes")?,
            created_at: row::time(found, "created_at")?,
            expires_at: row::time_opt(found, "expires_at")?,
            revoked_at: row::time_opt(found, "revoked_at")?,
            user_groups,
        })
    }
}

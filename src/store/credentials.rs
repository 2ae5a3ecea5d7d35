//! Credentials (wire name: connections).

use super::{
    ConnectionRow, StoreError, Tx,
    record::{Found, Record},
    statement::sql,
};
use crate::domain::{CredentialId, OrgId};

const LIST: &str = "SELECT * FROM connections WHERE org_id = $1 ORDER BY created_at, id";
const GET: &str = "SELECT * FROM connections WHERE org_id = $1 AND id = $2";
const INSERT: &str = "INSERT INTO connections
    (id, org_id, name, model_provider, auth_type, base_url, settings, sealed, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const UPDATE: &str = "UPDATE connections SET name = $3, auth_type = $4, base_url = $5,
    settings = $6, sealed = $7, updated_at = $8 WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM connections WHERE org_id = $1 AND id = $2";
const USERS: &str = "SELECT name FROM providers WHERE org_id = $1 AND connection_id = $2
    ORDER BY name";

impl Tx {
    /// The organization's credentials, oldest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn connections(&mut self, org: OrgId) -> Result<Vec<ConnectionRow>, StoreError> {
        let query = sql(LIST).bind(org.0);
        Ok(self.all(query).await?)
    }

    /// One credential.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn connection(
        &mut self,
        org: OrgId,
        id: CredentialId,
    ) -> Result<Option<ConnectionRow>, StoreError> {
        let query = sql(GET).bind(org.0).bind(id.0);
        Ok(self.optional(query).await?)
    }

    /// Adds a credential.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the organization has one of that name.
    pub async fn insert_connection(&mut self, new: &ConnectionRow) -> Result<(), StoreError> {
        let query = sql(INSERT)
            .bind(new.id.0)
            .bind(new.org_id.0)
            .bind(new.name.clone())
            .bind(new.model_provider.clone())
            .bind(new.auth_type.clone())
            .bind(new.base_url.clone())
            .bind(new.settings.to_string())
            .bind(new.sealed.clone())
            .bind(new.created_at.0)
            .bind(new.updated_at.0);
        self.execute(query).await?;
        Ok(())
    }

    /// Replaces what can change of a credential: all but its vendor.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the organization has another of that name.
    pub async fn update_connection(&mut self, changed: &ConnectionRow) -> Result<(), StoreError> {
        let query = sql(UPDATE)
            .bind(changed.org_id.0)
            .bind(changed.id.0)
            .bind(changed.name.clone())
            .bind(changed.auth_type.clone())
            .bind(changed.base_url.clone())
            .bind(changed.settings.to_string())
            .bind(changed.sealed.clone())
            .bind(changed.updated_at.0);
        self.execute(query).await?;
        Ok(())
    }

    /// Removes a credential that no provider uses (see [`Tx::connection_users`]); answers whether
    /// there was one.
    ///
    /// # Errors
    /// When the database is unavailable, or a provider still uses it.
    pub async fn delete_connection(
        &mut self,
        org: OrgId,
        id: CredentialId,
    ) -> Result<bool, StoreError> {
        let query = sql(DELETE).bind(org.0).bind(id.0);
        Ok(self.execute(query).await? > 0)
    }

    /// Names of the providers that use a credential.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn connection_users(
        &mut self,
        org: OrgId,
        id: CredentialId,
    ) -> Result<Vec<String>, StoreError> {
        let query = sql(USERS).bind(org.0).bind(id.0);
        Ok(self.all(query).await?)
    }
}

impl Record for ConnectionRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: found.id("id", CredentialId)?,
            org_id: found.id("org_id", OrgId)?,
            name: found.get("name")?,
            model_provider: found.get("model_provider")?,
            auth_type: found.get("auth_type")?,
            base_url: found.get("base_url")?,
            settings: found.json("settings")?,
            sealed: found.get("sealed")?,
            created_at: found.time("created_at")?,
            updated_at: found.time("updated_at")?,
        })
    }
}

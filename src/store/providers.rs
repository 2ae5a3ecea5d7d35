//! Providers, with what they inherit from their credential.

use super::{
    ProviderRow, StoreError, Tx,
    record::{Found, Record},
    statement::sql,
};
use crate::domain::{CredentialId, OrgId, ProviderId};

/// Which of a provider's values are those of its connection, now and after the connection changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inherits {
    /// `auth_type`
    pub auth_type: bool,
    /// `base_url`
    pub base_url: bool,
    /// `settings`
    pub settings: bool,
}

/// Effective values: the connection's where they are inherited.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.org_id, p.name, p.model_provider,
                CASE WHEN p.auth_type_inherited AND c.id IS NOT NULL
                    THEN c.auth_type ELSE p.auth_type END AS auth_type,
                CASE WHEN p.base_url_inherited AND c.id IS NOT NULL
                    THEN c.base_url ELSE p.base_url END AS base_url,
                CASE WHEN p.settings_inherited AND c.id IS NOT NULL
                    THEN c.settings ELSE p.settings END AS settings,
                p.catalog_id, p.connection_id, p.sealed, p.enabled, p.enforce_health_check,
                p.health_status, p.health_detail, p.health_checked_at, p.request_timeout_secs,
                p.stream_idle_timeout_secs, p.created_at, p.updated_at
            FROM providers p
            LEFT JOIN connections c ON c.org_id = p.org_id AND c.id = p.connection_id ",
            $rest
        )
    };
}

const LIST: &str = select!("WHERE p.org_id = $1 ORDER BY p.created_at, p.id");
const GET: &str = select!("WHERE p.org_id = $1 AND p.id = $2");
const INHERITS: &str = "SELECT auth_type_inherited, base_url_inherited, settings_inherited
    FROM providers WHERE org_id = $1 AND id = $2";
const INSERT: &str = "INSERT INTO providers (id, org_id, name, name_key, model_provider,
        auth_type, auth_type_inherited, base_url, base_url_inherited, settings, settings_inherited,
        catalog_id, connection_id, sealed, enabled, enforce_health_check, health_status,
        health_detail, health_checked_at, request_timeout_secs, stream_idle_timeout_secs,
        created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, $22, $23)";
const UPDATE: &str = "UPDATE providers SET name = $3, name_key = $4,
        auth_type = $5, auth_type_inherited = $6, base_url = $7, base_url_inherited = $8,
        settings = $9, settings_inherited = $10, connection_id = $11, sealed = $12, enabled = $13,
        enforce_health_check = $14, health_status = $15, health_detail = $16,
        health_checked_at = $17, request_timeout_secs = $18, stream_idle_timeout_secs = $19,
        updated_at = $20
    WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM providers WHERE org_id = $1 AND id = $2";

impl Tx {
    /// The organization's providers, oldest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn providers(&mut self, org: OrgId) -> Result<Vec<ProviderRow>, StoreError> {
        let query = sql(LIST).bind(org.0);
        Ok(self.all(query).await?)
    }

    /// One provider.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn provider(
        &mut self,
        org: OrgId,
        id: ProviderId,
    ) -> Result<Option<ProviderRow>, StoreError> {
        let query = sql(GET).bind(org.0).bind(id.0);
        Ok(self.optional(query).await?)
    }

    /// What a provider inherits; nothing if there is no such provider.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn provider_inherits(
        &mut self,
        org: OrgId,
        id: ProviderId,
    ) -> Result<Inherits, StoreError> {
        let query = sql(INHERITS).bind(org.0).bind(id.0);
        Ok(self.optional(query).await?.unwrap_or_default())
    }

    /// Adds a provider.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the organization has one of that name in any case.
    pub async fn insert_provider(
        &mut self,
        new: &ProviderRow,
        inherits: Inherits,
    ) -> Result<(), StoreError> {
        let query = sql(INSERT)
            .bind(new.id.0)
            .bind(new.org_id.0)
            .bind(new.name.clone())
            .bind(new.name.to_lowercase())
            .bind(new.model_provider.clone())
            .bind(new.auth_type.clone())
            .bind(inherits.auth_type)
            .bind(new.base_url.clone())
            .bind(inherits.base_url)
            .bind(new.settings.to_string())
            .bind(inherits.settings)
            .bind(new.catalog_id)
            .bind(new.connection_id.map(|id| id.0))
            .bind(new.sealed.clone())
            .bind(new.enabled)
            .bind(new.enforce_health_check)
            .bind(new.health_status.clone())
            .bind(new.health_detail.clone())
            .bind(new.health_checked_at.map(|at| at.0))
            .bind(new.request_timeout_secs.map(i64::from))
            .bind(new.stream_idle_timeout_secs.map(i64::from))
            .bind(new.created_at.0)
            .bind(new.updated_at.0);
        self.execute(query).await?;
        Ok(())
    }

    /// Replaces what can change of a provider: all but its vendor and catalog template.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the organization has another of that name in any case.
    pub async fn update_provider(
        &mut self,
        changed: &ProviderRow,
        inherits: Inherits,
    ) -> Result<(), StoreError> {
        let query = sql(UPDATE)
            .bind(changed.org_id.0)
            .bind(changed.id.0)
            .bind(changed.name.clone())
            .bind(changed.name.to_lowercase())
            .bind(changed.auth_type.clone())
            .bind(inherits.auth_type)
            .bind(changed.base_url.clone())
            .bind(inherits.base_url)
            .bind(changed.settings.to_string())
            .bind(inherits.settings)
            .bind(changed.connection_id.map(|id| id.0))
            .bind(changed.sealed.clone())
            .bind(changed.enabled)
            .bind(changed.enforce_health_check)
            .bind(changed.health_status.clone())
            .bind(changed.health_detail.clone())
            .bind(changed.health_checked_at.map(|at| at.0))
            .bind(changed.request_timeout_secs.map(i64::from))
            .bind(changed.stream_idle_timeout_secs.map(i64::from))
            .bind(changed.updated_at.0);
        self.execute(query).await?;
        Ok(())
    }

    /// Removes a provider, its routes and its inline credential; answers whether there was one.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_provider(
        &mut self,
        org: OrgId,
        id: ProviderId,
    ) -> Result<bool, StoreError> {
        let query = sql(DELETE).bind(org.0).bind(id.0);
        Ok(self.execute(query).await? > 0)
    }
}

impl Record for Inherits {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            auth_type: found.get("auth_type_inherited")?,
            base_url: found.get("base_url_inherited")?,
            settings: found.get("settings_inherited")?,
        })
    }
}

impl Record for ProviderRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: found.id("id", ProviderId)?,
            org_id: found.id("org_id", OrgId)?,
            name: found.get("name")?,
            model_provider: found.get("model_provider")?,
            auth_type: found.get("auth_type")?,
            base_url: found.get("base_url")?,
            settings: found.json("settings")?,
            catalog_id: found.get("catalog_id")?,
            connection_id: found.id_opt("connection_id", CredentialId)?,
            sealed: found.get("sealed")?,
            enabled: found.get("enabled")?,
            enforce_health_check: found.get("enforce_health_check")?,
            health_status: found.get("health_status")?,
            health_detail: found.get("health_detail")?,
            health_checked_at: found.time_opt("health_checked_at")?,
            request_timeout_secs: found.count_opt("request_timeout_secs")?,
            stream_idle_timeout_secs: found.count_opt("stream_idle_timeout_secs")?,
            created_at: found.time("created_at")?,
            updated_at: found.time("updated_at")?,
        })
    }
}

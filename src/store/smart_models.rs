//! Smart models.

use super::{
    SmartModelRow, StoreError, Tx,
    record::{Found, Record},
    statement::{Statement, sql},
};
use crate::domain::{OrgId, SmartModelId};

const LIST: &str = "SELECT * FROM smart_models WHERE org_id = $1 ORDER BY created_at, id";
const GET: &str = "SELECT * FROM smart_models WHERE org_id = $1 AND id = $2";
const BY_ALIAS: &str = "SELECT * FROM smart_models WHERE org_id = $1 AND alias_key = $2";
const INSERT: &str = "INSERT INTO smart_models (org_id, id, model_alias, alias_key, description,
        enabled, determiner_model_alias, slots, context_breakpoints, determiner_input_max_chars,
        default_slot_on_failure, updated_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const UPDATE: &str = "UPDATE smart_models SET model_alias = $3, alias_key = $4, description = $5,
        enabled = $6, determiner_model_alias = $7, slots = $8, context_breakpoints = $9,
        determiner_input_max_chars = $10, default_slot_on_failure = $11, updated_at = $12
    WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM smart_models WHERE org_id = $1 AND id = $2";

impl Tx {
    /// The organization's smart models, oldest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn smart_models(&mut self, org: OrgId) -> Result<Vec<SmartModelRow>, StoreError> {
        Ok(self.all(sql(LIST).bind(org.0)).await?)
    }

    /// One smart model.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn smart_model(
        &mut self,
        org: OrgId,
        id: SmartModelId,
    ) -> Result<Option<SmartModelRow>, StoreError> {
        Ok(self.optional(sql(GET).bind(org.0).bind(id.0)).await?)
    }

    /// The smart model of this alias, whatever its case.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn smart_model_named(
        &mut self,
        org: OrgId,
        alias: &str,
    ) -> Result<Option<SmartModelRow>, StoreError> {
        Ok(self.optional(sql(BY_ALIAS).bind(org.0).bind(alias.to_lowercase())).await?)
    }

    /// Adds a smart model.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another has its alias.
    pub async fn insert_smart_model(&mut self, new: &SmartModelRow) -> Result<(), StoreError> {
        self.execute(bound(INSERT, new).bind(new.created_at.0)).await?;
        Ok(())
    }

    /// Replaces all of a smart model.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another has its alias.
    pub async fn update_smart_model(&mut self, changed: &SmartModelRow) -> Result<(), StoreError> {
        self.execute(bound(UPDATE, changed)).await?;
        Ok(())
    }

    /// Removes a smart model; answers whether there was one.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_smart_model(
        &mut self,
        org: OrgId,
        id: SmartModelId,
    ) -> Result<bool, StoreError> {
        Ok(self.execute(sql(DELETE).bind(org.0).bind(id.0)).await? > 0)
    }
}

fn bound(text: &'static str, row: &SmartModelRow) -> Statement {
    sql(text)
        .bind(row.org_id.0)
        .bind(row.id.0)
        .bind(row.model_alias.as_str())
        .bind(row.model_alias.to_lowercase())
        .bind(row.description.as_deref())
        .bind(row.enabled)
        .bind(row.determiner_model_alias.as_str())
        .bind(serde_json::json!(row.slots).to_string())
        .bind(serde_json::json!(row.context_breakpoints).to_string())
        .bind(row.determiner_input_max_chars)
        .bind(row.default_slot_on_failure)
        .bind(row.updated_at.0)
}

impl Record for SmartModelRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: found.id("id", SmartModelId)?,
            org_id: found.id("org_id", OrgId)?,
            model_alias: found.get("model_alias")?,
            description: found.get("description")?,
            enabled: found.get("enabled")?,
            determiner_model_alias: found.get("determiner_model_alias")?,
            slots: found.json("slots")?,
            context_breakpoints: found.json("context_breakpoints")?,
            determiner_input_max_chars: found.count("determiner_input_max_chars")?,
            default_slot_on_failure: found.count("default_slot_on_failure")?,
            created_at: found.time("created_at")?,
            updated_at: found.time("updated_at")?,
        })
    }
}

//! What organizations say of models.

use super::{
    ModelOverrideRow, StoreError, Tx,
    record::{Found, Record, json_list},
    statement::sql,
};
use crate::domain::OrgId;

const LIST: &str = "SELECT * FROM model_overrides WHERE org_id = $1 ORDER BY model_pattern";
const GET: &str = "SELECT * FROM model_overrides WHERE org_id = $1 AND model_pattern = $2";
const PUT: &str =
    "INSERT INTO model_overrides (org_id, model_pattern, model_provider, capabilities,
        reasoning_mode, efforts, context_tokens, max_output_tokens, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (org_id, model_pattern) DO UPDATE SET model_provider = excluded.model_provider,
        capabilities = excluded.capabilities, reasoning_mode = excluded.reasoning_mode,
        efforts = excluded.efforts, context_tokens = excluded.context_tokens,
        max_output_tokens = excluded.max_output_tokens, updated_at = excluded.updated_at";
const DELETE: &str = "DELETE FROM model_overrides WHERE org_id = $1 AND model_pattern = $2";

impl Tx {
    /// All of an organization's, by pattern.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn model_overrides(
        &mut self,
        org: OrgId,
    ) -> Result<Vec<ModelOverrideRow>, StoreError> {
        Ok(self.all(sql(LIST).bind(org.0)).await?)
    }

    /// That of one pattern.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn model_override(
        &mut self,
        org: OrgId,
        pattern: &str,
    ) -> Result<Option<ModelOverrideRow>, StoreError> {
        Ok(self.optional(sql(GET).bind(org.0).bind(pattern)).await?)
    }

    /// Adds it, or replaces the one of its pattern.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn put_model_override(&mut self, row: &ModelOverrideRow) -> Result<(), StoreError> {
        let put = sql(PUT)
            .bind(row.org_id.0)
            .bind(row.model_pattern.as_str())
            .bind(row.model_provider.as_deref())
            .bind(row.capabilities.as_deref().map(json_list))
            .bind(row.reasoning_mode.as_deref())
            .bind(row.efforts.as_deref().map(json_list))
            .bind(row.context_tokens)
            .bind(row.max_output_tokens)
            .bind(row.created_at.0)
            .bind(row.updated_at.0);
        self.execute(put).await?;
        Ok(())
    }

    /// Removes that of one pattern; answers whether there was one.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_model_override(
        &mut self,
        org: OrgId,
        pattern: &str,
    ) -> Result<bool, StoreError> {
        Ok(self.execute(sql(DELETE).bind(org.0).bind(pattern)).await? > 0)
    }
}

impl Record for ModelOverrideRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            org_id: found.id("org_id", OrgId)?,
            model_pattern: found.get("model_pattern")?,
            model_provider: found.get("model_provider")?,
            capabilities: found.json_opt("capabilities")?,
            reasoning_mode: found.get("reasoning_mode")?,
            efforts: found.json_opt("efforts")?,
            context_tokens: found.count_opt("context_tokens")?,
            max_output_tokens: found.count_opt("max_output_tokens")?,
            created_at: found.time("created_at")?,
            updated_at: found.time("updated_at")?,
        })
    }
}

//! Alert webhooks.

use super::{
    StoreError, Tx, WebhookRow,
    record::{Found, Record},
    statement::{Statement, sql},
};
use crate::domain::{OrgId, WebhookId};

const LIST: &str = "SELECT * FROM alert_webhooks WHERE org_id = $1 ORDER BY name";
const GET: &str = "SELECT * FROM alert_webhooks WHERE org_id = $1 AND id = $2";
const INSERT: &str =
    "INSERT INTO alert_webhooks (org_id, id, name, url, events, enabled, updated_at,
        sealed, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const UPDATE: &str = "UPDATE alert_webhooks SET name = $3, url = $4, events = $5, enabled = $6,
        updated_at = $7
    WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM alert_webhooks WHERE org_id = $1 AND id = $2";

impl Tx {
    /// The organization's webhooks, by name.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn webhooks(&mut self, org: OrgId) -> Result<Vec<WebhookRow>, StoreError> {
        Ok(self.all(sql(LIST).bind(org.0)).await?)
    }

    /// One webhook.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn webhook(
        &mut self,
        org: OrgId,
        id: WebhookId,
    ) -> Result<Option<WebhookRow>, StoreError> {
        Ok(self.optional(sql(GET).bind(org.0).bind(id.0)).await?)
    }

    /// Adds a webhook.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another has its name.
    pub async fn insert_webhook(&mut self, new: &WebhookRow) -> Result<(), StoreError> {
        let insert = bound(INSERT, new).bind(new.sealed.as_slice()).bind(new.created_at.0);
        self.execute(insert).await?;
        Ok(())
    }

    /// Replaces what can change of a webhook: all but its key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another has its name.
    pub async fn update_webhook(&mut self, changed: &WebhookRow) -> Result<(), StoreError> {
        self.execute(bound(UPDATE, changed)).await?;
        Ok(())
    }

    /// Removes a webhook and what was yet to be told to it; answers whether there was one.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_webhook(&mut self, org: OrgId, id: WebhookId) -> Result<bool, StoreError> {
        Ok(self.execute(sql(DELETE).bind(org.0).bind(id.0)).await? > 0)
    }
}

fn bound(text: &'static str, row: &WebhookRow) -> Statement {
    sql(text)
        .bind(row.org_id.0)
        .bind(row.id.0)
        .bind(row.name.as_str())
        .bind(row.url.as_str())
        .bind(serde_json::json!(row.events).to_string())
        .bind(row.enabled)
        .bind(row.updated_at.0)
}

impl Record for WebhookRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: found.id("id", WebhookId)?,
            org_id: found.id("org_id", OrgId)?,
            name: found.get("name")?,
            url: found.get("url")?,
            events: found.json("events")?,
            enabled: found.get("enabled")?,
            sealed: found.get("sealed")?,
            created_at: found.time("created_at")?,
            updated_at: found.time("updated_at")?,
        })
    }
}

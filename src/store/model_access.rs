//! Model access policies.

use super::{
    AccessRow, StoreError, Tx,
    record::{Found, Record},
    statement::{Statement, sql},
};
use crate::domain::{AccessPolicyId, OrgId};

const LIST: &str = "SELECT * FROM model_access WHERE org_id = $1 ORDER BY created_at, id";
const GET: &str = "SELECT * FROM model_access WHERE org_id = $1 AND id = $2";
const INSERT: &str =
    "INSERT INTO model_access (org_id, id, name, scope_type, scope_id, scope_value,
        policy_type, targets, traffic_type, enabled, updated_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const UPDATE: &str = "UPDATE model_access SET name = $3, scope_type = $4, scope_id = $5,
        scope_value = $6, policy_type = $7, targets = $8, traffic_type = $9, enabled = $10,
        updated_at = $11
    WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM model_access WHERE org_id = $1 AND id = $2";

impl Tx {
    /// The organization's access policies, oldest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn access_policies(&mut self, org: OrgId) -> Result<Vec<AccessRow>, StoreError> {
        Ok(self.all(sql(LIST).bind(org.0)).await?)
    }

    /// One access policy.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn access_policy(
        &mut self,
        org: OrgId,
        id: AccessPolicyId,
    ) -> Result<Option<AccessRow>, StoreError> {
        Ok(self.optional(sql(GET).bind(org.0).bind(id.0)).await?)
    }

    /// Adds an access policy.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn insert_access_policy(&mut self, new: &AccessRow) -> Result<(), StoreError> {
        self.execute(bound(INSERT, new).bind(new.created_at.0)).await?;
        Ok(())
    }

    /// Replaces all of an access policy.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn update_access_policy(&mut self, changed: &AccessRow) -> Result<(), StoreError> {
        self.execute(bound(UPDATE, changed)).await?;
        Ok(())
    }

    /// Removes an access policy; answers whether there was one.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_access_policy(
        &mut self,
        org: OrgId,
        id: AccessPolicyId,
    ) -> Result<bool, StoreError> {
        Ok(self.execute(sql(DELETE).bind(org.0).bind(id.0)).await? > 0)
    }
}

fn bound(text: &'static str, row: &AccessRow) -> Statement {
    sql(text)
        .bind(row.org_id.0)
        .bind(row.id.0)
        .bind(row.name.as_str())
        .bind(row.scope.kind.as_str())
        .bind(row.scope.id)
        .bind(row.scope.value.as_deref())
        .bind(row.kind.as_str())
        .bind(serde_json::json!(row.targets).to_string())
        .bind(row.traffic.as_str())
        .bind(row.enabled)
        .bind(row.updated_at.0)
}

impl Record for AccessRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: found.id("id", AccessPolicyId)?,
            org_id: found.id("org_id", OrgId)?,
            name: found.get("name")?,
            scope: found.scope()?,
            kind: found.word("policy_type")?,
            targets: found.json("targets")?,
            traffic: found.word("traffic_type")?,
            enabled: found.get("enabled")?,
            created_at: found.time("created_at")?,
            updated_at: found.time("updated_at")?,
        })
    }
}

//! Budgets.

use super::{
    BudgetRow, StoreError, Tx,
    record::{Found, Record},
    statement::{Statement, sql},
};
use crate::domain::{BudgetId, BudgetTarget, Money, OrgId, ProviderId};

const LIST: &str = "SELECT * FROM budgets WHERE org_id = $1 ORDER BY created_at, id";
const GET: &str = "SELECT * FROM budgets WHERE org_id = $1 AND id = $2";
const INSERT: &str = "INSERT INTO budgets (org_id, id, name, period, token_limit, cost_limit,
        alert_thresholds, action_on_exhaust, traffic_type, enabled, strict, updated_at,
        scope_type, scope_id, scope_value, target_provider_id, target_upstream_model,
        target_model_alias, currency, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20)";
const UPDATE: &str = "UPDATE budgets SET name = $3, period = $4, token_limit = $5, cost_limit = $6,
        alert_thresholds = $7, action_on_exhaust = $8, traffic_type = $9, enabled = $10,
        strict = $11, updated_at = $12
    WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM budgets WHERE org_id = $1 AND id = $2";

impl Tx {
    /// The organization's budgets, oldest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn budgets(&mut self, org: OrgId) -> Result<Vec<BudgetRow>, StoreError> {
        Ok(self.all(sql(LIST).bind(org.0)).await?)
    }

    /// One budget.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn budget(
        &mut self,
        org: OrgId,
        id: BudgetId,
    ) -> Result<Option<BudgetRow>, StoreError> {
        Ok(self.optional(sql(GET).bind(org.0).bind(id.0)).await?)
    }

    /// Adds a budget.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another has its scope, target, lane and period.
    pub async fn insert_budget(&mut self, new: &BudgetRow) -> Result<(), StoreError> {
        let insert = bound(INSERT, new)
            .bind(new.scope.kind.as_str())
            .bind(new.scope.id)
            .bind(new.scope.value.as_deref())
            .bind(new.target.provider.map(|id| id.0))
            .bind(new.target.upstream_model.as_deref())
            .bind(new.target.model_alias.as_deref())
            .bind(new.currency.as_str())
            .bind(new.created_at.0);
        self.execute(insert).await?;
        Ok(())
    }

    /// Replaces what can change of a budget: all but scope, target and currency.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another has its scope, target, lane and period.
    pub async fn update_budget(&mut self, changed: &BudgetRow) -> Result<(), StoreError> {
        self.execute(bound(UPDATE, changed)).await?;
        Ok(())
    }

    /// Removes a budget; answers whether there was one.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_budget(&mut self, org: OrgId, id: BudgetId) -> Result<bool, StoreError> {
        Ok(self.execute(sql(DELETE).bind(org.0).bind(id.0)).await? > 0)
    }
}

fn bound(text: &'static str, row: &BudgetRow) -> Statement {
    sql(text)
        .bind(row.org_id.0)
        .bind(row.id.0)
        .bind(row.name.as_str())
        .bind(row.period.as_str())
        .bind(row.token_limit)
        .bind(row.cost_limit.map(|limit| limit.0))
        .bind(serde_json::json!(row.alert_thresholds).to_string())
        .bind(row.action.as_str())
        .bind(row.traffic.as_str())
        .bind(row.enabled)
        .bind(row.strict)
        .bind(row.updated_at.0)
}

impl Record for BudgetRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: found.id("id", BudgetId)?,
            org_id: found.id("org_id", OrgId)?,
            name: found.get("name")?,
            scope: found.scope()?,
            target: BudgetTarget {
                provider: found.id_opt("target_provider_id", ProviderId)?,
                upstream_model: found.get("target_upstream_model")?,
                model_alias: found.get("target_model_alias")?,
            },
            period: found.word("period")?,
            token_limit: found.get("token_limit")?,
            cost_limit: found.get::<Option<i64>>("cost_limit")?.map(Money),
            currency: found.get("currency")?,
            alert_thresholds: found.json("alert_thresholds")?,
            action: found.word("action_on_exhaust")?,
            traffic: found.word("traffic_type")?,
            enabled: found.get("enabled")?,
            strict: found.get("strict")?,
            created_at: found.time("created_at")?,
            updated_at: found.time("updated_at")?,
        })
    }
}

//! The organization's switches.

use super::{
    GovernanceRow, StoreError, Tx,
    record::{Found, Record},
    statement::sql,
};
use crate::domain::OrgId;

const GET: &str = "SELECT require_pricing_for_mappings FROM governance_config WHERE org_id = $1";
const PUT: &str = "INSERT INTO governance_config (org_id, require_pricing_for_mappings)
    VALUES ($1, $2) ON CONFLICT (org_id)
    DO UPDATE SET require_pricing_for_mappings = excluded.require_pricing_for_mappings";

impl Tx {
    /// The switches; the defaults where none was ever set.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn governance(&mut self, org: OrgId) -> Result<GovernanceRow, StoreError> {
        Ok(self.optional(sql(GET).bind(org.0)).await?.unwrap_or_default())
    }

    /// Sets the switches.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn set_governance(
        &mut self,
        org: OrgId,
        row: GovernanceRow,
    ) -> Result<(), StoreError> {
        self.execute(sql(PUT).bind(org.0).bind(row.require_pricing_for_mappings)).await?;
        Ok(())
    }
}

impl Record for GovernanceRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self { require_pricing_for_mappings: found.get("require_pricing_for_mappings")? })
    }
}

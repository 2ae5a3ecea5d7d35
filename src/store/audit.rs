//! Reading the audit log, newest first, in pages. Writing is in [`super::changes`]; nothing deletes.

use uuid::Uuid;

use super::{
    ChangeRow, Store, StoreError, listing,
    record::{Found, Record, unreadable},
    statement::sql,
};
use crate::domain::{OrgId, Timestamp, UserId};

/// Where a page ended: the next holds what is older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditPosition {
    /// Time of the last entry.
    pub ts: Timestamp,
    /// Its id, which orders entries of one moment.
    pub id: Uuid,
}

/// Which entries; what is none does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// At or after.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// By the user of this id.
    pub actor: Option<UserId>,
    /// By whoever was known by this name then.
    pub actor_name: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// The kind of thing.
    pub resource: Option<String>,
    /// The thing.
    pub resource_id: Option<Uuid>,
}

/// A change with the id of its entry.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    /// Of the entry.
    pub id: Uuid,
    /// What happened.
    pub change: ChangeRow,
}

const PAGE: &str = "SELECT id, org_id, ts, actor_id, actor_name, action, resource, resource_id,
        before, after, request_id FROM audit_log
    WHERE org_id = $1 AND ts >= $2 AND (ts, id) < ($3, $4)
        AND ($5 IS NULL OR actor_id = $5)
        AND ($6 IS NULL OR actor_name = $6)
        AND ($7 IS NULL OR action = $7)
        AND ($8 IS NULL OR resource = $8)
        AND ($9 IS NULL OR resource_id = $9)
    ORDER BY ts DESC, id DESC LIMIT $10";

impl Store {
    /// One page of an organization's changes, newest first, and where to go on, if there is more;
    /// `after` is where the last page ended.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn audit(
        &self,
        org: OrgId,
        filter: &AuditFilter,
        after: Option<AuditPosition>,
        limit: u32,
    ) -> Result<(Vec<AuditRow>, Option<AuditPosition>), StoreError> {
        let end = AuditPosition { ts: filter.to.unwrap_or(Timestamp(i64::MAX)), id: Uuid::nil() };
        let before = after.map_or(end, |at| end.min(at));
        let query = sql(PAGE)
            .bind(org.0)
            .bind(filter.from.map_or(i64::MIN, |at| at.0))
            .bind(before.ts.0)
            .bind(before.id)
            .bind(filter.actor.map(|id| id.0))
            .bind(filter.actor_name.clone())
            .bind(filter.action.clone())
            .bind(filter.resource.clone())
            .bind(filter.resource_id)
            .bind(listing::one_more(Some(limit)));
        let mut rows: Vec<AuditRow> = self.readers.all(query).await?;
        let more = listing::cut(&mut rows, Some(limit));
        let last = rows.last().map(|row| AuditPosition { ts: row.change.at, id: row.id });
        Ok((rows, last.filter(|_| more)))
    }
}

impl Record for AuditRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let json = |column| {
            let text = found.get::<Option<String>>(column)?;
            let value = text.map(|text| serde_json::from_str(&text)).transpose();
            value.map_err(|error| unreadable(column, error))
        };
        let change = ChangeRow {
            org: found.id("org_id", OrgId)?,
            actor: found.id_opt("actor_id", UserId)?,
            actor_name: found.get("actor_name")?,
            action: found.get("action")?,
            resource: found.get("resource")?,
            resource_id: found.get("resource_id")?,
            before: json("before")?,
            after: json("after")?,
            request_id: found.get("request_id")?,
            at: found.time("ts")?,
        };
        Ok(Self { id: found.get("id")?, change })
    }
}

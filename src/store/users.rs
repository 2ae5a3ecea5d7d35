//! Users, as tokens present them.

use sqlx::{FromRow, Row as _, sqlite::SqliteRow};
use uuid::Uuid;

use super::{SeenUser, Sighting, Store, StoreError, Tx, UserRow, row};
use crate::domain::{OrgId, Timestamp, UserId};

/// How stale `last_seen_at` may be before a request that changes nothing else writes it: every
/// request of the admin API passes here, and each write waits for the disk.
const SEEN_RESOLUTION_MICROS: i64 = 60_000_000;

const BY_SUBJECT: &str = "SELECT id, org_id, issuer, subject, email, roles, groups, last_seen_at
    FROM users WHERE org_id = $1 AND issuer = $2 AND subject = $3";
const BY_ID: &str = "SELECT id, org_id, issuer, subject, email, roles, groups, last_seen_at
    FROM users WHERE org_id = $1 AND id = $2";
const UPSERT: &str = "INSERT INTO users
    (id, org_id, issuer, subject, email, roles, groups, last_seen_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (org_id, issuer, subject) DO UPDATE SET email = excluded.email,
        roles = excluded.roles, groups = excluded.groups, last_seen_at = excluded.last_seen_at
    RETURNING id, org_id, issuer, subject, email, roles, groups, last_seen_at";

impl Store {
    /// The user of (organization, issuer, subject), created or brought to what was just seen.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn ensure_user(&self, seen: &SeenUser<'_>) -> Result<Sighting, StoreError> {
        let find = || {
            let query = sqlx::query_as(BY_SUBJECT).bind(seen.org.0);
            query.bind(seen.issuer.to_owned()).bind(seen.subject.to_owned())
        };
        if let Some(user) = find().fetch_optional(&self.readers).await?
            && is_current(&user, seen)
        {
            return Ok(Sighting { user, regrouped: false });
        }
        let upsert = sqlx::query_as(UPSERT)
            .bind(Uuid::new_v4())
            .bind(seen.org.0)
            .bind(seen.issuer.to_owned())
            .bind(seen.subject.to_owned())
            .bind(seen.email.map(str::to_owned))
            .bind(row::json_list(seen.roles))
            .bind(row::json_list(seen.groups))
            .bind(seen.at.0);
        let mut tx = self.write().await?;
        // Read again: what comes between would be a change that nobody hears of.
        let before: Option<UserRow> = find().fetch_optional(tx.connection_mut()).await?;
        let user = upsert.fetch_one(tx.connection_mut()).await?;
        tx.commit().await?;
        Ok(Sighting { user, regrouped: before.is_some_and(|user| user.groups != seen.groups) })
    }
}

impl Tx {
    /// One user of the organization.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn user(&mut self, org: OrgId, id: UserId) -> Result<Option<UserRow>, StoreError> {
        let query = sqlx::query_as(BY_ID).bind(org.0).bind(id.0);
        Ok(query.fetch_optional(self.connection_mut()).await?)
    }
}

fn is_current(known: &UserRow, seen: &SeenUser<'_>) -> bool {
    known.email.as_deref() == seen.email
        && known.roles == seen.roles
        && known.groups == seen.groups
        && seen.at.0.saturating_sub(known.last_seen_at.0) < SEEN_RESOLUTION_MICROS
}

impl FromRow<'_, SqliteRow> for UserRow {
    fn from_row(found: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row::id(found, "id", UserId)?,
            org_id: row::id(found, "org_id", OrgId)?,
            issuer: found.try_get("issuer")?,
            subject: found.try_get("subject")?,
            email: found.try_get("email")?,
            roles: row::json(found, "roles")?,
            groups: row::json(found, "groups")?,
            last_seen_at: Timestamp(found.try_get("last_seen_at")?),
        })
    }
}

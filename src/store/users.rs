//! Users, as tokens present them.

use uuid::Uuid;

use super::{
    SeenUser, Sighting, Store, StoreError, Tx, UserRow,
    record::{Found, Record, json_list},
    statement::sql,
};
use crate::domain::{OrgId, UserId};

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
            let query = sql(BY_SUBJECT).bind(seen.org.0);
            query.bind(seen.issuer.to_owned()).bind(seen.subject.to_owned())
        };
        if let Some(user) = self.readers.optional::<UserRow>(find()).await?
            && is_current(&user, seen)
        {
            return Ok(Sighting { user, regrouped: false });
        }
        let upsert = sql(UPSERT)
            .bind(Uuid::new_v4())
            .bind(seen.org.0)
            .bind(seen.issuer.to_owned())
            .bind(seen.subject.to_owned())
            .bind(seen.email.map(str::to_owned))
            .bind(json_list(seen.roles))
            .bind(json_list(seen.groups))
            .bind(seen.at.0);
        let mut tx = self.write().await?;
        // Read again: what comes between would be a change that nobody hears of.
        let before: Option<UserRow> = tx.optional(find()).await?;
        let user = tx.one::<UserRow>(upsert).await?;
        let regrouped = before.is_some_and(|user| user.groups != seen.groups);
        if regrouped {
            tx.mark_keys_of(seen.org, user.id).await?;
            tx.touch(seen.org).await?;
        }
        tx.commit().await?;
        Ok(Sighting { user, regrouped })
    }
}

impl Tx {
    /// One user of the organization.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn user(&mut self, org: OrgId, id: UserId) -> Result<Option<UserRow>, StoreError> {
        let query = sql(BY_ID).bind(org.0).bind(id.0);
        Ok(self.optional(query).await?)
    }
}

fn is_current(known: &UserRow, seen: &SeenUser<'_>) -> bool {
    known.email.as_deref() == seen.email
        && known.roles == seen.roles
        && known.groups == seen.groups
        && seen.at.0.saturating_sub(known.last_seen_at.0) < SEEN_RESOLUTION_MICROS
}

impl Record for UserRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: found.id("id", UserId)?,
            org_id: found.id("org_id", OrgId)?,
            issuer: found.get("issuer")?,
            subject: found.get("subject")?,
            email: found.get("email")?,
            roles: found.json("roles")?,
            groups: found.json("groups")?,
            last_seen_at: found.time("last_seen_at")?,
        })
    }
}

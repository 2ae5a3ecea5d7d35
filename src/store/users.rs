//! Users, as tokens present them.

use uuid::Uuid;

use super::{
    SeenUser, Sighting, Store, StoreError, Tx, UserRow, listing,
    record::{Found, Record, json_list},
    statement::{Statement, sql},
};
use crate::domain::{OrgId, UserId};

/// How stale `last_seen_at` may be before a request that changes nothing else writes it: every
/// request of the admin API passes here, and each write waits for the disk.
const SEEN_RESOLUTION_MICROS: i64 = 60_000_000;

const BY_SUBJECT: &str = "SELECT * FROM users WHERE org_id = $1 AND issuer = $2 AND subject = $3";
const BY_ID: &str = "SELECT * FROM users WHERE org_id = $1 AND id = $2";
const BY_IDS_SQLITE: &str = "SELECT * FROM users WHERE org_id = $1
    AND id IN (SELECT unhex(value) FROM json_each($2)) ORDER BY subject, issuer, id";
const BY_IDS_POSTGRES: &str = "SELECT * FROM users WHERE org_id = $1
    AND id IN (SELECT each::uuid FROM jsonb_array_elements_text($2::text::jsonb) AS each)
    ORDER BY subject, issuer, id";
const LIST: &str = "SELECT * FROM users WHERE org_id = $1 ORDER BY subject, issuer, id";
macro_rules! page {
    ($word_like:literal) => {
        concat!(
            "SELECT * FROM users
             WHERE org_id = $1 AND ($2 IS NULL OR (subject, issuer, id) > ($2, $3, $4))
                AND ($5 IS NULL
                    OR lower(subject) LIKE $5 ESCAPE '!' OR lower(email) LIKE $5 ESCAPE '!' OR ",
            $word_like,
            ") ORDER BY subject, issuer, id LIMIT $6"
        )
    };
}

/// In the order of [`LIST`].
const PAGE_SQLITE: &str = page!(
    "EXISTS (SELECT 1 FROM json_each(COALESCE(groups_override, groups))
            WHERE lower(value) LIKE $5 ESCAPE '!')
        OR EXISTS (SELECT 1 FROM json_each(roles) WHERE lower(value) LIKE $5 ESCAPE '!')"
);
/// No `jsonb` holds a NUL, and a token's list may.
const PAGE_POSTGRES: &str = page!(
    r#"EXISTS (SELECT 1 FROM jsonb_array_elements_text(replace(
                COALESCE(groups_override, groups), '\u0000', '\ufffd')::jsonb) AS word
            WHERE lower(word COLLATE "C") LIKE $5 ESCAPE '!')
        OR EXISTS (SELECT 1 FROM jsonb_array_elements_text(
                replace(roles, '\u0000', '\ufffd')::jsonb) AS word
            WHERE lower(word COLLATE "C") LIKE $5 ESCAPE '!')"#
);
const OVERRIDE: &str = "UPDATE users SET groups_override = $3 WHERE org_id = $1 AND id = $2";
const UPSERT: &str = "INSERT INTO users
    (id, org_id, issuer, subject, email, roles, groups, last_seen_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (org_id, issuer, subject) DO UPDATE SET email = excluded.email,
        roles = excluded.roles, groups = excluded.groups, last_seen_at = excluded.last_seen_at
    RETURNING *";

/// Where a page of users ended: the next holds what comes after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPosition {
    /// Of the last user.
    pub subject: String,
    /// Which orders users of one subject.
    pub issuer: String,
    /// Their id.
    pub id: UserId,
}

impl From<UserRow> for UserPosition {
    fn from(row: UserRow) -> Self {
        Self { subject: row.subject, issuer: row.issuer, id: row.id }
    }
}

impl Store {
    /// The user of (organization, issuer, subject), as last seen.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn user_by_subject(
        &self,
        org: OrgId,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<UserRow>, StoreError> {
        Ok(self.readers.optional(by_subject(org, issuer, subject)).await?)
    }

    /// The user of (organization, issuer, subject), created or brought to what was just seen.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn ensure_user(&self, seen: &SeenUser<'_>) -> Result<Sighting, StoreError> {
        let find = || by_subject(seen.org, seen.issuer, seen.subject);
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
        let regrouped =
            before.is_some_and(|before| before.effective_groups() != user.effective_groups());
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

impl Tx {
    /// Those of these users whom the organization has, by name.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn users_by_id(
        &mut self,
        org: OrgId,
        ids: &[UserId],
    ) -> Result<Vec<UserRow>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = sql(self.engine().pick(BY_IDS_SQLITE, BY_IDS_POSTGRES))
            .bind(org.0)
            .bind(listing::ids(ids.iter().map(|id| id.0)));
        Ok(self.all(query).await?)
    }

    /// Everybody whom a token has presented in the organization, by name.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn users(&mut self, org: OrgId) -> Result<Vec<UserRow>, StoreError> {
        Ok(self.all(sql(LIST).bind(org.0)).await?)
    }

    /// Puts groups in place of those that tokens name, or takes them away. Every replica looks up the
    /// user's keys anew, with [`Tx::touch`] or [`Tx::record`] in the same transaction.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn override_groups(
        &mut self,
        org: OrgId,
        id: UserId,
        groups: Option<&[String]>,
    ) -> Result<(), StoreError> {
        let update = sql(OVERRIDE).bind(org.0).bind(id.0).bind(groups.map(json_list));
        self.execute(update).await?;
        self.mark_keys_of(org, id).await
    }
}

impl Tx {
    /// At most `limit` of those whom a token has presented, by name, and whether there are more;
    /// with `text` in the subject, the e-mail, a role, or a group that counts. `after` is where the
    /// last page ended.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn page_of_users(
        &mut self,
        org: OrgId,
        text: Option<&str>,
        after: Option<&UserPosition>,
        limit: Option<u32>,
    ) -> Result<(Vec<UserRow>, bool), StoreError> {
        let query = sql(self.engine().pick(PAGE_SQLITE, PAGE_POSTGRES))
            .bind(org.0)
            .bind(after.map(|at| at.subject.clone()))
            .bind(after.map(|at| at.issuer.clone()))
            .bind(after.map(|at| at.id.0))
            .bind(text.map(listing::anywhere))
            .bind(listing::one_more(limit));
        let mut rows: Vec<UserRow> = self.all(query).await?;
        let more = listing::cut(&mut rows, limit);
        Ok((rows, more))
    }
}

fn by_subject(org: OrgId, issuer: &str, subject: &str) -> Statement {
    sql(BY_SUBJECT).bind(org.0).bind(issuer.to_owned()).bind(subject.to_owned())
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
            groups_override: found.json_opt("groups_override")?,
            last_seen_at: found.time("last_seen_at")?,
        })
    }
}

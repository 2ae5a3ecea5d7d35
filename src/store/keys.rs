//! Gateway API keys. Only their keyed hash is here.

use uuid::Uuid;

use super::{
    KeyRow, Store, StoreError, Tx, listing,
    record::{Found, Record, json_list},
    statement::sql,
};
use crate::domain::{KeyId, OrgId, Person, Timestamp, UserId};

/// Keys with what their user is: the groups that an administrator gave, else as last seen.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT k.*, COALESCE(u.groups_override, u.groups) AS user_groups,
                u.subject AS person_subject, u.email AS person_email, u.roles AS person_roles
             FROM api_keys k
             LEFT JOIN users u ON u.org_id = k.org_id AND u.id = k.user_id ",
            $rest
        )
    };
}

/// The one statement on tenant data without an organization: the key says which one it is.
const BY_HASH: &str = select!("WHERE k.hash = $1");
const LIST: &str = select!("WHERE k.org_id = $1 ORDER BY k.created_at DESC, k.id");
const OF_USER: &str =
    select!("WHERE k.org_id = $1 AND k.user_id = $2 ORDER BY k.created_at DESC, k.id");
/// In the order of [`LIST`]. `created_at <= $2` walks the index; the rest of the position breaks ties.
const PAGE: &str = select!(
    "WHERE k.org_id = $1 AND k.created_at <= $2 AND (k.created_at < $2 OR k.id > $3)
        AND ($4 IS NULL OR k.user_id = $4)
        AND ($5 IS NULL OR $5 =
            (k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $6)))
        AND ($7 IS NULL
            OR lower(k.name) LIKE $7 ESCAPE '!' OR lower(k.key_prefix) LIKE $7 ESCAPE '!'
            OR lower(k.group_name) LIKE $7 ESCAPE '!' OR lower(k.user_email) LIKE $7 ESCAPE '!'
            OR lower(u.email) LIKE $7 ESCAPE '!' OR lower(u.subject) LIKE $7 ESCAPE '!')
     ORDER BY k.created_at DESC, k.id LIMIT $8"
);
const BY_IDS_SQLITE: &str = select!(
    "WHERE k.org_id = $1 AND k.id IN (SELECT unhex(value) FROM json_each($2))
     ORDER BY k.created_at DESC, k.id"
);
const BY_IDS_POSTGRES: &str = select!(
    "WHERE k.org_id = $1
        AND k.id IN (SELECT each::uuid FROM jsonb_array_elements_text($2::text::jsonb) AS each)
     ORDER BY k.created_at DESC, k.id"
);
const GET: &str = select!("WHERE k.org_id = $1 AND k.id = $2");
const INSERT: &str = "INSERT INTO api_keys (id, org_id, name, key_prefix, hash, created_by_user_id,
        user_id, group_name, scopes, created_at, expires_at, revoked_at, user_email, revision)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
        (SELECT revision + 1 FROM orgs WHERE id = $2))";
const REVOKE: &str = "UPDATE api_keys SET revoked_at = $3,
        revision = (SELECT revision + 1 FROM orgs WHERE id = $1)
    WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL";

/// Marked with the revision that the transaction's own announcement makes.
const MARK_OF_USER: &str = "UPDATE api_keys
    SET revision = (SELECT revision + 1 FROM orgs WHERE id = $1)
    WHERE org_id = $1 AND user_id = $2";
const CHANGED: &str = select!("WHERE k.org_id = $1 AND k.revision > $2");

/// Where a page of keys ended: the next holds what comes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPosition {
    /// When the last key was made.
    pub created_at: Timestamp,
    /// Its id, which orders keys of one moment.
    pub id: KeyId,
}

/// Which keys; what is none does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFilter {
    /// Acting for this user.
    pub user: Option<UserId>,
    /// Whether they work: neither revoked nor expired.
    pub works: Option<bool>,
    /// With this in the name, the first characters, the group, or the user's e-mail or subject.
    pub text: Option<String>,
}

impl Store {
    /// The organization's keys that changed, or whose user did, after that revision.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn keys_changed_after(
        &self,
        org: OrgId,
        revision: i64,
    ) -> Result<Vec<KeyRow>, StoreError> {
        Ok(self.lookups.all(sql(CHANGED).bind(org.0).bind(revision)).await?)
    }

    /// The key with that keyed hash, whatever its state.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError> {
        let query = sql(BY_HASH).bind(hash.to_vec());
        Ok(self.lookups.optional(query).await?)
    }
}

impl Tx {
    /// The organization's keys, newest first, revoked ones too.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn keys(&mut self, org: OrgId) -> Result<Vec<KeyRow>, StoreError> {
        let query = sql(LIST).bind(org.0);
        Ok(self.all(query).await?)
    }

    /// At most `limit` of the organization's keys that the filter names, newest first, and where to go
    /// on, if there is more; `after` is where the last page ended.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn page_of_keys(
        &mut self,
        org: OrgId,
        filter: &KeyFilter,
        after: Option<KeyPosition>,
        limit: Option<u32>,
    ) -> Result<(Vec<KeyRow>, Option<KeyPosition>), StoreError> {
        let (at, id) = after.map_or((i64::MAX, Uuid::nil()), |at| (at.created_at.0, at.id.0));
        let query = sql(PAGE)
            .bind(org.0)
            .bind(at)
            .bind(id)
            .bind(filter.user.map(|id| id.0))
            .bind(filter.works)
            .bind(Timestamp::now().0)
            .bind(filter.text.as_deref().map(listing::anywhere))
            .bind(listing::one_more(limit));
        let mut rows: Vec<KeyRow> = self.all(query).await?;
        let more = listing::cut(&mut rows, limit);
        let last = rows.last().map(|row| KeyPosition { created_at: row.created_at, id: row.id });
        Ok((rows, last.filter(|_| more)))
    }

    /// Those of these keys which the organization has, newest first, revoked ones too.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn keys_by_id(
        &mut self,
        org: OrgId,
        ids: &[KeyId],
    ) -> Result<Vec<KeyRow>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = sql(self.engine().pick(BY_IDS_SQLITE, BY_IDS_POSTGRES))
            .bind(org.0)
            .bind(listing::ids(ids.iter().map(|id| id.0)));
        Ok(self.all(query).await?)
    }

    /// One user's keys, newest first, revoked ones too.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn user_keys(&mut self, org: OrgId, user: UserId) -> Result<Vec<KeyRow>, StoreError> {
        let query = sql(OF_USER).bind(org.0).bind(user.0);
        Ok(self.all(query).await?)
    }

    /// One key.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn key(&mut self, org: OrgId, id: KeyId) -> Result<Option<KeyRow>, StoreError> {
        let query = sql(GET).bind(org.0).bind(id.0);
        Ok(self.optional(query).await?)
    }

    /// Adds a key.
    ///
    /// # Errors
    /// When the database is unavailable, or a user that it names is not of its organization.
    pub async fn insert_key(&mut self, new: &KeyRow) -> Result<(), StoreError> {
        let query = sql(INSERT)
            .bind(new.id.0)
            .bind(new.org_id.0)
            .bind(new.name.clone())
            .bind(new.key_prefix.clone())
            .bind(new.hash.clone())
            .bind(new.created_by_user_id.0)
            .bind(new.user_id.map(|id| id.0))
            .bind(new.group_name.clone())
            .bind(json_list(&new.scopes))
            .bind(new.created_at.0)
            .bind(new.expires_at.map(|at| at.0))
            .bind(new.revoked_at.map(|at| at.0))
            .bind(new.user_email.clone());
        self.execute(query).await?;
        Ok(())
    }

    /// Has every replica look up a user's keys anew, with [`Tx::touch`] or [`Tx::record`] in the same
    /// transaction.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn mark_keys_of(&mut self, org: OrgId, user: UserId) -> Result<(), StoreError> {
        self.execute(sql(MARK_OF_USER).bind(org.0).bind(user.0)).await?;
        Ok(())
    }

    /// Revokes a key; one that is revoked keeps its time.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn revoke_key(
        &mut self,
        org: OrgId,
        id: KeyId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let query = sql(REVOKE).bind(org.0).bind(id.0).bind(at.0);
        self.execute(query).await?;
        Ok(())
    }
}

impl Record for KeyRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let user_groups = found.json_opt("user_groups")?.unwrap_or_default();
        Ok(Self {
            id: found.id("id", KeyId)?,
            org_id: found.id("org_id", OrgId)?,
            name: found.get("name")?,
            key_prefix: found.get("key_prefix")?,
            hash: found.get("hash")?,
            created_by_user_id: found.id("created_by_user_id", UserId)?,
            user_id: found.id_opt("user_id", UserId)?,
            group_name: found.get("group_name")?,
            user_email: found.get("user_email")?,
            scopes: found.json("scopes")?,
            created_at: found.time("created_at")?,
            expires_at: found.time_opt("expires_at")?,
            revoked_at: found.time_opt("revoked_at")?,
            user_groups,
            person: person(found)?,
        })
    }
}

fn person(found: &Found<'_>) -> sqlx::Result<Option<Person>> {
    let Some(subject) = found.get("person_subject")? else { return Ok(None) };
    let roles = found.json_opt("person_roles")?.unwrap_or_default();
    Ok(Some(Person { subject, email: found.get("person_email")?, roles }))
}

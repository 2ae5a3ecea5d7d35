//! Sessions of the console. Only the keyed hash of their cookie is here.

use super::{
    Store, StoreError, UserRow,
    record::{Found, Record, unreadable},
    statement::sql,
};
use crate::domain::{OrgId, Role, Timestamp, UserId};

/// Without an organization: the cookie, which only its holder knows, says which one it is.
const BY_HASH: &str = "SELECT u.*, o.name AS session_org, s.role AS session_role,
        s.used_at AS session_used_at, s.ends_at AS session_ends_at
    FROM console_sessions s
    JOIN users u ON u.org_id = s.org_id AND u.id = s.user_id
    JOIN orgs o ON o.id = s.org_id
    WHERE s.hash = $1 AND s.ends_at > $2 AND s.used_at > $3";
const INSERT: &str = "INSERT INTO console_sessions (hash, org_id, user_id, role, used_at, ends_at)
    VALUES ($1, $2, $3, $4, $5, $6)";
const USED: &str = "UPDATE console_sessions SET used_at = $2 WHERE hash = $1 AND used_at < $2";
const END: &str = "DELETE FROM console_sessions WHERE hash = $1";
const EXPIRE: &str = "DELETE FROM console_sessions WHERE ends_at <= $1 OR used_at <= $2";

/// A session that begins.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Keyed hash of its cookie.
    pub hash: [u8; 32],
    /// Whose organization.
    pub org: OrgId,
    /// Whose.
    pub user: UserId,
    /// What they may do until it ends.
    pub role: Role,
    /// Now.
    pub at: Timestamp,
    /// When it ends, however much it is used.
    pub ends_at: Timestamp,
}

/// A session, and who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Who.
    pub user: UserRow,
    /// Name of their organization.
    pub org_name: String,
    /// What they may do until it ends.
    pub role: Role,
    /// When it was last used, to about a minute.
    pub used_at: Timestamp,
    /// When it ends, however much it is used.
    pub ends_at: Timestamp,
}

impl Store {
    /// The session with that keyed hash, unless its time is over at `now` or it was not used since
    /// `idle_since`.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn session(
        &self,
        hash: &[u8; 32],
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Option<SessionRow>, StoreError> {
        let query = sql(BY_HASH).bind(hash.to_vec()).bind(now.0).bind(idle_since.0);
        Ok(self.lookups.optional(query).await?)
    }

    /// Adds a session.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn insert_session(&self, new: &NewSession) -> Result<(), StoreError> {
        let query = sql(INSERT)
            .bind(new.hash.to_vec())
            .bind(new.org.0)
            .bind(new.user.0)
            .bind(new.role.as_str())
            .bind(new.at.0)
            .bind(new.ends_at.0);
        self.writer.execute(query).await?;
        Ok(())
    }

    /// Notes that a session is used.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn session_used(&self, hash: &[u8; 32], at: Timestamp) -> Result<(), StoreError> {
        self.writer.execute(sql(USED).bind(hash.to_vec()).bind(at.0)).await?;
        Ok(())
    }

    /// Ends a session, if there is one.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn end_session(&self, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.writer.execute(sql(END).bind(hash.to_vec())).await?;
        Ok(())
    }

    /// Removes the sessions that are over, as [`Store::session`] sees it; answers how many.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn expire_sessions(
        &self,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<u64, StoreError> {
        Ok(self.writer.execute(sql(EXPIRE).bind(now.0).bind(idle_since.0)).await?)
    }
}

impl Record for SessionRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let role: String = found.get("session_role")?;
        Ok(Self {
            user: UserRow::read(found)?,
            org_name: found.get("session_org")?,
            role: role.parse().map_err(|error| unreadable("role", error))?,
            used_at: found.time("session_used_at")?,
            ends_at: found.time("session_ends_at")?,
        })
    }
}

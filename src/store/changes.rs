//! What changed: recorded for people, counted and announced for the other replicas.
//!
//! Each organization counts its changes (`revision`). A replica that knows an older number has
//! something to read; it is told at once where the engine can tell (PostgreSQL's `NOTIFY`), and
//! finds out by asking otherwise.

use std::time::Duration;

use serde_json::Value;
use sqlx::postgres::{PgListener, PgPoolOptions};
use uuid::Uuid;

use super::{
    Store, StoreError, Tx,
    pool::{Engine, Pool},
    record::{Found, Record},
    statement::sql,
};
use crate::domain::{OrgId, Timestamp, UserId};

const CHANNEL: &str = "turnpike_changes";
/// How long making a connection for announcements may take.
const LISTEN_PATIENCE: Duration = Duration::from_secs(2);

const COUNT: &str = "UPDATE orgs SET revision = revision + 1 WHERE id = $1";
const ANNOUNCE: &str = "SELECT pg_notify('turnpike_changes', $1) IS NULL";
const REVISIONS: &str = "SELECT id, revision FROM orgs";
const RECORD: &str =
    "INSERT INTO audit_log (id, org_id, ts, actor_id, actor_name, action, resource,
        resource_id, before, after, request_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// One change of an organization's state, as the audit log keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeRow {
    /// Whose state.
    pub org: OrgId,
    /// Who did it; none where the gateway itself acted.
    pub actor: Option<UserId>,
    /// E-mail or subject of whoever did it, for readers.
    pub actor_name: String,
    /// What was done, such as `provider.update`.
    pub action: String,
    /// The kind of thing, such as `provider`.
    pub resource: String,
    /// Which one, if it has an id.
    pub resource_id: Option<Uuid>,
    /// As the API showed it before; none where it is new. Never holds secrets.
    pub before: Option<Value>,
    /// As the API shows it now; none where it is gone. Never holds secrets.
    pub after: Option<Value>,
    /// The request that did it.
    pub request_id: String,
    /// When.
    pub at: Timestamp,
}

impl Tx {
    /// Adds a change to the audit log and announces it with the commit.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn record(&mut self, change: &ChangeRow) -> Result<(), StoreError> {
        let insert = sql(RECORD)
            .bind(Uuid::new_v4())
            .bind(change.org.0)
            .bind(change.at.0)
            .bind(change.actor.map(|id| id.0))
            .bind(change.actor_name.as_str())
            .bind(change.action.as_str())
            .bind(change.resource.as_str())
            .bind(change.resource_id)
            .bind(change.before.as_ref().map(Value::to_string))
            .bind(change.after.as_ref().map(Value::to_string))
            .bind(change.request_id.as_str());
        self.execute(insert).await?;
        self.touch(change.org).await
    }

    /// Announces with the commit that something of the organization changed which the data plane
    /// must learn.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn touch(&mut self, org: OrgId) -> Result<(), StoreError> {
        self.execute(sql(COUNT).bind(org.0)).await?;
        if self.engine() == Engine::Postgres {
            self.optional::<bool>(sql(ANNOUNCE).bind(org.to_string())).await?;
        }
        Ok(())
    }
}

impl Store {
    /// How often each organization has changed.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn revisions(&self) -> Result<Vec<(OrgId, i64)>, StoreError> {
        let rows: Vec<Revision> = self.lookups.all(sql(REVISIONS)).await?;
        Ok(rows.into_iter().map(|row| (row.org, row.revision)).collect())
    }

    /// Announcements of this and other processes; none where the engine makes none.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn announcements(&self) -> Result<Option<Announcements>, StoreError> {
        let Pool::Postgres(sessions) = &self.lookups else { return Ok(None) };
        let listening = tokio::time::timeout(LISTEN_PATIENCE, async {
            // A pool of its own: a connection that hears nothing any more is no loss to the others.
            let options = sessions.pool().connect_options();
            let pool = PgPoolOptions::new()
                .max_connections(1)
                .max_lifetime(None)
                .idle_timeout(None)
                .acquire_timeout(LISTEN_PATIENCE)
                .connect_lazy_with((*options).clone());
            let mut listener = PgListener::connect_with(&pool).await?;
            // Whoever listens makes a lost connection anew, and looks for what was missed.
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            Ok::<_, sqlx::Error>(listener)
        });
        let listener = listening.await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
        Ok(Some(Announcements(listener)))
    }
}

/// A connection on which changes are announced.
pub struct Announcements(PgListener);

impl Announcements {
    /// The organization that changed; none after the connection was lost and made anew: then
    /// anything may have.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn next(&mut self) -> Result<Option<OrgId>, StoreError> {
        let heard = self.0.try_recv().await?;
        Ok(heard.and_then(|said| said.payload().parse().ok()).map(OrgId))
    }
}

struct Revision {
    org: OrgId,
    revision: i64,
}

impl Record for Revision {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self { org: found.id("id", OrgId)?, revision: found.get("revision")? })
    }
}

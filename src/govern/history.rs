//! What the ledger's database knows of the use that policies are about.

use std::sync::Arc;

use uuid::Uuid;

use super::{Amount, Kind};
use crate::domain::{Endpoint, Mark, Money, OrgId, Period, Position, Timestamp};

/// A policy, as far as counters need to know it before a request comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which one.
    pub id: Uuid,
    /// A budget's period; none for a limit per minute.
    pub period: Option<Period>,
    /// A budget's thresholds, percent.
    pub thresholds: Vec<u8>,
    /// A budget's limits.
    pub limits: Limits,
}

/// How much a budget allows in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Tokens; none for no limit.
    pub tokens: Option<u64>,
    /// Money; none for no limit.
    pub cost: Option<Money>,
}

/// A budget and one of its periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term {
    /// Which budget.
    pub policy: Uuid,
    /// When the period began.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
}

/// What the database holds of some budgets, all of it read at one point in time (in one
/// transaction that sees one state).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Up to where it holds each ledger's records.
    pub marks: Vec<Mark>,
    /// What was used, for each of the terms that were asked for, in their order: by each of the
    /// budget's entities ([`super::Counter::entity`]). Entities that used nothing may be left out.
    pub terms: Vec<Vec<(Arc<str>, Amount)>>,
}

/// What a limit's entity has used in one second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Second {
    /// Which limit.
    pub policy: Uuid,
    /// Whose.
    pub entity: Arc<str>,
    /// How many seconds ago.
    pub ago: u32,
    /// Requests that were not denied.
    pub requests: u64,
    /// Their tokens.
    pub tokens: u64,
}

/// What one request has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lately {
    /// Where it went.
    pub alias: String,
    /// What it asked for there.
    pub endpoint: Option<Endpoint>,
    /// What it used.
    pub used: Amount,
}

impl Lately {
    /// What kind of request it was.
    pub(super) fn kind(&self, org: OrgId) -> Kind<'_> {
        Kind { org, alias: &self.alias, endpoint: self.endpoint }
    }
}

/// The database's knowledge is not to be had now.
#[derive(Debug, thiserror::Error)]
#[error("usage history: {0}")]
pub struct HistoryError(pub String);

/// Reads what the database holds of the ledger.
#[async_trait::async_trait]
pub trait History: Send + Sync {
    /// What was used of budgets of an organization in their periods, by the `ts` of records.
    ///
    /// # Errors
    /// When the database is away; it is asked again.
    async fn used(&self, org: OrgId, terms: &[Term]) -> Result<Used, HistoryError>;

    /// Waits a moment for what is kept in this process's ledger to be in the database.
    async fn wait_delivered(&self);

    /// What requests of an organization have used lately, the oldest first, as far as that is in the database: a
    /// sample, so that what others like them will use is known before the first of them comes.
    ///
    /// # Errors
    /// When the database is away; it is asked again.
    async fn lately(&self, org: OrgId) -> Result<Vec<Lately>, HistoryError>;

    /// What was used of these limits per minute in the last 61 seconds. Asked when the process
    /// starts without Redis, be it that none is configured or that it is away.
    ///
    /// # Errors
    /// When the database is away; it is not asked again.
    async fn last_minute(&self, org: OrgId, limits: &[Uuid]) -> Result<Vec<Second>, HistoryError>;

    /// How many replicas there were when that was last noted; one if it never was.
    ///
    /// # Errors
    /// When the database is away; it is asked again.
    async fn replicas(&self) -> Result<u32, HistoryError>;

    /// Notes how many replicas there are.
    ///
    /// # Errors
    /// When the database is away; it is told again.
    async fn note_replicas(&self, count: u32) -> Result<(), HistoryError>;

    /// Up to where the database is known to hold this process's own ledger.
    fn delivered(&self) -> Position;
}

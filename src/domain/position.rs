//! Where a record lies in a ledger, so that counters and database can be told apart exactly.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A ledger: the spool of one process, and of those that take over what it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LedgerId(pub Uuid);

/// A record's place in the order of its ledger; those kept later have higher ones. Zero is before
/// every record.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

/// Up to where the database holds a ledger's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which ledger.
    pub ledger: LedgerId,
    /// The last record that is there, and every one before it.
    pub position: Position,
}

//! The ledger: one record per request, kept before the answer's last byte leaves.
//!
//! [`Ledger::append`] copies a record into a memory-mapped spool (no system call, survives
//! kill -9); [`Ledger::deliver`] moves records in batches into the [`UsageSink`] and drops what it
//! took. A record reaches the sink at least once and is stored there once, by its id.
//!
//! ```text
//! frame    how a record lies in a file          segment  one mapped file of frames
//! state    the order of segments                spool    append under the lock, the bound
//! reader   read back for delivery               keeper   the thread that does the file work
//! recover  what an earlier process left         handle   the public type
//! deliver  batches to the sink, back-off        isolate  find the record that spoils a batch
//! reject   where such a record goes           identity  names of ledgers, positions in them
//! ```
//!
//! It knows nothing of the store but its trait, and nothing of a record but that it is JSON.

mod deliver;
mod frame;
mod handle;
mod identity;
mod isolate;
mod keeper;
mod reader;
mod recover;
mod reject;
mod segment;
#[cfg(test)]
mod simulation_tests;
mod spool;
mod state;
#[cfg(test)]
mod testing;

use bytes::Bytes;

pub use handle::{Backlog, Ledger, Losses, OnFull, Recovered, SpoolError, SpoolFull, SpoolLimits};

use crate::domain::Mark;

/// Where delivered records end up. Storing one twice must be the same as once (by its id).
#[async_trait::async_trait]
pub trait UsageSink: Send + Sync {
    /// Stores a batch of serialized [`crate::domain::UsageRecord`]s, all or nothing.
    ///
    /// # Errors
    /// When the store cannot take it now, or never will; the batch is offered again later.
    async fn store_usage(&self, batch: &[Bytes]) -> Result<(), SinkError>;

    /// Stores a batch, and with it that every record up to `mark` is there: both or neither.
    ///
    /// # Errors
    /// As [`UsageSink::store_usage`].
    async fn store_usage_up_to(&self, batch: &[Bytes], mark: Mark) -> Result<(), SinkError> {
        let _ = mark;
        self.store_usage(batch).await
    }
}

/// The sink does not take a batch.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// It cannot now, whatever the records are.
    #[error("usage store: {0}")]
    Away(String),
    /// Something is wrong with a record.
    #[error("usage store: {0}")]
    Refused(String),
}

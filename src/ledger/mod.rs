//! The ledger: one record per request, kept before the answer's last byte leaves.
//!
//! [`Ledger::append`] copies a record into a memory-mapped spool (no system call, survives
//! kill -9); [`deliver`] moves records in batches into the [`UsageSink`] and drops what it took.

use bytes::Bytes;

/// Where delivered records end up. Storing one twice must be the same as once (by its id).
#[async_trait::async_trait]
pub trait UsageSink: Send + Sync {
    /// Stores a batch of serialized [`crate::domain::UsageRecord`]s, all or nothing.
    ///
    /// # Errors
    /// When the store cannot take it now; the batch is offered again later.
    async fn store_usage(&self, batch: &[Bytes]) -> Result<(), SinkError>;
}

/// The sink cannot take a batch now.
#[derive(Debug, thiserror::Error)]
#[error("usage store: {0}")]
pub struct SinkError(pub String);

//! What the mock vendor has seen: the bench checks its own figures, and the gateway, against it.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

/// Counts since the mock's start.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Plain requests answered with 200.
    pub plain: u64,
    /// Streams begun.
    pub streams: u64,
    /// Streams that reached their end.
    pub streams_finished: u64,
    /// Idle streams begun.
    pub idle: u64,
    /// Requests answered with 503.
    pub failed: u64,
    /// Body bytes read.
    pub body_bytes: u64,
    /// Requests that came with a caller's key, which no gateway may pass on.
    pub caller_keys: u64,
    /// Requests whose model was still the caller's alias.
    pub aliases: u64,
    /// Requests that could not be read.
    pub unreadable: u64,
}

impl Counters {
    /// What was counted since `before`.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            plain: self.plain - before.plain,
            streams: self.streams - before.streams,
            streams_finished: self.streams_finished - before.streams_finished,
            idle: self.idle - before.idle,
            failed: self.failed - before.failed,
            body_bytes: self.body_bytes - before.body_bytes,
            caller_keys: self.caller_keys - before.caller_keys,
            aliases: self.aliases - before.aliases,
            unreadable: self.unreadable - before.unreadable,
        }
    }
}

thread_local! {
    /// The mock runs on one thread, so its counters need no lock.
    static SEEN: RefCell<Counters> = RefCell::default();
}

/// Changes the counters of this thread's mock.
pub fn count(change: impl FnOnce(&mut Counters)) {
    SEEN.with_borrow_mut(change);
}

/// The counters as JSON.
pub fn as_json() -> String {
    SEEN.with_borrow(|seen| serde_json::to_string(seen).unwrap_or_default())
}

//! What an attempt's end says about its route.

use std::time::Duration;

use crate::{domain::AttemptOutcome, route::Failure};

/// What an attempt's end says about its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The vendor answered.
    Good,
    /// The vendor failed, or refused the gateway's own credential.
    Bad,
    /// 429 once its retries were spent, with the vendor's Retry-After.
    RateLimited(Option<Duration>),
    /// 529: the vendor has too much to do.
    Overloaded,
    /// Nothing: it was the caller's doing.
    Neither,
}

impl Verdict {
    /// Reads it off an attempt's end. A client's fault says nothing of the vendor, so it never ejects.
    #[must_use]
    pub fn of(end: &Failure) -> Self {
        match end.outcome {
            AttemptOutcome::Ok => Self::Good,
            AttemptOutcome::ClientError | AttemptOutcome::ClientGone => Self::Neither,
            AttemptOutcome::RateLimited => Self::RateLimited(end.retry_after),
            AttemptOutcome::UpstreamError if end.overloaded => Self::Overloaded,
            AttemptOutcome::AuthFailed
            | AttemptOutcome::UpstreamError
            | AttemptOutcome::NetworkError
            | AttemptOutcome::TlsError
            | AttemptOutcome::Timeout => Self::Bad,
        }
    }
}

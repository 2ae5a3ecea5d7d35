//! Why an attempt failed.

use std::time::Duration;

use crate::domain::AttemptOutcome;

/// The status of a vendor that has too much to do, <https://docs.claude.com/en/api/errors>.
pub const OVERLOADED: u16 = 529;

/// A failed attempt: what it was, what the vendor said, how long it asked to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The class.
    pub outcome: AttemptOutcome,
    /// The vendor's status, if one came.
    pub status: Option<u16>,
    /// The vendor's Retry-After.
    pub retry_after: Option<Duration>,
    /// In the gateway's own words: fit for logs and records.
    pub message: String,
    /// In the vendor's words, without the credential. They may repeat the prompt, so they are for the
    /// caller alone.
    pub said: Option<String>,
    /// Whether the vendor said that it has too much to do (529), in whatever form.
    pub overloaded: bool,
    /// Whether it happened on a connection that had served before, ahead of any byte of an answer.
    pub stale_connection: bool,
    /// Whether no connection came about with the address that was tried.
    pub unreached: bool,
}

impl Failure {
    /// A failure without a status.
    #[must_use]
    pub fn of(outcome: AttemptOutcome, message: impl Into<String>) -> Self {
        Self {
            outcome,
            status: None,
            retry_after: None,
            message: message.into(),
            said: None,
            overloaded: false,
            stale_connection: false,
            unreached: false,
        }
    }

    /// An attempt that the caller's request made impossible.
    #[must_use]
    pub fn callers(message: &str) -> Self {
        Self::of(AttemptOutcome::ClientError, message)
    }

    /// Judges a status line: `None` means that the answer is the client's (contract 4.3).
    #[must_use]
    pub fn of_status(status: u16, retry_after: Option<Duration>) -> Option<Self> {
        let outcome = match status {
            429 => AttemptOutcome::RateLimited,
            401 | 403 => AttemptOutcome::AuthFailed,
            // Redirects are never followed, so one is no answer.
            300..=399 | 500.. => AttemptOutcome::UpstreamError,
            _ => return None,
        };
        Some(Self { retry_after, ..Self::of_vendor(outcome, status) })
    }

    /// What the vendor told with a status.
    #[must_use]
    pub fn of_vendor(outcome: AttemptOutcome, status: u16) -> Self {
        let message = match outcome {
            AttemptOutcome::AuthFailed => {
                format!("the vendor refused the gateway's credential ({status})")
            }
            _ => format!("the vendor answered {status}"),
        };
        let overloaded = status == OVERLOADED;
        Self { status: Some(status), overloaded, ..Self::of(outcome, message) }
    }

    /// The same failure, of which it became known what status the model had behind its platform.
    #[must_use]
    pub fn with_model_status(mut self, status: u16) -> Self {
        self.overloaded |= status == OVERLOADED;
        self.outcome = match status {
            429 => AttemptOutcome::RateLimited,
            400..=499 => AttemptOutcome::ClientError,
            _ => self.outcome,
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_the_callers_fault_fails_over() {
        for (status, outcome) in [
            (429, Some(AttemptOutcome::RateLimited)),
            (401, Some(AttemptOutcome::AuthFailed)),
            (403, Some(AttemptOutcome::AuthFailed)),
            (500, Some(AttemptOutcome::UpstreamError)),
            (529, Some(AttemptOutcome::UpstreamError)),
            (302, Some(AttemptOutcome::UpstreamError)),
            (200, None),
            (400, None),
            (404, None),
            (408, None),
            (413, None),
            (422, None),
        ] {
            assert_eq!(Failure::of_status(status, None).map(|f| f.outcome), outcome, "{status}");
        }
    }
}

//! What the answer to a probe means, in our own words: nothing of a vendor's text is kept.

use http::StatusCode;

use crate::net::FetchError;

/// `health_status`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing is known, or the answer told nothing.
    Unverified,
    /// Reached, and the key was taken.
    Healthy,
    /// Not reached, or the key was refused.
    Unhealthy,
}

impl Status {
    /// As the API and the store write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The state.
    pub status: Status,
    /// Why, for people; none where there is nothing to explain.
    pub detail: Option<String>,
}

impl Verdict {
    pub(super) fn new(status: Status, detail: impl Into<String>) -> Self {
        Self { status, detail: Some(detail.into()) }
    }

    pub(super) const fn healthy() -> Self {
        Self { status: Status::Healthy, detail: None }
    }
}

/// Only a refused key and an address that cannot be reached keep requests away. Whatever else a list
/// of models is answered with says nothing of completions: a server may have no such list, or be short
/// of breath for a moment, which failover deals with.
pub(super) fn judge(answer: Result<StatusCode, FetchError>) -> Verdict {
    let status = match answer {
        Ok(status) => status,
        Err(error) => return unanswered(error),
    };
    let code = status.as_u16();
    match code {
        200..=299 => Verdict::healthy(),
        401 | 403 => Verdict::new(
            Status::Unhealthy,
            format!("the vendor refused the credential ({code}); replace it"),
        ),
        300..=399 => Verdict::new(
            Status::Unverified,
            format!("base_url answered with a redirect ({code}), which is not followed"),
        ),
        404 | 405 => Verdict::new(
            Status::Unverified,
            format!("reached, but it has no list of models to try the credential on ({code})"),
        ),
        429 => {
            Verdict::new(Status::Unverified, "reached, but the vendor was asked too often (429)")
        }
        _ => Verdict::new(
            Status::Unverified,
            format!("reached, but its list of models was answered with {code}"),
        ),
    }
}

/// What came of an answer that was not had: whoever was connected to was reached.
fn unanswered(error: FetchError) -> Verdict {
    if error == FetchError::Timeout {
        let detail = "reached, but its list of models was not answered in time";
        return Verdict::new(Status::Unverified, detail);
    }
    Verdict::new(Status::Unhealthy, unreached(error))
}

fn unreached(error: FetchError) -> String {
    match error {
        FetchError::Denied => {
            "base_url leads to an address that upstream.deny_addresses forbids".to_owned()
        }
        other => format!("base_url cannot be used: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(code: u16) -> Status {
        judge(Ok(StatusCode::from_u16(code).unwrap())).status
    }

    #[test]
    fn a_refused_key_and_an_unreached_address_are_unhealthy_and_nothing_else_is() {
        for code in [200, 204] {
            assert_eq!(judge(Ok(StatusCode::from_u16(code).unwrap())), Verdict::healthy());
        }
        for code in [401, 403] {
            assert_eq!(status_of(code), Status::Unhealthy, "{code}");
        }
        for code in [301, 400, 404, 405, 418, 429, 500, 502, 503, 529] {
            assert_eq!(status_of(code), Status::Unverified, "{code}");
        }
        let verdict = judge(Err(FetchError::Timeout));
        assert_eq!(verdict.status, Status::Unverified);
        assert!(verdict.detail.unwrap().starts_with("reached, but"));
        for error in [FetchError::Denied, FetchError::Unresolved, FetchError::Unreached] {
            let verdict = judge(Err(error));
            assert_eq!(verdict.status, Status::Unhealthy);
            assert!(verdict.detail.unwrap().contains("base_url"));
        }
    }
}

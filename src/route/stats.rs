//! How routes have done lately: the measure behind a choice among equals.

use std::time::Duration;

use crate::domain::AttemptOutcome;

/// One bucket of the window.
const BUCKET_SECS: u64 = 60;
/// Buckets of the window: five minutes.
const BUCKETS: usize = 5;

/// How one route has done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// Share of attempts that the vendor answered, 0 to 1; none where there were none.
    pub uptime: Option<f64>,
    /// Mean time to the answer's first byte, milliseconds; none where there was none.
    pub latency_ms: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// Its number since the start.
    minute: u64,
    answered: u32,
    failed: u32,
    waited: Duration,
    timed: u32,
}

/// What became of a route's attempts in the last minutes, in this process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    buckets: [Bucket; BUCKETS],
}

impl Window {
    /// Notes the end of an attempt. What is the caller's doing says nothing of the vendor.
    pub(super) fn note(
        &mut self,
        outcome: AttemptOutcome,
        latency: Option<Duration>,
        now: Duration,
    ) {
        let answered = match outcome {
            AttemptOutcome::Ok => true,
            AttemptOutcome::ClientError | AttemptOutcome::ClientGone => return,
            AttemptOutcome::RateLimited
            | AttemptOutcome::AuthFailed
            | AttemptOutcome::UpstreamError
            | AttemptOutcome::NetworkError
            | AttemptOutcome::TlsError
            | AttemptOutcome::Timeout => false,
        };
        let bucket = self.bucket(minute(now));
        if answered {
            bucket.answered = bucket.answered.saturating_add(1);
        } else {
            bucket.failed = bucket.failed.saturating_add(1);
        }
        if let Some(latency) = latency {
            bucket.waited += latency;
            bucket.timed = bucket.timed.saturating_add(1);
        }
    }

    /// Whether anything happened in the window that ends now.
    pub(super) fn lives(&self, now: Duration) -> bool {
        self.recent(minute(now)).next().is_some()
    }

    /// How the route has done in the window that ends now.
    pub(super) fn standing(&self, now: Duration) -> Standing {
        let (mut answered, mut failed, mut timed) = (0_u32, 0_u32, 0_u32);
        let mut waited = Duration::ZERO;
        for bucket in self.recent(minute(now)) {
            answered = answered.saturating_add(bucket.answered);
            failed = failed.saturating_add(bucket.failed);
            timed = timed.saturating_add(bucket.timed);
            waited += bucket.waited;
        }
        let all = answered.saturating_add(failed);
        Standing {
            uptime: (all > 0).then(|| f64::from(answered) / f64::from(all)),
            latency_ms: (timed > 0).then(|| waited.as_secs_f64() * 1000.0 / f64::from(timed)),
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "below BUCKETS")]
    fn bucket(&mut self, minute: u64) -> &mut Bucket {
        let bucket = &mut self.buckets[(minute % BUCKETS as u64) as usize];
        if bucket.minute != minute {
            *bucket = Bucket { minute, ..Bucket::default() };
        }
        bucket
    }

    fn recent(&self, minute: u64) -> impl Iterator<Item = &Bucket> {
        let known =
            move |bucket: &&Bucket| bucket.minute > 0 && bucket.minute + (BUCKETS as u64) > minute;
        self.buckets.iter().filter(known)
    }
}

/// Its number, from 1: an untouched bucket is of none.
const fn minute(now: Duration) -> u64 {
    now.as_secs() / BUCKET_SECS + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_known_by_its_last_five_minutes() {
        let mut window = Window::default();
        let at = Duration::from_secs;
        assert_eq!(window.standing(at(0)), Standing::default());
        let mut note = |outcome, latency: Option<u64>, secs| {
            window.note(outcome, latency.map(Duration::from_millis), at(secs));
            window
        };
        note(AttemptOutcome::Ok, Some(100), 0);
        note(AttemptOutcome::Ok, Some(300), 30);
        note(AttemptOutcome::Timeout, None, 61);
        note(AttemptOutcome::UpstreamError, None, 62);
        let noted = note(AttemptOutcome::ClientError, Some(9), 62);
        let expected = Standing { uptime: Some(0.5), latency_ms: Some(200.0) };
        assert_eq!(noted.standing(at(62)), expected);
        assert_eq!(noted.standing(at(310)).uptime, Some(0.0), "the first minute is over");
        assert_eq!(noted.standing(at(400)), Standing::default());
        let noted = note(AttemptOutcome::Ok, None, 401);
        assert_eq!(noted.standing(at(401)).uptime, Some(1.0));
    }
}

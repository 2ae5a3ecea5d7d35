//! A bound on what a route is sent beyond its requests.
//!
//! Retries in place, and failovers to a route that is failing, are extra load on a vendor that has
//! trouble already. Of each route's attempts within a second at most a fifth of its requests may be extra,
//! or ten, if that is more: a quiet route may retry as it is told to, a busy one never gets more than 1.2
//! times its load. The budget is each route's own, because the load is: one vendor's trouble spends
//! nothing of what another one's retries are allowed.

use std::time::Duration;

/// One part of the second.
const PART_MS: u128 = 100;
const PARTS: usize = 10;
/// Requests for which one extra attempt is allowed.
const REQUESTS_PER_EXTRA: u32 = 5;
/// Extra attempts in a second that are always allowed.
const LEAST: u32 = 10;

#[derive(Clone, Copy, Debug, Default)]
struct Part {
    number: u64,
    requests: u32,
    extra: u32,
}

/// Requests and extra attempts of the last second.
#[derive(Clone, Copy, Debug, Default)]
pub struct RetryBudget {
    parts: [Part; PARTS],
}

impl RetryBudget {
    /// Counts a request's attempt.
    pub fn request(&mut self, now: Duration) {
        let part = self.part(now);
        part.requests = part.requests.saturating_add(1);
    }

    /// Whether an extra attempt is allowed; then it counts.
    pub fn spend(&mut self, now: Duration) -> bool {
        let (requests, extra) = self.sums(now);
        let allowed = extra < (requests / REQUESTS_PER_EXTRA).max(LEAST);
        if allowed {
            let part = self.part(now);
            part.extra = part.extra.saturating_add(1);
        }
        allowed
    }

    fn sums(&self, now: Duration) -> (u32, u32) {
        let last = number(now);
        let first = last.saturating_sub(PARTS as u64 - 1).max(1);
        let parts = self.parts.iter().filter(|part| (first..=last).contains(&part.number));
        parts.fold((0, 0), |(requests, extra), part| {
            (requests.saturating_add(part.requests), extra.saturating_add(part.extra))
        })
    }

    #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "below PARTS")]
    fn part(&mut self, now: Duration) -> &mut Part {
        let number = number(now);
        let part = &mut self.parts[(number % PARTS as u64) as usize];
        if part.number != number {
            *part = Part { number, ..Part::default() };
        }
        part
    }
}

/// From 1: an untouched part is of no time.
fn number(now: Duration) -> u64 {
    u64::try_from(now.as_millis() / PART_MS).unwrap_or(u64::MAX - 1) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(budget: &mut RetryBudget, wanted: u32, at: Duration) -> u32 {
        (0..wanted).map(|_| u32::from(budget.spend(at))).sum()
    }

    #[test]
    fn a_quiet_route_may_retry_ten_times_a_second() {
        let mut budget = RetryBudget::default();
        assert_eq!(spent(&mut budget, 50, Duration::ZERO), 10);
        assert_eq!(spent(&mut budget, 50, Duration::from_millis(999)), 0);
        assert_eq!(spent(&mut budget, 50, Duration::from_millis(1000)), 10);
    }

    #[test]
    fn a_busy_route_gets_a_fifth_of_its_requests_on_top() {
        let mut budget = RetryBudget::default();
        for ms in 0..1000 {
            budget.request(Duration::from_millis(ms));
        }
        assert_eq!(spent(&mut budget, 900, Duration::from_millis(999)), 200);
        assert_eq!(spent(&mut budget, 900, Duration::from_secs(60)), 10);
    }

    #[test]
    fn a_clock_that_is_set_back_neither_locks_nor_opens_it() {
        let mut budget = RetryBudget::default();
        assert_eq!(spent(&mut budget, 50, Duration::from_secs(3600)), 10);
        assert_eq!(spent(&mut budget, 50, Duration::from_secs(1)), 10);
    }
}

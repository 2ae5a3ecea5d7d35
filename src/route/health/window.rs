//! How many of a route's latest attempts failed.

use std::time::Duration;

/// Parts of a window: what is forgotten at once.
const PARTS: usize = 12;

#[derive(Clone, Copy, Debug, Default)]
struct Part {
    /// Its number since the clock's start, from 1: an untouched part is of no time.
    number: u64,
    attempts: u32,
    failures: u32,
}

/// Attempts and failures of a rolling window. It forgets a twelfth of itself at a time, so that what it
/// sums up is never older than its length.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    parts: [Part; PARTS],
}

impl Window {
    /// Notes an attempt that ended at `now`, in a window of `length`.
    #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "below PARTS")]
    pub fn note(&mut self, failed: bool, now: Duration, length: Duration) {
        let number = number(now, length);
        let part = &mut self.parts[(number % PARTS as u64) as usize];
        if part.number != number {
            *part = Part { number, ..Part::default() };
        }
        part.attempts = part.attempts.saturating_add(1);
        part.failures = part.failures.saturating_add(u32::from(failed));
    }

    /// Attempts, and how many of them failed, in the window of `length` that ends at `now`. What a clock
    /// that was set back leaves in the future does not count.
    #[must_use]
    pub fn sums(&self, now: Duration, length: Duration) -> (u32, u32) {
        let last = number(now, length);
        let first = last.saturating_sub(PARTS as u64 - 1).max(1);
        let parts = self.parts.iter().filter(|part| (first..=last).contains(&part.number));
        parts.fold((0, 0), |(attempts, failures), part| {
            (attempts.saturating_add(part.attempts), failures.saturating_add(part.failures))
        })
    }
}

fn number(now: Duration, length: Duration) -> u64 {
    let part = (length.as_millis() / PARTS as u128).max(1);
    u64::try_from(now.as_millis() / part).unwrap_or(u64::MAX - 1) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn an_attempt_counts_for_nearly_a_window_and_never_longer() {
        let mut window = Window::default();
        window.note(true, at(4), MINUTE);
        window.note(false, at(30), MINUTE);
        assert_eq!(window.sums(at(59), MINUTE), (2, 1));
        assert_eq!(window.sums(at(60), MINUTE), (1, 0));
        assert_eq!(window.sums(at(500), MINUTE), (0, 0));
    }

    #[test]
    fn what_lies_in_the_future_of_a_clock_set_back_does_not_count() {
        let mut window = Window::default();
        window.note(true, at(3600), MINUTE);
        assert_eq!(window.sums(at(10), MINUTE), (0, 0));
    }
}

//! When a route is ejected, and for how long (spec/behaviour 21.2.4).

use std::time::Duration;

/// Probes that must be answered before a route is used as usual again.
pub(super) const PROBES: u32 = 3;

/// The figures of ejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Failures within the window that eject, if they are at least half of its attempts; 0: nothing ever
    /// ejects.
    pub failures: u32,
    /// The window.
    pub window: Duration,
    /// The first cool-down after failures; each further one is twice as long.
    pub base: Duration,
    /// The longest cool-down. A route that was used as usual for so long begins with the first one again.
    pub most: Duration,
    /// The first cool-down after a 429 whose vendor did not say how long to wait.
    pub rate_limited: Duration,
    /// The first cool-down after a 529.
    pub overloaded: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            failures: 10,
            window: Duration::from_secs(60),
            base: Duration::from_secs(30),
            most: Duration::from_secs(300),
            rate_limited: Duration::from_secs(30),
            overloaded: Duration::from_secs(10),
        }
    }
}

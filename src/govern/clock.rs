//! The clock of windows.

use std::time::Duration;

/// A time of the windows' clock, milliseconds: Redis's, where there is one; else one that never goes
/// back and whose beginning does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Clock(pub u64);

impl Clock {
    /// The second that runs.
    pub fn second(self) -> u32 {
        u32::try_from(self.0 / 1000).unwrap_or(u32::MAX)
    }

    /// Milliseconds until a second begins.
    pub fn until(self, second: u32) -> u64 {
        (u64::from(second) * 1000).saturating_sub(self.0)
    }

    /// How long ago something was.
    pub const fn since(self, then: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(then.0))
    }
}

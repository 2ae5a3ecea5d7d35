//! A change of a route's state, as the breaker tells it.

use std::time::Duration;

use super::State;

/// Why a route is ejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Too many of its latest attempts failed.
    RollingFailures,
    /// Its vendor said that it has too much to do (429, 529).
    RateLimited,
}

impl Reason {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RollingFailures => "rolling_failures",
            Self::RateLimited => "rate_limited",
        }
    }

    /// The reason of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::RollingFailures, Self::RateLimited].into_iter().find(|one| one.as_str() == word)
    }
}

/// What changed a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was ejected.
    Ejected(Reason),
    /// The cool-down is over, or an answer came while there was no other route.
    CooldownOver,
    /// Its probes were answered.
    ProbesAnswered,
    /// An administrator said so.
    Reset,
}

impl Cause {
    /// Its word in the API and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ejected(reason) => reason.as_str(),
            Self::CooldownOver => "cooldown_over",
            Self::ProbesAnswered => "probes_answered",
            Self::Reset => "reset",
        }
    }
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The state before.
    pub from: State,
    /// The state since.
    pub to: State,
    /// What brought it about.
    pub cause: Cause,
    /// The length of the cool-down that began, if one did.
    pub lasts: Option<Duration>,
    /// How many times the first cool-down that one lasts.
    pub multiplier: u32,
    /// When, on the breaker's clock.
    pub at: Duration,
}

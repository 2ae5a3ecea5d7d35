//! Whether a route is used: ejection after failures, probes before it is used again, a cap on its
//! concurrent attempts, a budget for retries (contract 4.3, spec/behaviour 21.2).
//!
//! [`Breaker`], [`RetryBudget`] and their windows are pure: outcomes and time in, decisions out.
//! [`RouteHealth`] keeps one of each for every provider's model, hands out a [`Lease`] for each attempt,
//! and tells of every change. [`Sharing`] makes an ejection known to the other replicas.

mod breaker;
mod change;
mod lease;
mod redis_cooldowns;
#[cfg(test)]
mod redis_tests;
mod registry;
mod retry_budget;
mod sharing;
#[cfg(test)]
mod simulation_tests;
mod status;
#[cfg(test)]
mod tests;
mod tracked;
mod tuning;
mod verdict;
mod window;

pub use breaker::{Breaker, Ejection, Pass, Phase, Shut, State};
pub use change::{Cause, Change, Reason};
pub use lease::Lease;
pub use redis_cooldowns::RedisCooldowns;
pub use registry::{Event, Origin, RouteHealth, RouteKey, Turn};
pub use retry_budget::RetryBudget;
pub use sharing::{Cooldown, CooldownError, Cooldowns, Sharing};
pub use status::{Status, Transition};
pub use tracked::Closed;
pub use tuning::Tuning;
pub use verdict::Verdict;
pub use window::Window;

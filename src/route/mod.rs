//! Which route next: pure decisions, fed names, failures and time. [`health`] remembers between requests.

mod backoff;
mod choose;
mod decide;
mod failure;
pub mod health;
mod plan;
mod resolve;
mod stats;
#[cfg(test)]
mod tests;

pub use backoff::{retry_after, wait_before_retry};
pub use choose::{Candidate, Choice, Reason, order};
pub use decide::{Next, decide, move_on};
pub use failure::{Failure, OVERLOADED};
pub use health::RouteHealth;
pub use plan::{Addresses, Plan};
pub use resolve::{Resolution, resolve};
pub use stats::Standing;

//! Which price applies: pure functions of rules, models and time.
//!
//! Four tiers, the first that has a price wins: rules for the provider itself, for its vendor or
//! catalog line, for the organization, and the managed defaults of `conf/prices.json`. Within a tier
//! the exact pattern comes first, then the longest prefix, then `*`. Of a rule the newest version
//! that has taken effect counts; if that is a tombstone the rule prices nothing.

mod book;
mod defaults;
mod pattern;
mod patterns;
mod rule;
mod sync;
#[cfg(test)]
mod tests;
mod timeline;

pub use book::{Line, PriceBook, Priced};
pub use defaults::{DefaultPrice, Defaults, DefaultsFault, defaults};
pub use pattern::{PatternFault, check_pattern};
pub use rule::Rule;
pub use sync::{copy_of, due};
pub use timeline::Timeline;

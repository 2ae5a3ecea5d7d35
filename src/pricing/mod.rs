//! Which price applies: pure functions of rules, models and time.
//!
//! Four tiers, the first that has a price wins: rules for the provider itself, for its vendor or
//! catalog line, for the organization, and the managed defaults of `conf/prices.json`. Within a tier
//! the exact pattern comes first, then the longest prefix, then `*`. Of a rule the newest version
//! that has taken effect counts; if that is a tombstone the rule prices nothing.
//!
//! A model may have [several names](ModelNames). An organization's rules may be for any of them, and the
//! pattern that is closest to one of them counts; of equals the one for the name that is sent.

mod book;
mod defaults;
mod names;
mod pattern;
mod patterns;
mod rule;
mod sync;
#[cfg(test)]
mod tests;
mod timeline;

pub use book::{Line, PriceBook, Priced};
pub use defaults::{DefaultPrice, Defaults, DefaultsFault, defaults};
pub use names::ModelNames;
pub use pattern::{PatternFault, check_pattern};
pub use rule::Rule;
pub use sync::{copy_of, due};
pub use timeline::Timeline;

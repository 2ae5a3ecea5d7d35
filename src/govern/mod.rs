//! Limits and budgets as they are enforced: counters, in this process or shared through Redis.
//!
//! ```text
//! check      what a request is held to            ask          questions and answers
//! amount     tokens and money                     lease        what is reserved until it is settled
//! window     the last 60 seconds                  clock        theirs
//! calendar   periods of budgets                   periods      which of them have begun
//! reading    what a counter shows                 decide       from readings to a decision
//! book       the counters of this process         table        counters by name
//! tally      settled, perhaps not in the database crossing     thresholds that are passed
//! history    what the database knows              expectation  what requests usually use
//! share      of a limit, while Redis is away
//! governor   the public type                      keep         its work in the background
//! shared     deciding with Redis                  mirror       keeping its counters and ours together
//! together   one call for many requests           link_state   what is known of a twin there
//! redis      calls and scripts
//! ```

mod amount;
mod ask;
mod book;
mod calendar;
mod check;
mod clock;
mod crossing;
mod decide;
mod expectation;
mod governor;
mod history;
mod keep;
mod lease;
mod link_state;
mod mirror;
mod periods;
mod reading;
pub mod redis;
mod share;
mod shared;
mod table;
mod tally;
#[cfg(test)]
pub(crate) mod tests;
mod together;
mod window;

pub use amount::Amount;
pub use ask::{
    Ask, Block, BlockedRoute, Bound, Denied, Grant, Reason, Room, RouteAsk, Shortage, Standing,
    Verdict,
};
pub use check::{Check, Counter, Rule};
pub use crossing::{Crossing, Listener};
pub use expectation::{Expectations, Kind};
pub use governor::{Governor, LimiterState, Moved, OnFailure, Settings};
pub use history::{History, HistoryError, Lately, Limits, Policy, Second, Term, Used};
pub use lease::Lease;

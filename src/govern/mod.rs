//! Limits and budgets as they are enforced: counters, in this process or shared through Redis.
//!
//! ```text
//! check     what a request is held to            ask          questions and answers
//! amount    tokens and money                     lease        what is reserved until it is settled
//! window    the last 60 seconds                  tally        settled, and perhaps not in the database
//! reading   what a counter shows                 decide       from readings to a decision
//! book      the counters of this process         table        counters by name
//! calendar  periods of budgets                   crossing     thresholds that are passed
//! history   what the database knows              expectation  what requests usually use
//! governor  the public type                      redis        what replicas share
//! ```

mod amount;
mod ask;
mod book;
mod calendar;
mod check;
mod crossing;
mod decide;
mod expectation;
mod governor;
mod history;
mod lease;
mod reading;
pub mod redis;
mod table;
mod tally;
mod window;

pub use amount::Amount;
pub use ask::{
    Ask, Block, BlockedRoute, Bound, Denied, Grant, Reason, Room, RouteAsk, Standing, Verdict,
};
pub use check::{Check, Counter, Rule};
pub use crossing::{Crossing, Listener};
pub use expectation::Expectations;
pub use governor::{Governor, Moved, OnFailure, Settings};
pub use history::{History, HistoryError, Policy, Second, Term, Used};
pub use lease::Lease;

//! Limits and budgets as they are enforced: counters, in this process or shared through Redis.

mod check;

pub use check::{Check, Counter, Rule};

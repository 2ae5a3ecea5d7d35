//! What requests cost: the prices that an organization sets, and what records say of them.

mod cost;
mod defaults;
mod desk;
mod guard;
mod lifecycle;
mod refusals;
mod terraform;

pub use desk::{Prices, price};

//! How many tokens a request is, before it is sent: Anthropic's `/v1/messages/count_tokens` for every
//! vendor.
//!
//! A vendor that counts is asked ([`CountApi`]); for the others the gateway [estimates](estimate()).

mod api;
mod client;
mod estimate;
mod members;

pub use api::CountApi;
pub use client::{count_answer, read_countable};
pub use estimate::{estimate, guess};

#[cfg(test)]
mod tests;

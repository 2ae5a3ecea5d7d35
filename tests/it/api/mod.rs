//! The admin and user API as a whole, walked through by its own description: what holds for every
//! operation is tested on every operation, those of tomorrow included.

mod bad_input;
mod description;
mod document;
mod duplicates;
mod estate;
mod mutations;
mod permissions;
mod schemathesis;
mod tenants;

pub use document::{Document, Operation};
pub use estate::Estate;

//! Secrets at rest and in memory.
//!
//! One master key per installation. Nothing is encrypted with it directly: [`Keyring`] derives one
//! sub-key per purpose, so that what one part signs, seals or hashes means nothing to another.

mod credential;
mod envelope;
mod keyring;
mod master_key;
mod secret;

pub use credential::{open_api_key, seal_api_key};
pub use keyring::{Keyring, SealError};
pub use master_key::{MasterKeyError, create, describe, load, load_or_create};
pub use secret::Secret;

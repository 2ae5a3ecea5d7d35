//! Secrets at rest and in memory.

mod envelope;
mod master_key;
mod secret;

pub use envelope::{Keyring, SealError};
pub use master_key::{MasterKeyError, load_or_create};
pub use secret::Secret;

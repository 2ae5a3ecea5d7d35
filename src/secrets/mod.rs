//! Secrets at rest and in memory.
//!
//! One root secret per installation. Nothing is encrypted with it directly: [`Keyring`] derives one
//! sub-key per purpose, so that what one part signs, seals or hashes means nothing to another. The
//! root lies in the store, wrapped ([`KeyWrap`]) by a key that does not: the master key, or one that
//! never leaves a key service.

mod credential;
mod envelope;
mod exchange;
mod identity;
mod keyring;
mod master_key;
mod secret;
mod wrap;

pub use credential::{Credential, open_api_key, open_credential, seal_api_key, seal_credential};
pub use exchange::{exchange, is_prepared, prepare};
pub use identity::{AwsRole, GoogleIdentity, ServiceAccount};
pub use keyring::{Keyring, SealError};
pub use master_key::{MasterKeyError, create, describe, is_key, load, load_or_create, named};
pub use secret::Secret;
pub use wrap::{KeyWrap, LocalWrap, Root, WrapError};

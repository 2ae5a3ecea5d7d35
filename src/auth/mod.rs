//! Who is calling: `bd-` keys on the runtime, JWTs on the admin and user API.
//!
//! The two never stand in for each other. A key is refused by its shape before anything is looked
//! up, then found by its keyed hash in a bounded cache, then in the store. A token is verified
//! against this installation's own signing key, whatever its header says.

mod api_key;
mod caller;
mod issuer;
mod key_cache;
mod keys;
mod rotate;
mod token;
mod unlock;

pub use api_key::{MintedKey, is_well_formed};
pub use caller::{Authenticator, Caller, CallerRefusal, ORG_HEADER};
pub use issuer::{Claims, ISSUER_NAME, Issuer, IssuerError, TokenRefusal};
pub use keys::{ApiKeys, KeyRefusal, Principal};
pub use rotate::{Rotation, add, finish, rotate};
pub use token::{TokenError, token};
pub use unlock::{KeySource, UnlockError, unlock};

//! An `OpenID` provider: a real HTTP server with discovery and keys that can be exchanged, delayed and
//! taken away, and a log of what it was asked.

mod keys;
mod server;
mod token;

pub use keys::{SigningKey, base64url};
pub use server::OpenIdProvider;
pub use token::{Forge, now};

//! An `OpenID` provider: a real HTTP server with discovery and keys that can be exchanged, delayed and
//! taken away, sign-in by code, and a log of what it was asked.

mod keys;
mod server;
mod sign_in;
mod token;

pub use keys::{SigningKey, base64url};
pub use server::OpenIdProvider;
pub use sign_in::{CLIENT_ID, CLIENT_SECRET};
pub use token::{Forge, now};

//! The way out: names to addresses, which addresses may be reached, and peers for Pingora.

mod address;
mod dns;
mod peer;

pub use address::AddressPolicy;
pub use dns::{ResolveError, Resolver};
pub use peer::{PeerError, Peers};

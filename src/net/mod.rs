//! The way out: names to addresses, which addresses may be reached, peers for Pingora, and what its
//! errors mean.

mod address;
mod dns;
mod fault;
mod look_up;
mod peer;

pub use address::AddressPolicy;
pub use dns::{ResolveError, Resolver};
pub use fault::{is_downgrade, is_lost_h2, is_unreached};
pub use look_up::{LookUp, System};
pub use peer::{Peer, PeerError, Peers, Wish};

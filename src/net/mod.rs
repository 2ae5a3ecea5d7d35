//! The way out: names to addresses, which addresses may be reached, peers for Pingora, what its errors
//! mean, and the client for the gateway's own requests.

mod address;
mod dial;
mod dns;
mod fault;
mod fetch;
mod look_up;
mod peer;
mod pool;
mod trusted;

pub use address::AddressPolicy;
pub use dial::Dial;
pub use dns::{ResolveError, Resolver};
pub use fault::{is_downgrade, is_lost_h2, is_unreached};
pub use fetch::{Bounds, ClientError, FetchError, Fetcher};
pub use look_up::{LookUp, System};
pub use peer::{Peer, PeerError, Peers, Wish};
pub use trusted::{CLAUDE, GOOGLE, TrustedHosts};

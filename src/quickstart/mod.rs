//! The newcomer's first run: an organization, a key and providers that answer, from nothing.
//!
//! Everything made here is ordinary stored data that the admin API can change afterwards; a second
//! run adds what is missing and changes nothing. Serving is not part of it.

mod banner;
mod discover;
mod environment;
mod provision;

pub use banner::banner;
pub use discover::{Discover, DiscoverError, VendorLists};
pub use provision::{Offer, Provisioned, QuickstartError, provision, provision_from_env};

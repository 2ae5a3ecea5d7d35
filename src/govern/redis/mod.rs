//! Redis: what replicas share.

mod link;

pub use link::{Link, LinkError, LinkFault, Script};

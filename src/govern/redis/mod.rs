//! Redis: what replicas share.
//!
//! ```text
//! link     the connection and its breaker      connect  where Redis is
//! keys     names                               scripts  the scripts, from *.lua
//! call     arguments and answers               admit    asking whether a request may be served
//! begin    counters from what the database holds
//! ```

pub(super) mod admit;
pub(super) mod begin;
pub(super) mod call;
mod connect;
pub(super) mod keys;
mod link;
pub(super) mod scripts;

pub(super) use link::{Awaited, Late};
pub use link::{Link, LinkError, LinkFault, Script};

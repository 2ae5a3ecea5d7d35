//! The bytes on the wire: pure functions and small state machines, no IO.
//!
//! [`envelope`] reads the head of a request body and [`rewrite`](fn@rewrite) changes its model in
//! place; [`sse`] cuts a stream into events; [`pick`] reads chosen members out of JSON that comes
//! in pieces; [`headers`] says which headers travel. What the members *mean* is
//! [`dialect`](crate::dialect)'s business.

pub mod cuts;
mod ends;
pub mod envelope;
pub mod eventstream;
pub mod extent;
pub mod headers;
mod json;
pub mod members;
mod output;
pub mod pick;
mod plain;
mod rewrite;
mod said;
pub mod sse;
#[cfg(target_arch = "x86_64")]
mod wide;
mod words;

pub use ends::{End, Ends, Found, object_ends};
pub use envelope::{Head, HeadError, IncludeUsage, StreamOptions, read_head};
pub use output::{OutputLimits, number};
pub use rewrite::{Changes, Spliced, rewrite, rewrite_start};
pub use said::Said;
pub use words::Words;

//! A vendor that does what a test tells it to, and writes down what it saw.
//!
//! It speaks HTTP/1.1 from the socket up (and HTTP/2 for the protocol matrix), so that it can
//! misbehave at any byte. Its log is the oracle: what reached a vendor is read here, never from
//! the gateway's own figures.

mod calls;
mod dialects;
mod h1;
mod h2;
mod reply;
mod server;

pub use calls::Call;
pub use dialects::exception;
pub use reply::{Gate, Reply, data, event};
pub use server::{Faces, MockVendor, nobody};

//! The console for browsers: its files, which are part of the binary, and the pages through which
//! people sign in. Everything else that it does it asks of the public API.

mod asset;
mod embedded;
mod headers;
mod serve;
mod sign_in;

pub use serve::answer;
pub use sign_in::router;

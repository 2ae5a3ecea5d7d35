//! Listening, HTTP/2, and ending well.

mod http2;
mod quickstart;
mod shutdown;

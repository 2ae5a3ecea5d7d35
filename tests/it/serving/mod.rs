//! Listening, HTTP/2, and ending well.

mod admin_listener;
mod http2;
mod master_key;
mod quickstart;
mod shutdown;

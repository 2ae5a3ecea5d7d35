//! Bad input: a clear error in the client's dialect, and nothing forwarded.

mod bodies;
mod buffers;
mod framing;
mod keys;
mod paths;
mod slow_clients;

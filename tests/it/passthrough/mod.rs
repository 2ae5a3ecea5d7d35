//! What a client says reaches the vendor, and what the vendor says reaches the client.

mod answers;
mod bodies;
mod credentials;
mod headers;
mod large_bodies;
mod listing;
mod observability;
mod old_clients;
mod protocols;

//! Every client dialect at every vendor: what fails over, what is refused, what is fetched, what is
//! counted and recorded.

mod additions;
mod broken_streams;
mod capabilities;
mod client;
mod counting;
mod embeddings;
mod equals;
mod errors_within;
mod failover;
mod media;
mod moving;
mod order;
mod proofs;
mod records;
mod vendor;

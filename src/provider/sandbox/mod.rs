//! The simulated vendor: every dialect of the runtime, streamed or not, without network or key.
//!
//! It is for trying the gateway out and for demonstrations, so it answers *from the request*: it
//! repeats and sums up what it was told, calls the tools it is told to call with arguments that fit
//! their schema, fills in JSON schemas, and turns texts into vectors in which texts that share words
//! are near each other. The same request gets the same answer (ids and times aside).
//!
//! - Tokens: one per four characters, rounded up per text ([`reply::tokens`]); an image is 85.
//! - Tools: `required` and named choices are obeyed; with `auto` the tools that the last user text
//!   names are called.
//! - Thinking: where it is asked for, a sentence comes before the answer, and counts against its limit.
//! - Citations: documents that want them are cited by their first sentence ([`citations`]).
//! - Caching: what is marked with `cache_control` is told as written, and as read once the conversation
//!   goes on ([`cache`]).
//! - Streams: one event per word, 5 ms apart; the request header `x-sandbox-pace-ms` sets another
//!   pace, `0` none.
//! - Any model name is answered; some behave badly on purpose ([`behaviour`]).
//!
//! One file per endpoint is pure (request in, [`answer::Answer`] out); `router` does the IO. Nothing
//! here knows the gateway: it is a vendor like any other, seen from the far end.

mod answer;
mod ask;
mod behaviour;
mod cache;
mod chat;
mod citations;
mod completions;
mod embeddings;
mod fields;
mod messages;
mod models;
mod prompt;
mod refusal;
mod reply;
mod responses;
mod router;
mod schema;
#[cfg(test)]
mod tests;
mod thought;
mod tools;

pub use router::sandbox_router;

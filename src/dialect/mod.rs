//! What the bytes of an API mean: usage, errors, the ends of streams. Pure; no IO, no clock.
//!
//! [`answer`] reads an answer that is no stream and [`stream`] one that is, each while its bytes
//! pass; [`errors`] writes the gateway's own errors and [`upstream_error`] reads a vendor's;
//! [`models`] writes the listing. One file per stream grammar is in `events`.

pub mod answer;
mod error_within;
pub mod errors;
mod events;
mod facts;
mod hide;
pub mod models;
mod retry_delay;
pub mod stream;
mod stream_error;
mod trailer;
pub mod upstream_error;
mod usage;
mod usage_plain;

pub use answer::{AnswerMeter, looks_like_json};
pub use error_within::error_within;
pub use errors::GatewayError;
pub use facts::AnswerFacts;
pub use retry_delay::retry_delay;
pub use stream::{FirstEvent, StreamMeter};
pub use stream_error::StreamError;
pub use trailer::Tell;
pub use usage::read_openai as read_openai_usage;

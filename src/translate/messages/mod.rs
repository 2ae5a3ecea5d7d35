//! Anthropic's Messages API, on both sides: clients that speak it, and Claude at Anthropic, on Amazon
//! Bedrock and on Vertex AI.
//!
//! <https://platform.claude.com/docs/en/api/messages>. For a client's side `request_read` and
//! `answer_write` / `stream_write`, for the vendor's `request_write` and `answer_read` /
//! `stream_read`; `rehost` passes a client's own bytes to Claude on another platform.

mod answer_read;
mod answer_write;
mod blocks_write;
mod cache;
mod calls;
mod citation;
mod content_read;
mod events_read;
mod events_write;
mod input;
mod media_write;
mod openai_shape;
mod pending;
mod raw;
mod rehost;
mod rehost_stream;
mod request_read;
mod request_write;
mod sampling_write;
mod schema;
mod server_tools;
mod stream_read;
mod stream_write;
mod thinking_read;
mod thinking_write;
mod tools_read;
mod tools_write;
mod usage;
mod words;

#[cfg(test)]
mod tests;

pub(super) use answer_read::read_answer;
pub(super) use answer_write::write_answer;
pub(super) use media_write::inlines;
pub use rehost::{rehost_answer, rehost_request};
pub use rehost_stream::RehostStream;
pub(super) use request_read::{read_countable, read_request};
pub(super) use request_write::write_request;
pub(super) use schema::{closed, strict_if_closed};
pub(super) use server_tools::found;
pub(super) use stream_read::Reader;
pub(super) use stream_write::Writer;

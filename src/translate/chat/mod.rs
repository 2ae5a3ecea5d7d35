//! `OpenAI` chat completions, spoken by clients and by vendors.
//! <https://platform.openai.com/docs/api-reference/chat>

mod answer_read;
mod answer_write;
mod answered;
mod call_read;
mod content_read;
mod content_write;
mod layout;
mod members;
mod message_read;
mod order;
mod pieces;
mod reasoning;
mod reasoning_write;
mod request_read;
mod request_write;
mod stream_read;
mod stream_write;
mod thinking_write;
mod tool_read;
mod tool_write;
mod usage;
mod wire;

#[cfg(test)]
mod tests;

pub use answer_read::read_answer;
pub use answer_write::write_answer;
pub use content_write::inlines;
pub use request_read::read_request;
pub use request_write::write_request;
pub use stream_read::Reader;
pub use stream_write::Writer;

pub(super) use answer_write::identity;
pub(super) use members::Members;
pub(super) use request_read::read_common;
pub(super) use stream_write::write_failure;
pub(super) use usage::Usage;

//! `OpenAI`'s older completions, spoken by clients: a prompt, and the text that follows it.
//! <https://platform.openai.com/docs/api-reference/completions>
//!
//! For vendors that have conversations only: the prompt is the user's turn.

mod answer_write;
mod request_read;
mod stream_write;

#[cfg(test)]
mod tests;

pub use answer_write::write_answer;
pub use request_read::read_request;
pub use stream_write::Writer;

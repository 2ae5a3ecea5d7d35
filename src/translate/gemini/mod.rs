//! Gemini as a vendor: `generateContent` and `streamGenerateContent`, on AI Studio
//! (<https://ai.google.dev/api/generate-content>) and on Vertex
//! (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference>).

mod answer_form;
mod answer_read;
mod contents;
mod errors;
mod generation;
mod generation_config;
mod grounding;
mod media;
mod request_body;
mod request_write;
mod response_body;
mod results;
mod schema;
mod server_parts;
mod signatures;
mod stop;
mod stream_read;
mod thinking;
mod tools_write;
mod usage;

#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod server_part_tests;
#[cfg(test)]
mod signature_tests;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tool_tests;

pub use answer_read::read_answer;
pub use media::inlines;
pub use request_write::write_request;
pub(in crate::translate) use server_parts::{MARK as SERVER_PART, is_part as is_server_part};
pub use stream_read::Reader;

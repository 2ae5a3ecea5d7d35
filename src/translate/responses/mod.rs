//! `OpenAI`'s Responses API, on both sides: what its clients send and get, and what vendors that speak it
//! are sent and answer. <https://platform.openai.com/docs/api-reference/responses>
//!
//! The reference for every shape is the official SDK's types:
//! <https://github.com/openai/openai-python/tree/main/src/openai/types/responses>.

mod answer_read;
mod answer_write;
mod body;
mod carried;
mod echo;
mod events_in;
mod input_read;
mod input_write;
mod item_ids;
mod items_in;
mod items_out;
mod open_items;
mod output_items;
mod own_tools;
mod parts_read;
mod request_read;
mod request_write;
mod response_out;
mod size_hint;
mod steps_out;
mod stream_read;
mod stream_write;
mod tools_read;
mod tools_write;

pub use answer_read::read_answer;
pub use answer_write::write_answer;
pub use echo::Echo;
pub use input_write::inlines;
pub use item_ids::is_made;
pub use request_read::read_request;
pub use request_write::write_request;
pub use stream_read::Reader;
pub use stream_write::Writer;

#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod stream_read_tests;
#[cfg(test)]
mod stream_write_tests;
#[cfg(test)]
mod translator_tests;
#[cfg(test)]
mod vendor_tests;

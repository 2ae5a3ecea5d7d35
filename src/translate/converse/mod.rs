//! Amazon Bedrock's Converse and `ConverseStream`, as a vendor.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>; the types are
//! those of the service's own description,
//! <https://github.com/boto/botocore/blob/develop/botocore/data/bedrock-runtime/2023-09-30/service-2.json>.
//! One API for models of many makers; what it has no member for goes into
//! `additionalModelRequestFields`, in each maker's own words ([`family`]).

mod answer_read;
mod answer_tool;
mod body;
mod exception;
mod family;
mod ids;
mod limits;
mod media_write;
mod messages_write;
mod output_write;
mod reasoning_write;
mod request_write;
mod stream_read;
mod system_write;
mod tools_write;
mod usage_read;

pub use answer_read::read_answer;
pub use exception::{exception, original_status};
pub use family::takes_search_results;
pub use media_write::inlines;
pub use request_write::{write_count, write_request};
pub use stream_read::Reader;

#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod family_tests;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod thinking_tests;

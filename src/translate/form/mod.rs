//! The middle form: what every dialect can say, typed once.
//!
//! A client's request is read into a [`Request`], a vendor's answer into an [`Answer`] or into a run of
//! [`Event`]s; each dialect then writes what it is asked to from these alone. There are as many readers
//! and writers as there are dialects, and not one for every pair.
//!
//! Everything borrows from the bytes it was read from where it can: a picture of 20 MB is copied once,
//! into the body that the vendor gets. Order is kept everywhere, so that the same request makes the
//! same bytes and finds the vendor's prompt cache.

mod answer;
mod event;
mod reading;
mod refusal;
mod request;
mod sealed;
mod text;
mod turns;

pub use answer::{Answer, Citation, Place, StopReason};
pub use event::{Event, Events};
pub use reading::read_json;
pub use refusal::Refusal;
pub use request::{
    CacheMark, Format, Grammar, JsonSchema, Media, Part, PartKind, PartPath, Pictures, Reasoning,
    Request, Role, Sampling, Source, Thinking, Tool, ToolCall, ToolChoice, ToolKind, ToolResult,
    Turn,
};
pub use sealed::{Origin, SEAL, Signature};
pub use text::Text;
pub use turns::{alternating, split_system};

pub use crate::domain::Effort;

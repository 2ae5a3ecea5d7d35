//! Traces for OpenTelemetry: a server span for each request and a client span for each attempt, over OTLP
//! (`http/protobuf`).
//!
//! Nothing is kept open while a request is under way: its spans are made when it is settled, of what is
//! known then, and leave through a bounded queue. Attributes are those of OpenTelemetry's conventions for
//! HTTP and generative AI. Prompts, answers, keys and users are not among them.
//!
//! ```text
//! settings    the OTEL_… variables        sampler     which traces are recorded
//! place       where a request stands      names       the conventions' attribute names
//! spans       what is told of a request   export      queue → collector
//! ```

mod export;
mod names;
mod place;
mod sampler;
mod settings;
mod spans;

pub use export::{Exporter, Traces};
pub use place::{Parent, Place, new_span_id};
pub use settings::{OtelError, Settings};
pub use spans::{AttemptSpan, RequestSpan};

//! What operators see: figures for Prometheus and lines on stderr.
//!
//! ```text
//! metrics  the figures                     families their names, labels and buckets
//! series   counters found without locks    resolved what names resolve to
//! scrape   GET /metrics                    lines    one bounded buffer and writer for all lines
//! log      tracing's events as lines       json     an event as a JSON line
//! access   one line per request            otel     traces, for a collector
//! ```
//!
//! Nothing here waits for a reader: a slow scrape or a stuck terminal never delays a request.

mod access;
mod families;
mod json;
mod lines;
mod log;
mod metrics;
pub mod otel;
mod resolved;
mod scrape;
mod series;

pub use access::AccessLog;
pub use log::{LogFormat, init_logging};
pub use metrics::{InFlight, Metrics, RequestSample};
pub use scrape::metrics_router;

//! What operators see: metrics, the request log, identifiers, probes.

mod health;
mod identifiers;
mod metrics;
mod request_log;

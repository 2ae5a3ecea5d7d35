//! What operators see: metrics, the request log, traces, identifiers, probes.

mod health;
mod identifiers;
mod metrics;
mod request_log;
mod traces;
mod traces_lost;

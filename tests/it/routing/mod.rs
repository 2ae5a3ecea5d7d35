//! From a model's name to a vendor's answer: resolution, retries, failover, time limits.

mod addresses;
mod all_failed;
mod failover;
mod names;
mod pooled_connections;
mod rate_limited;
mod stale_connections;
mod time_limits;

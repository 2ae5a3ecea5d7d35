//! The admin and user API: HTTP in, store out.
//!
//! One file per resource, each with its request and answer types, its rules and its handlers. A
//! write checks and stores in one transaction, then has the data plane take it over ([`Refresh`])
//! before its answer is sent. Bodies are read leniently (unknown fields are ignored: public clients
//! send fields of other versions) and every refusal is the flat shape of [`error`].
//!
//! A new operation is a handler with `#[utoipa::path]` (method, path below `/api/llm-gateway`,
//! `operation_id`, `tag`, `request_body`, its success, and `Conflict` where it can clash; everything
//! else is added by [`document`]) and a row in [`router`]. A handler that reads takes a `Caller`, one
//! that writes an `Actor`, and commits by way of [`change`].
//!
//! Nothing here knows the runtime's proxy.

mod access_targets;
mod api_keys;
mod audit;
mod budget_inputs;
mod budgets;
mod change;
mod clouds;
mod credentials;
mod document;
mod error;
mod extract;
mod governance;
mod model_access;
mod model_catalog;
mod never_matches;
mod operations;
mod outside;
mod paging;
mod patch;
mod permission;
mod policy_list;
mod policy_status;
mod price_guard;
mod pricing;
mod pricing_inputs;
mod pricing_view;
mod pricing_write;
mod provider_catalog;
mod provider_inputs;
mod provider_write;
mod providers;
mod rate_limits;
mod refusals;
mod reply;
mod route_health;
mod route_inputs;
mod route_list;
mod route_standing;
mod route_view;
mod router;
mod routes;
mod schemas;
mod scopes;
mod sealing;
mod service_accounts;
mod session;
mod smart_inputs;
mod smart_models;
mod smart_preview;
mod sorting;
mod state;
mod token;
mod upstream;
mod usage;
mod usage_csv;
mod usage_export;
mod usage_filter;
mod usage_summary;
mod user;
mod users;
mod webhooks;

#[cfg(test)]
mod tests;

pub use document::openapi;
pub use error::AdminError;
pub use outside::{Counted, Determiner, Enforcement, Outside, RateCounter};
pub use router::{not_found, router};
pub use state::{AdminState, Refresh, RefreshError};

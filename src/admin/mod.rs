//! The admin and user API: HTTP in, store out.
//!
//! One file per resource, each with its request and answer types, its rules and its handlers. A
//! write checks and stores in one transaction, then has the data plane take it over ([`Refresh`])
//! before its answer is sent. Bodies are read leniently (unknown fields are ignored: public clients
//! send fields of other versions) and every refusal is the flat shape of [`error`].
//!
//! Nothing here knows the runtime's proxy.

mod api_keys;
mod credentials;
mod error;
mod extract;
mod patch;
mod permission;
mod provider_inputs;
mod provider_write;
mod providers;
mod reply;
mod route_inputs;
mod route_view;
mod router;
mod routes;
mod sealing;
mod state;
mod upstream;
mod usage;
mod user;

#[cfg(test)]
mod tests;

pub use error::AdminError;
pub use router::{not_found, router};
pub use state::{AdminState, Refresh, RefreshError};

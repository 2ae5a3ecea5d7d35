//! Turnpike: an LLM gateway in one binary, on Pingora.
//!
//! The way of a request is `admit → plan → send → observe → settle`, one file each in [`proxy`].
//! Who may import whom (left may use right) is checked by `tests/architecture.rs`:
//!
//! ```text
//! app        → everything
//! proxy      → snapshot policy govern route provider translate dialect wire ledger auth cloud secrets observe net
//!              domain (cloud for credentials that vendors want; secrets for the type alone)
//! admin      → store auth secrets snapshot pricing policy alerts provider ledger observe cloud health
//!              route net domain (route for the health of routes alone; net for its guarded client
//!              alone: addresses in requests are others' choice)
//! alerts     → store secrets net domain
//! console    → auth domain         (its files are embedded by build.rs)
//! quickstart → store auth secrets snapshot provider domain
//! snapshot   → store secrets pricing policy govern provider translate domain
//! auth       → store secrets net domain   (net fetches identity providers' keys)
//! store      → ledger domain       (it implements the ledger's UsageSink)
//! ledger     → domain              observe    → ledger domain
//! route      → snapshot govern domain  (govern for Redis alone)
//! provider   → domain
//! translate  → dialect wire domain
//! dialect    → wire domain         wire       → domain
//! config     → secrets domain      secrets    → domain
//! cli        → domain              healthcheck → config
//! cloud      → net secrets domain
//! health     → store secrets snapshot provider net dialect domain  (dialect for errors alone)
//! net        → snapshot provider domain             pricing     → domain
//! policy     → domain              govern      → policy domain
//! domain     → nothing
//! ```

#![deny(unsafe_code)]
#![warn(missing_docs)]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

pub mod admin;
pub mod alerts;
pub mod app;
pub mod auth;
pub mod cli;
pub mod cloud;
pub mod config;
pub mod console;
pub mod dialect;
pub mod domain;
pub mod govern;
pub mod health;
pub mod healthcheck;
pub mod ledger;
pub mod net;
pub mod observe;
pub mod policy;
pub mod pricing;
pub mod provider;
pub mod proxy;
pub mod quickstart;
pub mod route;
pub mod secrets;
pub mod snapshot;
pub mod store;
pub mod translate;
pub mod wire;

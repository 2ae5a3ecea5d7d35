//! Turnpike: an LLM gateway in one binary, on Pingora.
//!
//! The way of a request is `admit → plan → send → observe → settle`, one file each in [`proxy`].
//! Who may import whom (left may use right) is checked by `tests/architecture.rs`:
//!
//! ```text
//! app      → everything
//! proxy    → snapshot route provider dialect wire ledger auth observe net domain
//! admin    → store auth secrets snapshot provider ledger observe domain
//! snapshot → store secrets provider domain
//! auth     → store secrets domain
//! ledger   → domain          (its sink is a trait that store implements)
//! store    → ledger(trait) domain
//! provider → domain          route → snapshot domain
//! dialect  → wire domain     wire → domain      observe → domain      secrets → domain
//! domain   → nothing
//! ```

pub mod admin;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod dialect;
pub mod domain;
pub mod ledger;
pub mod net;
pub mod observe;
pub mod provider;
pub mod proxy;
pub mod quickstart;
pub mod route;
pub mod secrets;
pub mod snapshot;
pub mod store;
pub mod wire;

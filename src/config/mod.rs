//! What the operator sets: a TOML file, and the environment over it.
//!
//! [`load`] reads both, collects every fault before it gives up, and names file, line, key and
//! remedy of each. Every key stands once in [`settings`], which reads it, and once in [`schema`],
//! which says what it means; a test holds both against `conf/turnpike.toml`.

mod env;
mod fault;
mod file;
mod issuers;
mod load;
mod schema;
mod settings;
mod validate;
mod value;

pub use fault::{Fault, Faults, Objection, Place, Source};
pub use load::{DEFAULT_FILE, load, load_for_process, load_to_serve};
pub use schema::{
    Admin, Auth, Aws, Config, Ejection, Google, Issuer, LedgerCfg, Log, LogFormat, Media,
    MediaFetch, MetricsCfg, OnFailure, OnFull, Redis, Routing, Secrets, Server, Storage, Upstream,
    WrapWith,
};

//! The vendors: whom the gateway speaks to, as data.
//!
//! A vendor that speaks an OpenAI-compatible API is a row of `conf/providers.toml` and nothing else
//! ([`catalog`]). The simulated vendor of the quickstart ([`sandbox_router`]) lives in this process
//! and is reached through pipes instead of sockets ([`InProcess`]). Nothing here knows routes,
//! organizations or the store.

mod auth_kind;
mod catalog;
mod in_process;
mod models;
mod sandbox;
mod slugs;
mod templates;
mod variant;
mod vendor;

pub use auth_kind::AuthKind;
pub use catalog::{Catalog, catalog};
pub use in_process::{InProcess, connection};
pub use models::{CAPABILITIES, ModelFacts, Models, REASONING_MODES, VendorModels, models};
pub use sandbox::sandbox_router;
pub use slugs::catalog_slug;
pub use templates::{Template, TemplateAuth, TemplateField, Templates, templates};
pub use variant::{Environment, Hosting, Operation, Protocol, Variant};
pub use vendor::{AuthScheme, Transport, Vendor};

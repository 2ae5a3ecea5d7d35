//! The vendors: whom the gateway speaks to, as data.
//!
//! A vendor that speaks an OpenAI-compatible API is a row of `conf/providers.toml` and nothing else
//! ([`catalog`]). Nothing here knows routes, organizations or the store.

mod catalog;
mod vendor;

pub use catalog::{Catalog, catalog};
pub use vendor::{AuthScheme, Transport, Vendor};

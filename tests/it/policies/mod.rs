//! Limits, budgets, access, smart models, webhooks and catalogs, as administrators keep them.

mod bad_input;
mod catalogs;
mod defaults;
mod route_health;
mod smart_models;
mod status;
mod terraform;
mod warnings;
mod webhooks;

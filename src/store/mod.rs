//! What the gateway remembers: organizations, users, credentials, providers, routes, keys and usage,
//! in SQLite or PostgreSQL.
//!
//! [`Store`] opens the database and answers the data plane; [`Tx`] is one transaction, through which
//! the admin API reads and writes. Every statement on tenant data has an organization in its
//! predicate. Secrets arrive sealed: nothing here can read one.

mod changes;
mod claims;
mod credentials;
mod error;
mod governance;
mod health;
mod keys;
mod migrations;
mod open;
mod open_postgres;
mod open_sqlite;
mod orgs;
mod pool;
mod pricing;
mod providers;
mod record;
mod routes;
mod rows;
mod runtime;
mod sealed;
mod statement;
mod tx;
mod usage;
mod usage_expire;
mod usage_insert;
mod users;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use changes::{Announcements, ChangeRow};
pub use error::StoreError;
pub use open::Store;
pub use pool::Engine;
pub use pricing::RuleKey;
pub use providers::Inherits;
pub use rows::{
    ConnectionRow, GovernanceRow, KeyRow, OrgRow, PricingRow, ProviderRow, RouteRow, RuntimeRows,
    SeenUser, Sighting, UserRow,
};
pub use tx::Tx;
pub use usage::{UsageFilter, UsagePage, UsagePosition};

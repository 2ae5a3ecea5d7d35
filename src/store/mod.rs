//! What the gateway remembers: organizations, users, credentials, providers, routes, keys and usage,
//! in SQLite or PostgreSQL.
//!
//! [`Store`] opens the database and answers the data plane; [`Tx`] is one transaction, through which
//! the admin API reads and writes. Every statement on tenant data has an organization in its
//! predicate. Secrets arrive sealed: nothing here can read one.

mod bulk;
mod changes;
mod credentials;
mod error;
mod governance;
mod histogram;
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
mod rollup;
mod rollup_write;
mod routes;
mod rows;
mod runtime;
mod statement;
mod summary_fold;
mod tx;
mod usage;
mod usage_backlog;
mod usage_expire;
mod usage_facts;
mod usage_insert;
mod usage_months;
mod usage_summary;
mod users;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod usage_tests;

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
pub use summary_fold::{Dimension, Label, Percentiles, SummaryRow};
pub use tx::Tx;
pub use usage::{UsageFilter, UsagePage, UsagePosition};
pub use usage_expire::Expired;
pub use usage_summary::MAX_SUMMARY_ROWS;

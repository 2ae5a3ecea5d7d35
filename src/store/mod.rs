//! What the gateway remembers: organizations, users, credentials, providers, routes, keys and usage,
//! in SQLite or PostgreSQL.
//!
//! [`Store`] opens the database and answers the data plane; [`Tx`] is one transaction, through which
//! the admin API reads and writes. Every statement on tenant data has an organization in its
//! predicate. Secrets arrive sealed: nothing here can read one.

mod audit;
mod budgets;
mod bulk;
mod changes;
mod claims;
mod console_sessions;
mod credentials;
mod deliveries;
mod directory;
mod error;
mod governance;
mod health;
mod histogram;
mod keys;
mod lately;
mod ledger_marks;
mod listing;
mod migrations;
mod model_access;
mod model_overrides;
mod open;
mod open_postgres;
mod open_sqlite;
mod orgs;
mod policy_rows;
mod pool;
mod postgres_url;
mod pricing;
mod providers;
mod rate_limits;
mod record;
mod replicas;
mod rollup;
mod rollup_write;
mod routes;
mod rows;
mod runtime;
mod sealed;
mod service_accounts;
mod session;
mod sign_in_links;
mod smart_models;
mod spent;
mod statement;
mod summary_fold;
mod tx;
mod usage;
mod usage_backlog;
mod usage_expire;
mod usage_facts;
mod usage_facts_read;
mod usage_insert;
mod usage_months;
mod usage_summary;
mod users;
mod webhooks;

#[cfg(test)]
mod policy_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod usage_tests;

pub use audit::{AuditFilter, AuditPosition, AuditRow};
pub use changes::{Announcements, ChangeRow};
pub use console_sessions::{NewSession, SessionRow};
pub use deliveries::DeliveryRow;
pub use error::StoreError;
pub use keys::{KeyFilter, KeyPosition};
pub use lately::SpentOnce;
pub use open::Store;
pub use policy_rows::{
    AccessRow, BudgetRow, ModelOverrideRow, RateLimitRow, SmartModelRow, SmartSlot, WebhookRow,
};
pub use pool::Engine;
pub use pricing::RuleKey;
pub use providers::Inherits;
pub use rows::{
    ConnectionRow, GovernanceRow, KeyRow, OrgRow, PricingRow, ProviderRow, RouteRow, RuntimeRows,
    SeenUser, ServiceAccountRow, Sighting, UserRow,
};
pub use sign_in_links::LinkRow;
pub use summary_fold::{Dimension, Label, Percentiles, SummaryRow};
pub use tx::Tx;
pub use usage::{RecordFilter, UsageFilter, UsagePage, UsagePosition};
pub use usage_expire::Expired;
pub use usage_summary::MAX_SUMMARY_ROWS;
pub use users::UserPosition;

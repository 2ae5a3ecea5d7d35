//! Several gateways on one PostgreSQL.

mod changes;
mod fleet;
mod outage;
mod push;
mod restart;
mod schema;
mod start;
mod tls;

//! What the tests speak in: a mock vendor, the gateway as users run it, and clients of both.
//!
//! A test reads as sentences: a [`Gateway`] is started, an organization gets providers that live
//! at a [`MockVendor`], a [`Caller`] asks, and the mock's own log (never the gateway's figures)
//! says what reached the vendor. Nothing here sleeps for luck: [`until`] polls with a deadline.

mod admin;
mod answer;
mod caller;
mod cloud;
mod collector;
mod forwarder;
mod gateway;
pub mod h2_client;
mod hammer;
mod island;
mod live;
pub mod mock;
pub mod oidc;
pub mod operations;
mod postgres_server;
mod raw;
mod records;
mod redis_server;
pub mod scan;
mod scene;
mod sigv4;
pub mod tls;
mod until;

pub use admin::{Admin, Org, Provider};
pub use answer::{Answer, Headers};
pub use caller::{Ask, Caller};
pub use cloud::MockCloud;
pub use collector::{Collector, SeenSpan};
pub use forwarder::Forwarder;
pub use gateway::{Gateway, GatewayBuilder};
pub use hammer::Hammer;
pub use island::Island;
pub use live::{Ending, Live};
pub use mock::{Call, Gate, MockVendor, Reply};
pub use postgres_server::PostgresServer;
pub use raw::Wire;
pub use records::Metrics;
pub use redis_server::RedisServer;
pub use scene::{Scene, TwoRoutes};
pub use sigv4::Signed;
pub use until::{until, within};

//! The way of a request: `admit → plan → send → observe → settle`, one file each, in that order.
//!
//! [`service`] is Pingora's `ProxyHttp` and only a switchboard. The request's body is held once and
//! replayed to each attempt through the [`gate`], which also keeps the attempt's deadlines and holds
//! back an answer until it is known to be one. Knows neither the store nor the admin API: requests
//! for those go to a router that the composition root hands in.

mod admit;
mod attempt;
mod authorize;
mod body;
mod bound;
mod callers;
mod ctx;
mod determiner;
mod dress;
mod failed;
mod framing;
mod front;
mod gate;
mod identity;
mod inside;
mod limits;
mod local;
mod long_body;
mod meter;
mod oauth;
mod observe;
mod person;
mod plan;
mod refusal;
mod refused_credentials;
mod reply;
mod send;
mod service;
mod settle;
mod shared;
mod smart;
mod stream;
mod traced;
mod translation;
mod unfinished;
mod unreadable;
mod upstream_states;
mod watched;
mod whole;

pub use determiner::preview;
pub use front::Front;
pub use refused_credentials::{RefusedCredential, RefusedCredentials};
pub use service::Gateway;
pub use shared::{Drain, LULL, Limits, Media, Shared};

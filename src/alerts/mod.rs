//! Alerts: what administrators are told through their webhooks (Standard Webhooks,
//! <https://github.com/standard-webhooks/standard-webhooks>).
//!
//! [`raise`] queues a message in the transaction of the change that it tells of, so that neither is
//! there without the other. [`Courier`] delivers: at least once, by whichever replica takes a message
//! first, with pauses that grow after each failure. A receiver tells repeats by `webhook-id`.

mod courier;
mod message;
mod secret;
#[cfg(test)]
mod tests;

pub use courier::{Courier, PAUSES};
pub use message::raise;
pub use secret::WebhookSecret;

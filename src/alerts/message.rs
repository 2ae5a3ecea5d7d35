//! What a message says.

use serde::Serialize;
use serde_json::Value;

use crate::{
    domain::{Alert, AlertEvent, Timestamp},
    store::{StoreError, Tx},
};

/// The body, in the shape that the standard suggests.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: AlertEvent,
    timestamp: Timestamp,
    data: &'a Value,
}

/// Queues an alert for the webhooks of its organization that want to hear of it; answers how many
/// messages that makes. The same alert again makes none.
///
/// # Errors
/// When the database is unavailable.
pub async fn raise(tx: &mut Tx, alert: &Alert, at: Timestamp) -> Result<u64, StoreError> {
    let body = Body { kind: alert.event, timestamp: at, data: &alert.data };
    let body = serde_json::to_string(&body)
        .map_err(|error| StoreError::Invalid(format!("an alert cannot be written: {error}")))?;
    tx.queue_alert(alert, &body, at).await
}

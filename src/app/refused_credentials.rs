//! Credentials that vendors refuse: told to the log and the organization's webhooks, once an hour for each
//! provider, over all replicas.

use std::collections::HashMap;

use serde_json::json;
use tokio::sync::mpsc;

use super::alarms::Alarms;
use crate::{
    domain::{Alert, AlertEvent, ProviderId, Timestamp},
    proxy::RefusedCredential,
};

/// As long as a credential is refused, it is told of so often, seconds.
const AGAIN: i64 = 3600;

/// Tells of what is heard, as long as the process lives.
pub async fn run(mut hear: mpsc::Receiver<RefusedCredential>, alarms: Alarms) {
    let mut logged: HashMap<ProviderId, i64> = HashMap::new();
    let mut told: HashMap<ProviderId, i64> = HashMap::new();
    while let Some(refused) = hear.recv().await {
        let at = Timestamp::now();
        let hour = at.unix_seconds() / AGAIN;
        if told.get(&refused.provider) == Some(&hour) {
            continue;
        }
        told.retain(|_, when| *when == hour);
        // Raised again where too many alerts wait; the log says so once.
        let first = logged.insert(refused.provider, hour) != Some(hour);
        logged.retain(|_, when| *when == hour);
        if first {
            tracing::error!(
                org = %refused.org,
                provider = %refused.provider_name,
                status = refused.status,
                "the vendor refuses the credential of a provider"
            );
        }
        if alarms.raise(alert(&refused, hour), at) {
            told.insert(refused.provider, hour);
        }
    }
}

fn alert(refused: &RefusedCredential, hour: i64) -> Alert {
    Alert {
        org: refused.org,
        event: AlertEvent::UpstreamKeyRejected,
        // The same on every replica: whoever comes first tells it.
        key: format!("{}/{hour}", refused.provider),
        data: json!({
            "provider_id": refused.provider,
            "provider_name": &*refused.provider_name,
            "status": refused.status,
        }),
    }
}

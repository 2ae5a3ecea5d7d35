//! Every few minutes, all providers: by whichever replica comes first.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use tokio::time::{MissedTickBehavior, interval};

use super::{Probe as _, Prober, judge::Status, prober::is_probed};
use crate::{
    domain::{OrgId, ProviderId, Timestamp},
    store::{ProviderRow, StoreError},
};

/// How often is looked who is due, at most.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// An unhealthy provider is asked again that soon.
const RECOVERY: Duration = Duration::from_secs(30);
/// Probes at once.
const AT_ONCE: usize = 8;

/// Probes for as long as the process lives; `every` is `routing.health_check_secs`.
///
/// When a provider was last probed stands in the store, so that a provider that one replica probed is
/// due for none.
pub async fn rounds(prober: Arc<Prober>, every: Duration) {
    let mut tick = interval(LOOK_EVERY.min(every));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = round(&prober, every).await {
            tracing::debug!(%error, "no health checks while the database is away");
        }
    }
}

async fn round(prober: &Prober, every: Duration) -> Result<(), StoreError> {
    for org in prober.store().orgs().await? {
        let rows = prober.store().read().await?.providers(org.id).await?;
        let now = Timestamp::now();
        let due = rows.iter().filter(|row| is_due(row, every, now, lateness())).map(|row| row.id);
        let due: Vec<ProviderId> = due.collect();
        let probes = due.into_iter().map(|id| probe(prober, org.id, id));
        futures_util::stream::iter(probes).buffer_unordered(AT_ONCE).collect::<()>().await;
    }
    Ok(())
}

async fn probe(prober: &Prober, org: OrgId, id: ProviderId) {
    if let Err(error) = prober.probe(org, id).await {
        tracing::debug!(%error, "a health check could not be stored");
    }
}

/// `lateness` (0 to 1) is this replica's for this look: so that replicas do not all find the same
/// provider due at once.
fn is_due(row: &ProviderRow, every: Duration, now: Timestamp, lateness: f64) -> bool {
    if !row.enabled || !is_probed(row) {
        return false;
    }
    let unhealthy = row.health_status == Status::Unhealthy.as_str();
    let rest = if unhealthy { every.min(RECOVERY) } else { every }.mul_f64(1.0 + 0.2 * lateness);
    row.health_checked_at.is_none_or(|at| {
        let age = u64::try_from(now.0.saturating_sub(at.0)).unwrap_or_default();
        Duration::from_micros(age) >= rest
    })
}

fn lateness() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_bytes().first().copied().unwrap_or_default()) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::provider;

    const EVERY: Duration = Duration::from_secs(300);

    fn due_after(status: &str, seconds: i64, lateness: f64) -> bool {
        let now = Timestamp(1_000_000_000_000);
        let mut row = provider(OrgId::random(), "p");
        row.health_status = status.to_owned();
        row.health_checked_at = Some(Timestamp(now.0 - seconds * 1_000_000));
        is_due(&row, EVERY, now, lateness)
    }

    #[test]
    fn a_provider_is_due_when_its_time_is_over_and_an_unhealthy_one_sooner() {
        assert!(!due_after("healthy", 299, 0.0) && due_after("healthy", 300, 0.0));
        assert!(!due_after("healthy", 359, 1.0) && due_after("healthy", 360, 1.0));
        assert!(!due_after("unhealthy", 29, 0.0) && due_after("unhealthy", 30, 0.0));
    }

    #[test]
    fn what_was_never_probed_is_due_and_what_cannot_be_is_not() {
        let now = Timestamp(1_000_000_000_000);
        let mut row = provider(OrgId::random(), "p");
        assert!(is_due(&row, EVERY, now, 1.0));
        row.enabled = false;
        assert!(!is_due(&row, EVERY, now, 1.0));
        for (vendor, auth_type) in [
            ("bedrock", "bedrock_api_key"),
            ("vertex", "google_adc"),
            ("azure_openai", "azure_api_key"),
            ("anthropic", "oauth_passthrough"),
            ("cohere", "api_key"),
        ] {
            let mut row = provider(OrgId::random(), "p");
            (row.model_provider, row.auth_type) = (vendor.to_owned(), auth_type.to_owned());
            assert!(!is_due(&row, EVERY, now, 1.0), "{vendor}");
        }
    }
}

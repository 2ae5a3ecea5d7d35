//! Raising alerts: queued for webhooks, and counted.

use std::sync::Arc;

use crate::{
    alerts,
    domain::{Alert, Timestamp},
    observe::Metrics,
    store::{Store, StoreError},
};

/// Who raises alerts.
#[derive(Clone)]
pub struct Alarms {
    store: Store,
    metrics: Arc<Metrics>,
}

impl Alarms {
    /// Queues in `store`, counts in `metrics`.
    pub const fn new(store: Store, metrics: Arc<Metrics>) -> Self {
        Self { store, metrics }
    }

    /// Queues an alert for the organization's webhooks that want to hear of it.
    ///
    /// # Errors
    /// When the database is unavailable; then it is not counted either.
    pub async fn raise(&self, alert: &Alert, at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        alerts::raise(&mut tx, alert, at).await?;
        tx.commit().await?;
        self.metrics.alert(alert.event);
        Ok(())
    }
}

//! Raising alerts: queued for webhooks, and counted, off the way of whoever raises them.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;

use crate::{
    alerts,
    domain::{Alert, Timestamp},
    observe::Metrics,
    store::{Store, StoreError},
};

/// Alerts that may wait for the database, of some kilobyte each. What comes beyond is told to the log alone.
const WAITING: usize = 4096;
/// How long to wait after the database did not take an alert; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest of these waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Who raises alerts.
#[derive(Clone)]
pub struct Alarms {
    wait: mpsc::Sender<(Alert, Timestamp)>,
}

impl Alarms {
    /// Queues in `store`, counts in `metrics`.
    pub fn start(store: Store, metrics: Arc<Metrics>) -> Self {
        let (wait, waiting) = mpsc::channel(WAITING);
        tokio::spawn(Keeper { store, metrics }.run(waiting));
        Self { wait }
    }

    /// Logs an alert and keeps it until it is queued for the organization's webhooks that want to hear of
    /// it. Answers whether it is kept: not where too many wait already.
    pub fn raise(&self, alert: Alert, at: Timestamp) -> bool {
        tracing::warn!(org = %alert.org, event = %alert.event, key = alert.key, "alert");
        let kept = self.wait.try_send((alert, at)).is_ok();
        if !kept {
            tracing::error!("too many alerts wait for the database: webhooks are not told of one");
        }
        kept
    }
}

/// Who keeps them meanwhile.
struct Keeper {
    store: Store,
    metrics: Arc<Metrics>,
}

impl Keeper {
    /// In the order in which they were raised.
    async fn run(self, mut waiting: mpsc::Receiver<(Alert, Timestamp)>) {
        while let Some((alert, at)) = waiting.recv().await {
            self.keep(&alert, at).await;
        }
    }

    /// Until the database has it. It takes the same alert once for all time, so that nothing is told twice
    /// where it was only the answer that did not arrive.
    async fn keep(&self, alert: &Alert, at: Timestamp) {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = self.queue(alert, at).await {
            let (org, event, key) = (alert.org, alert.event, alert.key.as_str());
            if !error.may_pass() {
                tracing::error!(%error, %org, %event, key, "webhooks are not told of an alert");
                return;
            }
            if pause == FIRST_PAUSE {
                tracing::warn!(%error, %org, %event, key, "an alert waits for the database");
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.metrics.alert(alert.event);
    }

    async fn queue(&self, alert: &Alert, at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        alerts::raise(&mut tx, alert, at).await?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests;

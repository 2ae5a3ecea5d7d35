//! Learning from the ledger what requests usually use.

use std::time::Duration;

use super::AGAIN;
use crate::{domain::OrgId, govern::Governor};

/// Longest pause until the ledger is asked again what requests usually use.
const AGAIN_AT_LAST: Duration = Duration::from_secs(60);

impl Governor {
    /// Learns what requests usually use. Beside what begins budgets, and never before it: it can wait.
    pub(super) async fn keep_meeting(&self) {
        let mut pause = AGAIN;
        loop {
            if self.meet_all().await {
                pause = AGAIN;
                self.to_meet.notified().await;
            } else {
                tokio::select! {
                    () = self.to_meet.notified() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(AGAIN_AT_LAST);
            }
        }
    }

    /// `false` if something is left.
    async fn meet_all(&self) -> bool {
        let unmet = self.periods().unmet();
        if unmet.is_empty() {
            return true;
        }
        self.settings.history.wait_delivered().await;
        let mut done = true;
        for org in unmet {
            done &= self.meet(org).await;
        }
        done
    }

    /// Learns from the ledger what an organization's requests usually use; once, when it has a budget. `false`
    /// where the ledger is not to be had.
    async fn meet(&self, org: OrgId) -> bool {
        match self.settings.history.lately(org).await {
            Ok(lately) => {
                // What was served here is known already, and better.
                let mut new = lately;
                new.retain(|of| !self.expectations.knows(of.kind(org)));
                for of in &new {
                    self.expectations.learn(of.kind(org), of.used);
                }
                self.periods().met(org);
                self.has_met.send_modify(|count| *count += 1);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "what requests usually use is not known yet");
                false
            }
        }
    }
}

//! Keeping the counters in the background.
//!
//! ```text
//! beginning  periods, with what the database knows   telling  Redis what was settled
//! comparing  with the database, and tidying up       beating  signs of life, and who else is there
//! meeting    what requests usually use
//! ```

mod beating;
mod beginning;
mod comparing;
mod meeting;
mod telling;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::sync::watch;

#[cfg(test)]
pub(super) use self::telling::PACE;
use super::{Governor, Term, Used, governor::lock, redis::Link};
use crate::domain::{OrgId, Position};

/// Between signs of life, for each organization.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// Until the database, or another replica, is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// What is left to tell when the process ends is told within this.
const LAST: Duration = Duration::from_secs(1);

impl Governor {
    /// Keeps the counters: begins them, tidies them up, talks with Redis. Ends when `stop` is true,
    /// when everything is told to Redis that it takes.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let work = async {
            let link = self.settings.link.clone();
            match &link {
                None => {
                    tokio::join!(self.keep_beginning(), self.keep_meeting(), self.keep_looking());
                }
                Some(link) => {
                    tokio::join!(
                        self.keep_beginning(),
                        self.keep_meeting(),
                        self.keep_looking(),
                        self.keep_telling(link),
                        self.keep_counting(link),
                        self.keep_noting(),
                        self.keep_beating(link),
                        self.follow(link),
                    );
                }
            }
        };
        tokio::select! {
            () = work => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        if let Some(link) = &self.settings.link {
            let last = async {
                while !self.tell_all(link).await || self.has_to_tell() {
                    tokio::time::sleep(AGAIN).await;
                }
            };
            let is_late = tokio::time::timeout(LAST, last).await.is_err();
            if is_late || self.has_to_tell() {
                tracing::warn!("redis does not know all that was used; the ledger does");
            }
        }
    }

    /// Follows whether Redis is there.
    async fn follow(&self, link: &Link) {
        let mut changes = link.changes();
        loop {
            let is_up = *changes.borrow_and_update();
            if is_up {
                // What the last session asked and was never answered lapses with it.
                self.periods().forget_heard();
                self.begin_session();
                self.to_begin.notify_one();
            }
            self.is_degraded.store(!is_up, Ordering::Relaxed);
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Begins another session, and tells in it what is held here.
    fn begin_session(&self) {
        self.new_session();
        for shard in &self.shards {
            lock(shard).mark_all(None);
        }
        self.to_flush.notify_one();
    }

    async fn used(&self, org: OrgId, terms: &[Term]) -> Option<Used> {
        match self.settings.history.used(org, terms).await {
            Ok(used) => Some(used),
            Err(error) => {
                tracing::warn!(%error, "budgets cannot be compared with what was used");
                None
            }
        }
    }

    fn own_mark(&self, used: &Used) -> Position {
        let own = used.marks.iter().find(|mark| mark.ledger == self.settings.ledger);
        own.map(|mark| mark.position).unwrap_or_default()
    }
}

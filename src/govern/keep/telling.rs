//! Telling Redis what was settled.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

use super::AGAIN;
use crate::govern::{
    Governor,
    book::Book,
    governor::lock,
    mirror::Flush,
    redis::{Link, LinkFault, call::Answer, scripts::SETTLE},
};

/// Settled requests are gathered so long before they are told.
const GATHER: Duration = Duration::from_millis(3);

/// From one telling to the next, while requests come all the time. What is not told yet goes with the next
/// question, so only other replicas learn of it later.
pub(in crate::govern) const PACE: Duration = Duration::from_millis(10);

/// A call that tells something. Without an answer, be it that nobody waits for it any more, all of it is told again.
struct Telling<'a> {
    shard: &'a Mutex<Book>,
    flush: Option<Flush>,
}

impl Telling<'_> {
    async fn send(&mut self, link: &Link) -> Result<(Flush, Answer), LinkFault> {
        let call = self.flush.as_ref().map(|flush| &flush.call);
        let Some(call) = call else { return Err(LinkFault::Away) };
        let answer = call.send(link, &SETTLE).await?;
        self.flush.take().map(|flush| (flush, answer)).ok_or(LinkFault::Away)
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if let Some(flush) = self.flush.take() {
            lock(self.shard).not_flushed(flush);
        }
    }
}

impl Governor {
    pub(super) async fn keep_telling(&self, link: &Link) {
        let mut next = Instant::now();
        loop {
            self.to_flush.notified().await;
            tokio::time::sleep_until(next.max(Instant::now() + GATHER)).await;
            next = Instant::now() + PACE;
            if !self.tell_all(link).await {
                if link.is_up() {
                    tokio::time::sleep(AGAIN).await;
                } else {
                    // From its return on requests are decided there.
                    let _ = link.changes().wait_for(|up| *up).await;
                }
                self.to_flush.notify_one();
            }
        }
    }

    pub(super) fn has_to_tell(&self) -> bool {
        self.shards.iter().any(|shard| !lock(shard).dirty.is_empty())
    }

    /// Tells Redis what was settled by now; `false` if it does not take all of it.
    pub(in crate::govern) async fn tell_all(&self, link: &Link) -> bool {
        let mut is_taken = true;
        for shard in &self.shards {
            // What is settled meanwhile is told with the next: under load there is always something.
            let mut left = lock(shard).dirty.len();
            while left > 0 {
                let flush = lock(shard).flush(left, &self.ledger, &self.session(), None);
                let Some(flush) = flush else { break };
                left = left.saturating_sub(flush.taken);
                let mut telling = Telling { shard, flush: Some(flush) };
                match telling.send(link).await {
                    Ok((flush, answer)) => {
                        if self.told(shard, flush, answer) {
                            left = lock(shard).dirty.len();
                        }
                    }
                    Err(LinkFault::Away) => return false,
                    Err(LinkFault::Refused(reason)) => {
                        self.refused(&reason);
                        is_taken = false;
                    }
                }
            }
        }
        is_taken
    }

    /// Takes the answer; whether something is to be told once more, at once.
    fn told(&self, shard: &Mutex<Book>, flush: Flush, answer: Answer) -> bool {
        let flushed = lock(shard).flushed(flush, answer);
        self.set_clock(flushed.now);
        self.tell(flushed.crossings);
        if !flushed.not_begun.is_empty() {
            let mut periods = self.periods();
            for key in &flushed.not_begun {
                periods.lost(key.counter.org, key.counter.policy);
            }
            drop(periods);
            self.to_begin.notify_one();
        }
        flushed.is_to_repeat
    }
}

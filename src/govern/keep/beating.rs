//! Signs of life: that others know of this replica, and this one of them and of what Redis has forgotten.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::Instant;
use uuid::Uuid;

use super::{AGAIN, BEAT_EVERY};
use crate::{
    domain::{OrgId, Timestamp},
    govern::{
        Governor, Term,
        redis::{
            Link, LinkFault,
            call::{Answer, Call},
            keys,
            scripts::BEAT,
        },
        share::Share,
    },
};

/// Organizations that are told at once that this replica is alive: one after the other, thousands of them would hear
/// of it too late.
const AT_ONCE: usize = 16;

/// After such a silence what this replica had reserved is told in another session, before others remove it
/// (`beat.lua`, in twice the time).
const SILENCE: Duration = Duration::from_secs(60);

/// Between counts of the replicas: as long as one that has come is not known to the others, their shares
/// are too large.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// When everyone has beaten who is alive, after Redis was away or has forgotten them: until then there are no fewer than
/// before. Longer than a replica counts as alive (`common.lua`).
const ALL_BEAT: Duration = Duration::from_millis(5_500);

impl Governor {
    pub(super) async fn keep_counting(&self, link: &Link) {
        // Since when nothing was forgotten that Redis counts, and everyone has been there.
        let (mut kept, mut since) = (0, Instant::now());
        loop {
            match self.beat(None, &[]).send(link, &BEAT).await {
                Ok(mut answer) => {
                    let (_now, alive, before) = (answer.number(), answer.number(), answer.number());
                    let keeps = answer.number();
                    if std::mem::replace(&mut kept, keeps) != keeps {
                        since = Instant::now();
                    }
                    let word = |number| u32::try_from(number).unwrap_or(u32::MAX);
                    let share = Share::of(word(alive), word(before));
                    let is_whole =
                        share.replicas() >= self.replicas() || since.elapsed() >= ALL_BEAT;
                    if is_whole && !self.share.hear(share) {
                        self.to_note.notify_one();
                        self.has_begun.send_modify(|count| *count += 1);
                    }
                    self.written();
                }
                Err(LinkFault::Refused(reason)) => self.refused(&reason),
                Err(LinkFault::Away) => kept = 0,
            }
            tokio::time::sleep(COUNT_EVERY).await;
        }
    }

    /// Has the database know how many replicas there are, for one that starts while Redis is away.
    pub(super) async fn keep_noting(&self) {
        while self.share.known().is_none() {
            match self.settings.history.replicas().await {
                Ok(count) => self.share.suppose(Share::least(count)),
                Err(error) => {
                    tracing::debug!(%error, "how many replicas there are is not known");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
        self.has_begun.send_modify(|count| *count += 1);
        loop {
            self.to_note.notified().await;
            while let Err(error) = self.settings.history.note_replicas(self.replicas()).await {
                tracing::debug!(%error, "the database does not know how many replicas there are");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    pub(super) async fn keep_beating(&self, link: &Link) {
        loop {
            self.beat_all(link).await;
            tokio::time::sleep(BEAT_EVERY).await;
        }
    }

    /// Says in each organization that this replica is alive, and hears what has begun.
    pub(in crate::govern) async fn beat_all(&self, link: &Link) {
        let all = self.periods().all();
        let beats = all.into_iter().map(async |(org, begun)| {
            let answer = self.beat(Some(org), &begun).send(link, &BEAT).await;
            answer.map_or(Duration::ZERO, |answer| self.heard(org, &begun, answer))
        });
        let silences = futures_util::stream::iter(beats).buffer_unordered(AT_ONCE);
        if silences.fold(Duration::ZERO, async |longest, next| longest.max(next)).await >= SILENCE {
            self.begin_session();
        }
    }

    fn beat(&self, org: Option<OrgId>, begun: &[(Uuid, Timestamp, u64)]) -> Call {
        let session = self.session();
        let mut call = Call::at(None);
        call.key(org.map_or_else(|| keys::REPLICAS.to_owned(), keys::sessions));
        call.key(org.map_or_else(|| keys::REPLICAS_KEPT.to_owned(), keys::kept));
        call.arg(&session.replica);
        call.arg(session.generation);
        call.arg(1);
        for (policy, start, _) in begun {
            if let Some(org) = org {
                call.key(keys::marker(org, *policy, *start));
            }
        }
        call
    }

    /// Whether Redis has forgotten everything, or periods have begun anew: then what was counted and
    /// settled here is told again. Answers for how long Redis had not heard of this replica.
    fn heard(&self, org: OrgId, begun: &[(Uuid, Timestamp, u64)], mut answer: Answer) -> Duration {
        let (now, _alive, _before) = (answer.number(), answer.number(), answer.number());
        let silence = self.periods().was_heard(org, now);
        let kept = answer.number();
        if self.periods().is_kept_anew(org, kept) {
            let now = self.now();
            self.book(org).ask_windows(org, now);
            self.to_flush.notify_one();
        }
        for (policy, start, known) in begun {
            let epoch = answer.number();
            if epoch == 0 {
                self.periods().lost(org, *policy);
                self.to_begin.notify_one();
            } else if epoch != *known {
                let end = *start;
                self.periods().begun(org, Term { policy: *policy, start: *start, end }, epoch);
                self.book(org).mark_all(Some((*policy, *start)));
                self.to_flush.notify_one();
            }
        }
        silence
    }
}

//! Keeping the counters in the background: beginning, comparing with the database, tidying up,
//! telling Redis.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use futures_util::StreamExt as _;
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

use super::{
    Amount, Crossing, Governor, Term, Used,
    book::{Book, TermKey},
    governor::lock,
    mirror::Flush,
    periods::{Recheck, Wanted},
    redis::{
        Link, LinkFault,
        begin::{self, Opened},
        call::{Answer, Call},
        keys,
        scripts::{BEAT, SETTLE},
    },
    share::Share,
};
use crate::domain::{OrgId, Position, Timestamp};

/// Settled requests are gathered so long before they are told.
const GATHER: Duration = Duration::from_millis(3);

/// From one telling to the next, while requests come all the time. What is not told yet goes with the next
/// question, so only other replicas learn of it later.
pub(super) const PACE: Duration = Duration::from_millis(10);

/// Between looks at what is idle.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Between signs of life, for each organization.
const BEAT_EVERY: Duration = Duration::from_secs(1);

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

/// Records that the database holds are remembered for at least so long.
const REMEMBER: Duration = Duration::from_secs(30);

/// Until the database, or another replica, is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// Longest pause until the ledger is asked again what requests usually use.
const AGAIN_AT_LAST: Duration = Duration::from_secs(60);

/// What is left to tell when the process ends is told within this.
const LAST: Duration = Duration::from_secs(1);

/// A period's counters as they are written in one call.
const CHUNK: usize = 200;

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

    async fn keep_telling(&self, link: &Link) {
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

    fn has_to_tell(&self) -> bool {
        self.shards.iter().any(|shard| !lock(shard).dirty.is_empty())
    }

    /// Tells Redis what was settled by now; `false` if it does not take all of it.
    pub(super) async fn tell_all(&self, link: &Link) -> bool {
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

    async fn keep_counting(&self, link: &Link) {
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
    async fn keep_noting(&self) {
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

    async fn keep_beating(&self, link: &Link) {
        loop {
            self.beat_all(link).await;
            tokio::time::sleep(BEAT_EVERY).await;
        }
    }

    /// Says in each organization that this replica is alive, and hears what has begun.
    pub(super) async fn beat_all(&self, link: &Link) {
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

    async fn keep_beginning(&self) {
        loop {
            let done = self.begin_wanted().await;
            self.has_begun.send_modify(|count| *count += 1);
            let pause = if done { BEAT_EVERY } else { AGAIN };
            tokio::select! {
                () = self.to_begin.notified(), if done => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Begins what has not begun; `false` if something is left.
    pub(super) async fn begin_wanted(&self) -> bool {
        let now = Timestamp::now();
        self.periods().forget(now);
        let wanted = self.periods().wanted(now);
        // First what happened before this process, which nobody has waited for yet. Where Redis is there, its windows
        // are.
        let is_alone = self.settings.link.as_ref().is_none_or(|link| !link.is_up());
        let unrecalled = self.periods().unrecalled();
        for (org, limits) in unrecalled {
            if is_alone && !limits.is_empty() {
                self.recall(org, &limits).await;
            }
            self.periods().recalled(org);
        }
        let mut done = true;
        for (org, wanted) in &wanted {
            done &= match &self.settings.link {
                None => self.begin_here(*org, wanted).await,
                Some(link) => self.begin_there(link, *org, wanted).await,
            };
        }
        done
    }

    /// Learns what requests usually use. Beside what begins budgets, and never before it: it can wait.
    async fn keep_meeting(&self) {
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

    async fn recall(&self, org: OrgId, limits: &[Uuid]) {
        match self.settings.history.last_minute(org, limits).await {
            Ok(seconds) => {
                let now = self.now();
                let mut book = self.book(org);
                for second in &seconds {
                    book.recall(org, second, now);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "limits per minute begin with nothing counted");
            }
        }
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

    async fn begin_here(&self, org: OrgId, wanted: &[Wanted]) -> bool {
        let terms: Vec<Term> =
            wanted.iter().filter(|wanted| !wanted.is_next).map(|wanted| wanted.term).collect();
        let Some(used) = self.used(org, &terms).await else { return false };
        let mark = self.own_mark(&used);
        for (term, entities) in terms.iter().zip(&used.terms) {
            let mut book = self.book(org);
            for (entity, amount) in entities {
                book.begin(&TermKey::of(org, *term, entity), *amount, mark);
            }
            drop(book);
            let mut periods = self.periods();
            periods.begun(org, *term, 1);
            periods.recheck(org, *term);
        }
        for next in wanted.iter().filter(|wanted| wanted.is_next) {
            self.periods().begun(org, next.term, 1);
        }
        true
    }

    async fn begin_there(&self, link: &Link, org: OrgId, wanted: &[Wanted]) -> bool {
        if !link.is_up() {
            self.suppose(org, wanted).await;
            return false;
        }
        let mut mine = Vec::new();
        let mut done = true;
        for wanted in wanted {
            match begin::open(link, org, wanted.term, &self.session()).await {
                Ok(Opened::Begun(epoch)) => self.has_begun_there(org, wanted.term, epoch),
                Ok(Opened::Yours(epoch)) => mine.push((*wanted, epoch)),
                Ok(Opened::Others) | Err(_) => done = false,
            }
        }
        let terms: Vec<Term> =
            mine.iter().filter(|(wanted, _)| !wanted.is_next).map(|(one, _)| one.term).collect();
        let used =
            if terms.is_empty() { Some(Used::default()) } else { self.used(org, &terms).await };
        let Some(used) = used else { return false };
        let mut sums = used.terms.iter();
        for (wanted, epoch) in mine {
            let entities = if wanted.is_next { None } else { sums.next() };
            let entities = entities.map(Vec::as_slice).unwrap_or_default();
            let marks = if wanted.is_next { &[][..] } else { &used.marks };
            let session = self.session();
            let begun = begin::begin(link, org, wanted.term, &session, epoch, entities, marks);
            match begun.await {
                Ok(true) => self.has_begun_there(org, wanted.term, epoch),
                Ok(false) | Err(_) => done = false,
            }
        }
        done
    }

    /// While Redis is away, what the database says was used is as much as is known of what has not begun here before.
    async fn suppose(&self, org: OrgId, wanted: &[Wanted]) {
        let mut terms: Vec<Term> =
            wanted.iter().filter(|wanted| !wanted.is_next).map(|wanted| wanted.term).collect();
        terms.retain(|term| !self.periods().is_supposed(org, *term));
        if terms.is_empty() {
            return;
        }
        let used = match self.settings.history.used(org, &terms).await {
            Ok(used) => used,
            Err(error) => {
                tracing::debug!(%error, "what budgets have used is not known");
                return;
            }
        };
        let mark = self.own_mark(&used);
        for (term, entities) in terms.iter().zip(&used.terms) {
            let mut book = self.book(org);
            for (entity, amount) in entities {
                book.suppose(&TermKey::of(org, *term, entity), *amount, mark);
            }
            drop(book);
            self.periods().supposed(org, *term);
        }
    }

    fn has_begun_there(&self, org: OrgId, term: Term, epoch: u64) {
        let mut periods = self.periods();
        if periods.begun(org, term, epoch) {
            periods.recheck(org, term);
        }
        drop(periods);
        self.book(org).mark_all(Some((term.policy, term.start)));
        self.to_flush.notify_one();
    }

    async fn keep_looking(&self) {
        let mut parts = tokio::time::interval(LOOK_EVERY);
        parts.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // A beginning that was read by another replica may be so old when it becomes known here.
        let (mut held, mut newer, mut since) = (Position(0), Position(0), Instant::now());
        loop {
            parts.tick().await;
            self.compare_idle().await;
            let (now, at) = (self.now(), Timestamp::now());
            if since.elapsed() > REMEMBER {
                held = newer;
                (newer, since) = (self.settings.history.delivered(), Instant::now());
            }
            for shard in &self.shards {
                lock(shard).tidy(now, at, held);
            }
        }
    }

    /// Compares budgets that are idle with the database, and those that may be wrong as a whole.
    async fn compare_idle(&self) {
        let mut orgs: HashMap<OrgId, (Vec<TermKey>, Vec<Recheck>)> = HashMap::new();
        for shard in &self.shards {
            for key in lock(shard).idle(self.now()) {
                orgs.entry(key.counter.org).or_default().0.push(key);
            }
        }
        let due = self.periods().due();
        for recheck in due {
            orgs.entry(recheck.org).or_default().1.push(recheck);
        }
        for (org, (idle, rechecks)) in orgs {
            self.compare(org, idle, rechecks).await;
        }
    }

    async fn compare(&self, org: OrgId, idle: Vec<TermKey>, rechecks: Vec<Recheck>) {
        let mut terms: Vec<Term> = idle.iter().map(TermKey::term).collect();
        terms.extend(rechecks.iter().map(|recheck| recheck.term));
        terms.sort_unstable();
        terms.dedup();
        let Some(used) = self.used(org, &terms).await else {
            self.compare_later(org, idle, rechecks);
            return;
        };
        let sums: HashMap<TermKey, Amount> = terms
            .iter()
            .zip(&used.terms)
            .flat_map(|(term, entities)| {
                entities
                    .iter()
                    .map(move |(entity, amount)| (TermKey::of(org, *term, entity), *amount))
            })
            .collect();
        let is_whole = |key: &TermKey| rechecks.iter().any(|one| one.term == key.term());
        let whole = sums.keys().filter(|key| is_whole(key)).cloned();
        let idle: Vec<TermKey> =
            idle.into_iter().filter(|key| !is_whole(key)).chain(whole).collect();
        let Some(link) = &self.settings.link else {
            let mark = self.own_mark(&used);
            let mut book = self.book(org);
            for key in &idle {
                book.begin(key, sums.get(key).copied().unwrap_or_default(), mark);
            }
            drop(book);
            self.tell_passed(org, &sums);
            return;
        };
        self.tell_passed(org, &sums);
        for chunk in idle.chunks(CHUNK / 4) {
            let right = begin::reconcile(link, org, chunk, &sums, &used.marks).await;
            let right = right.unwrap_or_else(|_| vec![false; chunk.len()]);
            let wrong = chunk.iter().zip(right).filter(|(_, right)| !right).map(|(key, _)| key);
            let wrong: Vec<TermKey> = wrong.cloned().collect();
            let again =
                rechecks.iter().filter(|one| wrong.iter().any(|key| key.term() == one.term));
            self.compare_later(org, wrong.clone(), again.copied().collect());
        }
    }

    /// Tells thresholds that were passed before they were there, or limits lower.
    fn tell_passed(&self, org: OrgId, sums: &HashMap<TermKey, Amount>) {
        let mut book = self.book(org);
        let passed: Vec<Crossing> =
            sums.iter().flat_map(|(key, held)| book.crossed_by(key, *held)).collect();
        drop(book);
        self.tell(passed);
    }

    fn compare_later(&self, org: OrgId, idle: Vec<TermKey>, rechecks: Vec<Recheck>) {
        let mut book = self.book(org);
        for key in idle {
            book.touch(key);
        }
        drop(book);
        let mut periods = self.periods();
        for recheck in rechecks {
            periods.recheck_again(recheck);
        }
    }
}

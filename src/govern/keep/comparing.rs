//! Comparing budgets with the database, and dropping what is over.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::{
    domain::{OrgId, Position, Timestamp},
    govern::{
        Amount, Crossing, Governor, Term, book::TermKey, governor::lock, periods::Recheck,
        redis::begin,
    },
};

/// Between looks at what is idle.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Records that the database holds are remembered for at least so long.
const REMEMBER: Duration = Duration::from_secs(30);

/// Counters that are compared in one call.
const CHUNK: usize = 50;

impl Governor {
    pub(super) async fn keep_looking(&self) {
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
        for chunk in idle.chunks(CHUNK) {
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

//! Keeping the counters: beginning them with what the database knows, listing them, dropping what is over.

use std::{collections::HashSet, sync::Arc, time::Duration};

use uuid::Uuid;

use super::{Book, TermKey};
use crate::{
    domain::{OrgId, Position, Timestamp},
    govern::{Amount, Counter, Second, clock::Clock, link_state::TermLink, table::PARTS},
};

/// A counter that nobody has used for so long is idle.
const IDLE: Duration = Duration::from_millis(600);

/// How long a period's counters are kept when it has ended: requests that began in it may still run.
const AFTER_END: Duration = Duration::from_secs(3600);

impl Book {
    /// Begins a counter with what the database holds of it, up to `mark` of this ledger. At any
    /// time: what was settled here behind the mark is added.
    pub fn begin(&mut self, key: &TermKey, held: Amount, mark: Position) {
        let term = self.budgets.entry(&key.counter).term_or_new(key.span);
        term.begun = held;
        term.tally.begin(mark);
    }

    /// Takes an amount for what was spent in a period up to `mark`, unless Redis has told of it.
    pub fn suppose(&mut self, key: &TermKey, held: Amount, mark: Position) {
        let term = self.budgets.entry(&key.counter).term_or_new(key.span);
        let is_heard = |link: &TermLink| link.epoch != 0 || link.acked != Amount::ZERO;
        if !term.link.as_deref().is_some_and(is_heard) {
            term.begun = held;
            term.tally.begin(mark);
        }
    }

    /// Counts what was used in the last minute, before this process began.
    pub fn recall(&mut self, org: OrgId, second: &Second, now: Clock) {
        let Second { policy, entity, ago, requests, tokens } = second;
        let counter = Counter::new(org, *policy, Arc::clone(entity));
        let at = now.second().saturating_sub(*ago);
        let is_shared = self.is_shared;
        let rate = self.rate(&counter);
        // The twin in Redis holds it by itself, or those tell it who have counted it.
        let (of_requests, of_tokens) = match &mut rate.link {
            Some(link) if is_shared => {
                let recalled = link.recalled.get_or_insert_default();
                (&mut recalled.requests, &mut recalled.tokens)
            }
            _ => (&mut rate.requests, &mut rate.tokens),
        };
        of_requests.add(at, *requests);
        of_tokens.add(at, *tokens);
    }

    /// In how many parts the counters of limits lie.
    pub const PARTS: usize = PARTS;

    /// Adds those of one part that are of these limits and not empty.
    pub fn held(
        &mut self,
        org: OrgId,
        limits: &HashSet<Uuid>,
        part: usize,
        now: Clock,
        held: &mut Vec<Counter>,
    ) {
        for (counter, rate) in self.rates.in_part(part) {
            if counter.org == org && limits.contains(&counter.policy) && !rate.is_over(now) {
                held.push(counter.clone());
            }
        }
    }

    /// Budgets that were used and are idle now; each once, until it is used again.
    pub fn idle(&mut self, now: Clock) -> Vec<TermKey> {
        let mut idle = Vec::new();
        for _ in 0..self.touched.len() {
            let Some(key) = self.touched.pop_front() else { break };
            let Some(term) = self.known_term(&key) else { continue };
            let is_dirty = term.link.as_ref().is_some_and(|link| link.is_dirty);
            if now.since(term.used_at) < IDLE || is_dirty {
                self.touched.push_back(key);
            } else {
                term.is_touched = false;
                idle.push(key);
            }
        }
        idle
    }

    /// Has an idle counter compared once more.
    pub fn touch(&mut self, key: TermKey) {
        if let Some(term) = self.known_term(&key)
            && !std::mem::replace(&mut term.is_touched, true)
        {
            self.touched.push_back(key);
        }
    }

    /// Drops what is idle or over from a part of the counters, and records that the database holds.
    pub fn tidy(&mut self, now: Clock, at: Timestamp, held: Position) {
        self.rates.tidy(|rate| {
            rate.requests.advance(now.second());
            rate.tokens.advance(now.second());
            if let Some(link) = &mut rate.link {
                link.recalled.take_if(|recalled| recalled.is_over(now.second()));
            }
            let is_owed = rate.link.as_ref().is_some_and(|link| link.is_owed());
            is_owed || !rate.is_over(now)
        });
        self.budgets.tidy(|account| {
            account.terms.retain(|term| {
                term.tally.forget(held);
                let is_over = term.span.end.after(AFTER_END) < at;
                let is_dirty = term.link.as_ref().is_some_and(|link| link.is_dirty);
                !is_over || is_dirty || term.is_touched || term.reserved != Amount::ZERO
            });
            !account.terms.is_empty()
        });
    }
}

//! Counting what a request has used, and the thresholds that it passes.

use uuid::Uuid;

use super::{Book, TermKey};
use crate::{
    domain::{Position, Timestamp},
    govern::{Amount, Block, Check, Crossing, Rule, clock::Clock, crossing::Watched, lease::Hold},
};

impl Book {
    /// Counts what a request has used, and frees what it had reserved. Answers the thresholds that
    /// are passed, where this process alone knows what is spent.
    pub fn settle(
        &mut self,
        hold: &Hold,
        used: Amount,
        position: Option<Position>,
        now: Clock,
    ) -> Vec<Crossing> {
        let mut crossings = Vec::new();
        for check in hold.checks() {
            match &check.rule {
                Rule::Rate { tokens: None, .. } => {}
                Rule::Rate { .. } if used.tokens == 0 => {}
                Rule::Rate { .. } => {
                    let rate = self.rate(&check.counter);
                    rate.tokens.advance(now.second());
                    rate.tokens.add(now.second(), used.tokens);
                    if let Some(link) = &mut rate.link {
                        link.owe(now.second(), 0, used.tokens);
                        self.mark_rate(&check.counter);
                    }
                }
                Rule::Budget { period, .. } => {
                    let (term, touched, watched) = self.term_with(&check.counter, *period, hold.at);
                    let span = term.span;
                    term.reserved = term.reserved.minus(hold.reserved(check));
                    term.tally.add(position, used);
                    term.used_at = now;
                    if !std::mem::replace(&mut term.is_touched, true) {
                        let counter = check.counter.clone();
                        touched.push_back(TermKey { counter, span });
                    }
                    if term.link.is_some() {
                        self.mark_term(&check.counter, *period, hold.at);
                    } else if let Some(watched) = watched.get(&check.counter.policy) {
                        let spent = term.spent();
                        crossings.extend(term.told.reached(&check.counter, span, spent, watched));
                    }
                }
            }
        }
        crossings
    }

    /// That a strict budget is used up, by its refusal of a request at `at`, where that was not told.
    pub(in crate::govern) fn refused(&mut self, by: &Block, at: Timestamp) -> Option<Crossing> {
        let Rule::Budget { period, .. } = by.check.rule else { return None };
        let used = by.short.as_ref()?.used?;
        let counter = &by.check.counter;
        let (term, _, watched) = self.term_with(counter, period, at);
        let watched = watched.get(&counter.policy)?;
        term.told.refused(counter, term.span, (used, by.reason), watched)
    }

    /// Frees what a request has reserved for its route, but for what is shared with the next.
    pub fn leave_route(&mut self, hold: &Hold, shared: &[Check]) {
        let goes_on = |check: &&Check| shared.iter().any(|one| one.counter == check.counter);
        let all = hold.route.iter().flat_map(|checks| checks.iter());
        for check in all.filter(|check| !goes_on(check)) {
            if let Rule::Budget { period, .. } = &check.rule {
                let term = self.term(&check.counter, *period, hold.at);
                term.reserved = term.reserved.minus(hold.reserved(check));
                self.mark_term(&check.counter, *period, hold.at);
            }
        }
    }

    /// Notes what a budget is watched for; whether that is news.
    pub fn watch(&mut self, policy: Uuid, watched: Watched) -> bool {
        let is_news = self.watched.get(&policy) != Some(&watched);
        if is_news {
            self.watched.insert(policy, watched);
        }
        is_news
    }

    /// The thresholds that what is spent of a counter has passed, and that were not told.
    pub(in crate::govern) fn crossed(&mut self, key: &TermKey) -> Vec<Crossing> {
        let Some(spent) = self.known_term(key).map(|term| term.spent()) else { return Vec::new() };
        self.crossed_with(key, spent)
    }

    /// The same where so much is spent at least, as the database says; of counters, too, that nothing here has
    /// used.
    pub(in crate::govern) fn crossed_by(&mut self, key: &TermKey, held: Amount) -> Vec<Crossing> {
        let known = self.known_term(key).map(|term| term.spent()).unwrap_or_default();
        let tokens = known.tokens.max(held.tokens);
        self.crossed_with(key, Amount { tokens, cost: known.cost.max(held.cost) })
    }

    fn crossed_with(&mut self, key: &TermKey, spent: Amount) -> Vec<Crossing> {
        let Some(watched) = self.watched.get(&key.counter.policy).cloned() else {
            return Vec::new();
        };
        let mut told = self.known_term(key).map(|term| term.told).unwrap_or_default();
        let crossings = told.reached(&key.counter, key.span, spent, &watched);
        if !crossings.is_empty() {
            self.budgets.entry(&key.counter).term_or_new(key.span).told = told;
        }
        crossings
    }
}

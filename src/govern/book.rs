//! The counters of this process: of some organizations, under one lock, so that what is asked of
//! several is decided at once.

use smallvec::SmallVec;

use super::{
    Amount, Ask, Check, Counter, Rule,
    calendar::{Calendar, Span},
    decide::{Chosen, Decision, Readings, decide, is_strict},
    lease::Hold,
    reading::{BudgetReading, Counted, RateReading, Reading},
    table::Table,
    tally::Tally,
    window::Window,
};
use crate::domain::{Period, Position, Timestamp};

/// The counters of this process.
#[derive(Debug, Default)]
pub(super) struct Book {
    rates: Table<Rate>,
    budgets: Table<Account>,
    calendar: Calendar,
}

/// Of a limit per minute.
#[derive(Debug, Default)]
struct Rate {
    requests: Window,
    tokens: Window,
}

/// Of a budget: the period that runs, and the one before while it is still settled.
#[derive(Debug, Default)]
struct Account {
    terms: SmallVec<[Term; 1]>,
}

/// Of a budget's period.
#[derive(Debug)]
struct Term {
    span: Span,
    /// What the database held when this was begun.
    begun: Amount,
    /// What was settled here behind that.
    tally: Tally,
    reserved: Amount,
}

impl Term {
    fn new(span: Span) -> Self {
        Self { span, begun: Amount::ZERO, tally: Tally::default(), reserved: Amount::ZERO }
    }

    fn spent(&self) -> Amount {
        self.begun.plus(self.tally.used())
    }
}

impl Account {
    fn term(&self, start: Timestamp) -> Option<&Term> {
        self.terms.iter().find(|term| term.span.start == start)
    }

    fn term_mut(&mut self, span: Span) -> &mut Term {
        let place = self.terms.iter().position(|term| term.span.start == span.start);
        let place = place.unwrap_or_else(|| {
            self.terms.push(Term::new(span));
            self.terms.len() - 1
        });
        // It was found or pushed at that place.
        #[expect(clippy::indexing_slicing, reason = "the place exists")]
        &mut self.terms[place]
    }
}

impl Book {
    /// Decides, and counts the request where it is granted and counts. `held` as for [`decide`].
    pub fn admit(
        &mut self,
        ask: &Ask<'_>,
        held: Option<Amount>,
        now: Clock,
    ) -> (Readings, Decision) {
        let mut readings = Readings::new();
        for check in ask.caller.iter().chain(ask.routes.iter().flat_map(|of| of.checks.iter())) {
            readings.push(self.read(check, ask.at, now));
        }
        let decision = decide(ask, &readings, held);
        if let (Decision::Grant(chosen), true) = (&decision, ask.counts) {
            self.take(ask, chosen, held, now);
        }
        (readings, decision)
    }

    fn read(&mut self, check: &Check, at: Timestamp, now: Clock) -> Reading {
        match &check.rule {
            Rule::Rate { requests, tokens } => {
                let Some(rate) = self.rates.get_mut(&check.counter) else {
                    return Reading::Rate(RateReading::default());
                };
                Reading::Rate(RateReading {
                    requests: counted(&mut rate.requests, *requests, now),
                    tokens: counted(&mut rate.tokens, *tokens, now),
                })
            }
            Rule::Budget { period, .. } => {
                let span = self.calendar.span(*period, at);
                let account = self.budgets.get_mut(&check.counter);
                let term = account.and_then(|account| account.term(span.start));
                Reading::Budget(BudgetReading {
                    spent: term.map(Term::spent).unwrap_or_default(),
                    reserved: term.map(|term| term.reserved).unwrap_or_default(),
                    end: span.end,
                })
            }
        }
    }

    fn take(&mut self, ask: &Ask<'_>, chosen: &Chosen, held: Option<Amount>, now: Clock) {
        let strict = chosen.strict.unwrap_or(ask.expected);
        for check in ask.caller.iter() {
            match held {
                None => self.count(
                    check,
                    ask.at,
                    if is_strict(check) { strict } else { ask.expected },
                    now,
                ),
                Some(held) if is_strict(check) => self.exchange(check, ask.at, held, strict),
                Some(_) => {}
            }
        }
        let route = chosen.route.and_then(|route| ask.routes.get(route));
        for check in route.iter().flat_map(|route| route.checks.iter()) {
            self.count(check, ask.at, if is_strict(check) { strict } else { ask.expected }, now);
        }
    }

    fn count(&mut self, check: &Check, at: Timestamp, reserve: Amount, now: Clock) {
        match &check.rule {
            Rule::Rate { requests: None, .. } => {}
            Rule::Rate { .. } => {
                self.rates.entry(&check.counter).requests.add(now.second(), 1);
            }
            Rule::Budget { period, .. } => {
                let term = self.term(&check.counter, *period, at);
                term.reserved = term.reserved.plus(reserve);
            }
        }
    }

    fn exchange(&mut self, check: &Check, at: Timestamp, held: Amount, reserve: Amount) {
        if let Rule::Budget { period, .. } = &check.rule {
            let term = self.term(&check.counter, *period, at);
            term.reserved = term.reserved.minus(held).plus(reserve);
        }
    }

    fn term(&mut self, counter: &Counter, period: Period, at: Timestamp) -> &mut Term {
        let span = self.calendar.span(period, at);
        self.budgets.entry(counter).term_mut(span)
    }

    /// Frees what a request has reserved for its route.
    pub fn leave_route(&mut self, hold: &Hold) {
        for check in hold.route.iter().flat_map(|checks| checks.iter()) {
            self.free(check, hold);
        }
    }

    fn free(&mut self, check: &Check, hold: &Hold) {
        if let Rule::Budget { period, .. } = &check.rule {
            let reserved = hold.reserved(check);
            let term = self.term(&check.counter, *period, hold.at);
            term.reserved = term.reserved.minus(reserved);
        }
    }

    /// Counts what a request has used, and frees what it had reserved. `told` hears what every
    /// budget now holds.
    pub fn settle(
        &mut self,
        hold: &Hold,
        used: Amount,
        position: Option<Position>,
        now: Clock,
        mut told: impl FnMut(&Check, Span, Amount),
    ) {
        for check in hold.checks() {
            match &check.rule {
                Rule::Rate { tokens: None, .. } => {}
                Rule::Rate { .. } => {
                    let tokens = &mut self.rates.entry(&check.counter).tokens;
                    tokens.advance(now.second());
                    tokens.add(now.second(), used.tokens);
                }
                Rule::Budget { period, .. } => {
                    let reserved = hold.reserved(check);
                    let term = self.term(&check.counter, *period, hold.at);
                    term.reserved = term.reserved.minus(reserved);
                    term.tally.add(position, used);
                    told(check, term.span, term.spent());
                }
            }
        }
    }
}

fn counted(window: &mut Window, limit: Option<u32>, now: Clock) -> Counted {
    let Some(limit) = limit else { return Counted::default() };
    window.advance(now.second());
    let full = window.sum() >= u64::from(limit);
    let wait = if full { window.below(u64::from(limit)) } else { None };
    Counted {
        sum: window.sum(),
        wait_ms: wait.map_or(0, |second| now.until(second)),
        reset_ms: now.until(window.empty()),
    }
}

/// A time of the windows' clock: milliseconds, whose beginning does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Clock(pub u64);

impl Clock {
    /// The second that runs.
    pub fn second(self) -> u32 {
        u32::try_from(self.0 / 1000).unwrap_or(u32::MAX)
    }

    /// Milliseconds until a second begins.
    pub fn until(self, second: u32) -> u64 {
        (u64::from(second) * 1000).saturating_sub(self.0)
    }
}

//! The counters of this process: of some organizations, under one lock, so that what is asked of
//! several is decided at once.
//!
//! Without Redis they are the counters. With Redis they mirror what this replica has counted there:
//! to enforce its share while Redis is away, and to tell Redis again what it has lost
//! ([`super::mirror`]).
//!
//! ```text
//! admit   decides, and counts what is granted   settle  counts what was used
//! rate    of a limit per minute                 upkeep  beginning, listing, dropping
//! term    of a budget, by its periods
//! ```

mod admit;
mod rate;
mod settle;
mod term;
mod upkeep;

use std::collections::VecDeque;

use hashbrown::HashMap;
use uuid::Uuid;

use self::term::{Account, TermState};
pub(super) use self::{
    admit::{Enforce, granted, reserved},
    rate::Rate,
    term::TermKey,
};
use super::{
    Counter,
    calendar::Calendar,
    crossing::Watched,
    link_state::{RateLink, TermLink},
    table::Table,
    together::Waiting,
};
use crate::domain::{OrgId, Period, Timestamp};

/// What is to be told to Redis.
#[derive(Clone, Debug)]
pub(super) enum Dirty {
    Rate(Counter),
    Term(TermKey),
}

impl Dirty {
    pub const fn org(&self) -> OrgId {
        match self {
            Self::Rate(counter) => counter.org,
            Self::Term(key) => key.counter.org,
        }
    }
}

/// The counters of this process.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) rates: Table<Rate>,
    pub(super) budgets: Table<Account>,
    pub(super) calendar: Calendar,
    /// What budgets are watched for.
    watched: HashMap<Uuid, Watched>,
    /// Budgets that were used lately, and are to be compared with the database when they are idle.
    touched: VecDeque<TermKey>,
    /// Requests that wait for a call of their organization to come back, while there is one.
    pub(super) asking: HashMap<OrgId, VecDeque<Waiting>>,
    /// What is to be told to Redis; always empty without it.
    pub(super) dirty: VecDeque<Dirty>,
    /// The number of the last batch that was told.
    pub(super) batches: u64,
    /// Whether every counter has a twin in Redis.
    is_shared: bool,
}

impl Book {
    /// Counters that mirror those in Redis, or are all there are.
    pub fn new(is_shared: bool) -> Self {
        Self { is_shared, ..Self::default() }
    }

    pub(super) fn rate(&mut self, counter: &Counter) -> &mut Rate {
        let rate = self.rates.entry(counter);
        if self.is_shared && rate.link.is_none() {
            // Redis may remember batches of one that was dropped here.
            let batch = self.batches;
            rate.link = Some(Box::new(RateLink { batch, ..RateLink::default() }));
        }
        rate
    }

    pub(super) fn term(
        &mut self,
        counter: &Counter,
        period: Period,
        at: Timestamp,
    ) -> &mut TermState {
        self.term_with(counter, period, at).0
    }

    /// The same, looked up once, with what else is needed to settle on it.
    fn term_with(
        &mut self,
        counter: &Counter,
        period: Period,
        at: Timestamp,
    ) -> (&mut TermState, &mut VecDeque<TermKey>, &HashMap<Uuid, Watched>) {
        let span = self.calendar.span(period, at);
        let term = self.budgets.entry(counter).term_or_new(span);
        if self.is_shared && term.link.is_none() {
            self.batches += 1;
            let part = self.batches;
            term.link = Some(Box::new(TermLink { part, batch: part, ..TermLink::default() }));
        }
        (term, &mut self.touched, &self.watched)
    }

    pub(super) fn known_term(&mut self, key: &TermKey) -> Option<&mut TermState> {
        self.budgets.get_mut(&key.counter)?.term(key.span.start)
    }
}

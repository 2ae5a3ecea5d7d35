//! The counters of a budget, one for each of its periods.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::{
    domain::{Money, OrgId, Timestamp},
    govern::{
        Amount, Counter, Term, calendar::Span, clock::Clock, crossing::Told, link_state::TermLink,
        share::Share, tally::Tally,
    },
};

/// A budget's counter in one period.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::govern) struct TermKey {
    pub counter: Counter,
    pub span: Span,
}

impl TermKey {
    /// An entity's counter.
    pub fn of(org: OrgId, term: Term, entity: &Arc<str>) -> Self {
        let counter = Counter::new(org, term.policy, Arc::clone(entity));
        Self { counter, span: Span { start: term.start, end: term.end } }
    }

    /// The budget and the period.
    pub const fn term(&self) -> Term {
        let Span { start, end } = self.span;
        Term { policy: self.counter.policy, start, end }
    }
}

/// Of a budget: the period that runs, and the one before while it is still settled.
#[derive(Debug, Default)]
pub(in crate::govern) struct Account {
    pub terms: SmallVec<[TermState; 1]>,
}

impl Account {
    pub fn term(&mut self, start: Timestamp) -> Option<&mut TermState> {
        self.terms.iter_mut().find(|term| term.span.start == start)
    }

    pub fn term_or_new(&mut self, span: Span) -> &mut TermState {
        let place = self.terms.iter().position(|term| term.span.start == span.start);
        let place = place.unwrap_or_else(|| {
            self.terms.push(TermState::new(span));
            self.terms.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "it was found or pushed at that place")]
        &mut self.terms[place]
    }
}

/// Of a budget's period.
#[derive(Debug)]
pub(in crate::govern) struct TermState {
    pub span: Span,
    /// What was spent when this was begun: in the database, or in Redis by others.
    pub begun: Amount,
    /// What was settled here behind that.
    pub tally: Tally,
    /// What requests in flight have reserved.
    pub reserved: Amount,
    /// Which thresholds were told.
    pub(super) told: Told,
    pub(super) is_touched: bool,
    pub(super) used_at: Clock,
    pub link: Option<Box<TermLink>>,
}

impl TermState {
    pub(super) fn new(span: Span) -> Self {
        Self {
            span,
            begun: Amount::ZERO,
            tally: Tally::default(),
            reserved: Amount::ZERO,
            told: Told::default(),
            is_touched: false,
            used_at: Clock::default(),
            link: None,
        }
    }

    pub fn spent(&self) -> Amount {
        self.begun.plus(self.tally.used())
    }

    /// What counts as spent where only a share of what was left when Redis was last heard of may be used here: the
    /// others' shares are as good as spent.
    pub(super) fn spent_of(
        &self,
        tokens: Option<u64>,
        cost: Option<Money>,
        share: Share,
    ) -> Amount {
        let told = self.link.as_ref().map_or(Amount::ZERO, |link| link.acked);
        let spent = self.spent();
        let before = spent.minus(self.tally.used().minus(told));
        let others = |limit: u64, before: u64| {
            let left = limit.saturating_sub(before);
            left - share.part(left)
        };
        let tokens = tokens.map_or(0, |limit| others(limit, before.tokens));
        let unsigned = |money: Money| u64::try_from(money.0).unwrap_or(0);
        let cost = cost.map_or(0, |limit| others(unsigned(limit), unsigned(before.cost)));
        spent.plus(Amount { tokens, cost: Money(i64::try_from(cost).unwrap_or(i64::MAX)) })
    }
}

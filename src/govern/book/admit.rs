//! Deciding by the counters of this process, and counting what is granted.

use super::{Book, Rate, TermState};
use crate::{
    domain::Timestamp,
    govern::{
        Amount, Ask, Check, Rule,
        calendar::Calendar,
        clock::Clock,
        decide::{Chosen, Decision, Readings, decide, is_strict},
        reading::{BudgetReading, RateReading, Reading},
        share::Share,
    },
};

/// How limits are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::govern) enum Enforce {
    /// So much of them.
    Share(Share),
    /// Not at all.
    Nothing,
}

impl Book {
    /// Decides, and counts the request where it is granted and counts. `held` as for [`decide`].
    pub fn admit(
        &mut self,
        ask: &Ask<'_>,
        held: Option<Amount>,
        now: Clock,
        enforce: Enforce,
    ) -> (Readings, Decision) {
        let mut readings = Readings::new();
        let checks = || ask.caller.iter().chain(ask.routes.iter().flat_map(|of| of.checks.iter()));
        let share = match enforce {
            Enforce::Share(share) => share,
            Enforce::Nothing => Share::WHOLE,
        };
        readings.extend(checks().map(|check| self.read(check, ask.at, now, share)));
        let decision = match enforce {
            Enforce::Share(_) => decide(ask, &readings, held),
            // As if nothing had been used; what is told is what was.
            Enforce::Nothing => {
                let calendar = &mut self.calendar;
                let unused = checks().map(|check| Self::unused(calendar, check, ask.at));
                decide(ask, &unused.collect::<Readings>(), held)
            }
        };
        if let (Decision::Grant(chosen), true) = (&decision, ask.counts) {
            self.take(ask, chosen, held, now);
        }
        (readings, decision)
    }

    /// What a counter shows.
    pub fn read(&mut self, check: &Check, at: Timestamp, now: Clock, share: Share) -> Reading {
        match &check.rule {
            Rule::Rate { requests, tokens } => {
                let shown = |rate: &mut Rate| rate.shown(*requests, *tokens, now, share);
                let known = self.rates.get_mut(&check.counter);
                Reading::Rate(known.map_or_else(|| shown(&mut Rate::default()), shown))
            }
            Rule::Budget { period, tokens, cost, .. } => {
                let span = self.calendar.span(*period, at);
                let account = self.budgets.get_mut(&check.counter);
                let shown = |term: &TermState| BudgetReading {
                    spent: term.spent_of(*tokens, *cost, share),
                    reserved: term.reserved,
                    end: span.end,
                };
                let known = account.and_then(|account| account.term(span.start));
                Reading::Budget(
                    known.map_or_else(|| shown(&TermState::new(span)), |term| shown(term)),
                )
            }
        }
    }

    /// What a counter shows that has counted nothing.
    fn unused(calendar: &mut Calendar, check: &Check, at: Timestamp) -> Reading {
        match &check.rule {
            Rule::Rate { .. } => Reading::Rate(RateReading::default()),
            Rule::Budget { period, .. } => {
                let end = calendar.span(*period, at).end;
                Reading::Budget(BudgetReading { end, ..BudgetReading::default() })
            }
        }
    }

    /// What a limit's window shows, with what other replicas have counted as far as that is known.
    pub fn known(&mut self, check: &Check, now: Clock) -> Reading {
        let here = self.read(check, Timestamp::default(), now, Share::WHOLE);
        let rate = self.rates.get_mut(&check.counter);
        let others = rate.and_then(|rate| rate.link.as_ref()?.others);
        match (here, others) {
            (Reading::Rate(here), Some(others)) => Reading::Rate(others.with(here, now)),
            (here, _) => here,
        }
    }

    fn take(&mut self, ask: &Ask<'_>, chosen: &Chosen, held: Option<Amount>, now: Clock) {
        for (check, of_caller) in granted(ask, chosen.route) {
            let reserve = reserved(ask, chosen, check);
            match (&check.rule, held.filter(|_| of_caller)) {
                (Rule::Rate { requests: None, .. }, _) => {}
                (Rule::Rate { .. }, None) => {
                    let rate = self.rate(&check.counter);
                    rate.requests.add(now.second(), 1);
                    if let Some(link) = &mut rate.link {
                        link.owe(now.second(), 1, 0);
                        self.mark_rate(&check.counter);
                    }
                }
                (Rule::Budget { period, .. }, None) => {
                    let term = self.term(&check.counter, *period, ask.at);
                    term.reserved = term.reserved.plus(reserve);
                }
                (Rule::Budget { period, .. }, Some(held)) if is_strict(check) => {
                    let term = self.term(&check.counter, *period, ask.at);
                    term.reserved = term.reserved.minus(held).plus(reserve);
                }
                (_, Some(_)) => {}
            }
        }
    }
}

/// The checks that count a request that is granted, and whether they are the caller's.
pub(in crate::govern) fn granted<'a>(
    ask: &'a Ask<'_>,
    route: Option<usize>,
) -> impl Iterator<Item = (&'a Check, bool)> {
    let route = route.and_then(|route| ask.routes.get(route));
    let of_route = route.into_iter().flat_map(|route| route.checks.iter());
    ask.caller.iter().map(|check| (check, true)).chain(of_route.map(|check| (check, false)))
}

/// What a budget reserves for a request that is granted.
pub(in crate::govern) fn reserved(ask: &Ask<'_>, chosen: &Chosen, check: &Check) -> Amount {
    match &check.rule {
        Rule::Budget { blocks: true, strict: true, .. } => chosen.strict.unwrap_or(ask.expected),
        Rule::Budget { blocks: true, .. } => ask.expected,
        _ => Amount::ZERO,
    }
}

//! When the periods of budgets begin and end, remembered: the calendar is slow to ask.

use crate::{
    domain::{Period, Timestamp},
    policy,
};

/// A period of the calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Span {
    pub start: Timestamp,
    pub end: Timestamp,
}

/// The periods that were last asked for.
#[derive(Debug, Default)]
pub(super) struct Calendar {
    known: [Span; Period::ALL.len()],
}

impl Calendar {
    /// The period that `at` lies in.
    pub fn span(&mut self, period: Period, at: Timestamp) -> Span {
        let place = Period::ALL.iter().position(|one| *one == period);
        let known = place.and_then(|place| self.known.get_mut(place));
        match known {
            Some(span) if span.start <= at && at < span.end => *span,
            known => {
                let span = span(period, at);
                if let Some(known) = known {
                    *known = span;
                }
                span
            }
        }
    }
}

/// The period that `at` lies in.
pub(super) fn span(period: Period, at: Timestamp) -> Span {
    Span { start: policy::start_of(period, at), end: policy::end_of(period, at) }
}

//! What this process has settled on a counter that the database may not hold yet.
//!
//! A counter begins with what the database holds: a sum, and up to which position it holds this
//! ledger's records. What lies behind that position is added from here, each record once, whatever
//! the order in which records and sums become known.

use std::collections::VecDeque;

use super::Amount;
use crate::domain::Position;

/// Settled records of one counter.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Up to where the counter's beginning holds this ledger's records.
    mark: Position,
    /// What was settled behind it.
    used: Amount,
    /// The last record.
    last: Position,
    /// Records that a later beginning may not hold, in no order.
    recent: VecDeque<(Position, Amount)>,
}

impl Tally {
    /// Notes a record; one without a position is in no database.
    pub fn add(&mut self, position: Option<Position>, amount: Amount) {
        if position.is_none() && amount == Amount::ZERO {
            return;
        }
        let position = position.unwrap_or(Position(self.last.0.max(self.mark.0 + 1)));
        self.last = self.last.max(position);
        if amount == Amount::ZERO {
            return;
        }
        self.recent.push_back((position, amount));
        if position > self.mark {
            self.used = self.used.plus(amount);
        }
    }

    /// Begins anew at a sum that holds the records up to `mark`.
    pub fn begin(&mut self, mark: Position) {
        self.mark = mark;
        let behind = self.recent.iter().filter(|(position, _)| *position > mark);
        self.used = behind.fold(Amount::ZERO, |sum, (_, amount)| sum.plus(*amount));
    }

    /// Forgets records that every later beginning will hold.
    pub fn forget(&mut self, held: Position) {
        if !self.recent.is_empty() {
            self.recent.retain(|(position, _)| *position > held);
        }
    }

    /// Whether nothing was noted ever.
    pub fn is_unused(&self) -> bool {
        self.last == Position(0) && self.is_empty()
    }

    /// Whether nothing is known that Redis could have lost.
    pub const fn is_empty(&self) -> bool {
        self.used.tokens == 0 && self.used.cost.0 == 0
    }

    /// What was settled behind the beginning.
    pub const fn used(&self) -> Amount {
        self.used
    }

    /// The last record's position.
    pub const fn last(&self) -> Position {
        self.last
    }
}

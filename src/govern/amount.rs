//! What requests use.

use crate::domain::Money;

/// Tokens and money. Tokens are input, output, cache reads and cache writes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Amount {
    /// Tokens.
    pub tokens: u64,
    /// Money; never negative.
    pub cost: Money,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self { tokens: 0, cost: Money(0) };

    /// The sum; the largest amount where it is more.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { tokens: self.tokens.saturating_add(other.tokens), cost: self.cost.plus(other.cost) }
    }

    /// What is left, nothing where it would be less.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            cost: Money(self.cost.0.saturating_sub(other.cost.0).max(0)),
        }
    }
}

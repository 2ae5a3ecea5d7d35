//! What a request has reserved, until it is settled.

use std::{fmt, sync::Arc};

use super::{Amount, Check, Counter, Governor, Moved, RouteAsk, Rule};
use crate::domain::{OrgId, Position, Timestamp};

/// What a request has reserved. It is settled exactly once: by [`Lease::settle`], or with nothing
/// used when it is dropped.
#[must_use]
pub struct Lease {
    governor: Arc<Governor>,
    hold: Option<Hold>,
}

/// What is reserved where.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub org: OrgId,
    pub at: Timestamp,
    pub caller: Arc<[Check]>,
    pub route: Option<Arc<[Check]>>,
    /// Limits of routes that it has left, which have counted it.
    pub former: Vec<Counter>,
    /// Of ordinary budgets.
    pub expected: Amount,
    /// Of strict ones.
    pub strict: Amount,
}

impl Hold {
    /// Every check that counts it.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.caller.iter().chain(self.route.iter().flat_map(|checks| checks.iter()))
    }

    /// Whether a counter counts it because of its route.
    pub fn is_on_route(&self, counter: &Counter) -> bool {
        self.route.iter().flat_map(|checks| checks.iter()).any(|check| check.counter == *counter)
    }

    /// Whether a limit has counted it because of this route, or of one that it has left.
    pub fn has_counted(&self, counter: &Counter) -> bool {
        self.former.contains(counter) || self.is_on_route(counter)
    }

    /// Notes the limits of its route, which it leaves.
    pub fn remember_route(&mut self) {
        for check in self.route.iter().flat_map(|checks| checks.iter()) {
            if matches!(check.rule, Rule::Rate { .. }) && !self.former.contains(&check.counter) {
                self.former.push(check.counter.clone());
            }
        }
    }

    /// What a budget has reserved for it.
    pub fn reserved(&self, check: &Check) -> Amount {
        match check.rule {
            Rule::Budget { blocks: true, strict: true, .. } => self.strict,
            Rule::Budget { blocks: true, .. } => self.expected,
            _ => Amount::ZERO,
        }
    }
}

impl Lease {
    pub(super) const fn new(governor: Arc<Governor>, hold: Hold) -> Self {
        Self { governor, hold: Some(hold) }
    }

    /// Counts what the request has used, and frees what it had reserved. Never waits. `position` is
    /// where its usage record lies in the ledger, to be kept there before; none if it is in none.
    pub fn settle(mut self, used: Amount, position: Option<Position>) {
        self.end(used, position);
    }

    /// Moves on to another route, when one has failed: asks for that route alone. To be called
    /// where the former or the new route has checks or a bound; the caller's own are counted once.
    pub async fn move_to(&mut self, route: RouteAsk<'_>) -> Moved {
        match &mut self.hold {
            Some(hold) => self.governor.move_hold(hold, route).await,
            None => Moved::Unavailable,
        }
    }

    fn end(&mut self, used: Amount, position: Option<Position>) {
        if let Some(hold) = self.hold.take() {
            self.governor.settle(&hold, used, position);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.end(Amount::ZERO, None);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.hold).finish()
    }
}

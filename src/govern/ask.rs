//! What is asked of the governor, and what it answers.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{Amount, Check, Lease};
use crate::domain::{OrgId, Price, Timestamp};

/// May this request be served?
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Whose request; every check is of this organization.
    pub org: OrgId,
    /// When it arrived: the `ts` of its usage record, which decides the periods of its budgets.
    pub at: Timestamp,
    /// What every request of this caller has to pass, in the order in which denials are told.
    pub caller: &'a Arc<[Check]>,
    /// The routes that are left in the plan, in order; empty where none are known, and then the
    /// caller's checks alone decide.
    pub routes: &'a [RouteAsk<'a>],
    /// What such requests have lately used ([`super::Expectations`]).
    pub expected: Amount,
    /// Whether it counts. Else it is only looked at: for requests that are refused for another
    /// reason, where a limit that is exhausted answers first.
    pub counts: bool,
}

/// One route of a plan.
#[derive(Clone, Copy, Debug)]
pub struct RouteAsk<'a> {
    /// What only requests on this route have to pass.
    pub checks: &'a Arc<[Check]>,
    /// The most that the request may use here. To be given wherever a strict budget may be among
    /// the checks; without it a strict budget reserves what is expected.
    pub bound: Option<Bound>,
}

/// The most that a request may use on a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The most that its input may be and cost.
    pub input: Amount,
    /// The client's own maximum of output tokens, of all answers together.
    pub wanted: Option<u64>,
    /// The most output tokens that the vendor allows for all of them; zero where there is no output.
    pub most: u64,
    /// How many answers share the output; at least one. A limit that is sent holds for each.
    pub answers: u64,
    /// Price of output tokens.
    pub output_price: Price,
    /// Whether its input may have to be kept in the vendor's cache for an hour, which is in the input's cost.
    pub for_an_hour: bool,
}

impl Bound {
    /// Where no bound is known: no more than what is expected.
    pub(super) fn expected(expected: Amount) -> Self {
        Self {
            input: expected,
            wanted: Some(0),
            most: 0,
            answers: 1,
            output_price: Price::default(),
            for_an_hour: false,
        }
    }
}

/// The governor's answer.
#[derive(Debug)]
#[must_use]
pub enum Verdict {
    /// It may be served.
    Granted(Grant),
    /// It may not, and is counted by none.
    Denied(Denied),
    /// Redis is away and `redis.on_failure` is `deny`.
    Unavailable,
}

/// A request may be served.
#[derive(Debug)]
pub struct Grant {
    /// The route that is granted, as an index into [`Ask::routes`]; none where there were none.
    pub route: Option<usize>,
    /// Routes whose own checks (or strict budgets) refuse the request, before and behind that one.
    pub blocked: Vec<BlockedRoute>,
    /// What is reserved; none if the request was only looked at.
    pub lease: Option<Lease>,
    /// For the headers `x-ratelimit-*`.
    pub standing: Standing,
    /// The output tokens that strict budgets still afford for each answer, where the client named no
    /// maximum: the request is to be sent with this maximum.
    pub output_cap: Option<u64>,
    /// The exhausted budget that serves the request on and marks it.
    pub throttled_by: Option<Uuid>,
}

/// A route that may not be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedRoute {
    /// Index into [`Ask::routes`].
    pub route: usize,
    /// Why: the check that recovers last.
    pub by: Block,
}

/// A check refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which check.
    pub check: Check,
    /// What of it is used up.
    pub reason: Reason,
    /// When it may pass again.
    pub retry_after: Duration,
    /// By how much a strict budget falls short of what the request may use.
    pub short: Option<Box<Shortage>>,
}

/// A strict budget does not suffice for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The least that has to be left for the request: the most that it may use, where the client limits
    /// its output; else its input and a first token of each answer.
    pub needs: Amount,
    /// What is left of the budget.
    pub left: Amount,
    /// What is used of it where that alone leaves too little, whatever becomes of requests in flight; else none.
    pub used: Option<Amount>,
}

/// What is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Requests per minute.
    Requests,
    /// Tokens per minute.
    Tokens,
    /// A budget's tokens.
    BudgetTokens,
    /// A budget's money.
    BudgetCost,
}

/// A request may not be served.
#[derive(Debug)]
pub struct Denied {
    /// Why.
    pub by: Block,
    /// The route whose recovery that is, where the caller's checks pass and every route refuses.
    pub route: Option<usize>,
    /// For the headers `x-ratelimit-*`.
    pub standing: Standing,
}

/// How the caller stands with its tightest limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The limit of requests per minute with the fewest left.
    pub requests: Option<Room>,
    /// The limit of tokens per minute with the fewest left.
    pub tokens: Option<Room>,
}

/// How much of a limit per minute is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The limit.
    pub limit: u64,
    /// What is left of it, this request counted.
    pub remaining: u64,
    /// Until all of it is there again, if nothing more is asked.
    pub reset: Duration,
}

impl Standing {
    /// The tighter of both, limit by limit.
    #[must_use]
    pub fn tightest(self, other: Self) -> Self {
        let tighter = |one: Option<Room>, two: Option<Room>| match (one, two) {
            (Some(one), Some(two)) if two.remaining < one.remaining => Some(two),
            (one, two) => one.or(two),
        };
        Self {
            requests: tighter(self.requests, other.requests),
            tokens: tighter(self.tokens, other.tokens),
        }
    }
}

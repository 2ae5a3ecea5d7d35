//! The decision: from what the counters show to a verdict. Pure; Redis decides by the same rules
//! (`redis/admit.lua`).

use smallvec::SmallVec;
use uuid::Uuid;

use super::{
    Amount, Ask, Block, BlockedRoute, Bound, Check, Reason, Rule, Shortage, Standing,
    reading::{BudgetReading, Reading, budget_wait, marks, refusal, standing, until_end},
};
use crate::domain::Money;

/// What counters show: the caller's in their order, then those of every route.
pub(super) type Readings = SmallVec<[Reading; 8]>;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Count it for the caller's checks and the route's.
    Grant(Chosen),
    /// Count it nowhere.
    Deny { by: Block, route: Option<usize> },
}

/// What is granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    pub route: Option<usize>,
    pub blocked: Vec<BlockedRoute>,
    /// What strict budgets reserve; the others reserve what is expected.
    pub strict: Option<Amount>,
    pub output_cap: Option<u64>,
}

/// Whether a check is a strict budget that refuses.
pub(super) const fn is_strict(check: &Check) -> bool {
    matches!(check.rule, Rule::Budget { blocks: true, strict: true, .. })
}

/// Decides. A request that moves on to another route has passed the caller's checks and is counted
/// by them; `held` is what it has reserved of the caller's strict budgets.
pub(super) fn decide(ask: &Ask<'_>, readings: &[Reading], held: Option<Amount>) -> Decision {
    let (caller, mut rest) = split(readings, ask.caller.len());
    if let Some(by) = held.is_none().then(|| first_refusal(ask, ask.caller, caller)).flatten() {
        return Decision::Deny { by, route: None };
    }
    let held = held.unwrap_or_default();
    if ask.routes.is_empty() {
        return Decision::Grant(Chosen::default());
    }
    let mut chosen: Option<Chosen> = None;
    let mut blocked = Vec::new();
    for (route, asked) in ask.routes.iter().enumerate() {
        let (own, others) = split(rest, asked.checks.len());
        rest = others;
        let fits = match worst_refusal(ask, asked.checks, own) {
            Some(by) => Err(Box::new(by)),
            None => strict_room(ask, route, caller, own, held),
        };
        match fits {
            Err(by) => blocked.push(BlockedRoute { route, by: *by }),
            Ok(strict) if chosen.is_none() => {
                let (strict, output_cap) = strict.unzip();
                let output_cap = output_cap.flatten();
                chosen =
                    Some(Chosen { route: Some(route), strict, output_cap, ..Chosen::default() });
            }
            Ok(_) => {}
        }
    }
    match chosen {
        Some(chosen) => Decision::Grant(Chosen { blocked, ..chosen }),
        None => nearest(blocked),
    }
}

fn split(readings: &[Reading], at: usize) -> (&[Reading], &[Reading]) {
    readings.split_at_checked(at).unwrap_or((readings, &[]))
}

/// Every route refuses: the one that recovers first tells.
fn nearest(blocked: Vec<BlockedRoute>) -> Decision {
    let Some(first) = blocked.into_iter().min_by_key(|route| route.by.retry_after) else {
        return Decision::Grant(Chosen::default());
    };
    Decision::Deny { by: first.by, route: Some(first.route) }
}

/// The first of the caller's checks that refuses; of further ones of its kind, the one that
/// recovers last, so that the wait which is told is an honest one.
fn first_refusal(ask: &Ask<'_>, checks: &[Check], readings: &[Reading]) -> Option<Block> {
    let mut refusals = refusals(ask, checks, readings);
    let first = refusals.next()?;
    let is_rate = |block: &Block| matches!(block.check.rule, Rule::Rate { .. });
    let kind = is_rate(&first);
    Some(refusals.filter(|block| is_rate(block) == kind).fold(first, later))
}

fn worst_refusal(ask: &Ask<'_>, checks: &[Check], readings: &[Reading]) -> Option<Block> {
    refusals(ask, checks, readings).reduce(later)
}

fn later(one: Block, two: Block) -> Block {
    if two.retry_after > one.retry_after { two } else { one }
}

fn refusals<'a>(
    ask: &'a Ask<'_>,
    checks: &'a [Check],
    readings: &'a [Reading],
) -> impl Iterator<Item = Block> + 'a {
    // What is held of strict budgets is looked at with the route's bound.
    let ordinary = |check: &Check| !is_strict(check) || ask.routes.is_empty();
    checks.iter().zip(readings).filter(move |(check, _)| ordinary(check)).filter_map(
        |(check, reading)| {
            let (reason, retry_after) = refusal(check, reading, ask.at)?;
            Some(Block { check: check.clone(), reason, retry_after, short: None })
        },
    )
}

/// What strict budgets reserve on a route, and the cap of its output; none where there is none.
type Strict = Option<(Amount, Option<u64>)>;

fn strict_room(
    ask: &Ask<'_>,
    route: usize,
    caller: &[Reading],
    own: &[Reading],
    held: Amount,
) -> Result<Strict, Box<Block>> {
    let Some(asked) = ask.routes.get(route) else { return Ok(None) };
    let of_caller = ask.caller.iter().zip(caller).map(|pair| (pair, held));
    let of_route = asked.checks.iter().zip(own).map(|pair| (pair, Amount::ZERO));
    let bound = asked.bound.unwrap_or(Bound::expected(ask.expected));
    let mut tightest: Option<(Amount, Option<u64>)> = None;
    for ((check, reading), held) in of_caller.chain(of_route) {
        if !is_strict(check) {
            continue;
        }
        let Reading::Budget(budget) = reading else { continue };
        let left = left(&check.rule, budget.spent.plus(budget.reserved.minus(held)));
        let Some(need) = need(&bound, left) else {
            return Err(Box::new(too_little(ask, (check, budget), &bound, left)));
        };
        tightest = Some(match tightest {
            Some(other) if other.0.tokens <= need.0.tokens => other,
            _ => need,
        });
    }
    Ok(tightest)
}

/// A strict budget that has too little left. What is reserved may be free again in a moment; where the request
/// would not fit without that, either, it never does before the period ends.
fn too_little(
    ask: &Ask<'_>,
    (check, budget): (&Check, &BudgetReading),
    bound: &Bound,
    left: Amount,
) -> Block {
    let fits_later = need(bound, self::left(&check.rule, budget.spent)).is_some();
    let retry_after =
        if fits_later { budget_wait(budget, check, ask.at) } else { until_end(budget, ask.at) };
    let used = (!fits_later).then_some(budget.spent);
    let short = Some(Box::new(Shortage { needs: least(bound), left, used }));
    Block { check: check.clone(), reason: lacking(bound, left), retry_after, short }
}

/// The least that a strict budget has to have left for a request.
fn least(bound: &Bound) -> Amount {
    let output = bound.wanted.unwrap_or(bound.answers).min(bound.most);
    let output = Amount { tokens: output, cost: bound.output_price.at_most(output) };
    output.plus(bound.input)
}

/// What a strict budget has left.
fn left(rule: &Rule, used: Amount) -> Amount {
    let Rule::Budget { tokens, cost, .. } = rule else { return Amount::ZERO };
    Amount {
        tokens: tokens.map_or(u64::MAX, |limit| limit.saturating_sub(used.tokens)),
        cost: cost.map_or(Money(i64::MAX), |limit| Money((limit.0 - used.cost.0).max(0))),
    }
}

/// The most that the request may use, within what is left, and the cap that makes it so.
fn need(bound: &Bound, left: Amount) -> Option<(Amount, Option<u64>)> {
    if bound.input.tokens > left.tokens || bound.input.cost > left.cost {
        return None;
    }
    let rest = left.minus(bound.input);
    let affords = rest.tokens.min(bound.output_price.paid_by(rest.cost));
    let (output, cap) = if let Some(wanted) = bound.wanted {
        (Some(wanted.min(bound.most)).filter(|wanted| *wanted <= affords)?, None)
    } else {
        // Each answer gets the same, and at least a token.
        let each = bound.most.min(affords) / bound.answers.max(1);
        if each < bound.most.min(1) {
            return None;
        }
        (each.saturating_mul(bound.answers), Some(each))
    };
    let need = Amount { tokens: output, cost: bound.output_price.at_most(output) };
    Some((need.plus(bound.input), cap))
}

/// Which of both is short.
fn lacking(bound: &Bound, left: Amount) -> Reason {
    if least(bound).tokens > left.tokens { Reason::BudgetTokens } else { Reason::BudgetCost }
}

/// How the caller stands, on the route that was granted or whose refusal is told if there is one. Where the request
/// `moves`, the caller's limits have counted it already.
pub(super) fn standing_of(
    ask: &Ask<'_>,
    readings: &[Reading],
    decision: &Decision,
    moves: bool,
) -> Standing {
    let told = match decision {
        Decision::Grant(chosen) => chosen.route,
        Decision::Deny { route, .. } => *route,
    };
    let counted = ask.counts && matches!(decision, Decision::Grant(_));
    let (caller, mut rest) = split(readings, ask.caller.len());
    let mut all = Standing::default();
    for (check, reading) in ask.caller.iter().zip(caller) {
        all = all.tightest(standing(check, reading, counted && !moves));
    }
    for (route, asked) in ask.routes.iter().enumerate() {
        let (own, others) = split(rest, asked.checks.len());
        rest = others;
        if told == Some(route) {
            for (check, reading) in asked.checks.iter().zip(own) {
                all = all.tightest(standing(check, reading, counted));
            }
        }
    }
    all
}

/// The first exhausted budget that marks what it serves, of the caller and of the route that was granted.
pub(super) fn marked(ask: &Ask<'_>, readings: &[Reading], decision: &Decision) -> Option<Uuid> {
    let Decision::Grant(Chosen { route, .. }) = decision else { return None };
    let (caller, mut rest) = split(readings, ask.caller.len());
    let mut pairs: SmallVec<[(&Check, &Reading); 8]> = ask.caller.iter().zip(caller).collect();
    for (index, asked) in ask.routes.iter().enumerate() {
        let (own, others) = split(rest, asked.checks.len());
        rest = others;
        if *route == Some(index) {
            pairs.extend(asked.checks.iter().zip(own));
        }
    }
    let marks = pairs.into_iter().find(|(check, reading)| marks(check, reading));
    marks.map(|(check, _)| check.counter.policy)
}

/// A denial where Redis and this process disagree (a rounding; a period that has not begun): the
/// tightest budget tells.
pub(super) fn fallback_denial(ask: &Ask<'_>, readings: &[Reading]) -> Decision {
    let checks = ask.caller.iter().chain(ask.routes.iter().flat_map(|route| route.checks.iter()));
    let mut budgets = checks.zip(readings).filter_map(|(check, reading)| match reading {
        Reading::Budget(budget) => Some((check, budget)),
        Reading::Rate(_) => None,
    });
    match budgets.next() {
        Some((check, budget)) => {
            let retry_after = budget_wait(budget, check, ask.at);
            let by = Block {
                check: check.clone(),
                reason: Reason::BudgetCost,
                retry_after,
                short: None,
            };
            Decision::Deny { by, route: None }
        }
        None => Decision::Grant(Chosen::default()),
    }
}

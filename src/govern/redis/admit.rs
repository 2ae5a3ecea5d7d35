//! The call that admits requests (`admit.lua`).

use redis::Value;
use smallvec::SmallVec;

use super::{
    call::{Answer, Call},
    keys,
};
use crate::{
    domain::OrgId,
    govern::{
        Amount, Ask, Check, Counter, Rule,
        calendar::Calendar,
        decide::{Readings, is_strict},
        reading::{BudgetReading, Counted, RateReading, Reading},
    },
};

/// Who asks: a replica, and which of its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::govern) struct Session {
    pub replica: std::sync::Arc<str>,
    pub generation: u32,
}

/// What Redis has decided.
#[derive(Clone, Debug)]
pub(in crate::govern) struct Admission {
    pub granted: bool,
    pub route: Option<usize>,
    pub output_cap: Option<u64>,
    /// What strict budgets have reserved.
    pub need: Amount,
    /// Redis's clock, milliseconds.
    pub now: u64,
    pub readings: Readings,
    /// Which life of each counter it was.
    pub lives: SmallVec<[Life; 8]>,
}

/// Which life of a counter was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::govern) enum Life {
    /// A window's epoch.
    Window(u64),
    /// A budget's, since it was made.
    Budget(u64),
    /// The budget's period has not begun.
    NotBegun,
    /// It was not asked for: it neither refuses nor marks.
    NotAsked,
}

/// Whether a check can refuse, or marks, and is asked for.
const fn is_asked(check: &Check) -> bool {
    !matches!(check.rule, Rule::Budget { blocks: false, marks: false, .. })
}

/// How a budget is held to its limits.
const fn manner(check: &Check) -> u8 {
    match check.rule {
        Rule::Budget { blocks: false, .. } => 2,
        _ if is_strict(check) => 1,
        _ => 0,
    }
}

/// Tokens of a limit per minute that were settled here, and that Redis may not have been told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::govern) struct Untold {
    /// The last batch that was sent.
    pub batch: u64,
    /// In that, as long as it is not answered.
    pub sent: u64,
    /// In no batch yet.
    pub later: u64,
}

/// What is asked for one request: its part of a [`together`]. `untold` says what Redis does not know.
pub(in crate::govern) fn request(
    ask: &Ask<'_>,
    held: Option<Amount>,
    calendar: &mut Calendar,
    mut untold: impl FnMut(&Counter) -> Untold,
) -> Call {
    let mut call = Call::default();
    call.arg(u8::from(ask.counts));
    amount(&mut call, ask.expected);
    call.arg(u8::from(held.is_some()));
    amount(&mut call, held.unwrap_or_default());
    checks(&mut call, ask, ask.caller, calendar, &mut untold);
    call.arg(ask.routes.len());
    for route in ask.routes {
        let bound = route.bound.unwrap_or(crate::govern::Bound::expected(ask.expected));
        amount(&mut call, bound.input);
        limit(&mut call, bound.wanted);
        call.arg(bound.most);
        call.arg(bound.answers);
        call.arg(bound.output_price.units());
        checks(&mut call, ask, route.checks, calendar, &mut untold);
    }
    call
}

/// The call that asks for requests of one organization, in order.
pub(in crate::govern) fn together(
    org: OrgId,
    session: &Session,
    requests: impl ExactSizeIterator<Item = Call>,
    now: Option<u64>,
) -> Call {
    let mut call = Call::at(now);
    call.key(keys::sessions(org));
    call.arg(&session.replica);
    call.arg(session.generation);
    call.arg(requests.len());
    for request in requests {
        call.append(request);
    }
    call
}

/// The answers, one for each request.
pub(in crate::govern) fn answers(value: Value) -> impl Iterator<Item = Answer> {
    match value {
        Value::Array(answers) => answers,
        _ => Vec::new(),
    }
    .into_iter()
    .map(Answer::new)
}

fn checks(
    call: &mut Call,
    ask: &Ask<'_>,
    checks: &[Check],
    calendar: &mut Calendar,
    untold: &mut impl FnMut(&Counter) -> Untold,
) {
    call.arg(checks.iter().filter(|check| is_asked(check)).count());
    for check in checks.iter().filter(|check| is_asked(check)) {
        match &check.rule {
            Rule::Rate { requests, tokens } => {
                call.key(keys::window(&check.counter));
                call.arg("r");
                limit(call, requests.map(u64::from));
                limit(call, tokens.map(u64::from));
                let Untold { batch, sent, later } = untold(&check.counter);
                call.arg(batch);
                call.arg(sent);
                call.arg(later);
            }
            Rule::Budget { period, tokens, cost, .. } => {
                let start = calendar.span(*period, ask.at).start;
                call.key(keys::marker(ask.org, check.counter.policy, start));
                call.key(keys::budget(&check.counter, start));
                call.arg("b");
                limit(call, *tokens);
                limit(call, cost.map(|cost| u64::try_from(cost.0).unwrap_or(0)));
                call.arg(manner(check));
            }
        }
    }
}

fn amount(call: &mut Call, amount: Amount) {
    call.arg(amount.tokens);
    call.arg(amount.cost.0);
}

fn limit(call: &mut Call, limit: Option<u64>) {
    match limit {
        Some(limit) => call.arg(limit),
        None => call.arg("-"),
    }
}

/// Reads the answer to a request.
pub(in crate::govern) fn read(
    ask: &Ask<'_>,
    calendar: &mut Calendar,
    mut answer: Answer,
) -> Admission {
    let granted = answer.number() == 1;
    let route = answer.some().and_then(|route| usize::try_from(route).ok());
    let output_cap = answer.some();
    let need = answer.amount();
    let now = answer.number();
    let mut readings = Readings::new();
    let mut lives = SmallVec::new();
    for check in ask.caller.iter().chain(ask.routes.iter().flat_map(|of| of.checks.iter())) {
        let (reading, life) = read_check(check, ask, calendar, &mut answer);
        readings.push(reading);
        lives.push(life);
    }
    Admission { granted, route, output_cap, need, now, readings, lives }
}

fn read_check(
    check: &Check,
    ask: &Ask<'_>,
    calendar: &mut Calendar,
    answer: &mut Answer,
) -> (Reading, Life) {
    match &check.rule {
        Rule::Rate { .. } => {
            let life = Life::Window(answer.number());
            let mut counted = || Counted {
                sum: answer.number(),
                wait_ms: answer.number(),
                reset_ms: answer.number(),
            };
            let requests = counted();
            (Reading::Rate(RateReading { requests, tokens: counted() }), life)
        }
        Rule::Budget { period, .. } => {
            let end = calendar.span(*period, ask.at).end;
            if !is_asked(check) {
                let reading = BudgetReading { end, ..BudgetReading::default() };
                return (Reading::Budget(reading), Life::NotAsked);
            }
            let begun = answer.number() == 1;
            let life = answer.number();
            let spent = answer.amount();
            let reserved = answer.amount();
            let life = if begun { Life::Budget(life) } else { Life::NotBegun };
            (Reading::Budget(BudgetReading { spent, reserved, end }), life)
        }
    }
}

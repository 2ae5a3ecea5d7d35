//! The call that admits requests (`admit.lua`).

use std::collections::HashMap;

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

/// What is asked for one request: its part of a [`together`].
#[derive(Debug, Default)]
pub(in crate::govern) struct Request {
    words: Vec<Word>,
}

#[derive(Debug)]
enum Word {
    Text(String),
    /// Told by its number: requests of a call meet mostly the same checks, and each goes with it once.
    Check(Asked, Untold),
}

/// A check, as Redis is asked about it.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Asked {
    Limit { window: String, requests: Option<u32>, tokens: Option<u32> },
    Budget { marker: String, counter: String, tokens: Option<u64>, cost: Option<u64>, manner: u8 },
}

impl Request {
    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts alike")]
    fn arg(&mut self, arg: impl ToString) {
        self.words.push(Word::Text(arg.to_string()));
    }

    fn amount(&mut self, amount: Amount) {
        self.arg(amount.tokens);
        self.arg(amount.cost.0);
    }
}

/// One request's part. `untold` says what Redis does not know.
pub(in crate::govern) fn request(
    ask: &Ask<'_>,
    held: Option<Amount>,
    calendar: &mut Calendar,
    mut untold: impl FnMut(&Counter) -> Untold,
) -> Request {
    let mut request = Request::default();
    request.arg(u8::from(ask.counts));
    request.amount(ask.expected);
    request.arg(u8::from(held.is_some()));
    request.amount(held.unwrap_or_default());
    checks(&mut request, ask, ask.caller, calendar, &mut untold);
    request.arg(ask.routes.len());
    for route in ask.routes {
        let bound = route.bound.unwrap_or(crate::govern::Bound::expected(ask.expected));
        request.amount(bound.input);
        request.arg(limit(bound.wanted));
        request.arg(bound.most);
        request.arg(bound.answers);
        request.arg(bound.output_price.units());
        checks(&mut request, ask, route.checks, calendar, &mut untold);
    }
    request
}

/// Room for what most calls and requests have.
const TYPICAL_CHECKS: usize = 16;
const TYPICAL_WORDS: usize = 32;

/// The call that asks for requests of one organization, in order.
pub(in crate::govern) fn together(
    org: OrgId,
    session: &Session,
    requests: impl ExactSizeIterator<Item = Request>,
    now: Option<u64>,
) -> Call {
    let count = requests.len();
    let mut known: HashMap<Asked, (usize, Untold)> = HashMap::with_capacity(TYPICAL_CHECKS);
    let mut words = Vec::with_capacity(count * TYPICAL_WORDS);
    for word in requests.flat_map(|request| request.words) {
        words.push(match word {
            Word::Text(text) => text,
            Word::Check(asked, untold) => {
                let next = known.len() + 1;
                let (number, latest) = known.entry(asked).or_insert((next, untold));
                // Whoever waits asks in order: the last knows most of what was settled meanwhile.
                *latest = untold;
                number.to_string()
            }
        });
    }
    let mut checks: Vec<_> = known.into_iter().collect();
    checks.sort_unstable_by_key(|(_, (number, _))| *number);

    let mut call = Call::at(now);
    call.key(keys::sessions(org));
    call.arg(&session.replica);
    call.arg(session.generation);
    call.arg(checks.len());
    for (asked, (_, untold)) in checks {
        asked.tell(untold, &mut call);
    }
    call.arg(count);
    call.args.extend(words);
    call
}

impl Asked {
    fn tell(self, untold: Untold, call: &mut Call) {
        match self {
            Self::Limit { window, requests, tokens } => {
                call.key(window);
                call.arg("r");
                call.arg(limit(requests));
                call.arg(limit(tokens));
                call.arg(untold.batch);
                call.arg(untold.sent);
                call.arg(untold.later);
            }
            Self::Budget { marker, counter, tokens, cost, manner } => {
                call.key(marker);
                call.key(counter);
                call.arg("b");
                call.arg(limit(tokens));
                call.arg(limit(cost));
                call.arg(manner);
            }
        }
    }
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
    request: &mut Request,
    ask: &Ask<'_>,
    checks: &[Check],
    calendar: &mut Calendar,
    untold: &mut impl FnMut(&Counter) -> Untold,
) {
    request.arg(checks.iter().filter(|check| is_asked(check)).count());
    for check in checks.iter().filter(|check| is_asked(check)) {
        let word = match &check.rule {
            Rule::Rate { requests, tokens } => {
                let window = keys::window(&check.counter);
                let asked = Asked::Limit { window, requests: *requests, tokens: *tokens };
                Word::Check(asked, untold(&check.counter))
            }
            Rule::Budget { period, tokens, cost, .. } => {
                let start = calendar.span(*period, ask.at).start;
                let asked = Asked::Budget {
                    marker: keys::marker(ask.org, check.counter.policy, start),
                    counter: keys::budget(&check.counter, start),
                    tokens: *tokens,
                    cost: cost.map(|cost| u64::try_from(cost.0).unwrap_or(0)),
                    manner: manner(check),
                };
                Word::Check(asked, Untold::default())
            }
        };
        request.words.push(word);
    }
}

fn limit(limit: Option<impl ToString>) -> String {
    limit.map_or_else(|| "-".to_owned(), |limit| limit.to_string())
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

//! The call that admits requests (`admit.lua`).

use redis::Value;
use smallvec::SmallVec;

use super::{
    call::{Answer, Call},
    keys,
};
use crate::{
    domain::{OrgId, Timestamp},
    govern::{
        Amount, Ask, Check, Counter, Rule,
        calendar::Calendar,
        decide::{Readings, is_strict},
        link_state::Net,
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
    /// A budget's.
    Budget {
        /// The state of the database that it goes back to.
        epoch: u64,
        /// Since it was made.
        life: u64,
        /// What it holds that is spent, without what this replica has not told of.
        told: Amount,
    },
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

/// What was settled here, and Redis may not have been told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::govern) enum Untold {
    #[default]
    Nothing,
    /// Tokens of a limit per minute.
    Tokens {
        /// The last batch that was sent.
        batch: u64,
        /// In that, as long as it is not answered.
        sent: u64,
        /// In no batch yet.
        later: u64,
    },
    /// Of a budget.
    Use {
        /// The state of the database, and the life of the counter, that it is counted from.
        epoch: u64,
        life: u64,
        /// As of tokens.
        batch: u64,
        sent: Amount,
        later: Amount,
        /// How much of what was granted altogether is free again.
        freed: Net,
    },
}

/// Room for what most requests have.
const TYPICAL_WORDS: usize = 32;
const TYPICAL_CHECKS: usize = 8;

/// What is asked for one request: its part of a [`together`].
#[derive(Debug)]
pub(in crate::govern) struct Request {
    words: Vec<Word>,
    /// Its checks in the order of the words, and what Redis has not been told of each.
    checks: Vec<(Asked, Untold)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Number(i64),
    Nothing,
    /// The next check, told by its number: requests of a call meet mostly the same, and each goes with it once.
    Check,
}

/// A check, as Redis is asked about it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Limit {
        counter: Counter,
        requests: Option<u32>,
        tokens: Option<u32>,
    },
    Budget {
        org: OrgId,
        counter: Counter,
        start: Timestamp,
        tokens: Option<u64>,
        cost: Option<u64>,
        manner: u8,
    },
}

impl Request {
    /// The largest number that there is where it is larger: to a script either is more than anything.
    fn number(&mut self, number: impl TryInto<i64>) {
        self.words.push(Word::Number(number.try_into().unwrap_or(i64::MAX)));
    }

    fn amount(&mut self, amount: Amount) {
        self.number(amount.tokens);
        self.number(amount.cost.0);
    }
}

/// One request's part. `untold` says what Redis does not know.
pub(in crate::govern) fn request(
    ask: &Ask<'_>,
    held: Option<Amount>,
    calendar: &mut Calendar,
    mut untold: impl FnMut(&Check, Timestamp) -> Untold,
) -> Request {
    let mut request = Request {
        words: Vec::with_capacity(TYPICAL_WORDS),
        checks: Vec::with_capacity(TYPICAL_CHECKS),
    };
    request.number(u8::from(ask.counts));
    request.amount(ask.expected);
    request.number(u8::from(held.is_some()));
    request.amount(held.unwrap_or_default());
    checks(&mut request, ask, ask.caller, calendar, &mut untold);
    request.number(ask.routes.len());
    for route in ask.routes {
        let bound = route.bound.unwrap_or(crate::govern::Bound::expected(ask.expected));
        request.amount(bound.input);
        match bound.wanted {
            Some(wanted) => request.number(wanted),
            None => request.words.push(Word::Nothing),
        }
        request.number(bound.most);
        request.number(bound.answers);
        request.number(bound.output_price.units());
        checks(&mut request, ask, route.checks, calendar, &mut untold);
    }
    request
}

/// What requests of a call have in common.
struct Kind {
    words: Vec<Word>,
    /// The numbers of its checks, from 0.
    checks: Vec<usize>,
}

/// The call that asks for requests of one organization, in order.
pub(in crate::govern) fn together(
    org: OrgId,
    session: &Session,
    requests: impl ExactSizeIterator<Item = Request>,
    now: Option<u64>,
) -> Call {
    let mut kinds: Vec<Kind> = Vec::new();
    let mut checks: Vec<(Asked, Untold)> = Vec::new();
    let mut asked = Vec::with_capacity(requests.len());
    for request in requests {
        let known = kinds.iter().rposition(|kind| kind.is_of(&request, &checks));
        let number = known.unwrap_or_else(|| {
            kinds.push(Kind::of(&request, &mut checks));
            kinds.len() - 1
        });
        asked.push(number + 1);
        let numbers = kinds.get(number).map_or(&[][..], |kind| &kind.checks);
        for (check, (_, untold)) in numbers.iter().zip(request.checks) {
            // Whoever waits asks in order: the last knows most of what was settled meanwhile.
            if let Some((_, latest)) = checks.get_mut(*check) {
                *latest = untold;
            }
        }
    }

    let mut call = Call::at(now);
    call.key(keys::sessions(org));
    call.arg(&session.replica);
    call.arg(session.generation);
    call.arg(checks.len());
    for (asked, untold) in checks {
        asked.tell(untold, &mut call);
    }
    call.arg(kinds.len());
    for kind in kinds {
        kind.tell(&mut call);
    }
    call.arg(asked.len());
    for kind in asked {
        call.arg(kind);
    }
    call
}

impl Kind {
    /// That of a request. Checks that have no number get the next.
    fn of(request: &Request, checks: &mut Vec<(Asked, Untold)>) -> Self {
        let mut number = |(asked, untold): &(Asked, Untold)| {
            checks.iter().position(|(known, _)| known == asked).unwrap_or_else(|| {
                checks.push((asked.clone(), *untold));
                checks.len() - 1
            })
        };
        let checks = request.checks.iter().map(&mut number).collect();
        Self { words: request.words.clone(), checks }
    }

    fn is_of(&self, request: &Request, checks: &[(Asked, Untold)]) -> bool {
        let mut known =
            self.checks.iter().map(|number| checks.get(*number).map(|(asked, _)| asked));
        self.words == request.words
            && request.checks.iter().all(|(asked, _)| known.next().flatten() == Some(asked))
    }

    fn tell(self, call: &mut Call) {
        let mut checks = self.checks.into_iter();
        for word in self.words {
            match word {
                Word::Number(number) => call.arg(number),
                Word::Nothing => call.arg("-"),
                Word::Check => call.arg(checks.next().unwrap_or(0) + 1),
            }
        }
    }
}

impl Asked {
    fn tell(self, untold: Untold, call: &mut Call) {
        match self {
            Self::Limit { counter, requests, tokens } => {
                call.key(keys::window(&counter));
                call.arg("r");
                call.arg(limit(requests));
                call.arg(limit(tokens));
                untold.tell(call);
            }
            Self::Budget { org, counter, start, tokens, cost, manner } => {
                call.key(keys::marker(org, counter.policy, start));
                call.key(keys::budget(&counter, start));
                call.arg("b");
                call.arg(limit(tokens));
                call.arg(limit(cost));
                call.arg(manner);
                untold.tell(call);
            }
        }
    }
}

impl Untold {
    fn tell(self, call: &mut Call) {
        match self {
            Self::Nothing => call.arg("-"),
            Self::Tokens { batch, sent, later } => call.arg(format_args!("{batch} {sent} {later}")),
            Self::Use { epoch, life, batch, sent, later, freed } => call.arg(format_args!(
                "{epoch} {life} {batch} {} {} {} {} {} {}",
                sent.tokens, sent.cost.0, later.tokens, later.cost.0, freed.tokens, freed.cost
            )),
        }
    }
}

/// The answers, one for each request.
pub(in crate::govern) fn answers(value: Value) -> impl Iterator<Item = Answer> {
    let values = match value {
        Value::Array(values) => values,
        _ => Vec::new(),
    };
    let mut answers: Vec<Answer> = Vec::with_capacity(values.len());
    for value in values {
        let answer = Answer::new(value);
        let answer = match answers.as_slice() {
            _ if !answer.is_empty() => Some(answer),
            [.., one, next] => next.after(one),
            _ => None,
        };
        // What is no answer of the script's is the end of them.
        let Some(answer) = answer else { break };
        answers.push(answer);
    }
    answers.into_iter()
}

fn checks(
    request: &mut Request,
    ask: &Ask<'_>,
    checks: &[Check],
    calendar: &mut Calendar,
    untold: &mut impl FnMut(&Check, Timestamp) -> Untold,
) {
    request.number(checks.iter().filter(|check| is_asked(check)).count());
    for check in checks.iter().filter(|check| is_asked(check)) {
        let counter = check.counter.clone();
        let (asked, untold) = match &check.rule {
            Rule::Rate { requests, tokens } => {
                let untold = untold(check, ask.at);
                (Asked::Limit { counter, requests: *requests, tokens: *tokens }, untold)
            }
            Rule::Budget { period, tokens, cost, .. } => {
                let start = calendar.span(*period, ask.at).start;
                let asked = Asked::Budget {
                    org: ask.org,
                    counter,
                    start,
                    tokens: *tokens,
                    cost: cost.map(|cost| u64::try_from(cost.0).unwrap_or(0)),
                    manner: manner(check),
                };
                (asked, untold(check, start))
            }
        };
        request.words.push(Word::Check);
        request.checks.push((asked, untold));
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
            let (epoch, life) = (answer.number(), answer.number());
            let (spent, untold) = (answer.amount(), answer.amount());
            let reserved = answer.amount();
            let told = spent.minus(untold);
            let life = if epoch > 0 { Life::Budget { epoch, life, told } } else { Life::NotBegun };
            (Reading::Budget(BudgetReading { spent, reserved, end }), life)
        }
    }
}

//! The counters of this process: of some organizations, under one lock, so that what is asked of
//! several is decided at once.
//!
//! Without Redis they are the counters. With Redis they mirror what this replica has counted there:
//! to enforce its share while Redis is away, and to tell Redis again what it has lost
//! ([`super::mirror`]).

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use hashbrown::HashMap;
use smallvec::SmallVec;
use uuid::Uuid;

use super::{
    Amount, Ask, Check, Counter, Crossing, Rule, Second, Term,
    calendar::{Calendar, Span},
    clock::Clock,
    crossing::{Told, Watched},
    decide::{Chosen, Decision, Readings, decide, is_strict},
    lease::Hold,
    link_state::{RateLink, Recalled, TermLink},
    reading::{BudgetReading, Counted, RateReading, Reading},
    share::Share,
    table::{PARTS, Table},
    tally::Tally,
    together::Waiting,
    window::Window,
};
use crate::domain::{Money, OrgId, Period, Position, Timestamp};

/// A counter that nobody has used for so long is idle.
const IDLE: Duration = Duration::from_millis(600);

/// How long a period's counters are kept when it has ended: requests that began in it may still run.
const AFTER_END: Duration = Duration::from_secs(3600);

/// The wait that is told by a replica that has no share, for another has.
const ANOTHERS_MS: u64 = 1000;

/// How limits are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enforce {
    /// So much of them.
    Share(Share),
    /// Not at all.
    Nothing,
}

/// A budget's counter in one period.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TermKey {
    pub counter: Counter,
    pub span: Span,
}

impl TermKey {
    /// An entity's counter.
    pub fn of(org: OrgId, term: Term, entity: &Arc<str>) -> Self {
        let counter = Counter::new(org, term.policy, Arc::clone(entity));
        Self { counter, span: Span { start: term.start, end: term.end } }
    }

    /// The budget and the period.
    pub const fn term(&self) -> Term {
        let Span { start, end } = self.span;
        Term { policy: self.counter.policy, start, end }
    }
}

/// What is to be told to Redis.
#[derive(Clone, Debug)]
pub(super) enum Dirty {
    Rate(Counter),
    Term(TermKey),
}

impl Dirty {
    pub const fn org(&self) -> OrgId {
        match self {
            Self::Rate(counter) => counter.org,
            Self::Term(key) => key.counter.org,
        }
    }
}

/// The counters of this process.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) rates: Table<Rate>,
    pub(super) budgets: Table<Account>,
    pub(super) calendar: Calendar,
    /// What budgets are watched for.
    watched: HashMap<Uuid, Watched>,
    /// Budgets that were used lately, and are to be compared with the database when they are idle.
    touched: VecDeque<TermKey>,
    /// Requests that wait for a call of their organization to come back, while there is one.
    pub(super) asking: HashMap<OrgId, VecDeque<Waiting>>,
    /// What is to be told to Redis; always empty without it.
    pub(super) dirty: VecDeque<Dirty>,
    /// The number of the last batch that was told.
    pub(super) batches: u64,
    /// Whether every counter has a twin in Redis.
    is_shared: bool,
}

/// Of a limit per minute.
#[derive(Debug, Default)]
pub(super) struct Rate {
    pub requests: Window,
    pub tokens: Window,
    pub link: Option<Box<RateLink>>,
}

impl Rate {
    /// Whether nothing is left of what it has counted.
    fn is_over(&self, now: Clock) -> bool {
        let is_over = |window: &Window| window.empty() <= now.second();
        let recalled = self.recalled();
        is_over(&self.requests)
            && is_over(&self.tokens)
            && recalled.is_none_or(|of| of.is_over(now.second()))
    }

    fn recalled(&self) -> Option<&Recalled> {
        self.link.as_ref()?.recalled.as_deref()
    }

    /// What it shows of what is limited, if all who share it have counted as much as this one.
    pub fn shown(
        &mut self,
        requests: Option<u32>,
        tokens: Option<u32>,
        now: Clock,
        share: Share,
    ) -> RateReading {
        if let Some(recalled) = self.recalled().filter(|of| !of.is_over(now.second())) {
            let mut both =
                [self.requests.with(&recalled.requests), self.tokens.with(&recalled.tokens)];
            let [of_requests, of_tokens] = &mut both;
            return RateReading {
                requests: counted(of_requests, requests, now, share),
                tokens: counted(of_tokens, tokens, now, share),
            };
        }
        RateReading {
            requests: counted(&mut self.requests, requests, now, share),
            tokens: counted(&mut self.tokens, tokens, now, share),
        }
    }
}

/// Of a budget: the period that runs, and the one before while it is still settled.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub terms: SmallVec<[TermState; 1]>,
}

/// Of a budget's period.
#[derive(Debug)]
pub(super) struct TermState {
    pub span: Span,
    /// What was spent when this was begun: in the database, or in Redis by others.
    pub begun: Amount,
    /// What was settled here behind that.
    pub tally: Tally,
    /// What requests in flight have reserved.
    pub reserved: Amount,
    /// Which thresholds were told.
    told: Told,
    is_touched: bool,
    used_at: Clock,
    pub link: Option<Box<TermLink>>,
}

impl TermState {
    fn new(span: Span) -> Self {
        Self {
            span,
            begun: Amount::ZERO,
            tally: Tally::default(),
            reserved: Amount::ZERO,
            told: Told::default(),
            is_touched: false,
            used_at: Clock::default(),
            link: None,
        }
    }

    pub fn spent(&self) -> Amount {
        self.begun.plus(self.tally.used())
    }

    /// What counts as spent where only a share of what was left when Redis was last heard of may be used here: the
    /// others' shares are as good as spent.
    fn spent_of(&self, tokens: Option<u64>, cost: Option<Money>, share: Share) -> Amount {
        let told = self.link.as_ref().map_or(Amount::ZERO, |link| link.acked);
        let spent = self.spent();
        let before = spent.minus(self.tally.used().minus(told));
        let others = |limit: u64, before: u64| {
            let left = limit.saturating_sub(before);
            left - share.part(left)
        };
        let tokens = tokens.map_or(0, |limit| others(limit, before.tokens));
        let unsigned = |money: Money| u64::try_from(money.0).unwrap_or(0);
        let cost = cost.map_or(0, |limit| others(unsigned(limit), unsigned(before.cost)));
        spent.plus(Amount { tokens, cost: Money(i64::try_from(cost).unwrap_or(i64::MAX)) })
    }
}

impl Account {
    pub fn term(&mut self, start: Timestamp) -> Option<&mut TermState> {
        self.terms.iter_mut().find(|term| term.span.start == start)
    }

    pub fn term_or_new(&mut self, span: Span) -> &mut TermState {
        let place = self.terms.iter().position(|term| term.span.start == span.start);
        let place = place.unwrap_or_else(|| {
            self.terms.push(TermState::new(span));
            self.terms.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "it was found or pushed at that place")]
        &mut self.terms[place]
    }
}

impl Book {
    /// Counters that mirror those in Redis, or are all there are.
    pub fn new(is_shared: bool) -> Self {
        Self { is_shared, ..Self::default() }
    }

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

    /// In how many parts the counters of limits lie.
    pub const PARTS: usize = PARTS;

    /// Adds those of one part that are of these limits and not empty.
    pub fn held(
        &mut self,
        org: OrgId,
        limits: &HashSet<Uuid>,
        part: usize,
        now: Clock,
        held: &mut Vec<Counter>,
    ) {
        for (counter, rate) in self.rates.in_part(part) {
            if counter.org == org && limits.contains(&counter.policy) && !rate.is_over(now) {
                held.push(counter.clone());
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

    pub(super) fn rate(&mut self, counter: &Counter) -> &mut Rate {
        let rate = self.rates.entry(counter);
        if self.is_shared && rate.link.is_none() {
            // Redis may remember batches of one that was dropped here.
            let batch = self.batches;
            rate.link = Some(Box::new(RateLink { batch, ..RateLink::default() }));
        }
        rate
    }

    pub(super) fn term(
        &mut self,
        counter: &Counter,
        period: Period,
        at: Timestamp,
    ) -> &mut TermState {
        self.term_with(counter, period, at).0
    }

    /// The same, looked up once, with what else is needed to settle on it.
    fn term_with(
        &mut self,
        counter: &Counter,
        period: Period,
        at: Timestamp,
    ) -> (&mut TermState, &mut VecDeque<TermKey>, &HashMap<Uuid, Watched>) {
        let span = self.calendar.span(period, at);
        let term = self.budgets.entry(counter).term_or_new(span);
        if self.is_shared && term.link.is_none() {
            self.batches += 1;
            let part = self.batches;
            term.link = Some(Box::new(TermLink { part, batch: part, ..TermLink::default() }));
        }
        (term, &mut self.touched, &self.watched)
    }

    /// Frees what a request has reserved for its route, but for what is shared with the next.
    pub fn leave_route(&mut self, hold: &Hold, shared: &[Check]) {
        let goes_on = |check: &&Check| shared.iter().any(|one| one.counter == check.counter);
        let all = hold.route.iter().flat_map(|checks| checks.iter());
        for check in all.filter(|check| !goes_on(check)) {
            if let Rule::Budget { period, .. } = &check.rule {
                let term = self.term(&check.counter, *period, hold.at);
                term.reserved = term.reserved.minus(hold.reserved(check));
                self.mark_term(&check.counter, *period, hold.at);
            }
        }
    }

    /// Counts what a request has used, and frees what it had reserved. Answers the thresholds that
    /// are passed, where this process alone knows what is spent.
    pub fn settle(
        &mut self,
        hold: &Hold,
        used: Amount,
        position: Option<Position>,
        now: Clock,
    ) -> Vec<Crossing> {
        let mut crossings = Vec::new();
        for check in hold.checks() {
            match &check.rule {
                Rule::Rate { tokens: None, .. } => {}
                Rule::Rate { .. } if used.tokens == 0 => {}
                Rule::Rate { .. } => {
                    let rate = self.rate(&check.counter);
                    rate.tokens.advance(now.second());
                    rate.tokens.add(now.second(), used.tokens);
                    if let Some(link) = &mut rate.link {
                        link.owe(now.second(), 0, used.tokens);
                        self.mark_rate(&check.counter);
                    }
                }
                Rule::Budget { period, .. } => {
                    let (term, touched, watched) = self.term_with(&check.counter, *period, hold.at);
                    let span = term.span;
                    term.reserved = term.reserved.minus(hold.reserved(check));
                    term.tally.add(position, used);
                    term.used_at = now;
                    if !std::mem::replace(&mut term.is_touched, true) {
                        let counter = check.counter.clone();
                        touched.push_back(TermKey { counter, span });
                    }
                    if term.link.is_some() {
                        self.mark_term(&check.counter, *period, hold.at);
                    } else if let Some(watched) = watched.get(&check.counter.policy) {
                        let spent = term.spent();
                        crossings.extend(term.told.reached(&check.counter, span, spent, watched));
                    }
                }
            }
        }
        crossings
    }

    /// Notes what a budget is watched for; whether that is news.
    pub fn watch(&mut self, policy: Uuid, watched: Watched) -> bool {
        let is_news = self.watched.get(&policy) != Some(&watched);
        if is_news {
            self.watched.insert(policy, watched);
        }
        is_news
    }

    /// The thresholds that what is spent of a counter has passed, and that were not told.
    pub(super) fn crossed(&mut self, key: &TermKey) -> Vec<Crossing> {
        let Some(spent) = self.known_term(key).map(|term| term.spent()) else { return Vec::new() };
        self.crossed_with(key, spent)
    }

    /// The same where so much is spent at least, as the database says; of counters, too, that nothing here has
    /// used.
    pub(super) fn crossed_by(&mut self, key: &TermKey, held: Amount) -> Vec<Crossing> {
        let known = self.known_term(key).map(|term| term.spent()).unwrap_or_default();
        let tokens = known.tokens.max(held.tokens);
        self.crossed_with(key, Amount { tokens, cost: known.cost.max(held.cost) })
    }

    fn crossed_with(&mut self, key: &TermKey, spent: Amount) -> Vec<Crossing> {
        let Some(watched) = self.watched.get(&key.counter.policy).cloned() else {
            return Vec::new();
        };
        let mut told = self.known_term(key).map(|term| term.told).unwrap_or_default();
        let crossings = told.reached(&key.counter, key.span, spent, &watched);
        if !crossings.is_empty() {
            self.budgets.entry(&key.counter).term_or_new(key.span).told = told;
        }
        crossings
    }

    pub(super) fn known_term(&mut self, key: &TermKey) -> Option<&mut TermState> {
        self.budgets.get_mut(&key.counter)?.term(key.span.start)
    }

    /// Begins a counter with what the database holds of it, up to `mark` of this ledger. At any
    /// time: what was settled here behind the mark is added.
    pub fn begin(&mut self, key: &TermKey, held: Amount, mark: Position) {
        let term = self.budgets.entry(&key.counter).term_or_new(key.span);
        term.begun = held;
        term.tally.begin(mark);
    }

    /// Takes an amount for what was spent in a period up to `mark`, unless Redis has told of it.
    pub fn suppose(&mut self, key: &TermKey, held: Amount, mark: Position) {
        let term = self.budgets.entry(&key.counter).term_or_new(key.span);
        let is_heard = |link: &TermLink| link.epoch != 0 || link.acked != Amount::ZERO;
        if !term.link.as_deref().is_some_and(is_heard) {
            term.begun = held;
            term.tally.begin(mark);
        }
    }

    /// Counts what was used in the last minute, before this process began.
    pub fn recall(&mut self, org: OrgId, second: &Second, now: Clock) {
        let Second { policy, entity, ago, requests, tokens } = second;
        let counter = Counter::new(org, *policy, Arc::clone(entity));
        let at = now.second().saturating_sub(*ago);
        let is_shared = self.is_shared;
        let rate = self.rate(&counter);
        // The twin in Redis holds it by itself, or those tell it who have counted it.
        let (of_requests, of_tokens) = match &mut rate.link {
            Some(link) if is_shared => {
                let recalled = link.recalled.get_or_insert_default();
                (&mut recalled.requests, &mut recalled.tokens)
            }
            _ => (&mut rate.requests, &mut rate.tokens),
        };
        of_requests.add(at, *requests);
        of_tokens.add(at, *tokens);
    }

    /// Budgets that were used and are idle now; each once, until it is used again.
    pub fn idle(&mut self, now: Clock) -> Vec<TermKey> {
        let mut idle = Vec::new();
        for _ in 0..self.touched.len() {
            let Some(key) = self.touched.pop_front() else { break };
            let Some(term) = self.known_term(&key) else { continue };
            let is_dirty = term.link.as_ref().is_some_and(|link| link.is_dirty);
            if now.since(term.used_at) < IDLE || is_dirty {
                self.touched.push_back(key);
            } else {
                term.is_touched = false;
                idle.push(key);
            }
        }
        idle
    }

    /// Has an idle counter compared once more.
    pub fn touch(&mut self, key: TermKey) {
        if let Some(term) = self.known_term(&key)
            && !std::mem::replace(&mut term.is_touched, true)
        {
            self.touched.push_back(key);
        }
    }

    /// Drops what is idle or over from a part of the counters, and records that the database holds.
    pub fn tidy(&mut self, now: Clock, at: Timestamp, held: Position) {
        self.rates.tidy(|rate| {
            rate.requests.advance(now.second());
            rate.tokens.advance(now.second());
            if let Some(link) = &mut rate.link {
                link.recalled.take_if(|recalled| recalled.is_over(now.second()));
            }
            let is_owed = rate.link.as_ref().is_some_and(|link| link.is_owed());
            is_owed || !rate.is_over(now)
        });
        self.budgets.tidy(|account| {
            account.terms.retain(|term| {
                term.tally.forget(held);
                let is_over = term.span.end.after(AFTER_END) < at;
                let is_dirty = term.link.as_ref().is_some_and(|link| link.is_dirty);
                !is_over || is_dirty || term.is_touched || term.reserved != Amount::ZERO
            });
            !account.terms.is_empty()
        });
    }
}

/// The checks that count a request that is granted, and whether they are the caller's.
pub(super) fn granted<'a>(
    ask: &'a Ask<'_>,
    route: Option<usize>,
) -> impl Iterator<Item = (&'a Check, bool)> {
    let route = route.and_then(|route| ask.routes.get(route));
    let of_route = route.into_iter().flat_map(|route| route.checks.iter());
    ask.caller.iter().map(|check| (check, true)).chain(of_route.map(|check| (check, false)))
}

/// What a budget reserves for a request that is granted.
pub(super) fn reserved(ask: &Ask<'_>, chosen: &Chosen, check: &Check) -> Amount {
    match &check.rule {
        Rule::Budget { blocks: true, strict: true, .. } => chosen.strict.unwrap_or(ask.expected),
        Rule::Budget { blocks: true, .. } => ask.expected,
        _ => Amount::ZERO,
    }
}

/// What a window shows: no less than the limit when the share of it is used up, and else less.
fn counted(window: &mut Window, limit: Option<u32>, now: Clock, share: Share) -> Counted {
    let Some(limit) = limit.map(u64::from) else { return Counted::default() };
    window.advance(now.second());
    let (here, part) = (window.sum(), share.part(limit));
    let all = here.saturating_mul(u64::from(share.replicas()));
    let is_full = here >= part;
    let wait_ms = match window.below(part) {
        _ if !is_full => 0,
        Some(second) => now.until(second),
        None if part < limit => ANOTHERS_MS,
        None => 0,
    };
    Counted {
        sum: if is_full { all.max(limit) } else { all.min(limit - 1) },
        wait_ms,
        reset_ms: now.until(window.empty()),
    }
}

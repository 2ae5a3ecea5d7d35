//! Keeping the counters here and those in Redis together.
//!
//! What is told is absolute wherever it can be (how much a replica has used behind the mark that the
//! counter began with; how much of its reservations is free again), so that telling it twice, late
//! or after Redis has lost everything makes no difference. Windows are told what to add, in numbered
//! batches of which each counts once.

use super::{
    Amount, Ask, Counter, Crossing, Rule,
    book::{Book, Dirty, Rate, TermKey, granted, reserved},
    clock::Clock,
    decide::{Chosen, is_strict},
    link_state::{Others, RateLink, TermLink, Tick},
    reading::Reading,
    redis::{
        admit::{self, Admission, Life, Session},
        call::{Answer, Call},
        keys,
    },
    share::Share,
};
use crate::domain::{OrgId, Period, Position, Timestamp};

/// Entries of one call.
const BATCH: usize = 100;

/// A call that tells Redis what was settled.
#[derive(Debug)]
pub(super) struct Flush {
    pub call: Call,
    /// How much of what was to be told it took along.
    pub taken: usize,
    items: Vec<Sent>,
}

#[derive(Debug)]
enum Sent {
    Rate(Counter),
    Term { key: TermKey, used: Amount },
}

impl Book {
    /// What Redis has decided on a request.
    pub fn answered(&mut self, ask: &Ask<'_>, answer: Answer) -> Admission {
        let admission = admit::read(ask, &mut self.calendar, answer);
        if ask.counts {
            self.meet_others(ask, &admission);
        }
        admission
    }

    /// Notes what other replicas have counted of the caller's limits per minute; nothing where none of the
    /// caller's requests was counted here, and this one is not.
    fn meet_others(&mut self, ask: &Ask<'_>, admission: &Admission) {
        let now = Clock(admission.now);
        for (check, reading) in ask.caller.iter().zip(&admission.readings) {
            let (Rule::Rate { requests, tokens }, Reading::Rate(there)) = (&check.rule, reading)
            else {
                continue;
            };
            let rate = if admission.granted {
                self.rate(&check.counter)
            } else if let Some(rate) = self.rates.get_mut(&check.counter) {
                rate
            } else {
                continue;
            };
            if let Some(link) = &mut rate.link {
                link.recalled = None;
            }
            let here = rate.shown(*requests, *tokens, now, Share::WHOLE);
            if let Some(link) = &mut rate.link {
                link.others = Some(Others::of(*there, here, now));
            }
        }
    }

    /// Counts here what Redis has granted. `chosen` is what the request really got.
    pub fn admitted(
        &mut self,
        ask: &Ask<'_>,
        admission: &Admission,
        chosen: &Chosen,
        held: Option<Amount>,
        session: &Session,
    ) {
        let second = Clock(admission.now).second();
        let granted_there = Chosen { strict: Some(admission.need), ..Chosen::default() };
        let lives = lives(ask, admission);
        for ((check, of_caller), life) in granted(ask, admission.route).zip(lives) {
            let moved = held.filter(|_| of_caller);
            match (&check.rule, life) {
                (Rule::Rate { requests, .. }, Life::Window(epoch)) if moved.is_none() => {
                    self.met_window(&check.counter, epoch, second, u64::from(requests.is_some()));
                }
                (Rule::Budget { period, .. }, life) => {
                    if moved.is_some() && !is_strict(check) {
                        continue;
                    }
                    let before = moved.unwrap_or_default();
                    let there = (reserved(ask, &granted_there, check), before);
                    let reserve = reserved(ask, chosen, check);
                    let term = self.term(&check.counter, *period, ask.at);
                    let carried = term.reserved != Amount::ZERO;
                    term.reserved = term.reserved.minus(before).plus(reserve);
                    let is_unused = term.tally.is_unused();
                    let link = term.link.get_or_insert_default();
                    if let (0, true, Life::Budget { epoch, .. }) = (link.epoch, is_unused, life) {
                        // All that is settled from here on lies behind any mark that it began with.
                        link.epoch = epoch;
                    }
                    let is_missing = match met(link, life, there, session) {
                        Met::NotBegun | Met::Older => reserve != Amount::ZERO,
                        Met::Newer => carried,
                        Met::Known => false,
                    };
                    if is_missing {
                        self.mark_term(&check.counter, *period, ask.at);
                    }
                }
                _ => {}
            }
        }
        self.learn(ask, admission);
    }

    /// Has it told what a request has reserved that is granted.
    pub fn mark_granted(&mut self, ask: &Ask<'_>, chosen: &Chosen) {
        for (check, _) in granted(ask, chosen.route) {
            if let Rule::Budget { period, .. } = &check.rule {
                self.mark_term(&check.counter, *period, ask.at);
            }
        }
    }

    /// Takes back what Redis has granted to a request that was decided otherwise.
    pub fn undo(
        &mut self,
        ask: &Ask<'_>,
        admission: &Admission,
        held: Option<Amount>,
        session: &Session,
    ) {
        let second = Clock(admission.now).second();
        let granted_there = Chosen { strict: Some(admission.need), ..Chosen::default() };
        let lives = lives(ask, admission);
        for ((check, of_caller), life) in granted(ask, admission.route).zip(lives) {
            let moved = held.filter(|_| of_caller);
            match (&check.rule, life) {
                (Rule::Rate { requests: Some(_), .. }, Life::Window(epoch)) if moved.is_none() => {
                    self.met_window(&check.counter, epoch, second, 0);
                    let link = self.rate(&check.counter).link.get_or_insert_default();
                    if link.epoch == epoch {
                        link.owe(second, -1, 0);
                    }
                    self.mark_rate(&check.counter);
                }
                (Rule::Budget { period, .. }, Life::Budget { .. }) => {
                    if moved.is_some() && !is_strict(check) {
                        continue;
                    }
                    let there = (reserved(ask, &granted_there, check), moved.unwrap_or_default());
                    let term = self.term(&check.counter, *period, ask.at);
                    met(term.link.get_or_insert_default(), life, there, session);
                    self.mark_term(&check.counter, *period, ask.at);
                }
                _ => {}
            }
        }
    }

    /// Counts requests in a window that Redis has counted in the window of that epoch.
    fn met_window(&mut self, counter: &Counter, epoch: u64, second: u32, count: u64) {
        let rate = self.rate(counter);
        rate.requests.advance(second);
        rate.tokens.advance(second);
        let known = rate.link.get_or_insert_default().epoch;
        if epoch > known {
            adopt_window(rate, epoch);
        }
        rate.requests.add(second, count);
        let link = rate.link.get_or_insert_default();
        if epoch < known && count > 0 {
            link.owe(second, 1, 0);
        }
        if !link.owed.is_empty() {
            self.mark_rate(counter);
        }
    }

    /// Remembers what all replicas have spent, for when Redis is away.
    fn learn(&mut self, ask: &Ask<'_>, admission: &Admission) {
        let checks = ask.caller.iter().chain(ask.routes.iter().flat_map(|of| of.checks.iter()));
        for (check, life) in checks.zip(&admission.lives) {
            let (Rule::Budget { period, .. }, Life::Budget { told, .. }) = (&check.rule, life)
            else {
                continue;
            };
            let span = self.calendar.span(*period, ask.at);
            let account = self.budgets.get_mut(&check.counter);
            let Some(term) = account.and_then(|account| account.term(span.start)) else { continue };
            // Redis may have taken over what is on its way or not: the answer to that will say.
            match &term.link {
                Some(link) if link.is_sent => {}
                Some(link) => term.begun = told.minus(link.acked),
                None => term.begun = *told,
            }
        }
    }

    /// Has it told; `false` if that is to be done already.
    pub(super) fn mark_rate(&mut self, counter: &Counter) -> bool {
        let link = self.rates.get_mut(counter).and_then(|rate| rate.link.as_mut());
        let is_news = link.is_some_and(|link| !std::mem::replace(&mut link.is_dirty, true));
        if is_news {
            self.dirty.push_back(Dirty::Rate(counter.clone()));
        }
        is_news
    }

    pub(super) fn mark_term(&mut self, counter: &Counter, period: Period, at: Timestamp) {
        let span = self.calendar.span(period, at);
        self.mark(&TermKey { counter: counter.clone(), span });
    }

    fn mark(&mut self, key: &TermKey) {
        let Some(term) = self.known_term(key) else { return };
        let Some(link) = &mut term.link else { return };
        if !std::mem::replace(&mut link.is_dirty, true) {
            self.dirty.push_back(Dirty::Term(key.clone()));
        }
    }

    /// Has everything told again that may be lost: of one budget's period, or of all.
    pub fn mark_all(&mut self, of: Option<(uuid::Uuid, Timestamp)>) {
        let mut keys = Vec::new();
        for (counter, account) in self.budgets.iter_mut() {
            if of.is_some_and(|(policy, _)| policy != counter.policy) {
                continue;
            }
            for term in &account.terms {
                let is_meant = of.is_none_or(|(_, start)| start == term.span.start);
                let is_used = !term.tally.is_empty() || term.reserved != Amount::ZERO;
                if is_meant && is_used {
                    keys.push(TermKey { counter: counter.clone(), span: term.span });
                }
            }
        }
        for key in &keys {
            self.mark(key);
        }
    }

    /// Has Redis asked whether it still holds an organization's windows: one that it has lost is made,
    /// and told what was counted here, before a request meets it.
    pub fn ask_windows(&mut self, org: OrgId, now: Clock) {
        let mut counters = Vec::new();
        for (counter, rate) in self.rates.iter_mut().filter(|(counter, _)| counter.org == org) {
            rate.requests.advance(now.second());
            rate.tokens.advance(now.second());
            let is_used = rate.requests.sum() > 0 || rate.tokens.sum() > 0;
            if let Some(link) = rate.link.as_mut().filter(|_| is_used) {
                link.is_asked = true;
                counters.push(counter.clone());
            }
        }
        for counter in &counters {
            self.mark_rate(counter);
        }
    }

    /// The next call that tells Redis something, of one organization and of the first `most` that are to be told;
    /// none if there is nothing.
    pub fn flush(
        &mut self,
        most: usize,
        ledger: &str,
        session: &Session,
        now: Option<u64>,
    ) -> Option<Flush> {
        let org = self.dirty.front()?.org();
        let mut call = Call::at(now);
        call.key(keys::sessions(org));
        call.arg(&session.replica);
        call.arg(session.generation);
        call.arg(ledger);
        let count = call.args.len();
        call.arg(0);
        let mut items = Vec::new();
        let mut others = Vec::new();
        let mut taken = 0;
        while items.len() < BATCH && taken + others.len() < most {
            match self.dirty.pop_front() {
                Some(dirty) if dirty.org() == org => {
                    taken += 1;
                    items.extend(self.tell(dirty, session, &mut call));
                }
                Some(other) => others.push(other),
                None => break,
            }
        }
        for other in others.into_iter().rev() {
            self.dirty.push_front(other);
        }
        if let Some(number) = call.args.get_mut(count) {
            *number = items.len().to_string();
        }
        Some(Flush { call, taken, items })
    }

    fn tell(&mut self, dirty: Dirty, session: &Session, call: &mut Call) -> Option<Sent> {
        self.batches += 1;
        let batch = self.batches;
        match dirty {
            Dirty::Rate(counter) => {
                let link = self.rates.get_mut(&counter)?.link.as_mut()?;
                link.is_dirty = false;
                if link.sent.is_empty() {
                    link.sent = std::mem::take(&mut link.owed);
                    link.batch = batch;
                }
                if link.sent.is_empty() && !link.is_asked {
                    return None;
                }
                link.is_asked = false;
                call.key(keys::window(&counter));
                call.arg("w");
                call.arg(link.epoch);
                call.arg(link.batch);
                call.arg(link.sent.len());
                for tick in &link.sent {
                    call.arg(tick.second);
                    call.arg(tick.requests);
                    call.arg(tick.tokens);
                }
                Some(Sent::Rate(counter))
            }
            Dirty::Term(key) => {
                let term = self.known_term(&key)?;
                let (used, live, last) = (term.tally.used(), term.reserved, term.tally.last());
                let link = term.link.as_mut()?;
                link.is_dirty = false;
                link.granted = link.granted_in(session);
                link.generation = session.generation;
                (link.batch, link.sent, link.is_sent) = (batch, used, true);
                let freed = link.granted.minus(live);
                let (policy, start) = (key.counter.policy, key.span.start);
                call.key(keys::marker(key.counter.org, policy, start));
                call.key(keys::budget(&key.counter, start));
                call.key(keys::parts(&key.counter, start));
                call.arg("b");
                call.arg(link.epoch);
                call.arg(link.life);
                call.arg(batch);
                call.arg(link.part);
                call.arg(used.tokens);
                call.arg(used.cost.0);
                call.arg(last.0);
                call.arg(freed.tokens);
                call.arg(freed.cost);
                Some(Sent::Term { key, used })
            }
        }
    }

    /// Takes the answer to a call that told something. Answers thresholds that are passed, and
    /// periods that have not begun.
    pub fn flushed(&mut self, flush: Flush, mut answer: Answer) -> Flushed {
        let mut flushed = Flushed { now: answer.number(), ..Flushed::default() };
        for item in flush.items {
            match item {
                Sent::Rate(counter) => {
                    flushed.is_to_repeat |= self.told_window(&counter, &mut answer);
                }
                Sent::Term { key, used } => self.told_term(&key, used, &mut answer, &mut flushed),
            }
        }
        flushed
    }

    /// Whether something is to be told again that nobody has marked yet.
    fn told_window(&mut self, counter: &Counter, answer: &mut Answer) -> bool {
        let is_added = answer.number() == 1;
        let epoch = answer.number();
        let Some(rate) = self.rates.get_mut(counter) else { return false };
        let Some(link) = &mut rate.link else { return false };
        link.sent.clear();
        if !is_added && link.epoch != epoch {
            adopt_window(rate, epoch);
        }
        rate.link.as_ref().is_some_and(|link| !link.owed.is_empty()) && self.mark_rate(counter)
    }

    fn told_term(
        &mut self,
        key: &TermKey,
        used: Amount,
        answer: &mut Answer,
        flushed: &mut Flushed,
    ) {
        let is_taken = answer.number() == 1;
        let (epoch, life) = (answer.number(), answer.number());
        let spent = answer.amount();
        let mark = Position(answer.number());
        let Some(term) = self.known_term(key) else { return };
        let Some(link) = &mut term.link else { return };
        link.is_sent = false;
        if is_taken {
            link.acked = used;
            if link.life == 0 {
                link.live(epoch, life);
            }
            term.begun = spent.minus(used);
            flushed.crossings.extend(self.crossed(key));
            return;
        }
        if epoch == 0 {
            // It is told again when the period has begun.
            flushed.not_begun.push(key.clone());
            return;
        }
        if link.epoch != epoch {
            link.epoch = epoch;
            link.forgot_use();
            term.tally.begin(mark);
        }
        if link.life != life {
            link.live(epoch, life);
        }
        self.mark(key);
        flushed.is_to_repeat = true;
    }

    /// What told nothing was a question, which has no answer.
    fn ask_again(&mut self, counter: &Counter) {
        let link = self.rates.get_mut(counter).and_then(|rate| rate.link.as_mut());
        if let Some(link) = link {
            link.is_asked |= link.sent.is_empty();
        }
        self.mark_rate(counter);
    }

    /// The call has failed: everything is told again.
    pub fn not_flushed(&mut self, flush: Flush) {
        for item in flush.items {
            match item {
                Sent::Rate(counter) => self.ask_again(&counter),
                Sent::Term { key, .. } => self.mark(&key),
            }
        }
    }
}

/// What the answer to a call has shown.
#[derive(Debug, Default)]
pub(super) struct Flushed {
    /// Redis's clock.
    pub now: u64,
    pub crossings: Vec<Crossing>,
    pub not_begun: Vec<TermKey>,
    /// Whether counters have begun anew since, and are to be told again.
    pub is_to_repeat: bool,
}

/// The lives of the counters that were granted, in the order of [`granted`].
fn lives<'a>(ask: &Ask<'_>, admission: &'a Admission) -> impl Iterator<Item = Life> + 'a {
    let caller = ask.caller.len();
    let before = ask.routes.iter().take(admission.route.unwrap_or(0));
    let skipped: usize = before.map(|route| route.checks.len()).sum();
    let of_caller = admission.lives.iter().take(caller);
    of_caller.chain(admission.lives.iter().skip(caller + skipped)).copied()
}

/// Redis has lost the window and made another: everything that was counted here is owed.
fn adopt_window(rate: &mut Rate, epoch: u64) {
    let link = rate.link.get_or_insert_with(|| Box::new(RateLink::default()));
    link.epoch = epoch;
    link.sent.clear();
    link.owed.clear();
    for bucket in rate.requests.buckets() {
        link.owe(bucket.second, i64::from(bucket.count), 0);
    }
    for bucket in rate.tokens.buckets() {
        link.owe(bucket.second, 0, u64::from(bucket.count));
    }
    link.owed.retain(|tick: &Tick| tick.requests != 0 || tick.tokens != 0);
}

/// In which life of a counter, and in which session, a request was granted.
enum Met {
    /// In none.
    NotBegun,
    /// In one that is over: in the one that is known nothing is reserved for it.
    Older,
    /// In the one that is known.
    Known,
    /// In another than what was reserved before, of which this one knows nothing.
    Newer,
}

/// Notes what Redis has reserved, and given up, for this replica.
fn met(
    link: &mut TermLink,
    life: Life,
    (reserved, given_up): (Amount, Amount),
    session: &Session,
) -> Met {
    let Life::Budget { epoch, life, .. } = life else { return Met::NotBegun };
    if life < link.life || session.generation < link.generation {
        return Met::Older;
    }
    let is_new = life > link.life || session.generation > link.generation;
    if life > link.life {
        link.live(epoch, life);
    }
    link.granted = link.granted_in(session);
    link.generation = session.generation;
    link.granted = link.granted.plus(reserved).minus(given_up);
    if is_new { Met::Newer } else { Met::Known }
}

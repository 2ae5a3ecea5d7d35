//! Asking Redis for several requests at once.
//!
//! While a call of an organization is on its way, its other requests wait, and are then asked for
//! together: the script reads and writes a counter once for all of them, so a request costs Redis
//! the less the more there are. One that comes alone waits for nobody.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{FutureExt as _, future::BoxFuture};
use hashbrown::hash_map::Entry;
use tokio::{sync::oneshot, time::Instant};

#[cfg(test)]
mod tests;

use super::{
    Amount, Ask, Check, Governor, Rule,
    book::Book,
    clock::Clock,
    redis::{
        Awaited, Late, Link, LinkFault,
        admit::{self, Request, Session, Untold},
        call::Answer,
        scripts::ADMIT,
    },
};
use crate::domain::{OrgId, Timestamp};

/// So many that wait are enough: who comes behind them asks by itself, beside the call that they wait for.
const FULL: usize = 4 * MOST;

/// The most requests of a call. Redis serves nobody else meanwhile, and takes some 25 µs for each, or 6 where it is
/// like those before it.
const MOST: usize = 32;

/// An answer that comes after its deadline; none if it never comes.
pub(super) type LateAnswer = BoxFuture<'static, Option<Answer>>;

/// A request that waits for the call before it.
#[derive(Debug)]
pub(super) struct Waiting {
    request: Request,
    session: Session,
    /// When its asker gives up: what has not been asked by then need not be taken back.
    until: Instant,
    place: Place,
    answer: oneshot::Sender<Result<Answer, LinkFault>>,
}

/// What becomes of a request that waits: it is asked for, or its asker goes away before. Whoever comes first
/// decides.
#[derive(Clone, Debug, Default)]
struct Place(Arc<AtomicBool>);

impl Place {
    /// Decides; `false` if the other one has.
    fn decide(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// Who asks next.
enum Turn {
    /// This request, at once.
    Now(Request),
    /// Whoever takes this request along.
    Later(oneshot::Receiver<Result<Answer, LinkFault>>, Place),
}

impl Governor {
    /// Has Redis decide, within the link's deadline from now on.
    pub(super) async fn ask_redis(
        self: &Arc<Self>,
        link: &Arc<Link>,
        ask: &Ask<'_>,
        held: Option<Amount>,
        session: &Session,
    ) -> Result<Answer, (LinkFault, Option<LateAnswer>)> {
        let until = Instant::now() + link.deadline();
        let turn = self.book(ask.org).turn(ask, held, session, until, self.now());
        // Who asks and goes away is served nothing: what is counted for it is taken back.
        let gone = |late: LateAnswer| {
            if ask.counts {
                self.take_back_when_answered(ask, held, session.clone(), late);
            }
        };
        match turn {
            Turn::Now(request) => self.ask_now(link, ask.org, session, request, gone).await,
            Turn::Later(told, place) => {
                // Who goes away before it is asked for is not asked for.
                let mut awaited = Awaited::new(told, |told| {
                    if !place.decide() {
                        gone(late(told));
                    }
                });
                match tokio::time::timeout_at(until, awaited.answer()).await {
                    Ok(Some(Ok(told))) => told.map_err(|fault| (fault, None)),
                    Ok(_) => Err((LinkFault::Away, None)),
                    Err(_) => {
                        let told = awaited.take().filter(|_| !place.decide());
                        Err((LinkFault::Away, told.map(late)))
                    }
                }
            }
        }
    }

    async fn ask_now(
        self: &Arc<Self>,
        link: &Arc<Link>,
        org: OrgId,
        session: &Session,
        request: Request,
        gone: impl FnOnce(LateAnswer) + Send,
    ) -> Result<Answer, (LinkFault, Option<LateAnswer>)> {
        let under_way = UnderWay { governor: self, link, org };
        let call = admit::together(org, session, [request].into_iter(), None);
        let only = |value| admit::answers(value).next();
        let later = |late: Late| late.map(move |value| only(value?)).boxed();
        let gone = |late| gone(later(late));
        let answer = link.call_or_late(&ADMIT, &call.keys, &call.args, gone).await;
        drop(under_way);
        match answer {
            Ok(value) => only(value).ok_or_else(|| (unanswered(), None)),
            Err((fault, late)) => Err((fault, late.map(later))),
        }
    }

    /// Asks for those who have waited, and tells them.
    async fn ask_for(self: Arc<Self>, link: Arc<Link>, org: OrgId, waiting: Vec<Waiting>) {
        let under_way = UnderWay { governor: &self, link: &link, org };
        let Some(session) = waiting.first().map(|first| first.session.clone()) else { return };
        // Another session has begun since: in Redis this one's reservations have lapsed. Who waits finds
        // that nobody answers.
        if !self.is_current(&session) {
            return;
        }
        let (requests, told): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|of| (of.request, of.answer)).unzip();
        let call = admit::together(org, &session, requests.into_iter(), None);
        let answer = link.call_or_late(&ADMIT, &call.keys, &call.args, drop).await;
        drop(under_way);
        // Who has gone since listens still where something is to be taken back.
        let tell = |told: Vec<oneshot::Sender<_>>, value| {
            let mut answers = admit::answers(value);
            for to in told {
                let _ = to.send(answers.next().ok_or_else(unanswered));
            }
        };
        match answer {
            Ok(value) => tell(told, value),
            Err((fault, None)) => {
                for to in told {
                    let _ = to.send(Err(fault.clone()));
                }
            }
            // They have waited as long as this call, so each finds by itself that it is late.
            Err((_, Some(late))) => {
                if let Some(value) = late.await {
                    tell(told, value);
                }
            }
        }
    }
}

/// What is told to somebody who no longer waits for it.
fn late(told: oneshot::Receiver<Result<Answer, LinkFault>>) -> LateAnswer {
    async { told.await.ok()?.ok() }.boxed()
}

/// Redis has answered something else than the script does.
fn unanswered() -> LinkFault {
    LinkFault::Refused("the answer is not that of the script".to_owned())
}

/// A call of an organization on its way. When it is back, or nobody waits for it any more, those
/// who came meanwhile are asked for.
struct UnderWay<'a> {
    governor: &'a Arc<Governor>,
    link: &'a Arc<Link>,
    org: OrgId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let Some(waiting) = self.governor.book(self.org).whose_turn(self.org) else { return };
        let (governor, link) = (Arc::clone(self.governor), Arc::clone(self.link));
        // Without a runtime the process is ending, and nobody waits any more.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(governor.ask_for(link, self.org, waiting));
        }
    }
}

impl Book {
    fn turn(
        &mut self,
        ask: &Ask<'_>,
        held: Option<Amount>,
        session: &Session,
        until: Instant,
        now: Clock,
    ) -> Turn {
        let mut calendar = std::mem::take(&mut self.calendar);
        let untold = |check: &Check, start| self.untold(check, start, session, now);
        let request = admit::request(ask, held, &mut calendar, untold);
        self.calendar = calendar;
        match self.asking.entry(ask.org) {
            Entry::Occupied(others) if others.get().len() >= FULL => Turn::Now(request),
            Entry::Vacant(nobody) => {
                nobody.insert(VecDeque::new());
                Turn::Now(request)
            }
            Entry::Occupied(mut others) => {
                let (answer, told) = oneshot::channel();
                let (session, place) = (session.clone(), Place::default());
                let waiting = Waiting { request, session, until, place: place.clone(), answer };
                others.get_mut().push_back(waiting);
                Turn::Later(told, place)
            }
        }
    }

    /// What Redis has not been told of a limit, or of a budget's period that begins at `start`.
    pub(super) fn untold(
        &mut self,
        check: &Check,
        start: Timestamp,
        session: &Session,
        now: Clock,
    ) -> Untold {
        let known = match check.rule {
            Rule::Rate { .. } => self
                .rates
                .get_mut(&check.counter)
                .and_then(|rate| Some(rate.link.as_ref()?.untold(now.second()))),
            Rule::Budget { .. } => {
                let account = self.budgets.get_mut(&check.counter);
                account.and_then(|account| account.term(start)).and_then(|term| {
                    let link = term.link.as_ref()?;
                    Some(link.untold(term.tally.used(), term.reserved, session))
                })
            }
        };
        known.unwrap_or_default()
    }

    /// The next that are asked for together, all of one session; none if nobody waits, and then no
    /// call is on its way.
    fn whose_turn(&mut self, org: OrgId) -> Option<Vec<Waiting>> {
        let waiting = self.asking.get_mut(&org)?;
        let now = Instant::now();
        waiting.retain(|one| !one.answer.is_closed() && now < one.until);
        let mut turn: Vec<Waiting> = Vec::new();
        while turn.len() < MOST {
            let session = turn.first().map(|first| &first.session);
            let is_alike = |next: &Waiting| session.is_none_or(|session| next.session == *session);
            if !waiting.front().is_some_and(is_alike) {
                break;
            }
            // Some may go away just now.
            turn.extend(waiting.pop_front().filter(|next| next.place.decide()));
        }
        if turn.is_empty() {
            self.asking.remove(&org);
            return None;
        }
        Some(turn)
    }
}

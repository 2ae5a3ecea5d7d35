//! Deciding with Redis: one call, and what is done when that fails.

use std::sync::Arc;

use super::{
    Amount, Ask, Bound, Check, Governor, OnFailure, RouteAsk,
    book::Enforce,
    calendar::Calendar,
    decide::{Chosen, Decision, decide, fallback_denial},
    governor::Decided,
    redis::{
        Link, LinkFault,
        admit::{self, Admission, Life, Session},
    },
    together::LateAnswer,
};
use crate::domain::{OrgId, Timestamp};

impl Governor {
    /// Decides by the counters in Redis; by those of this process, or not at all, where Redis is
    /// away.
    pub(super) async fn decide_there(
        self: &Arc<Self>,
        link: &Arc<Link>,
        ask: &Ask<'_>,
        held: Option<Amount>,
    ) -> Option<Decided> {
        if !link.is_up() {
            return self.decide_alone(ask, held);
        }
        let session = self.session();
        match self.ask_redis(link, ask, held, &session).await {
            Ok(answer) => {
                let admission = self.book(ask.org).answered(ask, answer);
                self.set_clock(admission.now);
                self.decided_there(ask, held, &session, admission)
            }
            Err((fault, late)) => {
                if let LinkFault::Refused(reason) = fault {
                    self.refused(&reason);
                }
                if let Some(late) = late.filter(|_| ask.counts) {
                    self.take_back_when_answered(ask, held, session, late);
                }
                self.decide_alone(ask, held)
            }
        }
    }

    fn decided_there(
        self: &Arc<Self>,
        ask: &Ask<'_>,
        held: Option<Amount>,
        session: &Session,
        mut admission: Admission,
    ) -> Option<Decided> {
        let mut decision = as_told(ask, held, &admission);
        if admission.lives.contains(&Life::NotBegun) {
            self.want_begun(ask, &admission);
            let known = self.with_what_is_known(ask, held, &mut admission, decision);
            let Some(known) = known else {
                if ask.counts && admission.granted {
                    self.book(ask.org).undo(ask, &admission, held, session);
                    self.to_flush.notify_one();
                }
                return None;
            };
            decision = known;
        }
        if ask.counts && admission.granted {
            let mut book = self.book(ask.org);
            match &decision {
                Decision::Grant(chosen) if chosen.route == admission.route => {
                    book.admitted(ask, &admission, chosen, held, session);
                    // Another session has begun, and has told by now what it has of this one.
                    if !self.is_current(session) {
                        book.mark_granted(ask, chosen);
                    }
                }
                _ => book.undo(ask, &admission, held, session),
            }
            let has_news = !book.dirty.is_empty();
            drop(book);
            if has_news {
                self.to_flush.notify_one();
            }
        }
        Some((admission.readings, decision))
    }

    /// Budgets whose period has not begun in Redis: they are held to what is known here.
    fn with_what_is_known(
        &self,
        ask: &Ask<'_>,
        held: Option<Amount>,
        admission: &mut Admission,
        told: Decision,
    ) -> Option<Decision> {
        let share = match (self.enforcement()?, &told) {
            (Enforce::Nothing, _) | (_, Decision::Deny { .. }) => return Some(told),
            (Enforce::Share(share), _) => share,
        };
        let now = self.now();
        let mut book = self.book(ask.org);
        let checks = ask.caller.iter().chain(ask.routes.iter().flat_map(|of| of.checks.iter()));
        let known = checks.zip(&mut admission.readings).zip(&admission.lives);
        for ((check, reading), life) in known {
            if *life == Life::NotBegun {
                *reading = book.read(check, ask.at, now, share);
            }
        }
        drop(book);
        let route = admission.route;
        match decide(ask, &admission.readings, held) {
            Decision::Grant(chosen) if chosen.route != route => {
                // Redis counts the one, what is known here allows the other: neither is used.
                Some(fallback_denial(ask, &admission.readings))
            }
            decision => Some(decision),
        }
    }

    fn want_begun(&self, ask: &Ask<'_>, admission: &Admission) {
        let mut periods = self.periods();
        let checks = ask.caller.iter().chain(ask.routes.iter().flat_map(|of| of.checks.iter()));
        for (check, life) in checks.zip(&admission.lives) {
            if *life == Life::NotBegun {
                periods.lost(ask.org, check.counter.policy);
            }
        }
        drop(periods);
        self.to_begin.notify_one();
    }

    /// Decides while Redis is away.
    fn decide_alone(&self, ask: &Ask<'_>, held: Option<Amount>) -> Option<Decided> {
        let enforce = self.enforcement()?;
        Some(self.decide_here(ask, held, enforce))
    }

    fn enforcement(&self) -> Option<Enforce> {
        match self.settings.on_failure {
            OnFailure::Local => Some(Enforce::Share(self.share.get())),
            OnFailure::Allow => Some(Enforce::Nothing),
            OnFailure::Deny => None,
        }
    }

    /// A call that was not answered in time, or whose asker has gone, may have been carried out: when it is
    /// answered after all, what it has counted is taken back, for the request was decided otherwise.
    pub(super) fn take_back_when_answered(
        self: &Arc<Self>,
        ask: &Ask<'_>,
        held: Option<Amount>,
        session: Session,
        late: LateAnswer,
    ) {
        let governor = Arc::clone(self);
        let asked = Owned::of(ask);
        // Without a runtime the process is ending, and its session with it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let Some(answer) = late.await else { return };
            let routes = asked.routes();
            let ask = asked.ask(&routes);
            let mut calendar = Calendar::default();
            let admission = admit::read(&ask, &mut calendar, answer);
            if admission.granted {
                governor.book(ask.org).undo(&ask, &admission, held, &session);
                governor.to_flush.notify_one();
            }
        });
    }
}

/// What Redis has decided, told in our words.
fn as_told(ask: &Ask<'_>, held: Option<Amount>, admission: &Admission) -> Decision {
    let same = decide(ask, &admission.readings, held);
    match (admission.granted, same) {
        (true, same) => {
            let blocked = match same {
                Decision::Grant(chosen) => chosen.blocked,
                Decision::Deny { .. } => Vec::new(),
            };
            Decision::Grant(Chosen {
                route: admission.route,
                blocked,
                strict: Some(admission.need),
                output_cap: admission.output_cap,
            })
        }
        (false, denial @ Decision::Deny { .. }) => denial,
        (false, Decision::Grant(_)) => fallback_denial(ask, &admission.readings),
    }
}

/// A question that outlives its asker.
struct Owned {
    org: OrgId,
    at: Timestamp,
    caller: Arc<[Check]>,
    routes: Vec<(Arc<[Check]>, Option<Bound>)>,
    expected: Amount,
}

impl Owned {
    fn of(ask: &Ask<'_>) -> Self {
        let routes = ask.routes.iter().map(|route| (Arc::clone(route.checks), route.bound));
        Self {
            org: ask.org,
            at: ask.at,
            caller: Arc::clone(ask.caller),
            routes: routes.collect(),
            expected: ask.expected,
        }
    }

    fn routes(&self) -> Vec<RouteAsk<'_>> {
        self.routes.iter().map(|(checks, bound)| RouteAsk { checks, bound: *bound }).collect()
    }

    fn ask<'a>(&'a self, routes: &'a [RouteAsk<'a>]) -> Ask<'a> {
        let Self { org, at, caller, expected, .. } = self;
        Ask { org: *org, at: *at, caller, routes, expected: *expected, counts: true }
    }
}

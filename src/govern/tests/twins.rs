//! The scripts and the counters of this process decide alike.

use std::{cell::Cell, rc::Rc, sync::Arc};

use proptest::{prelude::*, test_runner::TestRunner};
use redis::Value;

use super::{
    redis_server::{PATIENT, RedisServer},
    scene::{ORG, amount, budget_of, check, throttle},
};
use crate::{
    domain::{Money, Period, Position, Price, Timestamp},
    govern::{
        Amount, Ask, Bound, Check, RouteAsk, Rule, Term,
        book::{Book, Enforce},
        calendar::{self, Calendar},
        clock::Clock,
        decide::Decision,
        lease::Hold,
        mirror::Flush,
        redis::{
            Link,
            admit::{self, Admission, Session},
            begin,
            call::Answer,
            scripts::{ADMIT, SETTLE},
        },
        share::Share,
    },
};

#[derive(Clone, Debug)]
struct Question {
    caller: Vec<usize>,
    routes: Vec<Vec<usize>>,
    wanted: Option<u64>,
    price: u64,
    answers: u64,
    counts: bool,
    /// It knows other limits of some counters: those from before a change.
    is_behind: bool,
}

#[derive(Clone, Debug)]
enum Step {
    /// Asked together.
    Ask(Vec<Question>),
    Settle {
        which: usize,
        tokens: u64,
        cost: i64,
    },
    /// Redis is told what was settled.
    Tell(Telling),
    Wait {
        ms: u64,
    },
    /// Redis was away: the replica begins another session.
    Return,
}

/// How far that gets before the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    /// It is still on its way.
    Leaving,
    /// Redis has taken it, and its answer is on its way.
    Taken,
    Answered,
}

/// What checks are picked from.
fn all(is_behind: bool) -> Vec<Check> {
    let rate = |requests, tokens| Rule::Rate { requests, tokens };
    vec![
        check(1, rate(Some(3), None)),
        check(2, rate(Some(if is_behind { 5 } else { 7 }), Some(500))),
        check(3, rate(None, Some(200))),
        check(4, rate(Some(0), None)),
        budget_of(5, Some(900), None, false),
        budget_of(6, Some(2000), Some(700_000), false),
        budget_of(7, Some(if is_behind { 1100 } else { 1500 }), None, true),
        budget_of(8, None, Some(1_900_000), true),
        throttle(9, 300),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let picks = || {
        prop::collection::vec(prop_oneof![9 => 0..3_usize, 1 => 3..4_usize, 20 => 4..9_usize], 0..4)
    };
    let question =
        (
            picks(),
            prop::collection::vec(picks(), 0..3),
            prop::option::of(0_u64..900),
            (0_u64..5_000_000_000_000, prop_oneof![2 => Just(1), 1 => 2_u64..9, 1 => 600_u64..900]),
            (prop::bool::weighted(0.9), prop::bool::weighted(0.2)),
        )
            .prop_map(|(caller, routes, wanted, (price, answers), (counts, is_behind))| {
                Question { caller, routes, wanted, price, answers, counts, is_behind }
            });
    // Requests of a call are mostly alike.
    let questions =
        prop::collection::vec((question, prop_oneof![2 => Just(1_usize), 3 => 2..8_usize]), 1..4)
            .prop_map(|alike| {
                let repeat = |(question, times)| std::iter::repeat_n(question, times);
                alike.into_iter().flat_map(repeat).collect()
            });
    prop_oneof![
        6 => questions.prop_map(Step::Ask),
        4 => (0..8_usize, 0_u64..300, 0_i64..400_000).prop_map(|(which, tokens, cost)| Step::Settle { which, tokens, cost }),
        3 => prop::sample::select(vec![Telling::Leaving, Telling::Taken, Telling::Answered]).prop_map(Step::Tell),
        3 => (0_u64..25_000).prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::Return),
    ]
}

fn picked(picks: &[usize], is_behind: bool) -> Arc<[Check]> {
    let all = all(is_behind);
    let mut picks = picks.to_vec();
    picks.sort_unstable();
    picks.dedup();
    picks.iter().map(|pick| all[*pick].clone()).collect()
}

/// A caller's, and those of each route.
type Checks = (Arc<[Check]>, Vec<Arc<[Check]>>);

impl Question {
    fn checks(&self) -> Checks {
        let caller = picked(&self.caller, self.is_behind);
        // A check is the caller's or a route's, never both.
        let of_route = |picks: &Vec<usize>| {
            picked(picks, self.is_behind)
                .iter()
                .filter(|check| !caller.contains(check))
                .cloned()
                .collect()
        };
        let routes = self.routes.iter().map(of_route).collect();
        (caller, routes)
    }
}

fn routes_of<'a>((question, (_, lists)): (&Question, &'a Checks)) -> Vec<RouteAsk<'a>> {
    let bound = Bound {
        input: amount(40),
        wanted: question.wanted,
        most: 700,
        answers: question.answers,
        output_price: Price::from_units(i64::try_from(question.price).unwrap()),
        for_an_hour: false,
    };
    lists.iter().map(|checks| RouteAsk { checks, bound: Some(bound) }).collect()
}

struct Twins {
    runtime: tokio::runtime::Runtime,
    link: Arc<Link>,
    here: Book,
    /// What the replica knows of the counters in Redis.
    there: Book,
    session: Session,
    now: u64,
    at: Timestamp,
    holds: Vec<(Hold, Hold)>,
    position: u64,
    /// What Redis is being told, and has answered.
    telling: Option<(Flush, Option<Answer>)>,
    /// Answers so far that only say that they go on as those before.
    short: Rc<Cell<usize>>,
}

impl Twins {
    fn settle(&mut self, which: usize, used: Amount) {
        if self.holds.is_empty() {
            return;
        }
        let (here, there) = self.holds.remove(which % self.holds.len());
        self.position += 1;
        let position = Some(Position(self.position));
        self.here.settle(&here, used, position, Clock(self.now));
        self.there.settle(&there, used, position, Clock(self.now));
    }

    fn tell(&mut self, telling: Telling) {
        self.end_telling();
        let Some(flush) = self.there.flush(usize::MAX, "ledger", &self.session, Some(self.now))
        else {
            return;
        };
        let answer = (telling != Telling::Leaving).then(|| self.send(&flush));
        self.telling = Some((flush, answer));
        if telling == Telling::Answered {
            self.end_telling();
        }
    }

    fn send(&self, flush: &Flush) -> Answer {
        self.runtime.block_on(flush.call.send(&self.link, &SETTLE)).unwrap()
    }

    fn end_telling(&mut self) {
        let Some((flush, answer)) = self.telling.take() else { return };
        let answer = answer.unwrap_or_else(|| self.send(&flush));
        let flushed = self.there.flushed(flush, answer);
        assert_eq!(flushed.not_begun, []);
    }

    /// Until nothing is left to tell.
    fn tell_all(&mut self) {
        self.end_telling();
        while !self.there.dirty.is_empty() {
            self.tell(Telling::Answered);
        }
    }

    fn ask(&mut self, questions: &[Question]) -> Result<(), TestCaseError> {
        let checks: Vec<Checks> = questions.iter().map(Question::checks).collect();
        let routes: Vec<Vec<RouteAsk<'_>>> = questions.iter().zip(&checks).map(routes_of).collect();
        let asks: Vec<Ask<'_>> = questions
            .iter()
            .zip(&checks)
            .zip(&routes)
            .map(|((question, (caller, _)), routes)| Ask {
                org: ORG,
                at: self.at,
                caller,
                routes,
                expected: amount(100),
                counts: question.counts,
            })
            .collect();
        let mut calendar = Calendar::default();
        let requests: Vec<_> = asks
            .iter()
            .map(|ask| {
                admit::request(ask, None, &mut calendar, |check, start| {
                    self.there.untold(check, start, &self.session, Clock(self.now))
                })
            })
            .collect();
        let call = admit::together(ORG, &self.session, requests.into_iter(), Some(self.now));
        let link = &self.link;
        let value = self.runtime.block_on(link.call(&ADMIT, &call.keys, &call.args)).unwrap();
        if let Value::Array(answers) = &value {
            let is_short = |answer: &&Value| **answer == Value::Array(Vec::new());
            self.short.set(self.short.get() + answers.iter().filter(is_short).count());
        }
        let answers: Vec<Answer> = admit::answers(value).collect();
        prop_assert_eq!(answers.len(), asks.len());
        for (ask, answer) in asks.iter().zip(answers) {
            self.compare(ask, &admit::read(ask, &mut calendar, answer))?;
        }
        Ok(())
    }

    /// Asks the counters here, and compares with what Redis has said.
    fn compare(&mut self, ask: &Ask<'_>, admission: &Admission) -> Result<(), TestCaseError> {
        // Counters that no longer matter are left out by one and not the other: only what refuses
        // or is granted is compared.
        let (readings, decision) =
            self.here.admit(ask, None, Clock(self.now), Enforce::Share(Share::WHOLE));
        prop_assert_eq!(&admission.readings, &readings);
        match decision {
            Decision::Deny { .. } => prop_assert!(!admission.granted),
            Decision::Grant(chosen) => {
                prop_assert!(admission.granted, "{:?}", chosen);
                prop_assert_eq!(admission.route, chosen.route);
                prop_assert_eq!(admission.output_cap, chosen.output_cap);
                let strict = chosen.strict.unwrap_or(ask.expected);
                prop_assert_eq!(admission.need, strict);
                if ask.counts {
                    self.there.admitted(ask, admission, &chosen, None, &self.session);
                    let route = chosen.route.map(|route| Arc::clone(ask.routes[route].checks));
                    let caller = Arc::clone(ask.caller);
                    let hold = Hold {
                        org: ORG,
                        at: ask.at,
                        caller,
                        route,
                        former: Vec::new(),
                        expected: ask.expected,
                        strict,
                    };
                    self.holds.push((hold.clone(), hold));
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Tell(telling) => self.tell(*telling),
            Step::Wait { ms } => {
                // What is not told of a window is held to have happened now.
                self.tell_all();
                self.now += ms;
            }
            Step::Settle { which, tokens, cost } => {
                self.settle(*which, Amount { tokens: *tokens, cost: Money(*cost) });
            }
            Step::Ask(questions) => self.ask(questions)?,
            Step::Return => {
                self.session.generation += 1;
                self.there.mark_all(None);
            }
        }
        Ok(())
    }
}

#[test]
fn scripts_and_counters_here_decide_alike_on_random_histories() {
    let server = RedisServer::start();
    let short = Rc::new(Cell::new(0));
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(128)
    });
    runner
        .run(&prop::collection::vec(step(), 1..80), |steps| {
            server.run(&["FLUSHALL"]);
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            let (link, _stop) = runtime.block_on(server.link(PATIENT));
            let session = Session { replica: "one".into(), generation: 1 };
            let at = Timestamp::now();
            let span = calendar::span(Period::Monthly, at);
            for check in all(false).iter().filter(|check| matches!(check.rule, Rule::Budget { .. }))
            {
                let term = Term { policy: check.counter.policy, start: span.start, end: span.end };
                let opened = runtime.block_on(begin::open(&link, ORG, term, &session)).unwrap();
                let begin::Opened::Yours(epoch) = opened else { panic!("{opened:?}") };
                let begun = begin::begin(&link, ORG, term, &session, epoch, &[], &[]);
                assert!(runtime.block_on(begun).unwrap());
            }
            let (here, there) = (Book::new(false), Book::new(true));
            let now = 1_000_000_000;
            let mut twins = Twins {
                runtime,
                link,
                here,
                there,
                session,
                now,
                at,
                holds: Vec::new(),
                position: 0,
                telling: None,
                short: Rc::clone(&short),
            };
            for step in &steps {
                twins.step(step)?;
            }
            Ok(())
        })
        .unwrap();
    assert!(short.get() > 100, "{} answers were short", short.get());
}

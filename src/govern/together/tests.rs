use std::time::Duration;

use futures_util::future::join_all;

use super::*;
use crate::{
    domain::Timestamp,
    govern::{
        OnFailure, Verdict,
        tests::{
            redis_server::{PATIENT, RedisServer},
            scene::{ORG, Scene, budget, requests, tokens},
        },
    },
};

fn session(generation: u32) -> Session {
    Session { replica: "one".into(), generation }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// Has a request of that session ask, or wait.
fn turn(book: &mut Book, session: &Session, until: Instant) -> Turn {
    let caller = vec![requests(1, 10)].into();
    let (at, expected) = (Timestamp::now(), Amount::ZERO);
    let ask = Ask { org: ORG, at, caller: &caller, routes: &[], expected, counts: true };
    book.turn(&ask, None, session, until, Clock::default())
}

#[track_caller]
fn waits(book: &mut Book, session: &Session, until: Instant) -> Told {
    match turn(book, session, until) {
        Turn::Later(told, _) => told,
        Turn::Now(_) => panic!("it asks at once"),
    }
}

#[track_caller]
fn place(book: &mut Book, session: &Session) -> (Told, Place) {
    match turn(book, session, soon()) {
        Turn::Later(told, place) => (told, place),
        Turn::Now(_) => panic!("it asks at once"),
    }
}

type Told = oneshot::Receiver<Result<Answer, LinkFault>>;

fn generations(waiting: Option<Vec<Waiting>>) -> Vec<u32> {
    waiting.into_iter().flatten().map(|one| one.session.generation).collect()
}

#[test]
fn who_waits_is_asked_for_with_those_of_the_same_session_alone() {
    let mut book = Book::new(true);
    assert!(matches!(turn(&mut book, &session(1), soon()), Turn::Now(_)));
    let _told = [1, 1, 2, 2, 1].map(|number| waits(&mut book, &session(number), soon()));
    assert_eq!(generations(book.whose_turn(ORG)), [1, 1]);
    assert_eq!(generations(book.whose_turn(ORG)), [2, 2]);
    assert_eq!(generations(book.whose_turn(ORG)), [1]);
    assert!(book.whose_turn(ORG).is_none());
    assert!(matches!(turn(&mut book, &session(1), soon()), Turn::Now(_)), "nobody is asking");
}

#[test]
fn who_is_late_or_has_gone_is_not_asked_for() {
    let mut book = Book::new(true);
    assert!(matches!(turn(&mut book, &session(1), soon()), Turn::Now(_)));
    let mut late = waits(&mut book, &session(1), Instant::now());
    let gone = waits(&mut book, &session(1), soon());
    drop(gone);
    assert!(book.whose_turn(ORG).is_none(), "so no call is on its way");
    assert!(late.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed));
    assert!(matches!(turn(&mut book, &session(1), soon()), Turn::Now(_)));
}

#[test]
fn who_goes_is_not_asked_for_or_knows_that_it_was() {
    let mut book = Book::new(true);
    assert!(matches!(turn(&mut book, &session(1), soon()), Turn::Now(_)));
    let places: Vec<_> = (1..=3).map(|_| place(&mut book, &session(1))).collect();
    assert!(places[1].1.decide(), "it goes while it waits");
    assert_eq!(generations(book.whose_turn(ORG)), [1, 1]);
    for asked in [0, 2] {
        assert!(!places[asked].1.decide(), "it is too late to go");
    }
    let gone = place(&mut book, &session(1));
    assert!(gone.1.decide());
    assert!(book.whose_turn(ORG).is_none(), "so no call is on its way");
}

#[tokio::test]
async fn who_goes_while_it_waits_is_forgotten_at_once() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let scene = Scene::over(Some(Arc::clone(&link)), &Arc::default(), OnFailure::Local);
    let governor = &scene.governor;
    let session = governor.session();
    assert!(matches!(turn(&mut governor.book(ORG), &session, soon()), Turn::Now(_)));
    let checks = vec![requests(1, 10)].into();
    let mut gone = Box::pin(scene.ask(&checks));
    assert!(futures_util::poll!(&mut gone).is_pending());
    drop(gone);
    assert!(governor.book(ORG).asking.get(&ORG).is_some_and(|waiting| waiting.len() == 1));
    assert!(governor.book(ORG).whose_turn(ORG).is_none(), "nobody is left to ask for");
}

#[test]
fn a_call_takes_so_many_along_and_no_queue_grows_without_end() {
    let mut book = Book::new(true);
    assert!(matches!(turn(&mut book, &session(1), soon()), Turn::Now(_)));
    let _told: Vec<Told> = (0..FULL).map(|_| waits(&mut book, &session(1), soon())).collect();
    assert!(matches!(turn(&mut book, &session(1), soon()), Turn::Now(_)));
    assert_eq!(generations(book.whose_turn(ORG)).len(), MOST);
}

#[tokio::test]
async fn nobody_is_asked_for_in_a_session_that_is_over() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let scene = Scene::over(Some(Arc::clone(&link)), &Arc::default(), OnFailure::Local);
    let governor = &scene.governor;
    let old = governor.session();
    assert!(matches!(turn(&mut governor.book(ORG), &old, soon()), Turn::Now(_)));
    let told = waits(&mut governor.book(ORG), &old, soon());
    governor.new_session();
    let new = waits(&mut governor.book(ORG), &governor.session(), soon());
    // The first call is back.
    drop(UnderWay { governor, link: &link, org: ORG });
    assert!(told.await.is_err(), "nobody answers");
    let answer = new.await.expect("the next one is asked for").expect("and decided");
    drop(answer);
    let window = crate::govern::redis::keys::window(&requests(1, 10).counter);
    assert_eq!(server.run(&["HGET", &window, "rs"]).trim(), "1", "the new session's alone");
}

#[tokio::test]
async fn requests_that_wait_for_the_same_call_are_asked_for_together() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let scene = Scene::over(Some(Arc::clone(&link)), &Arc::default(), OnFailure::Local);
    let checks = vec![requests(1, 25)].into();
    // However slow this machine is, no call is back before all have asked.
    server.signal("STOP");
    let mut asking: Vec<_> = (0..40).map(|_| Box::pin(scene.ask(&checks))).collect();
    for one in &mut asking {
        assert!(futures_util::poll!(one).is_pending());
    }
    server.signal("CONT");
    let verdicts = join_all(asking).await;
    let granted = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Granted(_)));
    assert_eq!(granted.count(), 25);
    assert_eq!(admissions(&server), 3, "one goes alone, 32 wait for it, 7 for those");
}

/// How many calls have admitted requests: each reads the sessions once, and so does nothing else without a
/// governor that runs.
fn admissions(server: &RedisServer) -> u32 {
    let stats = server.run(&["INFO", "commandstats"]);
    let calls = stats.split_once("cmdstat_hgetall:calls=").map_or("", |(_, rest)| rest);
    calls.split(',').next().and_then(|calls| calls.parse().ok()).expect("sessions were read")
}

#[test]
fn what_several_requests_have_in_common_goes_with_their_call_once() {
    let mut calendar = crate::govern::calendar::Calendar::default();
    let (at, expected) = (Timestamp::now(), Amount::ZERO);
    let mut part = |caller: Vec<_>, later| {
        let caller = caller.into();
        let ask = Ask { org: ORG, at, caller: &caller, routes: &[], expected, counts: true };
        admit::request(&ask, None, &mut calendar, |check, _| match check.rule {
            Rule::Rate { .. } => Untold::Tokens { batch: 0, sent: 0, later },
            Rule::Budget { .. } => Untold::Nothing,
        })
    };
    let first = part(vec![tokens(1, 100), budget(2, 50)], 6);
    // Policy 1 with another limit is another check.
    let second = part(vec![budget(2, 50), tokens(1, 100), tokens(1, 90)], 7);
    let third = part(vec![tokens(1, 100), budget(2, 50)], 8);
    let call = admit::together(ORG, &session(1), [first, second, third].into_iter(), Some(0));
    let words: Vec<&str> = call.args.iter().map(String::as_str).collect();
    let [checks, requests] = words.split_at_checked(17).map(|(one, other)| [one, other]).unwrap();
    let (limit, other_limit) = (["r", "-", "100", "0 0 8"], ["r", "-", "90", "0 0 7"]);
    let budget = ["b", "50", "-", "0", "-"];
    let checks_told = [&["0", "one", "1", "3"][..], &limit, &budget, &other_limit].concat();
    assert_eq!(checks, checks_told);
    let kinds = [
        "2", "1", "0", "0", "0", "0", "0", "2", "1", "2", "0", "1", "0", "0", "0", "0", "0", "3",
        "2", "1", "3", "0",
    ];
    assert_eq!(requests[..kinds.len()], kinds);
    assert_eq!(requests[kinds.len()..], ["3", "1", "2", "1"]);
    assert_eq!(
        call.keys.len(),
        1 + 1 + 2 + 1,
        "the sessions, two windows, a period and its counter"
    );
}

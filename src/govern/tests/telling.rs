//! What a replica has settled counts for itself before Redis is told, and once whenever Redis is.
//! The work in the background does not run here: what is told, and when, is each test's own.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use futures_util::poll;
use tokio::sync::watch;

use super::{
    database::Database,
    redis_server::{PATIENT, RedisServer},
    scene::{
        ORG, Scene, amount, budget, denied, granted, policies, settle, throttle, tokens, until,
    },
    shared::{list, spent},
};
use crate::{
    domain::{OrgId, Period, Timestamp},
    govern::{
        Amount, Ask, Check, Counter, Grant, OnFailure, Reason,
        book::{Book, TermKey},
        calendar,
        clock::Clock,
        link_state::RateLink,
        periods::Periods,
        reading::Reading,
        redis::{
            Link,
            admit::{self, Session, Untold},
            begin, keys,
            scripts::{ADMIT, SETTLE},
        },
    },
};

/// A replica that has begun what its budgets need.
async fn begun(link: &Arc<Link>, database: &Arc<Database>, checks: &[Check]) -> Scene {
    let scene = Scene::over(Some(Arc::clone(link)), database, OnFailure::Local);
    scene.governor.policies(ORG, policies(checks));
    assert!(scene.governor.begin_wanted().await);
    scene
}

async fn two(link: &Arc<Link>, checks: &[Check]) -> [Scene; 2] {
    let one = begun(link, &Arc::default(), checks).await;
    let other = begun(link, &one.database, checks).await;
    [one, other]
}

/// Two replicas with a budget of 1000: the first has used 450 of it, untold, and has reserved 100 for a request in
/// flight.
async fn one_of_two_at_work(link: &Arc<Link>) -> ([Scene; 2], Arc<[Check]>, Grant) {
    let checks = list(vec![budget(1, 1000)]);
    let scenes = two(link, &checks).await;
    let in_flight = granted(scenes[0].ask(&checks).await);
    assert!(scenes[0].use_up(&checks, amount(450)).await);
    (scenes, checks, in_flight)
}

/// So many tokens of the first budget count for a replica, and no more.
async fn counts(scene: &Scene, tokens: u64) {
    denied(scene.ask(&list(vec![budget(1, tokens)])).await);
    drop(granted(scene.ask(&list(vec![budget(1, tokens + 1)])).await));
}

/// Redis takes what is told, and its answer is lost.
async fn tell_without_an_answer(scene: &Scene, link: &Link) {
    let (ledger, session) = (&scene.governor.ledger, scene.governor.session());
    let telling = scene.governor.book(ORG).flush(9, ledger, &session, None).unwrap();
    telling.call.send(link, &SETTLE).await.unwrap();
    scene.governor.book(ORG).not_flushed(telling);
}

fn term_key(check: &Check) -> TermKey {
    let span = calendar::span(Period::Monthly, Timestamp::now());
    TermKey { counter: check.counter.clone(), span }
}

/// What a replica knows that is spent of a budget.
fn known(scene: &Scene, check: &Check) -> Amount {
    let mut book = scene.governor.book(ORG);
    book.known_term(&term_key(check)).map(|term| term.spent()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_a_replica_has_settled_count_for_its_next_request_before_redis_is_told() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    // Its work in the background is not running: it tells nothing.
    let scene = Scene::over(Some(Arc::clone(&link)), &Arc::default(), OnFailure::Local);
    let checks = list(vec![tokens(1, 100)]);
    let began = Instant::now();
    assert!(scene.use_up(&checks, amount(60)).await);
    let second = granted(scene.ask(&checks).await);
    assert_eq!(second.standing.tokens.unwrap().remaining, 40);
    settle(second, amount(60), None);
    let refused = denied(scene.ask(&checks).await);
    assert_eq!(refused.standing.tokens.unwrap().remaining, 0);
    let (retry_after, since) = (refused.by.retry_after, began.elapsed());
    let seconds = Duration::from_secs;
    assert!(
        (seconds(60)..=seconds(61) + since).contains(&(retry_after + since)),
        "{retry_after:?}"
    );
    // Once they are told, they count once.
    assert!(scene.governor.tell_all(&link).await);
    let third = list(vec![tokens(1, 121)]);
    assert_eq!(granted(scene.ask(&third).await).standing.tokens.unwrap().remaining, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_are_told_while_a_request_waits_count_once() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let scene = Scene::over(Some(Arc::clone(&link)), &Arc::default(), OnFailure::Local);
    let checks = list(vec![tokens(1, 100)]);
    assert!(scene.use_up(&checks, amount(60)).await);
    let routes = [];
    let (org, at, caller) = (ORG, Timestamp::now(), &checks);
    let ask = Ask { org, at, caller, routes: &routes, expected: Amount::ZERO, counts: false };
    let mut calendar = calendar::Calendar::default();
    let session = scene.governor.session();
    let known = || scene.governor.book(ORG).untold(&checks[0], at, &session, scene.governor.now());
    let settled = known();
    assert_eq!(settled, Untold::Tokens { batch: 0, sent: 0, later: 60 });
    let flush = scene.governor.book(ORG).flush(9, &scene.governor.ledger, &session, None).unwrap();
    let sent = known();
    assert!(matches!(sent, Untold::Tokens { sent: 60, later: 0, .. }), "{sent:?}");
    let mut counted = async |untold| {
        let request = admit::request(&ask, None, &mut calendar, |_, _| untold);
        let call = admit::together(ORG, &session, [request].into_iter(), None);
        let value = link.call(&ADMIT, &call.keys, &call.args).await.unwrap();
        let answer = admit::answers(value).next().unwrap();
        match admit::read(&ask, &mut calendar, answer).readings.first() {
            Some(Reading::Rate(rate)) => rate.tokens.sum,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((counted(settled).await, counted(sent).await), (60, 60), "not there yet");
    flush.call.send(&link, &SETTLE).await.unwrap();
    assert_eq!((counted(settled).await, counted(sent).await), (60, 60), "and there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replica_has_spent_counts_for_its_next_request_before_redis_is_told() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let checks = list(vec![budget(1, 1000)]);
    let scene = begun(&link, &Arc::default(), &checks).await;
    // Requests that use more than is expected of them, one after the other.
    assert!(scene.use_up(&checks, amount(600)).await);
    assert!(scene.use_up(&checks, amount(600)).await, "600 of 1000 are spent");
    let refused = denied(scene.ask(&checks).await);
    assert_eq!(refused.by.reason, Reason::BudgetTokens, "1200 are");
    let end = calendar::span(Period::Monthly, Timestamp::now()).end;
    let left = Duration::from_micros(u64::try_from(end.0 - Timestamp::now().0).unwrap());
    let retry_after = refused.by.retry_after;
    assert!(retry_after.abs_diff(left) < Duration::from_secs(60), "{retry_after:?}");
    assert_eq!(known(&scene, &checks[0]), amount(1200), "it knows it once");
    assert_eq!(spent(&server, &checks[0]).tokens, 0, "and nothing of it is told");
    // What others ask is not answered by it, and once it is told it counts for all, and once.
    let other = Scene::over(Some(Arc::clone(&link)), &scene.database, OnFailure::Local);
    drop(granted(other.ask(&checks).await));
    assert!(scene.governor.tell_all(&link).await);
    assert_eq!(spent(&server, &checks[0]).tokens, 1200);
    denied(other.ask(&checks).await);
    assert!(other.governor.tell_all(&link).await);
    let wider = list(vec![budget(1, 1201)]);
    drop(granted(scene.ask(&wider).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exhausted_throttle_marks_the_next_request_of_who_has_exhausted_it() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let checks = list(vec![throttle(1, 100)]);
    let scene = begun(&link, &Arc::default(), &checks).await;
    assert!(scene.use_up(&checks, amount(60)).await);
    assert_eq!(granted(scene.ask(&checks).await).throttled_by, None);
    assert!(scene.use_up(&checks, amount(60)).await);
    assert_eq!(granted(scene.ask(&checks).await).throttled_by, Some(checks[0].counter.policy));
    assert_eq!(spent(&server, &checks[0]).tokens, 0, "nothing is told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_spent_is_known_once_where_another_replica_has_begun_the_period_anew() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let checks = list(vec![budget(1, 1000)]);
    let database = Arc::default();
    let first = begun(&link, &database, &checks).await;
    let second = begun(&link, &database, &checks).await;
    assert!(first.use_up(&checks, amount(600)).await);
    assert!(first.governor.tell_all(&link).await);
    database.deliver_all();
    server.run(&["FLUSHALL"]);
    drop(second.ask(&checks).await);
    assert!(second.governor.begin_wanted().await);
    drop(granted(first.ask(&checks).await));
    assert_eq!(known(&first, &checks[0]), amount(600), "before it tells anything");
    assert!(first.governor.tell_all(&link).await);
    drop(granted(first.ask(&checks).await));
    assert_eq!(known(&first, &checks[0]), amount(600));
    assert_eq!(spent(&server, &checks[0]), amount(600));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_on_its_way_when_redis_went_away_counts_once_in_the_next_session() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let ([scene, other], checks, in_flight) = one_of_two_at_work(&link).await;
    tell_without_an_answer(&scene, &link).await;
    scene.governor.new_session();
    for _ in 0..2 {
        counts(&scene, 550).await;
        assert_eq!(known(&scene, &checks[0]), amount(450));
        assert!(other.use_up(&checks, amount(0)).await);
        assert!(other.governor.tell_all(&link).await);
    }
    settle(in_flight, amount(100), None);
    counts(&scene, 550).await;
    assert!(scene.governor.tell_all(&link).await);
    assert_eq!(spent(&server, &checks[0]), amount(550));
}

/// Redis has not heard of a replica for so long.
fn is_silent(server: &RedisServer, scene: &Scene, time: Duration) {
    let session = scene.governor.session();
    let seen = Timestamp::now().unix_seconds() - i64::try_from(time.as_secs()).unwrap();
    let word = format!("{} {seen}000", session.generation);
    server.run(&["HSET", &keys::sessions(ORG), &session.replica, &word]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replica_holds_lapses_in_its_silence_and_is_whole_again_after_it() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let ([scene, other], _, in_flight) = one_of_two_at_work(&link).await;
    tell_without_an_answer(&scene, &link).await;
    is_silent(&server, &scene, Duration::from_secs(10));
    // What is spent counts for others in the silence; what is reserved does not.
    counts(&other, 450).await;
    assert!(other.governor.tell_all(&link).await);
    counts(&scene, 550).await;
    assert!(scene.governor.tell_all(&link).await);
    counts(&other, 550).await;
    drop(in_flight);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_was_silent_for_minutes_tells_what_it_holds_once_more() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let ([scene, other], checks, in_flight) = one_of_two_at_work(&link).await;
    assert!(scene.governor.tell_all(&link).await);
    scene.governor.beat_all(&link).await;
    is_silent(&server, &scene, Duration::from_secs(200));
    other.governor.beat_all(&link).await;
    counts(&other, 450).await;
    assert!(other.governor.tell_all(&link).await);
    let start = term_key(&checks[0]).span.start;
    let counter = keys::budget(&checks[0].counter, start);
    let replica = scene.governor.session().replica;
    assert_eq!(server.run(&["HEXISTS", &counter, &replica]), "0", "it is forgotten");
    let before = u64::try_from(Timestamp::now().unix_seconds() - 200).unwrap() * 1000;
    scene.governor.periods().was_heard(ORG, before);
    scene.governor.beat_all(&link).await;
    assert!(scene.governor.tell_all(&link).await);
    for scene in [&scene, &other] {
        counts(scene, 550).await;
        assert!(scene.governor.tell_all(&link).await);
    }
    drop(in_flight);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_tells_before_its_first_sign_of_life_is_known_with_what_it_holds() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let ([scene, other], _, in_flight) = one_of_two_at_work(&link).await;
    // Long enough away to be forgotten, it comes back.
    server.run(&["HDEL", &keys::sessions(ORG), &scene.governor.session().replica]);
    scene.governor.new_session();
    scene.governor.book(ORG).mark_all(None);
    assert!(scene.governor.tell_all(&link).await);
    for _ in 0..2 {
        counts(&other, 550).await;
        assert!(other.governor.tell_all(&link).await);
        scene.governor.beat_all(&link).await;
    }
    drop(in_flight);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_last_session_was_granted_and_hears_of_late_is_reserved_in_this_one() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let checks = list(vec![budget(1, 1000)]);
    let and_another = list(vec![budget(1, 1000), budget(2, 1000)]);
    let [scene, other] = two(&link, &and_another).await;
    server.signal("STOP");
    let mut asking = Box::pin(scene.ask(&checks));
    assert!(poll!(&mut asking).is_pending());
    scene.governor.new_session();
    server.signal("CONT");
    let in_flight = granted(asking.await);
    // The new session is known by what it does with another budget.
    assert!(scene.use_up(&list(vec![budget(2, 1000)]), amount(1)).await);
    denied(scene.ask(&list(vec![budget(1, 100)])).await);
    assert!(scene.governor.tell_all(&link).await);
    denied(other.ask(&list(vec![budget(1, 100)])).await);
    drop(in_flight);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_last_session_asks_late_counts_what_is_reserved_once() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let checks = list(vec![budget(1, 1000)]);
    let scene = begun(&link, &Arc::default(), &checks).await;
    let in_flight = granted(scene.ask(&checks).await);
    let last = scene.governor.session();
    scene.governor.new_session();
    scene.governor.book(ORG).mark_all(None);
    assert!(scene.governor.tell_all(&link).await);
    assert!(scene.use_up(&checks, amount(0)).await);
    assert!(scene.governor.tell_all(&link).await);
    scene.governor.book(ORG).mark_all(None);
    let (routes, at, caller) = ([], Timestamp::now(), &checks);
    let ask = Ask { org: ORG, at, caller, routes: &routes, expected: amount(100), counts: true };
    let mut calendar = calendar::Calendar::default();
    let untold = scene.governor.book(ORG).untold(
        &checks[0],
        term_key(&checks[0]).span.start,
        &last,
        Clock(0),
    );
    assert!(matches!(untold, Untold::Use { .. }), "{untold:?}");
    let request = admit::request(&ask, None, &mut calendar, |_, _| untold);
    let call = admit::together(ORG, &last, [request].into_iter(), None);
    let value = link.call(&ADMIT, &call.keys, &call.args).await.unwrap();
    let answer = admit::answers(value).next().unwrap();
    match admit::read(&ask, &mut calendar, answer).readings.first() {
        Some(Reading::Budget(budget)) => assert_eq!(budget.reserved, amount(100)),
        other => panic!("{other:?}"),
    }
    let known = server.run(&["HGET", &keys::sessions(ORG), &last.replica]);
    assert!(known.starts_with(&format!("{} ", scene.governor.session().generation)), "{known}");
    drop(in_flight);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_untold_when_it_is_to_end_is_told_before_it_ends() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let checks = list(vec![budget(1, 1000)]);
    let scene = begun(&link, &Arc::default(), &checks).await;
    assert!(scene.use_up(&checks, amount(60)).await);
    let (stop, stopped) = watch::channel(false);
    stop.send(true).unwrap();
    // Not at the first try, but within the second that there is.
    scene.governor.is_degraded.store(false, Ordering::Relaxed);
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    let ending = tokio::spawn(Arc::clone(&scene.governor).run(stopped));
    until("it has tried", async || scene.governor.is_degraded()).await;
    server.run(&["CONFIG", "SET", "maxmemory", "0"]);
    ending.await.unwrap();
    assert_eq!(spent(&server, &checks[0]), amount(60));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_last_session_tells_late_is_taken_and_leaves_what_this_one_has_reserved() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let checks = list(vec![budget(1, 1000)]);
    let [scene, other] = two(&link, &checks).await;
    assert!(scene.use_up(&checks, amount(450)).await);
    let (ledger, session) = (&scene.governor.ledger, scene.governor.session());
    let telling = scene.governor.book(ORG).flush(9, ledger, &session, None).unwrap();
    scene.governor.new_session();
    let in_flight = granted(scene.ask(&checks).await);
    telling.call.send(&link, &SETTLE).await.unwrap();
    assert_eq!(spent(&server, &checks[0]), amount(450));
    for scene in [&scene, &other] {
        counts(scene, 550).await;
        assert!(scene.governor.tell_all(&link).await);
    }
    drop(in_flight);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_telling_that_is_given_up_is_told_again() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let checks = list(vec![budget(1, 1000), tokens(2, 1000)]);
    let scene = begun(&link, &Arc::default(), &checks).await;
    assert!(scene.use_up(&checks, amount(60)).await);
    server.signal("STOP");
    let mut telling = Box::pin(scene.governor.tell_all(&link));
    assert!(poll!(&mut telling).is_pending());
    drop(telling);
    server.signal("CONT");
    assert!(!scene.governor.book(ORG).dirty.is_empty());
    assert!(scene.governor.tell_all(&link).await);
    assert_eq!(spent(&server, &checks[0]), amount(60));
    assert_eq!(server.run(&["HGET", &keys::window(&checks[1].counter), "ts"]), "60");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_refuses_of_one_organization_keeps_nothing_of_another_from_it() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let scene = Scene::over(Some(Arc::clone(&link)), &Arc::default(), OnFailure::Local);
    let mut windows = Vec::new();
    for org in (1..=40).map(|id| OrgId(uuid::Uuid::from_u128(id))) {
        let Check { counter, rule } = tokens(1, 1000);
        let counter = Counter::new(org, counter.policy, Arc::clone(&counter.entity));
        windows.push(keys::window(&counter));
        let checks = list(vec![Check { counter, rule }]);
        let (at, expected) = (Timestamp::now(), amount(10));
        let ask = Ask { org, at, caller: &checks, routes: &[], expected, counts: true };
        settle(granted(scene.governor.admit(&ask).await), amount(10), None);
    }
    server.run(&["DEL", &windows[0]]);
    server.run(&["SET", &windows[0], "no window"]);
    assert!(!scene.governor.tell_all(&link).await, "something is left");
    for window in &windows[1..] {
        assert_eq!(server.run(&["HGET", window, "ts"]), "10");
    }
    server.run(&["DEL", &windows[0]]);
    assert!(scene.governor.tell_all(&link).await);
    assert!(scene.governor.tell_all(&link).await);
    assert_eq!(server.run(&["HGET", &windows[0], "ts"]), "10");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_of_an_earlier_beginning_is_set_though_it_shows_what_the_database_says() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let checks = list(vec![budget(1, 1000)]);
    let scene = begun(&link, &Arc::default(), &checks).await;
    let key = term_key(&checks[0]);
    let counter = keys::budget(&key.counter, key.span.start);
    server.run(&["HSET", &counter, "e", "1", "r", "1", "t", "60", "c", "60000"]);
    let sums = std::iter::once((key.clone(), amount(60))).collect();
    let right = begin::reconcile(&link, ORG, &[key], &sums, &[]).await.unwrap();
    assert_eq!(right, [true]);
    assert_eq!(spent(&server, &checks[0]), amount(60));
    denied(scene.ask(&list(vec![budget(1, 60)])).await);
}

#[test]
fn silence_is_counted_from_when_redis_is_back() {
    let mut periods = Periods::default();
    periods.was_heard(ORG, 1_000);
    assert_eq!(periods.was_heard(ORG, 91_000), Duration::from_secs(90));
    // It was away, and a session has begun with its return.
    periods.forget_heard();
    assert_eq!(periods.was_heard(ORG, 191_000), Duration::ZERO);
}

#[test]
fn who_comes_later_of_one_organization_does_not_push_another_behind() {
    let mut book = Book::new(true);
    let of = |org, policy| {
        let counter = tokens(policy, 1000).counter;
        Counter::new(OrgId(uuid::Uuid::from_u128(org)), counter.policy, counter.entity)
    };
    let settle = |book: &mut Book, counter: &Counter| {
        book.rate(counter).link.as_mut().unwrap().owe(1, 0, 1);
        assert!(book.mark_rate(counter));
    };
    let (one, another, later) = (of(1, 1), of(2, 1), of(1, 2));
    settle(&mut book, &one);
    settle(&mut book, &another);
    let mut left = book.dirty.len();
    settle(&mut book, &later);
    let session = Session { replica: "one".into(), generation: 1 };
    let mut told = Vec::new();
    while left > 0 {
        let flush = book.flush(left, "ledger", &session, None).unwrap();
        left -= flush.taken;
        told.extend(flush.call.keys.into_iter().skip(1));
    }
    assert_eq!(told, [keys::window(&one), keys::window(&another)]);
}

#[test]
fn what_is_owed_of_a_window_is_forgotten_when_it_has_run_out() {
    let mut link = RateLink::default();
    (0..1000).for_each(|second| link.owe(second, 0, 1));
    assert_eq!(link.owed.len(), 61);
    // Nor does it count for the next question, when Redis comes back after minutes, though it was on its way.
    link.sent = link.owed.split_off(30);
    assert_eq!(link.untold(1029), Untold::Tokens { batch: 0, sent: 31, later: 0 });
    assert_eq!(link.untold(1060), Untold::Nothing);
}

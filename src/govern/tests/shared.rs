use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{future::join_all, poll};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    database::Database,
    redis_server::{PATIENT, RedisServer},
    scene::{
        ORG, Scene, amount, budget, denied, granted, policies, requests, settle, strict, throttle,
        tokens, until,
    },
};
use crate::{
    domain::{Period, Timestamp},
    govern::{
        Amount, Ask, Check, OnFailure, Rule, Verdict, calendar,
        keep::PACE,
        redis::{
            Link,
            admit::{self, Untold},
            scripts::ADMIT,
        },
    },
};

/// Replicas over one Redis and one database.
pub(super) struct Replicas {
    pub scenes: Vec<Scene>,
    pub database: Arc<Database>,
    stops: Vec<watch::Sender<bool>>,
    tasks: Vec<JoinHandle<()>>,
    pub links: Vec<Arc<Link>>,
}

impl Replicas {
    pub async fn start(
        server: &RedisServer,
        count: usize,
        checks: &[Check],
        on_failure: OnFailure,
        deadline: Duration,
    ) -> Self {
        let database: Arc<Database> = Arc::default();
        let mut all = Self {
            scenes: Vec::new(),
            database,
            stops: Vec::new(),
            tasks: Vec::new(),
            links: Vec::new(),
        };
        for _ in 0..count {
            let (link, stop_link) = server.link(deadline).await;
            let scene = Scene::over(Some(Arc::clone(&link)), &all.database, on_failure);
            scene.governor.policies(ORG, policies(checks));
            let (stop, stopped) = watch::channel(false);
            all.tasks.push(tokio::spawn(Arc::clone(&scene.governor).run(stopped)));
            all.scenes.push(scene);
            all.links.push(link);
            all.stops.extend([stop_link, stop]);
        }
        for scene in &all.scenes {
            assert!(scene.governor.wait_begun(Duration::from_secs(20)).await);
            until("it knows of the others", async || {
                let known = scene.governor.replicas();
                known as usize == count && !scene.governor.is_degraded()
            })
            .await;
        }
        all
    }
}

pub(super) fn list(checks: Vec<Check>) -> Arc<[Check]> {
    checks.into()
}

/// What Redis holds of a budget's counter.
pub(super) fn spent(server: &RedisServer, check: &Check) -> Amount {
    let Rule::Budget { period, .. } = check.rule else { panic!("no budget") };
    let start = calendar::span(period, Timestamp::now()).start;
    let key = crate::govern::redis::keys::budget(&check.counter, start);
    let read = |field: &str| server.run(&["HGET", &key, field]).parse().unwrap_or(0);
    Amount { tokens: read("t"), cost: crate::domain::Money(read("c").try_into().unwrap()) }
}

fn held(database: &Database, check: &Check) -> Amount {
    let span = calendar::span(Period::Monthly, Timestamp::now());
    database.sum(check, span.start, span.end)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_replicas_admit_a_limit_of_600_exactly_600_times() {
    let server = RedisServer::start();
    let checks = list(vec![requests(1, 600), requests(2, 100_000)]);
    let replicas = Replicas::start(&server, 4, &checks, OnFailure::Local, PATIENT).await;
    let scenes = Arc::new(replicas.scenes);
    let callers: Vec<_> = (0..64)
        .map(|caller| {
            let (scenes, checks) = (Arc::clone(&scenes), Arc::clone(&checks));
            tokio::spawn(async move {
                let mut count = 0;
                for number in 0..16 {
                    let scene = &scenes[(caller + number) % 4];
                    count += u32::from(scene.use_up(&checks, amount(1)).await);
                }
                count
            })
        })
        .collect();
    let mut admitted = 0;
    for caller in callers {
        admitted += caller.await.unwrap();
    }
    assert_eq!(admitted, 600);
    let denied = denied(scenes[0].ask(&checks).await);
    assert!(denied.by.retry_after <= Duration::from_secs(61), "{denied:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_outlives_what_is_counted_in_it_however_long_it_is_asked() {
    let server = RedisServer::start();
    let checks = list(vec![requests(1, 100_000)]);
    let replicas = Replicas::start(&server, 1, &checks, OnFailure::Local, PATIENT).await;
    let key = crate::govern::redis::keys::window(&checks[0].counter);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(2_500) {
        assert!(replicas.scenes[0].use_up(&checks, amount(1)).await);
        let left: u64 = server.run(&["PTTL", &key]).parse().unwrap();
        assert!((61_001..=65_000).contains(&left), "{left} ms after {:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_session_is_known_with_its_first_request() {
    let server = RedisServer::start();
    let checks = list(vec![budget(1, 1_000_000)]);
    let replicas = Replicas::start(&server, 1, &checks, OnFailure::Local, PATIENT).await;
    let governor = &replicas.scenes[0].governor;
    for _ in 0..2 {
        let session = governor.session();
        assert!(replicas.scenes[0].use_up(&checks, amount(1)).await);
        let sessions = crate::govern::redis::keys::sessions(ORG);
        let known = server.run(&["HGET", &sessions, &session.replica]);
        assert!(known.starts_with(&format!("{} ", session.generation)), "{known}");
        governor.new_session();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_are_right_within_two_seconds_after_redis_has_lost_everything() {
    let server = RedisServer::start();
    let checks = list(vec![budget(1, 1_000_000), tokens(2, 4_000_000), requests(3, 100_000)]);
    let replicas = Replicas::start(&server, 3, &checks, OnFailure::Local, PATIENT).await;
    let mut used = 0;
    for round in 0..300 {
        let scene = &replicas.scenes[round % 3];
        used += u64::from(scene.use_up(&checks, amount(10)).await) * 10;
        if round % 50 == 20 {
            server.run(&["FLUSHALL"]);
        }
        if round % 7 == 0 {
            replicas.database.deliver(5);
        }
    }
    assert_eq!(used, 3000, "nothing is refused below the limit");
    let begun = Instant::now();
    until("the counter is what was used", async || spent(&server, &checks[0]) == amount(used))
        .await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // Windows as well: all 300 requests are in the last minute.
    until("the window is whole again", async || {
        let grant = granted(replicas.scenes[0].ask(&checks).await);
        let standing = grant.standing;
        let left = standing.requests.unwrap().remaining;
        assert!(left >= 100_000 - 300 - 1000, "inflated: {left}");
        standing.tokens.unwrap().remaining == 4_000_000 - 3000 && left <= 100_000 - 300
    })
    .await;
    replicas.database.deliver_all();
    until("the database agrees", async || held(&replicas.database, &checks[0]) == amount(used))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_are_whole_again_after_a_flush_though_nobody_asks() {
    let server = RedisServer::start();
    let checks = list(vec![requests(1, 20), tokens(2, 1000)]);
    let replicas = Replicas::start(&server, 2, &checks, OnFailure::Local, PATIENT).await;
    for number in 0..20 {
        assert!(replicas.scenes[number % 2].use_up(&checks, amount(10)).await);
    }
    denied(replicas.scenes[0].ask(&checks).await);
    let counted = |check: &Check, field| {
        server.run(&["HGET", &crate::govern::redis::keys::window(&check.counter), field])
    };
    let is_whole = || counted(&checks[0], "rs") == "20" && counted(&checks[1], "ts") == "200";
    until("all of it is told", async || is_whole()).await;
    server.run(&["FLUSHALL"]);
    let begun = Instant::now();
    until("the windows are whole again", async || is_whole()).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    for number in 0..60 {
        denied(replicas.scenes[number % 2].ask(&checks).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_are_whole_again_after_a_restart_though_nobody_asks() {
    let server = RedisServer::start();
    let checks = list(vec![requests(1, 20)]);
    let replicas = Replicas::start(&server, 2, &checks, OnFailure::Local, PATIENT).await;
    for number in 0..20 {
        assert!(replicas.scenes[number % 2].use_up(&checks, amount(10)).await);
    }
    server.kill();
    server.start_again();
    let key = crate::govern::redis::keys::window(&checks[0].counter);
    until("the window is whole again", async || server.run(&["HGET", &key, "rs"]) == "20").await;
    for number in 0..60 {
        denied(replicas.scenes[number % 2].ask(&checks).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_below_what_is_used_is_told_by_each_replica_though_nobody_asks() {
    let server = RedisServer::start();
    let before = list(vec![budget(1, 1000)]);
    let replicas = Replicas::start(&server, 2, &before, OnFailure::Local, PATIENT).await;
    replicas.database.keep(replicas.scenes[0].ledger, Timestamp::now(), &before, amount(400));
    replicas.database.deliver_all();
    for scene in &replicas.scenes {
        scene.governor.in_force(ORG, &policies(&[budget(1, 420)]));
        until("both thresholds are told", async || {
            let told = scene.told.lock().unwrap();
            told.iter().map(|told| told.percent).eq([80, 90])
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_exhausted_throttle_serves_is_marked_by_every_replica() {
    let server = RedisServer::start();
    let checks = list(vec![throttle(1, 100)]);
    let replicas = Replicas::start(&server, 2, &checks, OnFailure::Local, PATIENT).await;
    let [first, second] = &replicas.scenes[..] else { panic!("there are two") };
    assert_eq!(granted(second.ask(&checks).await).throttled_by, None);
    assert!(first.use_up(&checks, amount(100)).await);
    until("the other one knows", async || {
        granted(second.ask(&checks).await).throttled_by == Some(checks[0].counter.policy)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_equal_the_ledger_after_a_replica_has_died_with_something_untold() {
    let server = RedisServer::start();
    let checks = list(vec![budget(1, 1_000_000)]);
    let replicas = Replicas::start(&server, 2, &checks, OnFailure::Local, PATIENT).await;
    assert!(replicas.scenes[0].use_up(&checks, amount(100)).await);
    assert!(replicas.scenes[1].use_up(&checks, amount(100)).await);
    until("both are told", async || spent(&server, &checks[0]) == amount(200)).await;
    // Kept in the ledger, never told: the process died in between.
    replicas.tasks[1].abort();
    let dead = &replicas.scenes[1];
    replicas.database.keep(dead.ledger, Timestamp::now(), &checks, amount(50));
    replicas.database.deliver_all();
    let begun = Instant::now();
    assert!(replicas.scenes[0].use_up(&checks, amount(1)).await);
    replicas.database.deliver_all();
    until("the counter is what the ledger holds", async || {
        spent(&server, &checks[0]) == amount(251)
    })
    .await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_replica_has_reserved_lapses() {
    let server = RedisServer::start();
    let checks = list(vec![budget(1, 100)]);
    let replicas = Replicas::start(&server, 2, &checks, OnFailure::Local, PATIENT).await;
    // Its request is never settled.
    std::mem::forget(granted(replicas.scenes[0].ask(&checks).await));
    denied(replicas.scenes[1].ask(&checks).await);
    replicas.tasks[0].abort();
    until("the reservation has lapsed", async || {
        matches!(replicas.scenes[1].ask(&checks).await, Verdict::Granted(_))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_dead_each_replica_enforces_its_share_and_tells_it_later() {
    let server = RedisServer::start();
    let checks = list(vec![requests(1, 600), budget(2, 1_000_000)]);
    let replicas = Replicas::start(&server, 4, &checks, OnFailure::Local, PATIENT).await;
    assert!(replicas.scenes[0].use_up(&checks, amount(10)).await);
    server.kill();
    until("it is noticed", async || {
        let _ = replicas.scenes[0].ask(&checks).await;
        replicas.scenes[0].governor.is_degraded()
    })
    .await;
    let mut admitted = 0;
    for _ in 0..600 {
        admitted += u64::from(replicas.scenes[1].use_up(&checks, amount(10)).await);
    }
    assert_eq!(admitted, 150, "a quarter of the limit");
    server.start_again();
    let begun = Instant::now();
    until("all are back", async || {
        replicas.scenes.iter().all(|scene| !scene.governor.is_degraded())
    })
    .await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    replicas.database.deliver_all();
    let held = held(&replicas.database, &checks[1]);
    until("what was used meanwhile is told", async || spent(&server, &checks[1]) == held).await;
    until("the window too", async || {
        let grant = granted(replicas.scenes[2].ask(&checks).await);
        grant.standing.requests.unwrap().remaining <= 600 - 151
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_grants_nothing_whatever_a_script_writes_first() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let check = requests(1, 5);
    let checks = list(vec![check.clone()]);
    let scene = Scene::over(Some(Arc::clone(&link)), &Arc::default(), OnFailure::Local);
    let (routes, at) = ([], Timestamp::now());
    let (caller, expected) = (&checks, Amount::ZERO);
    let ask = Ask { org: ORG, at, caller, routes: &routes, expected, counts: true };
    let session = scene.governor.session();
    let mut calendar = calendar::Calendar::default();
    let mut asked = async || {
        let request = admit::request(&ask, None, &mut calendar, |_, _| Untold::Nothing);
        let call = admit::together(ORG, &session, [request].into_iter(), None);
        link.call(&ADMIT, &call.keys, &call.args).await
    };
    let window = crate::govern::redis::keys::window(&check.counter);
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(asked().await.is_err(), "a window is made");
    server.run(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(asked().await.is_ok());
    server.run(&["HINCRBY", &window, "s", "-3"]);
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(asked().await.is_err(), "a window is advanced");
    assert_eq!(server.run(&["HGET", &window, "rs"]).trim(), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_refuses_to_count_is_noticed_and_what_was_used_is_told_later() {
    let server = RedisServer::start();
    let checks = list(vec![requests(1, 20), budget(2, 1_000_000)]);
    let replicas = Replicas::start(&server, 1, &checks, OnFailure::Local, PATIENT).await;
    let scene = &replicas.scenes[0];
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    until("it is noticed without a request", async || scene.governor.is_degraded()).await;
    let mut admitted = 0;
    for _ in 0..40 {
        admitted += u64::from(scene.use_up(&checks, amount(10)).await);
        assert!(scene.governor.is_degraded());
    }
    assert_eq!(admitted, 20, "it is held to what is counted here");
    server.run(&["CONFIG", "SET", "maxmemory", "0"]);
    until("it counts again", async || !scene.governor.is_degraded()).await;
    until("what was used is told", async || spent(&server, &checks[1]) == amount(200)).await;
    denied(scene.ask(&checks).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_redis_costs_one_bounded_wait_and_then_none() {
    let server = RedisServer::start();
    let checks = list(vec![requests(1, 100_000), budget(2, 1_000_000)]);
    let deadline = Duration::from_millis(400);
    let replicas = Replicas::start(&server, 1, &checks, OnFailure::Local, deadline).await;
    let scene = &replicas.scenes[0];
    assert!(scene.use_up(&checks, amount(10)).await);
    until("it is told", async || spent(&server, &checks[1]) == amount(10)).await;
    server.signal("STOP");
    let begun = Instant::now();
    assert!(scene.use_up(&checks, amount(10)).await);
    let first = begun.elapsed();
    assert!(first < 10 * deadline, "{first:?}");
    let begun = Instant::now();
    for _ in 0..200 {
        assert!(scene.use_up(&checks, amount(10)).await);
    }
    // If one in a dozen waited, it would take longer.
    assert!(begun.elapsed() < 16 * deadline, "{:?}", begun.elapsed());
    server.signal("CONT");
    until("it is back", async || replicas.links[0].is_up()).await;
    // The call that was frozen is carried out at last, and taken back.
    until("everything is told once", async || {
        let grant = granted(scene.ask(&checks).await);
        let left = grant.standing.requests.unwrap().remaining;
        assert!(left >= 100_000 - 202 - 1000, "counted twice");
        spent(&server, &checks[1]) == amount(2020) && left <= 100_000 - 202
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_deny_refuses_and_allow_admits_and_counts() {
    for on_failure in [OnFailure::Deny, OnFailure::Allow] {
        let server = RedisServer::start();
        let checks = list(vec![requests(1, 2), budget(2, 100)]);
        let replicas = Replicas::start(&server, 1, &checks, on_failure, PATIENT).await;
        let scene = &replicas.scenes[0];
        server.kill();
        until("it is noticed", async || {
            let verdict = scene.ask(&checks).await;
            drop(verdict);
            !replicas.links[0].is_up()
        })
        .await;
        for _ in 0..5 {
            match scene.ask(&checks).await {
                Verdict::Unavailable => assert_eq!(on_failure, OnFailure::Deny),
                Verdict::Granted(grant) => {
                    assert_eq!(on_failure, OnFailure::Allow);
                    settle(grant, amount(30), None);
                }
                Verdict::Denied(denied) => panic!("{denied:?}"),
            }
        }
        server.start_again();
        until("it is back", async || !scene.governor.is_degraded()).await;
        if on_failure == OnFailure::Allow {
            until("it was counted", async || spent(&server, &checks[1]).tokens >= 150).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_told_at_a_pace_however_many_requests_are_settled() {
    let server = RedisServer::start();
    let checks = list(vec![tokens(1, 1_000_000)]);
    let replicas = Replicas::start(&server, 1, &checks, OnFailure::Local, PATIENT).await;
    let scene = &replicas.scenes[0];
    let begun = Instant::now();
    let mut served = 0;
    while begun.elapsed() < 20 * PACE {
        let some = join_all((0..8).map(|_| scene.use_up(&checks, amount(1)))).await;
        served += some.iter().filter(|is_served| **is_served).count();
    }
    let window = crate::govern::redis::keys::window(&checks[0].counter);
    until("all of it is told", async || {
        server.run(&["HGET", &window, "ts"]).trim() == served.to_string()
    })
    .await;
    let paces = begun.elapsed().as_millis() / PACE.as_millis();
    // Between paces only what another telling has shown: that the window is another one by now.
    let told = u128::from(scene.governor.book(ORG).batches);
    assert!((1..=paces + 3).contains(&told), "{told} times in {paces} paces");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_tidies_up_after_a_dead_replica_leaves_a_counter_that_was_set_anew_as_it_is() {
    let server = RedisServer::start();
    let (link, _stop) = server.link(PATIENT).await;
    let checks = list(vec![budget(1, 1000)]);
    let scene = Scene::over(Some(Arc::clone(&link)), &Arc::default(), OnFailure::Local);
    scene.governor.policies(ORG, policies(&checks));
    assert!(scene.governor.begin_wanted().await);
    assert!(scene.use_up(&checks, amount(60)).await);
    assert!(scene.governor.tell_all(&link).await);
    let start = calendar::span(Period::Monthly, Timestamp::now()).start;
    let key = crate::govern::redis::keys::budget(&checks[0].counter, start);
    server.run(&["HSET", &key, "e", "9007199254740000", "gone", "1 100 0 0 0 0"]);
    drop(granted(scene.ask(&checks).await));
    assert_eq!(server.run(&["HEXISTS", &key, "gone"]).trim(), "0");
    assert_eq!(server.run(&["HGET", &key, "e"]).trim(), "9007199254740000");
}

#[tokio::test]
async fn what_is_granted_to_an_asker_who_has_gone_is_given_back() {
    let server = RedisServer::start();
    let checks = list(vec![budget(1, 150), requests(2, 2)]);
    let replicas = Replicas::start(&server, 1, &checks, OnFailure::Local, PATIENT).await;
    let scene = &replicas.scenes[0];
    let mut on_its_way = Box::pin(scene.ask(&checks));
    assert!(poll!(&mut on_its_way).is_pending());
    let mut waiting = Box::pin(scene.ask(&checks));
    assert!(poll!(&mut waiting).is_pending());
    drop(on_its_way);
    until("the other is asked for", async || {
        scene.governor.book(ORG).asking.get(&ORG).is_none_or(VecDeque::is_empty)
    })
    .await;
    drop(waiting);
    // Not by asking: what is granted meanwhile would be counted for a minute.
    until("nothing is counted of both", async || {
        let counted = scene.governor.counted(ORG, &checks).await;
        counted.is_some_and(|counted| counted.iter().all(|(requests, _)| *requests == 0))
    })
    .await;
    let _both = [granted(scene.ask(&checks).await), granted(scene.ask(&checks).await)];
    denied(scene.ask(&checks).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_routes_share_counts_a_request_once_that_moves_between_them() {
    let server = RedisServer::start();
    let checks = list(vec![budget(2, 1000), strict(3, 1000)]);
    let replicas = Replicas::start(&server, 1, &checks, OnFailure::Local, PATIENT).await;
    super::here::moves_on_what_routes_share(&replicas.scenes[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_budget_is_told_to_be_used_up_when_it_refuses_for_the_rest_of_its_period() {
    let server = RedisServer::start();
    let checks = list(vec![strict(1, 1000)]);
    let replicas = Replicas::start(&server, 1, &checks, OnFailure::Local, PATIENT).await;
    super::here::is_told_when_it_refuses(&replicas.scenes[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_after_its_period_counts_for_that_one_and_the_next_begins_with_nothing() {
    let server = RedisServer::start();
    let checks = list(vec![budget(1, 1000)]);
    let replicas = Replicas::start(&server, 2, &checks, OnFailure::Local, PATIENT).await;
    let [one, other] = &replicas.scenes[..] else { panic!("there are two") };
    let end = calendar::span(Period::Monthly, Timestamp::now()).end;
    let (last, next) = (Timestamp(end.0 - 1), end);
    let at_the_edge = granted(one.ask_at(&checks, last).await);
    for scene in [one, other] {
        drop(granted(scene.ask_at(&checks, next).await));
    }
    settle(at_the_edge, amount(1200), None);
    until("it is told", async || spent(&server, &checks[0]) == amount(1200)).await;
    for scene in [one, other] {
        denied(scene.ask_at(&checks, last).await);
        drop(granted(scene.ask_at(&checks, next).await));
    }
}

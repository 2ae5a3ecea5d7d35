//! What replicas admit together while Redis is away: no more than the limit.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    redis_server::{PATIENT, RedisServer},
    scene::{
        ORG, Scene, amount, budget, denied, granted, policies, requests, settle, strict, throttle,
        tokens, until,
    },
    shared::{Replicas, list},
};
use crate::{
    domain::{Position, Timestamp},
    govern::{
        Check, OnFailure, Second,
        book::Book,
        clock::Clock,
        reading::Reading,
        redis::{Link, keys::REPLICAS},
        share::Share,
    },
};

/// How many of so many requests of one token each are granted.
async fn admitted(scene: &Scene, checks: &Arc<[Check]>, asked: usize) -> usize {
    let mut count = 0;
    for _ in 0..asked {
        count += usize::from(scene.use_up(checks, amount(1)).await);
    }
    count
}

/// Redis is away, and every replica knows it.
async fn lost(server: &RedisServer, scenes: &[Scene]) {
    server.kill();
    for scene in scenes {
        until("it knows that redis is away", async || {
            drop(scene.ask(&list(vec![requests(99, 1)])).await);
            scene.governor.is_degraded()
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_of_a_limit_that_cannot_be_divided_are_together_the_limit() {
    let server = RedisServer::start();
    let limits = [requests(1, 10), tokens(2, 7), budget(3, 10), requests(4, 3), strict(5, 6)];
    let replicas = Replicas::start(&server, 4, &limits, OnFailure::Local, PATIENT).await;
    lost(&server, &replicas.scenes).await;
    for (limit, whole) in limits.into_iter().zip([10, 7, 10, 3, 6]) {
        let checks = list(vec![limit.clone()]);
        let mut count = 0;
        for scene in &replicas.scenes {
            count += admitted(scene, &checks, 12).await;
        }
        assert_eq!(count, whole, "{limit:?}");
    }
    let none = list(vec![requests(4, 3)]);
    for scene in &replicas.scenes {
        let wait = denied(scene.ask(&none).await).by.retry_after;
        assert!(wait >= Duration::from_secs(1), "{wait:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_starts_while_redis_is_away_takes_its_share_of_what_the_database_knows_is_left() {
    let server = RedisServer::start();
    let checks = vec![budget(1, 1000), requests(2, 41), budget(3, 1000)];
    let replicas = Replicas::start(&server, 4, &checks, OnFailure::Local, PATIENT).await;
    let [first, ..] = &replicas.scenes[..] else { panic!("there are four") };
    assert!(first.use_up(&list(vec![budget(1, 1000)]), amount(922)).await);
    replicas.database.deliver_all();
    until("the database knows of four", async || *replicas.database.replicas.lock().unwrap() == 4)
        .await;
    lost(&server, &replicas.scenes).await;

    let link = Link::new(&server.url(), PATIENT).unwrap();
    let scene = Scene::over(Some(link), &replicas.database, OnFailure::Local);
    scene.governor.policies(ORG, policies(&checks));
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(Arc::clone(&scene.governor).run(stopped));
    assert!(scene.governor.wait_begun(Duration::from_secs(20)).await, "the database knows");
    assert_eq!(scene.governor.replicas(), 4);
    // Two were counted before by whomever.
    assert_eq!(admitted(&scene, &list(vec![requests(2, 41)]), 20).await, 8);
    assert_eq!(admitted(&scene, &list(vec![budget(1, 1000)]), 40).await, 19, "of 78");
    assert_eq!(admitted(&scene, &list(vec![budget(3, 1000)]), 251).await, 250);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_admitted_in_any_case_is_counted_and_told() {
    let server = RedisServer::start();
    let checks = list(vec![requests(1, 2), throttle(2, 1000)]);
    let replicas = Replicas::start(&server, 1, &checks, OnFailure::Allow, PATIENT).await;
    lost(&server, &replicas.scenes).await;
    let mut left = Vec::new();
    for _ in 0..4 {
        let grant = granted(replicas.scenes[0].ask(&checks).await);
        left.push((grant.standing.requests.unwrap().remaining, grant.throttled_by.is_some()));
        settle(grant, amount(400), None);
    }
    assert_eq!(left, [(1, false), (0, false), (0, false), (0, true)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_made_a_replica_is_away_until_it_takes_writes_again() {
    let server = RedisServer::start();
    let checks = list(vec![requests(1, 100_000)]);
    let replicas = Replicas::start(&server, 1, &checks, OnFailure::Local, PATIENT).await;
    let (scene, link) = (&replicas.scenes[0], &replicas.links[0]);
    let connections = || -> u64 {
        let stats = server.run(&["INFO", "stats"]);
        let (_, rest) = stats.split_once("total_connections_received:").unwrap();
        rest.lines().next().unwrap().trim().parse().unwrap()
    };
    let mut changes = link.changes();
    server.run(&["REPLICAOF", "127.0.0.1", "1"]);
    until("it knows", async || {
        assert!(scene.use_up(&checks, amount(1)).await);
        !*changes.borrow_and_update()
    })
    .await;
    let before = connections();
    until("it has looked again and again", async || connections() > before + 100).await;
    assert!(!changes.has_changed().unwrap(), "and stays away");
    server.run(&["REPLICAOF", "NO", "ONE"]);
    until("it is back", async || link.is_up()).await;
    assert!(scene.use_up(&checks, amount(1)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_redis_has_forgotten_who_is_alive_nobody_takes_more_than_its_share() {
    let server = RedisServer::start();
    let checks = list(vec![requests(1, 100)]);
    let replicas = Replicas::start(&server, 4, &checks, OnFailure::Local, PATIENT).await;
    server.run(&["FLUSHALL"]);
    until("all are counted again", async || {
        for scene in &replicas.scenes {
            assert_eq!(scene.governor.replicas(), 4);
        }
        server.run(&["HLEN", REPLICAS]) == "4"
    })
    .await;
}

#[test]
fn what_was_recalled_stays_as_long_as_it_counts() {
    let mut book = Book::new(true);
    let check = requests(1, 10);
    let second = Second {
        policy: check.counter.policy,
        entity: Arc::clone(&check.counter.entity),
        ago: 3,
        requests: 4,
        tokens: 70,
    };
    book.recall(ORG, &second, Clock(100_000));
    let mut counted = |now| {
        (0..=Book::PARTS).for_each(|_| book.tidy(Clock(now), Timestamp::now(), Position(0)));
        match book.read(&check, Timestamp::now(), Clock(now), Share::WHOLE) {
            Reading::Rate(rate) => rate.requests.sum,
            Reading::Budget(_) => panic!("a limit"),
        }
    };
    assert_eq!((counted(100_000), counted(157_000), counted(158_000)), (4, 4, 0));
}

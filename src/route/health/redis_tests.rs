//! The scripts and their answers, on a real server.

use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use super::{Cooldown, Cooldowns, Ejection, Reason, RedisCooldowns, RouteKey};
use crate::{
    domain::{OrgId, ProviderId},
    govern::{
        redis::Link,
        tests::redis_server::{PATIENT, RedisServer},
    },
};

/// A replica's connection, as long as the sender is there.
async fn replica(server: &RedisServer) -> (RedisCooldowns, watch::Sender<bool>) {
    let (link, stop) = server.link(PATIENT).await;
    (RedisCooldowns::new(link), stop)
}

fn cooldown(seconds: u64) -> Cooldown {
    let key = RouteKey {
        org: OrgId::random(),
        provider: ProviderId::random(),
        model: "meta/llama: {3}".into(),
    };
    let ejection = Ejection {
        reason: Reason::RateLimited,
        lasts: Duration::from_secs(seconds),
        multiplier: 4,
    };
    let (id, provider_name) = (Uuid::new_v4(), "Meta \"EU\"".into());
    Cooldown { id, key, provider_name, ejection: Some(ejection) }
}

#[tokio::test]
async fn what_one_replica_tells_another_hears_once_with_the_time_that_is_left() {
    let server = RedisServer::start();
    let ((one, _one), (two, _two)) = (replica(&server).await, replica(&server).await);
    assert!(two.read().await.unwrap().is_empty());
    let told = cooldown(100);
    assert_eq!(one.publish(&told).await.unwrap(), told.id);
    let heard = two.read().await.unwrap();
    let [heard] = heard.as_slice() else { panic!("{heard:?}") };
    let (lasts, said) = (heard.ejection.unwrap().lasts, told.ejection.unwrap().lasts);
    assert!(lasts <= said && lasts > said / 2, "{lasts:?}");
    let same = Ejection { lasts: said, ..heard.ejection.unwrap() };
    assert_eq!(Cooldown { ejection: Some(same), ..heard.clone() }, told);
    assert!(two.read().await.unwrap().is_empty(), "it is no news any more");
    server.run(&["flushall"]);
    assert!(two.read().await.unwrap().is_empty());
    let next = cooldown(100);
    one.publish(&next).await.unwrap();
    assert_eq!(two.read().await.unwrap().len(), 1, "though the count began anew");
}

#[tokio::test]
async fn what_is_told_after_redis_was_emptied_is_heard_by_those_who_had_heard_before() {
    let server = RedisServer::start();
    let ((one, _one), (two, _two)) = (replica(&server).await, replica(&server).await);
    one.publish(&cooldown(100)).await.unwrap();
    assert_eq!(two.read().await.unwrap().len(), 1);
    server.run(&["flushall"]);
    let late = cooldown(100);
    assert_eq!(one.publish_late(&late).await.unwrap(), late.id);
    let heard = two.read().await.unwrap();
    assert_eq!(heard.iter().map(|one| one.id).collect::<Vec<_>>(), [late.id]);
}

#[tokio::test]
async fn what_is_told_late_replaces_nothing() {
    let server = RedisServer::start();
    let (one, _one) = replica(&server).await;
    let first = cooldown(100);
    one.publish(&first).await.unwrap();
    let ejection = Ejection { lasts: Duration::from_secs(300), ..first.ejection.unwrap() };
    let late = Cooldown { id: Uuid::new_v4(), ejection: Some(ejection), ..first.clone() };
    assert_eq!(one.publish_late(&late).await.unwrap(), first.id);
    let reset = Uuid::new_v4();
    one.reset(&first.key, reset).await.unwrap();
    assert_eq!(one.publish_late(&late).await.unwrap(), reset);
}

#[tokio::test]
async fn one_that_has_half_as_long_to_go_stands_and_a_much_longer_one_replaces_it() {
    let server = RedisServer::start();
    let (one, _one) = replica(&server).await;
    let first = cooldown(100);
    one.publish(&first).await.unwrap();
    for (seconds, stands) in [(100, false), (10, false), (300, true)] {
        let ejection = Ejection { lasts: Duration::from_secs(seconds), ..first.ejection.unwrap() };
        let next = Cooldown { id: Uuid::new_v4(), ejection: Some(ejection), ..first.clone() };
        let expected = if stands { next.id } else { first.id };
        assert_eq!(one.publish(&next).await.unwrap(), expected, "{seconds} s");
    }
}

#[tokio::test]
async fn a_reset_reaches_every_replica_and_tells_whether_there_was_a_cool_down() {
    let server = RedisServer::start();
    let ((one, _one), (two, _two)) = (replica(&server).await, replica(&server).await);
    let told = cooldown(100);
    one.publish(&told).await.unwrap();
    let id = Uuid::new_v4();
    assert!(two.reset(&told.key, id).await.unwrap());
    assert!(!two.reset(&told.key, id).await.unwrap());
    let heard = one.read().await.unwrap();
    assert_eq!((heard.len(), heard[0].id, heard[0].ejection), (1, id, None));
}

#[tokio::test]
async fn without_redis_nothing_is_told_and_nobody_waits() {
    let link = Link::new("redis://127.0.0.1:1", Duration::from_secs(1)).unwrap();
    let cooldowns = RedisCooldowns::new(link);
    let told = cooldown(100);
    assert!(cooldowns.publish(&told).await.is_err());
    assert!(cooldowns.reset(&told.key, Uuid::new_v4()).await.is_err());
    assert!(cooldowns.read().await.is_err());
}

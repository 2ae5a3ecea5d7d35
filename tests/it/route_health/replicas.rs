//! What one replica ejects, all skip.

use std::time::{Duration, Instant};

use serde_json::json;

use super::scene::health;
use crate::support::{
    Caller, Gateway, MockVendor, Org, PostgresServer, Provider, RedisServer, Reply, until,
};

/// Within which every replica has heard.
const BOUND: Duration = Duration::from_secs(1);

/// Two gateways on one database and one Redis; two routes behind `fast`, set up on the first.
struct Pair {
    redis: RedisServer,
    _gateways: [Gateway; 2],
    acme: [Org; 2],
    keys: [Caller; 2],
    first: MockVendor,
    _second: MockVendor,
    provider: Provider,
}

impl Pair {
    async fn new() -> Self {
        let redis = RedisServer::start().await;
        let database = PostgresServer::shared().database();
        let replica =
            || Gateway::configured().on_postgres(&database).set("redis.url", redis.url()).start();
        let gateways = [replica().await, replica().await];
        for gateway in &gateways {
            until("redis is reached", async || {
                let checks = gateway.readiness().await.json()["checks"].clone();
                (checks["redis"] == "ok").then_some(())
            })
            .await;
        }
        let (first, second) = (MockVendor::start().await, MockVendor::start().await);
        let acme = gateways[0].org("acme");
        let provider = acme.provider("first").at(&first).model("gpt-4o").await;
        let spare = acme.provider("second").at(&second).model("gpt-4o").await;
        acme.alias("fast", &[(&provider, "gpt-4o"), (&spare, "gpt-4o")]).await;
        let key = acme.key().await;
        let keys = [key.clone(), gateways[1].caller(&key.secret)];
        until("the other replica knows the route", async || {
            (keys[1].chat("fast").await.status == 200).then_some(())
        })
        .await;
        let acme = [acme, gateways[1].org("acme")];
        Self { redis, _gateways: gateways, acme, keys, first, _second: second, provider }
    }

    /// Waits until a replica shows this state; how long that took.
    async fn shows(&self, replica: usize, state: &str) -> Duration {
        let began = Instant::now();
        until(&format!("replica {replica} shows {state}"), async || {
            let asked = began.elapsed();
            let health = health(&self.acme[replica], &self.provider, "gpt-4o").await;
            (health["state"] == state).then_some(asked)
        })
        .await
    }
}

#[tokio::test]
async fn a_route_that_one_replica_ejected_is_skipped_by_the_other_and_told_of_once() {
    let pair = Pair::new().await;
    let receiver = MockVendor::start().await;
    receiver.always(Reply::says("{}"));
    let url = format!("{}/hook", receiver.url());
    let hook = json!({"name": "ops", "url": url, "events": ["route_ejected"]});
    pair.acme[0].create("alert-webhooks", hook).await;
    pair.first.always(Reply::status(503));
    let before = pair.first.saw().len();
    for _ in 0..10 {
        pair.keys[0].chat("fast").await.has_status(200);
    }
    let took = pair.shows(1, "ejected").await;
    assert!(took < BOUND, "{took:?}");
    for _ in 0..5 {
        let answer = pair.keys[1].chat("fast").await.has_status(200);
        assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"));
    }
    assert_eq!(pair.first.saw().len(), before + 10);
    let health = health(&pair.acme[1], &pair.provider, "gpt-4o").await;
    assert_eq!(health["cooldown_reason"], "rolling_failures");
    assert!((1..=30).contains(&health["eject_remaining_secs"].as_u64().unwrap()), "{health}");
    receiver.wait_for_calls(1).await;
    assert_eq!(receiver.saw().len(), 1);
}

#[tokio::test]
async fn a_reset_on_one_replica_is_one_on_both() {
    let pair = Pair::new().await;
    pair.first.will(Reply::status(429).retry_after(200));
    pair.keys[0].chat("fast").await.has_status(200);
    pair.shows(1, "ejected").await;
    let path = format!("/admin/llm-gw/route-health/{}/reset", pair.provider.id);
    let done = pair.acme[1].post(&path, json!({"upstream_model": "gpt-4o"})).await;
    let done = done.has_status(200).json();
    assert_eq!((&done["was_ejected"], &done["shared_state_cleared"]), (&json!(true), &json!(true)));
    assert_eq!(pair.shows(1, "healthy").await.as_secs(), 0);
    assert!(pair.shows(0, "healthy").await < BOUND);
    let again = pair.acme[0].post(&path, json!({"upstream_model": "gpt-4o"})).await.json();
    assert_eq!(
        (&again["was_ejected"], &again["shared_state_cleared"]),
        (&json!(false), &json!(false))
    );
}

#[tokio::test]
async fn what_is_ejected_while_redis_is_away_is_skipped_by_all_once_it_is_back() {
    let mut pair = Pair::new().await;
    pair.redis.kill();
    pair.first.will(Reply::status(429).retry_after(200));
    pair.keys[0].chat("fast").await.has_status(200);
    pair.shows(0, "ejected").await;
    let other = health(&pair.acme[1], &pair.provider, "gpt-4o").await;
    assert_eq!(other["state"], "healthy", "nobody could tell it");
    pair.redis.again().await;
    pair.shows(1, "ejected").await;
    let health = health(&pair.acme[1], &pair.provider, "gpt-4o").await;
    assert_eq!(health["cooldown_reason"], "rate_limited");
    assert!((100..=200).contains(&health["eject_remaining_secs"].as_u64().unwrap()), "{health}");
}

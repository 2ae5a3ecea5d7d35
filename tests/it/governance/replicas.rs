//! Four gateways, one Redis and one PostgreSQL: limits hold over all of them, and while Redis is away.

use std::time::Instant;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::costing;
use crate::support::{
    Answer, Caller, Gateway, MockVendor, Org, PostgresServer, Provider, RedisServer, until,
};

struct Fleet {
    redis: RedisServer,
    replicas: Vec<Gateway>,
    openai: MockVendor,
    provider: Provider,
    acme: Org,
    keys: Vec<Caller>,
}

impl Fleet {
    /// Replicas that wait long for Redis: on a busy machine the exact figures would not be exact else.
    async fn patient() -> Self {
        Self::with("local", 5000).await
    }

    async fn new(on_failure: &str) -> Self {
        Self::with(on_failure, 50).await
    }

    async fn with(on_failure: &str, timeout_ms: u32) -> Self {
        let redis = RedisServer::start().await;
        let database = PostgresServer::shared().database();
        let replica = || {
            Gateway::configured()
                .on_postgres(&database)
                .set("redis.url", redis.url())
                .set("redis.on_failure", on_failure)
                .set("redis.timeout_ms", timeout_ms)
                .start()
        };
        let replicas = join_all((0..4).map(|_| replica())).await;
        let openai = MockVendor::start().await;
        let acme = replicas[0].org("acme");
        let provider = acme.provider("openai").at(&openai).model("gpt-4o").await;
        acme.alias("fast", &[(&provider, "gpt-4o")]).await;
        let secret = acme.key().await.secret;
        let keys = replicas.iter().map(|replica| replica.caller(&secret)).collect();
        let fleet = Self { redis, replicas, openai, provider, acme, keys };
        fleet.is_ready().await;
        fleet
    }

    /// Every replica serves the key and is connected with Redis.
    async fn is_ready(&self) {
        for (replica, key) in self.replicas.iter().zip(&self.keys) {
            until("the replica serves", async || {
                (key.chat("fast").await.status == 200).then_some(())
            })
            .await;
            until("the replica is ready", async || {
                let ready = replica.readiness().await.json();
                (ready["status"] == "ready" && ready["checks"]["redis"] == "ok").then_some(())
            })
            .await;
        }
        self.openai.forget_what_was_said();
    }

    /// A policy that every replica knows of: they know an alias that was made after it.
    async fn policy(&self, kind: &str, body: Value) {
        let row = self.acme.create(kind, body).await;
        let marker = format!("after-{}", row["id"].as_str().unwrap());
        self.acme.alias(&marker, &[(&self.provider, "gpt-4o")]).await;
        for key in &self.keys {
            until("the replica knows the policy", async || {
                let models = key.get("/v1/models").await.has_status(200);
                models.text().contains(&marker).then_some(())
            })
            .await;
        }
    }

    /// Asks `count` times, spread over all replicas, `width` at a time.
    async fn ask(&self, count: usize, width: usize) -> Vec<Answer> {
        let mut answers = Vec::new();
        for start in (0..count).step_by(width) {
            let ask = |n: usize| async move { self.keys[n % self.keys.len()].chat("fast").await };
            answers.extend(join_all((start..count.min(start + width)).map(ask)).await);
        }
        answers
    }
}

fn passed(answers: &[Answer]) -> usize {
    for answer in answers {
        assert!([200, 429].contains(&answer.status), "{}", answer.tell());
    }
    answers.iter().filter(|answer| answer.status == 200).count()
}

#[tokio::test]
async fn a_limit_of_600_a_minute_admits_600_over_four_replicas() {
    let fleet = Fleet::patient().await;
    let limit = json!({"name": "600", "scope_type": "model_alias", "scope_value": "fast",
        "requests_per_minute": 600});
    fleet.policy("rate-limits", limit).await;
    let before = fleet.openai.saw().len();
    assert_eq!(passed(&fleet.ask(1000, 256).await), 600);
    assert_eq!(fleet.openai.saw().len(), before + 600);
}

#[tokio::test]
async fn a_token_budget_overdraws_by_no_more_than_what_is_in_flight() {
    let fleet = Fleet::patient().await;
    fleet.openai.always(costing(60, 40));
    // What such requests use is learnt on every replica.
    fleet.ask(240, 8).await;
    let used: u64 = sum(&fleet.acme.records(244).await);
    let budget = json!({"name": "day", "scope_type": "org", "period": "daily",
        "token_limit": used + 20_000, "action_on_exhaust": "block"});
    fleet.policy("budgets", budget).await;
    let answers = fleet.ask(600, 256).await;
    let admitted = passed(&answers);
    assert!((199..=201).contains(&admitted), "{admitted}");
    let mut strict = json!({"name": "strict", "scope_type": "org", "period": "weekly",
        "token_limit": 1, "action_on_exhaust": "block"});
    strict["strict"] = json!(true);
    fleet.policy("budgets", strict).await;
    assert_eq!(passed(&fleet.ask(16, 16).await), 0);
}

fn sum(records: &[Value]) -> u64 {
    let of = |record: &Value, field: &str| record[field].as_u64().unwrap_or(0);
    records.iter().map(|record| of(record, "input_tokens") + of(record, "output_tokens")).sum()
}

#[tokio::test]
async fn counters_are_right_again_after_redis_forgot_everything() {
    let fleet = Fleet::patient().await;
    fleet.openai.always(costing(60, 40));
    let used = sum(&fleet.acme.records(4).await);
    let budget = json!({"name": "day", "scope_type": "org", "period": "daily",
        "token_limit": used + 4000, "action_on_exhaust": "block"});
    fleet.policy("budgets", budget).await;
    assert_eq!(passed(&fleet.ask(20, 4).await), 20);
    fleet.redis.flush();
    let flushed = Instant::now();
    let before = fleet.openai.saw().len();
    until("the budget is used up", async || (passed(&fleet.ask(4, 4).await) == 0).then_some(()))
        .await;
    let more = fleet.openai.saw().len() - before;
    // 20 are left; until the database was read again, some pass unseen.
    assert!((19..=80).contains(&more), "{more} after {:?}", flushed.elapsed());
}

#[tokio::test]
async fn a_frozen_redis_costs_one_bounded_wait_and_no_error() {
    let fleet = Fleet::new("local").await;
    let limit = json!({"name": "many", "scope_type": "org", "requests_per_minute": 100_000});
    fleet.policy("rate-limits", limit).await;
    assert_eq!(passed(&fleet.ask(8, 4).await), 8);
    fleet.redis.freeze();
    for answer in fleet.ask(40, 4).await {
        answer.has_status(200);
    }
    for replica in &fleet.replicas {
        until("the replica says so", async || {
            let ready = replica.readiness().await.has_status(200).json();
            (ready["status"] == "degraded" && ready["checks"]["redis"] == "failing").then_some(())
        })
        .await;
    }
    fleet.redis.thaw();
    for replica in &fleet.replicas {
        until("the replica is ready again", async || {
            (replica.readiness().await.json()["status"] == "ready").then_some(())
        })
        .await;
    }
    assert_eq!(passed(&fleet.ask(8, 4).await), 8);
}

#[tokio::test]
async fn without_redis_each_replica_enforces_its_share() {
    let mut fleet = Fleet::new("local").await;
    let limit = json!({"name": "four hundred", "scope_type": "org", "requests_per_minute": 400});
    fleet.policy("rate-limits", limit).await;
    fleet.all_are_counted().await;
    let before = fleet.openai.saw().len();
    assert_eq!(passed(&fleet.ask(8, 4).await), 8);
    fleet.redis.kill();
    assert_eq!(passed(&fleet.ask(800, 16).await), 400 - 8);
    assert_eq!(fleet.openai.saw().len(), before + 400);
    fleet.redis.again().await;
    fleet.is_degraded(false).await;
    until("what was used meanwhile counts", async || {
        (passed(&fleet.ask(4, 4).await) == 0).then_some(())
    })
    .await;
    assert_eq!(passed(&fleet.ask(40, 4).await), 0);
}

#[tokio::test]
async fn where_the_operator_wants_it_nothing_limited_passes_without_redis() {
    let mut fleet = Fleet::new("deny").await;
    let limit = json!({"name": "many", "scope_type": "org", "requests_per_minute": 100_000});
    fleet.policy("rate-limits", limit).await;
    fleet.redis.kill();
    fleet.is_degraded(true).await;
    let before = fleet.openai.saw().len();
    for answer in fleet.ask(8, 4).await {
        let answer = answer.has_status(503);
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert!(answer.openai_error()["message"].as_str().unwrap().contains("redis.on_failure"));
    }
    assert_eq!(fleet.openai.saw().len(), before);
    fleet.redis.again().await;
    fleet.is_degraded(false).await;
    assert_eq!(passed(&fleet.ask(8, 4).await), 8);
}

impl Fleet {
    /// Every replica knows how many there are.
    async fn all_are_counted(&self) {
        for replica in &self.replicas {
            until("the replica knows of the others", async || {
                let known = replica.metrics().await.sum("turnpike_replicas", &[]);
                (known == 4).then_some(())
            })
            .await;
        }
    }

    async fn is_degraded(&self, degraded: bool) {
        for replica in &self.replicas {
            let wanted = if degraded { "degraded" } else { "ready" };
            until(&format!("the replica is {wanted}"), async || {
                // Whether Redis is there is found out by calls.
                self.keys[0].chat("fast").await;
                (replica.readiness().await.json()["status"] == wanted).then_some(())
            })
            .await;
        }
    }
}

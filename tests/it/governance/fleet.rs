//! Four gateways over one Redis and one PostgreSQL.

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::{Answer, Caller, Gateway, MockVendor, Org, PostgresServer, Provider, until};

/// Four replicas, a vendor, and an organization with the alias `fast`.
pub struct Fleet {
    pub replicas: Vec<Gateway>,
    pub openai: MockVendor,
    pub provider: Provider,
    pub acme: Org,
    /// Callers with the one key, one at each replica.
    pub keys: Vec<Caller>,
    secret: String,
}

impl Fleet {
    /// Replicas that wait long for Redis: on a busy machine the exact figures would not be exact else.
    pub async fn patient(redis: &str) -> Self {
        Self::with(redis, "local", Some(5000)).await
    }

    /// Replicas that do that where Redis at `redis` does not answer.
    pub async fn new(redis: &str, on_failure: &str) -> Self {
        Self::with(redis, on_failure, None).await
    }

    async fn with(redis: &str, on_failure: &str, timeout_ms: Option<u32>) -> Self {
        let database = PostgresServer::shared().database();
        let replica = || {
            let replica = Gateway::configured()
                .on_postgres(&database)
                .set("redis.url", redis)
                .set("redis.on_failure", on_failure);
            match timeout_ms {
                Some(patience) => replica.set("redis.timeout_ms", patience),
                None => replica,
            }
            .start()
        };
        let replicas = join_all((0..4).map(|_| replica())).await;
        let openai = MockVendor::start().await;
        let acme = replicas[0].org("acme");
        let provider = acme.provider("openai").at(&openai).model("gpt-4o").await;
        acme.alias("fast", &[(&provider, "gpt-4o")]).await;
        let secret = acme.key().await.secret;
        let keys = replicas.iter().map(|replica| replica.caller(&secret)).collect();
        let fleet = Self { replicas, openai, provider, acme, keys, secret };
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

    /// A policy that every replica knows of: they know an alias that was made after it. Answers its path.
    pub async fn policy(&self, kind: &str, body: Value) -> String {
        let row = self.acme.create(kind, body).await;
        let id = row["id"].as_str().unwrap();
        let marker = format!("after-{id}");
        self.acme.alias(&marker, &[(&self.provider, "gpt-4o")]).await;
        for key in &self.keys {
            until("the replica knows the policy", async || {
                let models = key.get("/v1/models").await.has_status(200);
                models.text().contains(&marker).then_some(())
            })
            .await;
        }
        format!("/admin/{kind}/{id}")
    }

    /// Asks `count` times, spread over all replicas, `width` at a time.
    pub async fn ask(&self, count: usize, width: usize) -> Vec<Answer> {
        let mut answers = Vec::new();
        for start in (0..count).step_by(width) {
            let ask = |n: usize| async move { self.keys[n % self.keys.len()].chat("fast").await };
            answers.extend(join_all((start..count.min(start + width)).map(ask)).await);
        }
        answers
    }

    /// Kills one and starts it again on the same folder.
    pub async fn kill_and_restart(&mut self, which: usize) {
        let killed = self.replicas.remove(which);
        let again = killed.killed_and_restarted().await;
        self.keys[which] = again.caller(&self.secret);
        if which == 0 {
            self.acme = again.org("acme");
        }
        self.replicas.insert(which, again);
        let key = &self.keys[which];
        until("the replica serves again", async || {
            (key.get("/v1/models").await.status == 200).then_some(())
        })
        .await;
    }

    /// Waits until the database has every record.
    pub async fn all_is_delivered(&self) {
        for replica in &self.replicas {
            until("the replica has delivered its records", async || {
                let waiting = replica.metrics().await.sum("turnpike_ledger_backlog", &[]);
                (waiting == 0).then_some(())
            })
            .await;
        }
    }

    /// Every replica knows how many there are.
    pub async fn all_are_counted(&self) {
        for replica in &self.replicas {
            until("the replica knows of the others", async || {
                let known = replica.metrics().await.sum("turnpike_replicas", &[]);
                (known == 4).then_some(())
            })
            .await;
        }
    }

    /// Waits until every replica says so.
    pub async fn is_degraded(&self, degraded: bool) {
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

/// How many were served; the others are denied, and nothing else.
pub fn passed(answers: &[Answer]) -> usize {
    for answer in answers {
        assert!([200, 429].contains(&answer.status), "{}", answer.tell());
    }
    answers.iter().filter(|answer| answer.status == 200).count()
}

/// The tokens that the ledger says were used.
pub fn sum(records: &[Value]) -> u64 {
    let of = |record: &Value, field: &str| record[field].as_u64().unwrap_or(0);
    records.iter().map(|record| of(record, "input_tokens") + of(record, "output_tokens")).sum()
}

//! Replicas that share a database.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{
    Caller, Gateway, GatewayBuilder, MockVendor, Org, PostgresServer, Provider, until,
};

/// A password that must not be seen anywhere.
pub const PASSWORD: &str = "canary-3c51f0d2-of-the-database";

/// Three gateways on a database of their own, and what a [`crate::support::Scene`] has: the
/// organization `acme` with the provider `openai` at a mock, its model behind the alias `fast`, and a
/// key. All was set up on the first.
pub struct Fleet {
    pub replicas: Vec<Gateway>,
    pub database: String,
    pub openai: MockVendor,
    pub acme: Org,
    pub provider: Provider,
    pub key: Caller,
}

impl Fleet {
    pub async fn new() -> Self {
        Self::on(PostgresServer::shared(), "").await
    }

    /// In a new database of `server`; `before` is run there first.
    pub async fn on(server: &PostgresServer, before: &str) -> Self {
        let url = server.database();
        let database = url.rsplit('/').next().unwrap().to_owned();
        if !before.is_empty() {
            server.psql(&database, before);
        }
        let url = url.replace("turnpike@", &format!("turnpike:{PASSWORD}@"));
        // All at the same moment.
        let replicas = join_all((0..3).map(|_| replica(&url).start())).await;
        let openai = MockVendor::start().await;
        let acme = replicas[0].org("acme");
        let provider = acme.provider("openai").at(&openai).model("gpt-4o").await;
        acme.alias("fast", &[(&provider, "gpt-4o")]).await;
        let key = acme.key().await;
        let fleet = Self { replicas, database, openai, acme, provider, key };
        fleet.everywhere(&fleet.key.secret, "fast", 200).await;
        fleet
    }

    /// The holder of this key at each replica.
    pub fn callers(&self, key: &str) -> Vec<Caller> {
        self.replicas.iter().map(|replica| replica.caller(key)).collect()
    }

    /// Waits until every replica answers this key and model with this status; the longest time that
    /// one took.
    pub async fn everywhere(&self, key: &str, model: &str, status: u16) -> Duration {
        let began = Instant::now();
        let each = self.callers(key).into_iter().map(async |caller| {
            until(&format!("{model} is answered with {status}"), async || {
                let asked = began.elapsed();
                (caller.chat(model).await.status == status).then_some(asked)
            })
            .await
        });
        join_all(each).await.into_iter().max().unwrap()
    }

    /// A new key: its id and its text.
    pub async fn new_key(&self) -> (String, String) {
        let made = self.acme.create("api-keys", json!({"name": "for a test"})).await;
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    /// Revokes it on the first replica.
    pub async fn revoke(&self, id: &str) {
        self.acme.delete(&format!("/admin/api-keys/{id}")).await.has_status(200);
    }

    /// The organization as one of the replicas shows it.
    pub fn acme_at(&self, replica: usize) -> Org {
        self.replicas[replica].org("acme")
    }

    /// Panics if a replica's log repeats the database's password.
    pub fn keeps_the_password(&self) {
        for replica in &self.replicas {
            let log = replica.log().join("\n");
            assert!(!log.contains(PASSWORD), "{log}");
        }
    }

    /// How many log lines of a replica have this message.
    pub fn times_logged(&self, replica: usize, message: &str) -> usize {
        self.replicas[replica].times_logged(message)
    }
}

/// A replica on this database.
pub fn replica(url: &str) -> GatewayBuilder {
    Gateway::configured().on_postgres(url)
}

/// How many replicas listen for announcements in this database.
pub fn listeners(server: &PostgresServer, database: &str) -> usize {
    let count = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND query LIKE 'LISTEN%'"
    );
    server.psql("postgres", &count).parse().unwrap()
}

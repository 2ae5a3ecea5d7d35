//! The database is away under load: nobody who is known notices, and nothing is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::fleet::{Fleet, listeners};
use crate::support::{Caller, PostgresServer, until};

/// What an answer may take that needs the database, while it is away.
const TOLD_WITHIN: Duration = Duration::from_millis(2_500);

/// What the records may take once the database is back.
const DELIVERED_WITHIN: Duration = Duration::from_secs(15);

/// How long the database is away.
const OUTAGE: Duration = Duration::from_secs(30);

/// Callers with known keys who go on and on.
struct Load {
    stop: Arc<AtomicBool>,
    slowest: Vec<tokio::task::JoinHandle<Duration>>,
    answered: Arc<AtomicUsize>,
}

impl Load {
    fn on(fleet: &Fleet) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let callers = fleet.callers(&fleet.key.secret).into_iter().cycle().take(6);
        let slowest = callers
            .enumerate()
            .map(|(n, caller)| {
                tokio::spawn(ask_on(n, caller, Arc::clone(&stop), Arc::clone(&answered)))
            })
            .collect();
        Self { stop, slowest, answered }
    }

    /// How many have been answered, all with 200.
    fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }

    /// Ends it; the longest time that an answer took.
    async fn end(self) -> Duration {
        self.stop.store(true, Ordering::SeqCst);
        let mut slowest = Duration::ZERO;
        for one in self.slowest {
            slowest = slowest.max(one.await.expect("every request was answered well"));
        }
        slowest
    }
}

async fn ask_on(
    n: usize,
    caller: Caller,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> Duration {
    let mut wire = caller.connect().await;
    let mut pace = tokio::time::interval(Duration::from_millis(15));
    let mut slowest = Duration::ZERO;
    for turn in 0.. {
        pace.tick().await;
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let began = Instant::now();
        let id = format!("load-{n}-{turn}");
        caller.chat("fast").header("x-request-id", &id).on(&mut wire).await.has_status(200);
        slowest = slowest.max(began.elapsed());
        answered.fetch_add(1, Ordering::SeqCst);
    }
    slowest
}

/// Every request that reached the vendor has exactly one record.
async fn one_record_for_each_call(server: &PostgresServer, fleet: &Fleet) {
    let called: BTreeSet<String> = fleet
        .openai
        .saw()
        .iter()
        .filter_map(|call| call.header("x-request-id").map(str::to_owned))
        .filter(|id| id.starts_with("load-"))
        .collect();
    let stored = || {
        let ids = "SELECT record::jsonb ->> 'request_id' FROM usage_records";
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        for id in server.psql(&fleet.database, ids).lines().filter(|id| id.starts_with("load-")) {
            *counted.entry(id.to_owned()).or_default() += 1;
        }
        counted
    };
    let began = Instant::now();
    let counted = until("the records are stored", async || {
        let counted = stored();
        (counted.len() >= called.len() || began.elapsed() > DELIVERED_WITHIN).then_some(counted)
    })
    .await;
    let lost: Vec<_> = called.iter().filter(|id| !counted.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{} of {}: {lost:?}", lost.len(), called.len());
    assert_eq!(counted.len(), called.len());
    let twice: Vec<_> = counted.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "stored twice: {twice:?}");
    for replica in &fleet.replicas {
        assert_eq!(replica.metrics().await.sum("turnpike_ledger_lost_total", &[]), 0);
        assert!(!replica.data_dir().join("spool/rejected.jsonl").exists());
    }
}

async fn up(fleet: &Fleet, replica: usize) -> i64 {
    let metrics = fleet.replicas[replica].metrics().await;
    metrics.sum("turnpike_dependency_up", &[("dependency", "store")])
}

/// What every replica says of itself.
async fn all_say(fleet: &Fleet, status: &str, store: &str, is_up: i64) {
    for (number, replica) in fleet.replicas.iter().enumerate() {
        until(&format!("replica {number} is {status}"), async || {
            let ready = replica.readiness().await.has_status(200).json();
            (ready["status"] == status && ready["checks"]["store"] == store).then_some(())
        })
        .await;
        assert_eq!(up(fleet, number).await, is_up);
    }
}

async fn through_an_outage(take: impl Fn(&PostgresServer), give: impl Fn(&PostgresServer)) {
    let server = PostgresServer::start_safe();
    let fleet = Fleet::on(&server, "").await;
    // Made here, and never used on the others.
    let (_, unknown) = fleet.new_key().await;
    let (_, revoked_later) = fleet.new_key().await;
    fleet.everywhere(&revoked_later, "fast", 200).await;
    all_say(&fleet, "ready", "ok", 1).await;
    let load = Load::on(&fleet);
    until("the load is on", async || (load.answered() > 50).then_some(())).await;

    take(&server);
    let away = Instant::now();
    all_say(&fleet, "degraded", "failing", 0).await;
    for number in 0..3 {
        let began = Instant::now();
        let told = fleet.replicas[number].caller(&fleet.acme.admin.caller.secret);
        let told = crate::support::Admin::new(told).get("/admin/providers").await;
        told.refusal(503, "Unavailable");
        assert!(began.elapsed() < TOLD_WITHIN, "{:?}", began.elapsed());
    }
    for caller in &fleet.callers(&unknown)[1..] {
        let began = Instant::now();
        let told = caller.chat("fast").await.has_status(503);
        told.openai_error();
        assert!(began.elapsed() < TOLD_WITHIN, "{:?}", began.elapsed());
    }
    let before = load.answered();
    let rest = OUTAGE.saturating_sub(away.elapsed());
    tokio::time::sleep(rest).await;
    until("the load goes on", async || (load.answered() > before).then_some(())).await;

    give(&server);
    all_say(&fleet, "ready", "ok", 1).await;
    for caller in fleet.callers(&unknown) {
        caller.chat("fast").await.has_status(200);
    }
    until("every replica listens again", async || {
        (listeners(&server, &fleet.database) == 3).then_some(())
    })
    .await;
    let (id, key) = fleet.new_key().await;
    fleet.everywhere(&key, "fast", 200).await;
    fleet.revoke(&id).await;
    assert!(fleet.everywhere(&key, "fast", 401).await < Duration::from_secs(1));

    let slowest = load.end().await;
    assert!(slowest < Duration::from_secs(2), "a known key waited {slowest:?}");
    one_record_for_each_call(&server, &fleet).await;
    for replica in 0..3 {
        let said = fleet.times_logged(replica, "the database is away: serving what is known");
        assert_eq!(said, 1, "replica {replica}");
        assert_eq!(fleet.times_logged(replica, "the database is back"), 1, "replica {replica}");
    }
    fleet.keeps_the_password();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_refuses_connections_costs_no_request_and_no_record() {
    through_an_outage(PostgresServer::stop, PostgresServer::start_again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_frozen_costs_no_request_and_no_record() {
    through_an_outage(|server| server.signal("STOP"), |server| server.signal("CONT")).await;
}

//! kill -9 of a replica among others: no record is lost or doubled, and what it had reserved comes back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    costing,
    fleet::{Fleet, passed, sum},
};
use crate::support::{Hammer, RedisServer, until};

#[tokio::test]
async fn a_replica_that_is_killed_twenty_times_loses_no_record_and_keeps_no_reservation() {
    let redis = RedisServer::start().await;
    let mut fleet = Fleet::patient(&redis.url()).await;
    fleet.openai.always(costing(60, 40));
    let budget = json!({"name": "day", "scope_type": "org", "period": "daily",
        "token_limit": 100_000_000, "action_on_exhaust": "block"});
    let budget = fleet.acme.create("budgets", budget).await;
    let mut answered = BTreeSet::new();
    for round in 0..20 {
        let clients = Hammer::start(&fleet.keys[1], &format!("r{round}"), 4);
        clients.has_answers(12).await;
        fleet.kill_and_restart(1).await;
        answered.append(&mut clients.stop().await);
    }
    let records = every_answer_is_recorded_once(&fleet, &answered).await;

    // Ten more requests fit; reservations that were left behind would be in their way.
    let limit = json!({"token_limit": sum(&records) + 1000});
    let path = format!("/admin/budgets/{}", budget["id"].as_str().unwrap());
    fleet.acme.admin.put(&path, limit).await.has_status(200);
    let mut admitted = 0;
    until("what was reserved is back", async || {
        admitted += passed(&fleet.ask(1, 1).await);
        (admitted == 10).then_some(())
    })
    .await;
    assert_eq!(passed(&fleet.ask(20, 4).await), 0, "and no more than that");
}

/// The records, when all of those that were answered are among them.
async fn every_answer_is_recorded_once(fleet: &Fleet, answered: &BTreeSet<String>) -> Vec<Value> {
    fleet.all_is_delivered().await;
    let records = until("everything answered is in the ledger", async || {
        let records = fleet.acme.usage().await;
        let known: BTreeSet<&str> = records.iter().map(id_of).collect();
        answered.iter().all(|id| known.contains(&**id)).then_some(records)
    })
    .await;
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for record in &records {
        *counted.entry(id_of(record)).or_default() += 1;
    }
    counted.retain(|_, count| *count > 1);
    assert!(counted.is_empty(), "recorded twice: {counted:?}");
    records
}

fn id_of(record: &Value) -> &str {
    record["request_id"].as_str().unwrap()
}

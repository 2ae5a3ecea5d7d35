//! kill -9 loses nothing that was answered, and nothing is counted twice.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Gateway, Hammer, Scene, until};

#[tokio::test]
async fn kill_9_loses_no_answered_request_and_counts_none_twice() {
    let Scene { mut gateway, openai, acme, key, .. } = Scene::new().await;
    let jwt = acme.admin.caller.secret.clone();
    let mut answered_in_all = BTreeSet::new();
    for round in 0..5 {
        let before = openai.saw().len();
        let key = gateway.caller(&key.secret);
        let clients = Hammer::start(&key, &format!("r{round}"), 8);
        clients.has_answers(150).await;
        gateway.kill();
        answered_in_all.append(&mut clients.stop().await);
        assert!(openai.saw().len() - before >= 150);

        gateway = gateway.killed_and_restarted().await;
        let acme = crate::support::Org::new(crate::support::Admin::new(gateway.caller(&jwt)));
        let counted = until("everything answered is in the ledger", async || {
            let mut counted: BTreeMap<String, usize> = BTreeMap::new();
            for record in acme.usage().await {
                *counted.entry(record["request_id"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            let missing = answered_in_all.iter().any(|id| !counted.contains_key(id));
            (!missing).then_some(counted)
        })
        .await;
        let twice: Vec<_> = counted.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "counted twice: {twice:?}");
        let seen: BTreeSet<String> = openai
            .saw()
            .iter()
            .filter_map(|call| call.header("x-request-id").map(str::to_owned))
            .collect();
        let invented: Vec<_> = counted.keys().filter(|id| !seen.contains(*id)).collect();
        assert!(invented.is_empty(), "never seen by the vendor: {invented:?}");
    }
}

#[tokio::test]
async fn an_orderly_end_loses_nothing_either() {
    let Scene { gateway, acme, key, .. } = Scene::new().await;
    let jwt = acme.admin.caller.secret.clone();
    let mut wire = key.connect().await;
    for turn in 0..50 {
        key.chat("fast")
            .header("x-request-id", &format!("t{turn}"))
            .on(&mut wire)
            .await
            .has_status(200);
    }
    drop(wire);
    let gateway: Gateway = gateway.restarted().await;
    let acme = crate::support::Org::new(crate::support::Admin::new(gateway.caller(&jwt)));
    let records = acme.records(50).await;
    assert_eq!(records.len(), 50);
}

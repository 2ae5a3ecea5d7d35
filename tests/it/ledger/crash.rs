//! kill -9 loses nothing that was answered, and nothing is counted twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::support::{Caller, Ending, Gateway, Scene, until, within};

/// Asks again and again until told to stop; remembers what was answered to the last byte.
async fn hammer(
    key: Caller,
    worker: usize,
    stop: Arc<AtomicBool>,
    answered: Arc<Mutex<BTreeSet<String>>>,
) {
    let mut turn = 0;
    'connections: while !stop.load(Ordering::SeqCst) {
        let Some(mut wire) = key.try_connect().await else { return };
        loop {
            turn += 1;
            let id = format!("w{worker}-{turn}");
            let ask = if turn % 3 == 0 { key.chat_stream("fast") } else { key.chat("fast") };
            let bytes = ask.header("x-request-id", &id).bytes();
            if wire.try_send(bytes).await.is_err() {
                continue 'connections;
            }
            let Some(answer) = wire.try_answer().await else { continue 'connections };
            if answer.status == 200 && answer.ending == Ending::Complete {
                answered.lock().unwrap().insert(id);
            }
            if stop.load(Ordering::SeqCst) {
                return;
            }
        }
    }
}

#[tokio::test]
async fn kill_9_loses_no_answered_request_and_counts_none_twice() {
    let Scene { mut gateway, openai, acme, key, .. } = Scene::new().await;
    let jwt = acme.admin.caller.secret.clone();
    let mut answered_in_all = BTreeSet::new();
    for round in 0..5 {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(Mutex::new(BTreeSet::new()));
        let before = openai.saw().len();
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let key = gateway.caller(&key.secret);
                let worker = round * 100 + worker;
                tokio::spawn(hammer(key, worker, Arc::clone(&stop), Arc::clone(&answered)))
            })
            .collect();
        until("enough was answered", async || {
            (answered.lock().unwrap().len() >= 150).then_some(())
        })
        .await;
        gateway.kill();
        stop.store(true, Ordering::SeqCst);
        for worker in workers {
            within("a worker to end", worker).await.unwrap();
        }
        answered_in_all.append(&mut answered.lock().unwrap());
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

//! Two gateways behind the balancer.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::nginx::Nginx;
use crate::support::{Caller, Gate, Gateway, MockVendor, PostgresServer, Reply, until};

/// Callers at the same time.
const CALLERS: usize = 8;

/// Two gateways that share a database, the balancer before them, a vendor behind, and a key.
struct Pair {
    gateways: [Gateway; 2],
    nginx: Nginx,
    vendor: MockVendor,
    key: Caller,
}

impl Pair {
    async fn new() -> Self {
        let database = PostgresServer::shared().database();
        let start = || {
            let settings = Gateway::configured().on_postgres(&database);
            settings.set("server.drain_delay_ms", 300).set("server.shutdown_grace_secs", 10).start()
        };
        let gateways = [start().await, start().await];
        let vendor = MockVendor::start().await;
        let acme = gateways[0].org("acme");
        let provider = acme.provider("openai").at(&vendor).model("gpt-4o").await;
        acme.alias("fast", &[(&provider, "gpt-4o")]).await;
        let secret = acme.key().await.secret;
        for gateway in &gateways {
            until("both know the key and the model", async || {
                (gateway.caller(&secret).chat("fast").await.status == 200).then_some(())
            })
            .await;
        }
        let nginx = Nginx::before([gateways[0].address(), gateways[1].address()]).await;
        let key = nginx.caller(&secret);
        Self { gateways, nginx, vendor, key }
    }

    /// How many requests a gateway has answered.
    async fn answered(&self, gateway: usize) -> i64 {
        self.gateways[gateway].metrics().await.sum("turnpike_requests_total", &[])
    }
}

#[tokio::test]
async fn events_pass_the_balancer_one_by_one() {
    let pair = Pair::new().await;
    let gate = Gate::closed();
    let events = ["data: {\"n\":0}\n\n", "data: {\"n\":1}\n\n", "data: [DONE]\n\n"];
    pair.vendor.will(Reply::streams(events).gated(&gate));
    gate.let_one_through();
    let mut live = pair.key.chat_stream("fast").open().await;
    for event in events {
        assert_eq!(live.event().await, event);
        gate.let_one_through();
    }
}

#[tokio::test]
async fn a_body_as_large_as_the_gateways_take_passes_and_a_larger_one_is_told_in_the_dialect() {
    let pair = Pair::new().await;
    let body = |mib: usize| {
        let text = "x".repeat(mib << 20);
        format!(r#"{{"model":"fast","messages":[{{"role":"user","content":"{text}"}}]}}"#)
    };
    pair.key.post("/v1/chat/completions", body(63)).await.has_status(200);
    let refused = pair.key.post("/v1/chat/completions", body(64)).await.has_status(413);
    assert_eq!(refused.json()["error"]["code"], "request_too_large");
}

#[tokio::test]
async fn while_a_gateway_drains_no_request_is_lost() {
    let mut pair = Pair::new().await;
    let (answers, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    let call = async |_| {
        while !enough.load(Ordering::Relaxed) {
            pair.key.chat("fast").await.has_status(200);
            answers.fetch_add(1, Ordering::Relaxed);
        }
    };
    let more = async |count: usize| {
        let end = answers.load(Ordering::Relaxed) + count;
        until("more is answered", async || (answers.load(Ordering::Relaxed) >= end).then_some(()))
            .await;
    };
    let drain = async {
        more(100).await;
        assert!(pair.answered(0).await > 1 && pair.answered(1).await > 1);
        pair.gateways[0].ask_to_end();
        until("it listens no more", async || {
            let there = pair.gateways[0].stranger().try_connect().await;
            there.is_none().then_some(())
        })
        .await;
        more(100).await;
        enough.store(true, Ordering::Relaxed);
    };
    futures_util::future::join(join_all((0..CALLERS).map(call)), drain).await;
    assert!(pair.gateways[0].ended().await.success());
    pair.nginx.caller(&pair.key.secret).chat("fast").await.has_status(200);
}

//! Redis as a cluster, behind TLS, and at addresses that are none.

use std::{process::Command, sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    redis_server::{PATIENT, RedisServer, linked},
    scene::{ORG, Scene, amount, budget, check, denied, policies, until},
};
use crate::govern::{Check, OnFailure, Rule, redis::Link};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_takes_every_call() {
    let server = RedisServer::start_with(|port, _| {
        ["--port", &port.to_string(), "--cluster-enabled", "yes"].map(str::to_owned).to_vec()
    });
    // One by one: Redis 6.2 takes no range.
    let slots: Vec<String> = (0..16_384).map(|slot| slot.to_string()).collect();
    let add = ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(String::as_str));
    server.run(&add.collect::<Vec<_>>());
    until("the cluster is up", async || {
        server.run(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
    })
    .await;
    let url = format!("redis+cluster://127.0.0.1:{}", server.port);
    serves(&url).await;
}

/// One governor over a link counts what it admits.
async fn serves(url: &str) {
    let (link, _stop) = linked(url, PATIENT).await;
    let rule = Rule::Rate { requests: Some(3), tokens: Some(1000) };
    let checks: Arc<[Check]> = vec![check(1, rule), budget(2, 1000)].into();
    let scene = Scene::over(Some(link), &Arc::default(), OnFailure::Deny);
    scene.governor.policies(ORG, policies(&checks));
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(Arc::clone(&scene.governor).run(stopped));
    assert!(scene.governor.wait_begun(Duration::from_secs(20)).await);
    for _ in 0..3 {
        assert!(scene.use_up(&checks, amount(10)).await);
    }
    denied(scene.ask(&checks).await);
}

/// The root that is trusted comes from the environment, as in production; so the test starts itself
/// again with it.
#[test]
fn tls_is_spoken_to_a_server_whose_root_is_trusted() {
    const NAME: &str = "TURNPIKE_TEST_REDISS";
    if let Ok(url) = std::env::var(NAME) {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        tokio::runtime::Runtime::new().unwrap().block_on(serves(&url));
        return;
    }
    let server = RedisServer::start_with(|port, folder| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let file = |name: &str| folder.join(name).display().to_string();
        vec![
            "--port".to_owned(),
            "0".to_owned(),
            "--tls-port".to_owned(),
            port.to_string(),
            "--tls-auth-clients".to_owned(),
            "no".to_owned(),
            "--tls-cert-file".to_owned(),
            file("cert.pem"),
            "--tls-key-file".to_owned(),
            file("key.pem"),
        ]
    });
    let again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "govern::tests::links::tls_is_spoken_to_a_server_whose_root_is_trusted"])
        .env(NAME, format!("rediss://localhost:{}", server.port))
        .env("SSL_CERT_FILE", server.folder.path().join("cert.pem"))
        .output()
        .unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stdout));
}

#[test]
fn urls_that_are_none_are_refused_with_what_they_should_be() {
    let refusal = |url: &str| Link::new(url, Duration::ZERO).err().unwrap().to_string();
    assert!(refusal("http://localhost").contains("rediss+cluster://"));
    assert!(refusal("localhost:6379").starts_with("redis.url: "));
}

//! Changing the master key of a running installation.

use std::process::Output;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::support::{Gateway, GatewayBuilder, MockVendor, scan::Canary};

fn run(gateway: &GatewayBuilder, arguments: &[&str]) -> Output {
    gateway.command().args(arguments).output().expect("the binary runs")
}

fn succeeds(gateway: &GatewayBuilder, arguments: &[&str]) -> String {
    let output = run(gateway, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refuses(gateway: &GatewayBuilder, arguments: &[&str]) -> String {
    let output = run(gateway, arguments);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

const TOKEN: [&str; 7] = ["token", "--org", "acme", "--user", "u", "--role", "admin"];

#[tokio::test]
async fn a_running_gateway_goes_on_and_a_restarted_one_has_the_new_key() {
    let builder = Gateway::configured();
    let gateway = builder.clone().start().await;
    let vendor = MockVendor::start().await;
    let acme = gateway.org("acme");
    acme.provider("p").at(&vendor).model("m").with(json!({"api_key": "sk-before"})).await;
    let key = acme.key().await;
    let file = gateway.data_dir().join("master.key");
    let before = std::fs::read(&file).unwrap();

    let printed = succeeds(&builder, &["rotate-master-key"]);
    let after = std::fs::read(&file).unwrap();
    assert_ne!(after, before);
    let previous = gateway.data_dir().join("master.key.previous");
    assert!(printed.contains(previous.to_str().unwrap()), "{printed}");
    assert_eq!(std::fs::read(&previous).unwrap(), before);
    for secret in [&before, &after] {
        let canary = Canary::new("a master key", secret.trim_ascii());
        canary.is_not_in("what was printed", printed.as_bytes());
    }

    key.chat("p/m").await.has_status(200);
    acme.provider("q").at(&vendor).model("m").with(json!({"api_key": "sk-between"})).await;
    // Also tokens of before are valid, and new ones can be made.
    acme.get("/admin/providers").await.has_status(200);
    let gateway = gateway.restarted().await;
    let key = gateway.caller(&key.secret);
    key.chat("p/m").await.has_status(200);
    key.chat("q/m").await.has_status(200);
    let sent: Vec<_> =
        vendor.saw().iter().map(|call| call.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(sent, ["Bearer sk-before", "Bearer sk-before", "Bearer sk-between"]);

    // With the old key the database does not open, and the remedy is named.
    std::fs::write(&file, &before).unwrap();
    let refused = refuses(&builder, &TOKEN);
    assert!(refused.contains("secrets.master_key") && refused.contains("rotated"), "{refused}");
    std::fs::remove_file(&file).unwrap();
    let refused = refuses(&builder, &TOKEN);
    assert!(refused.contains("does not exist") && refused.contains("backup"), "{refused}");
    assert!(!file.exists(), "a lost key is not replaced");
}

#[tokio::test]
async fn a_key_that_is_given_is_exchanged_one_replica_after_the_other() {
    let (old, new) = (STANDARD.encode([1; 32]), STANDARD.encode([2; 32]));
    let base = Gateway::configured().env("NEXT_KEY", &new);
    let with_old = base.clone().set("secrets.master_key", &old);
    let with_new = base.set("secrets.master_key", &new);
    let gateway = with_old.clone().start().await;
    let key = gateway.org("acme").key().await;

    let refused = refuses(&with_old, &["rotate-master-key"]);
    assert!(refused.contains("--new-key"), "{refused}");
    refuses(&with_new, &TOKEN);
    let printed = succeeds(&with_old, &["rotate-master-key", "--new-key", "env:NEXT_KEY"]);
    assert!(printed.contains("rotate-master-key --finish") && !printed.contains(&new), "{printed}");
    for replica in [&with_old, &with_new] {
        succeeds(replica, &TOKEN);
    }
    // Run again, it changes nothing more.
    succeeds(&with_old, &["rotate-master-key", "--new-key", "env:NEXT_KEY"]);
    let printed = succeeds(&with_new, &["rotate-master-key", "--finish"]);
    assert!(printed.contains("complete"), "{printed}");
    let refused = refuses(&with_old, &TOKEN);
    assert!(refused.contains("not the one that this database was sealed with"), "{refused}");
    // Replicas that run have noticed nothing.
    key.get("/v1/models").await.has_status(200);
    let refused = refuses(&with_new, &["rotate-master-key", "--new-key", "env:NEXT_KEY"]);
    assert!(refused.contains("in use already"), "{refused}");
    assert!(!gateway.data_dir().join("master.key").exists());
}

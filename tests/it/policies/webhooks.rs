//! The secret of a webhook is told once, and is nowhere else.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::support::{Gateway, scan::Canary};

#[tokio::test]
async fn the_secret_is_in_the_answer_that_makes_it_and_nowhere_else() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let body = json!({"name": "n", "url": "https://a.test/x", "events": ["route_ejected"]});
    let made = acme.create("alert-webhooks", body).await;
    let secret = made["secret"].as_str().expect("the secret").to_owned();
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("its prefix")).unwrap();
    assert!((24..=64).contains(&key.len()), "{} bytes", key.len());
    let listed = acme.get("/admin/alert-webhooks").await;
    assert!(!listed.text().contains("secret"), "{}", listed.tell());
    let path = format!("/admin/alert-webhooks/{}", made["id"].as_str().unwrap());
    let changed = acme.put(&path, json!({"name": "m"})).await.has_status(200);
    assert!(!changed.text().contains("secret"), "{}", changed.tell());
    let canary = Canary::new("the key of a webhook", &key);
    canary.is_not_in("the log", gateway.log().join("\n").as_bytes());
    canary.is_not_below(&gateway.data_dir(), &[]);
}

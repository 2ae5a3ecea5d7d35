//! `/admin/usage` and `/user/usage`

use bytes::Bytes;
use serde_json::{Value, json};

use super::desk::Desk;
use crate::{
    domain::{RecordId, Timestamp},
    ledger::UsageSink as _,
};

fn record(org: &Value, user: &Value, ts: i64, alias: &str) -> Bytes {
    let record = json!({
        "id": RecordId::random(), "ts": Timestamp(ts), "org_id": org, "api_key_id": null,
        "user_id": user, "group_names": ["research"], "provider_id": null,
        "provider_name": "p", "upstream_model": "gpt", "alias": alias, "status": 200,
    });
    Bytes::from(record.to_string())
}

/// An organization with three records of its admin and one of nobody.
async fn with_usage(desk: &Desk) -> (String, String) {
    let acme = desk.admin("acme").await;
    let me = acme.post("/user/api-keys", json!({"name": "k"})).await.ok();
    let (org, user) = (&me["org_id"], &me["user_id"]);
    let batch = [
        record(org, user, 1_000_000, "a"),
        record(org, user, 2_000_000, "b"),
        record(org, user, 3_000_000, "a"),
        record(org, &Value::Null, 4_000_000, "a"),
    ];
    desk.store.store_usage(&batch).await.unwrap();
    (org.as_str().unwrap().to_owned(), user.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn records_are_paged_newest_first() {
    let desk = Desk::open().await;
    with_usage(&desk).await;
    let acme = desk.admin("acme").await;
    let mut seen = Vec::new();
    let mut path = "/admin/usage?limit=3".to_owned();
    loop {
        let page = acme.get(&path).await.ok();
        seen.extend(page["data"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/admin/usage?limit=3&cursor={cursor}");
    }
    let times: Vec<&str> = seen.iter().map(|record| record["ts"].as_str().unwrap()).collect();
    let second = |n| format!("1970-01-01T00:00:0{n}Z");
    assert_eq!(times, [second(4), second(3), second(2), second(1)]);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let desk = Desk::open().await;
    let (_, user) = with_usage(&desk).await;
    let acme = desk.admin("acme").await;
    let count = async |query: &str| {
        let page = acme.get(&format!("/admin/usage?{query}")).await.ok();
        page["data"].as_array().unwrap().len()
    };
    assert_eq!(count("alias=a").await, 3);
    assert_eq!(count(&format!("user={user}")).await, 3);
    assert_eq!(count("from=1970-01-01T00:00:02Z&to=1970-01-01T00:00:04Z").await, 2);
    assert_eq!(count("provider=p&model=gpt&group=research&status=200").await, 4);
    assert_eq!(count("provider=other").await, 0);
    assert_eq!(count("status=502").await, 0);
    assert_eq!(count("outcome=error").await, 0);
    assert_eq!(count("outcome=ok&alias=b").await, 1);
    assert_eq!(count("request_id=nothing").await, 0);
}

#[tokio::test]
async fn a_user_sees_own_records_only() {
    let desk = Desk::open().await;
    let (_, user) = with_usage(&desk).await;
    let ada = desk.admin("acme").await;
    let bob = desk.user("acme", "bob").await;
    let count = |page: Value| page["data"].as_array().unwrap().len();
    assert_eq!(count(ada.get("/user/usage").await.ok()), 3);
    assert_eq!(count(bob.get("/user/usage").await.ok()), 0);
    assert_eq!(count(bob.get(&format!("/user/usage?user={user}")).await.ok()), 0);
    assert_eq!(count(desk.admin("evil").await.get("/admin/usage").await.ok()), 0);
}

#[tokio::test]
async fn a_parameter_that_is_wrong_is_named() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let cases = [
        ("limit=0", "limit must be between 1 and 500"),
        ("limit=501", "limit must be between 1 and 500"),
        ("limit=x", "limit must be between 1 and 500"),
        ("cursor=x", "cursor must be"),
        ("from=yesterday", "from must be a time"),
        ("user=bob", "user: UUID parsing failed"),
        ("api_key=1", "api_key: UUID parsing failed"),
        ("status=ok", "status must be a number"),
        ("outcome=bad", "outcome must be ok or error"),
        ("format=xml", "format must be json or csv"),
        ("alias=a&alias=b", "duplicate field"),
    ];
    for (query, expected) in cases {
        let message = acme.get(&format!("/admin/usage?{query}")).await.refused(400, "BadRequest");
        assert!(message.contains(expected), "{query}: {message}");
    }
}

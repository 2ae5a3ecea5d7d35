//! 429: retries in place, then the next route.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Caller, Gateway, MockVendor, Org, Reply};

/// An alias `fast` with one route that retries as `retries` says, and a second good one.
async fn stage(retries: Value) -> (Gateway, Org, MockVendor, MockVendor, Caller) {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (limited, spare) = (MockVendor::start().await, MockVendor::start().await);
    let first = acme.provider("limited").at(&limited).model("gpt-4o").await;
    let second = acme.provider("spare").at(&spare).model("gpt-4o").await;
    acme.route("fast", &first, "gpt-4o", retries).await;
    acme.route("fast", &second, "gpt-4o", json!({"priority": 9})).await;
    let key = acme.key().await;
    (gateway, acme, limited, spare, key)
}

/// The time between the vendor's calls.
fn gaps(vendor: &MockVendor) -> Vec<Duration> {
    vendor.saw().windows(2).map(|pair| pair[1].at.duration_since(pair[0].at)).collect()
}

#[tokio::test]
async fn a_429_is_retried_on_the_same_route_after_what_the_vendor_says() {
    let (_gateway, acme, limited, spare, key) =
        stage(json!({"retry_on_429_count": 2, "retry_on_429_max_wait_secs": 5})).await;
    limited.will(Reply::status(429).retry_after(1)).will(Reply::status(429).retry_after(1));
    let answer = key.chat("fast").header("x-request-id", "patient").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"));
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("0"));
    assert_eq!(answer.header("x-bd-provider-retry-count"), Some("2"));
    let slept: u64 = answer.header("x-bd-provider-retry-sleep-ms").unwrap().parse().unwrap();
    assert!((2000..20_000).contains(&slept), "{slept}");
    for gap in gaps(&limited) {
        assert!(gap >= Duration::from_millis(990), "{gap:?}");
    }
    spare.saw_nothing();
    let record = acme.record_of("patient").await;
    assert_eq!(record["retry_count"], 2);
    assert_eq!(record["retry_sleep_ms"], slept);
    assert_eq!(record["attempts"].as_array().unwrap().len(), 1, "one route was tried: {record}");
    assert_eq!(record["attempts"][0]["retries"], 2);
}

#[tokio::test]
async fn exhausted_retries_fail_over_and_count_as_one_failed_route() {
    let (_gateway, _acme, limited, spare, key) =
        stage(json!({"retry_on_429_count": 1, "retry_on_429_max_wait_secs": 1})).await;
    limited.always(Reply::status(429).retry_after(1));
    let answer = key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"));
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    assert_eq!(answer.header("x-bd-provider-retry-count"), Some("1"));
    assert_eq!((limited.saw().len(), spare.saw().len()), (2, 1));
}

#[tokio::test]
async fn the_vendors_wait_is_capped() {
    let (_gateway, _acme, limited, _spare, key) =
        stage(json!({"retry_on_429_count": 1, "retry_on_429_max_wait_secs": 1})).await;
    limited.will(Reply::status(429).retry_after(600));
    let answer = key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-retry-count"), Some("1"));
    assert!(gaps(&limited)[0] >= Duration::from_millis(990), "{:?}", gaps(&limited));
}

#[tokio::test]
async fn without_a_cap_the_vendors_wait_is_ignored_for_a_small_one() {
    let (_gateway, _acme, limited, _spare, key) = stage(json!({"retry_on_429_count": 2})).await;
    limited.will(Reply::status(429).retry_after(600)).will(Reply::status(429).retry_after(600));
    let answer = key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-retry-count"), Some("2"));
    let slept: u64 = answer.header("x-bd-provider-retry-sleep-ms").unwrap().parse().unwrap();
    assert!((1..=8000).contains(&slept), "{slept}");
}

#[tokio::test]
async fn without_a_count_a_429_fails_over_at_once() {
    let (_gateway, _acme, limited, spare, key) = stage(json!({})).await;
    limited.will(Reply::status(429).retry_after(600));
    let answer = key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-retry-count"), Some("0"));
    assert_eq!(answer.header("x-bd-provider-retry-sleep-ms"), Some("0"));
    assert_eq!((limited.saw().len(), spare.saw().len()), (1, 1));
}

#[tokio::test]
async fn a_pinned_request_retries_in_place_too() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = MockVendor::start().await;
    let provider = acme.provider("openai").at(&vendor).model("gpt-4o").await;
    acme.route(
        "gpt-4o",
        &provider,
        "gpt-4o",
        json!({"retry_on_429_count": 1, "retry_on_429_max_wait_secs": 1}),
    )
    .await;
    let key = acme.key().await;
    vendor.will(Reply::status(429).retry_after(1));
    let answer = key.chat("openai/gpt-4o").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-retry-count"), Some("1"));
    vendor.always(Reply::status(429).retry_after(1));
    let answer = key.chat("openai/gpt-4o").await.has_status(502);
    assert_eq!(answer.openai_error()["attempts"][0]["retries"], 1);
}

#[tokio::test]
async fn a_good_retry_after_other_faults_is_not_owed() {
    let (_gateway, _acme, limited, spare, key) =
        stage(json!({"retry_on_429_count": 5, "retry_on_429_max_wait_secs": 1})).await;
    limited.will(Reply::status(503));
    key.chat("fast").await.has_status(200);
    assert_eq!((limited.saw().len(), spare.saw().len()), (1, 1), "only 429 is retried in place");
}

//! Retries and failovers to failing routes add little to a vendor's load.

use std::{future::IntoFuture as _, time::Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Gateway, MockVendor, Reply, TwoRoutes};

#[tokio::test]
async fn when_everything_fails_vendors_see_at_most_a_fifth_more_than_was_asked() {
    let scene = TwoRoutes::new().await;
    scene.first.always(Reply::status(503));
    scene.second.always(Reply::status(500));
    scene.asks(120, 502).await;
    let seen = scene.first.saw().len() + scene.second.saw().len();
    assert!((120..=144).contains(&seen), "{seen} calls for 120 requests");
}

#[tokio::test]
async fn retries_in_place_are_bounded_by_a_fifth_of_the_requests_and_ten_a_second() {
    let gateway = Gateway::configured().never_ejects().start().await;
    let acme = gateway.org("acme");
    let vendor = MockVendor::start().await;
    let provider = acme.provider("limited").at(&vendor).model("gpt-4o").await;
    let retries = json!({"retry_on_429_count": 10, "retry_on_429_max_wait_secs": 1});
    acme.route("fast", &provider, "gpt-4o", retries).await;
    let key = acme.key().await;
    vendor.always(Reply::status(429).retry_after(0));
    let began = Instant::now();
    for _ in 0..10 {
        let asked = (0..20).map(|_| key.chat("fast").into_future());
        join_all(asked).await.into_iter().for_each(|answer| {
            answer.has_status(502);
        });
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
    let (asked, seen) = (200, vendor.saw().len());
    assert!(seen >= asked + 10, "a few are retried: {seen} calls");
    assert!(seen <= asked + asked / 5 + 10 * seconds, "{seen} calls in {seconds} s");
}

#[tokio::test]
async fn a_retry_that_is_not_allowed_goes_to_the_next_route_instead() {
    let scene = TwoRoutes::with(Gateway::configured().never_ejects()).await;
    let retries = json!({"retry_on_429_count": 10, "retry_on_429_max_wait_secs": 1});
    scene.acme.route("patient", &scene.first_provider, "gpt-4o", retries).await;
    let next = json!({"priority": 9});
    scene.acme.route("patient", &scene.second_provider, "gpt-4o-mini", next).await;
    scene.first.always(Reply::status(429).retry_after(0));
    let asked = (0..8).map(|_| scene.key.chat("patient").into_future());
    for answer in join_all(asked).await {
        assert_eq!(answer.has_status(200).header("x-bd-provider-route-attempt"), Some("2"));
    }
    assert_eq!(scene.second.saw().len(), 8);
    assert!(scene.first.saw().len() < 88, "{} calls", scene.first.saw().len());
}

//! Bodies of every size, through failover, byte for byte.

use serde_json::json;

use crate::support::{Gateway, MockVendor, Org, Provider, Reply, mock};

/// A chat request of about `size` bytes in all.
fn body(model: &str, size: usize) -> String {
    let head = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":""#);
    let tail = r#""}]}"#;
    let mut body = String::with_capacity(size);
    body.push_str(&head);
    let mut step = 0_u32;
    while body.len() + tail.len() < size {
        step = step.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        body.push(char::from(b'a' + u8::try_from(step >> 27).unwrap() % 26));
    }
    body + tail
}

/// An alias `fast` whose first three routes fail in three ways and whose fourth is good.
async fn three_bad_and_one_good(
    acme: &Org,
) -> (MockVendor, [MockVendor; 2], tokio::net::TcpSocket) {
    let (failing, broken, good) =
        (MockVendor::start().await, MockVendor::start().await, MockVendor::start().await);
    failing.always(Reply::status(503));
    broken.always(Reply::resets());
    let (nowhere, reserved) = mock::nobody();
    let mut providers: Vec<Provider> = Vec::new();
    for (name, url) in
        [("a", failing.url()), ("b", broken.url()), ("c", nowhere), ("d", good.url())]
    {
        providers.push(acme.provider(name).at_url(&url).model("gpt-4o").await);
    }
    let targets: Vec<_> = providers.iter().map(|provider| (provider, "gpt-4o")).collect();
    acme.alias("fast", &targets).await;
    (good, [failing, broken], reserved)
}

#[tokio::test]
async fn bodies_around_every_buffer_size_survive_failover_byte_for_byte() {
    let gateway = Gateway::configured().never_ejects().start().await;
    let acme = gateway.org("acme");
    let (good, _bad, _reserved) = three_bad_and_one_good(&acme).await;
    let key = acme.key().await;
    for size in [966, 9_000, (64 << 10) - 1, (64 << 10) + 1, 120 << 10, 1 << 20] {
        for chunked in [false, true] {
            let mut ask = key.post("/v1/chat/completions", body("fast", size));
            if chunked {
                ask = ask.chunked();
            }
            let answer = ask.await.has_status(200);
            assert_eq!(answer.header("x-bd-provider-failover-count"), Some("3"));
            let call = good.saw().pop().unwrap();
            assert!(
                call.text() == body("fast", size).replacen("\"fast\"", "\"gpt-4o\"", 1),
                "{size} {chunked}"
            );
            assert_eq!(call.header("transfer-encoding"), None, "vendors are told the length");
        }
    }
}

#[tokio::test]
async fn twenty_megabytes_go_through_three_failed_routes_unharmed() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (good, [failing, broken], _reserved) = three_bad_and_one_good(&acme).await;
    let key = acme.key().await;
    let whole = body("fast", 20 << 20);
    let expected = whole.replacen("\"fast\"", "\"gpt-4o\"", 1);
    for chunked in [false, true] {
        let mut ask = key.post("/v1/chat/completions", whole.clone());
        if chunked {
            ask = ask.chunked();
        }
        ask.await.has_status(200);
        for vendor in [&failing, &broken, &good] {
            let call = vendor.saw().pop().unwrap();
            assert!(call.body == expected.as_bytes(), "{} bytes arrived", call.body.len());
        }
    }
    acme.records(2).await;
}

#[tokio::test]
async fn a_large_answer_comes_back_whole() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = MockVendor::start().await;
    let provider = acme.provider("openai").at(&vendor).model("gpt-4o").await;
    acme.alias("fast", &[(&provider, "gpt-4o")]).await;
    let key = acme.key().await;
    let big = json!({"object": "list", "data": "y".repeat(20 << 20), "usage": {"prompt_tokens": 8, "total_tokens": 8}}).to_string();
    for reply in [Reply::says(big.clone()), Reply::says(big.clone()).chunked()] {
        vendor.will(reply);
        let answer =
            key.post("/v1/embeddings", r#"{"model":"fast","input":"x"}"#).await.has_status(200);
        assert!(answer.body == big.as_bytes(), "{} bytes arrived", answer.body.len());
    }
}

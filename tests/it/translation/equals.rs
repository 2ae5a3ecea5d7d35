//! Among equal priorities the healthiest and cheapest is tried first; unequal ones are an order.

use serde_json::{Value, json};

use super::vendor::{Kind, Vendor};
use crate::support::{Caller, Gateway, Org, Reply};

struct Shop {
    /// Holds the process.
    _gateway: Gateway,
    acme: Org,
    dear: Vendor,
    cheap: Vendor,
    key: Caller,
}

/// The dear one stands first, and has this priority beside the cheap one's 1.
async fn shop(dear_priority: i64) -> Shop {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let dear = Vendor::of(&acme, Kind::OpenAi).await;
    let cheap = Vendor::of(&acme, Kind::Anthropic).await;
    for (vendor, dollars, priority) in [(&dear, 20, dear_priority), (&cheap, 2, 1)] {
        let (provider, model) = vendor.route();
        let price = json!({"model_pattern": model, "input_cost_per_million_tokens": dollars,
            "output_cost_per_million_tokens": dollars});
        acme.create("model-pricing", price).await;
        acme.route("fast", provider, model, json!({"priority": priority})).await;
    }
    let key = acme.key().await;
    Shop { _gateway: gateway, acme, dear, cheap, key }
}

/// `metadata.routing` of a chat completion.
async fn routing(shop: &Shop) -> Vec<Value> {
    let answer = shop.key.chat("fast").await.has_status(200);
    answer.json()["metadata"]["routing"].as_array().expect("attempts").clone()
}

#[tokio::test]
async fn with_equal_health_the_cheaper_route_is_tried_first() {
    let shop = shop(1).await;
    let first = routing(&shop).await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(first[0]["provider"], "anthropic");
    assert_eq!(first[0]["selection"], json!({"reason": "price-only", "score": 0.0}));
    for _ in 0..3 {
        let next = routing(&shop).await;
        assert_eq!(next[0]["provider"], "anthropic", "{next:?}");
        assert_eq!(next[0]["selection"]["reason"], "weighted-score", "{next:?}");
        assert!(next[0]["selection"]["score"].is_number(), "{next:?}");
    }
    shop.dear.mock.saw_nothing();
}

#[tokio::test]
async fn what_has_failed_lately_is_not_chosen_although_it_is_cheaper() {
    let shop = shop(1).await;
    routing(&shop).await;
    shop.cheap.mock.will(Reply::status(500));
    let failed = routing(&shop).await;
    let providers: Vec<_> = failed.iter().map(|attempt| &attempt["provider"]).collect();
    assert_eq!(providers, ["anthropic", "openai"], "{failed:?}");
    assert_eq!(failed[0]["status_code"], 500);
    let before = shop.cheap.mock.saw().len();
    for _ in 0..3 {
        let next = routing(&shop).await;
        assert_eq!(next.len(), 1, "{next:?}");
        assert_eq!(next[0]["provider"], "openai");
        assert_eq!(next[0]["selection"]["reason"], "weighted-score", "{next:?}");
        let score = next[0]["selection"]["score"].as_f64().expect("a score");
        assert!(score >= 0.2, "its price speaks against it: {score}");
    }
    assert_eq!(shop.cheap.mock.saw().len(), before);
}

#[tokio::test]
async fn unequal_priorities_keep_their_order_whatever_it_costs() {
    let shop = shop(0).await;
    for _ in 0..3 {
        let tried = routing(&shop).await;
        assert_eq!(tried[0]["provider"], "openai");
        assert!(tried[0].get("selection").is_none(), "nothing was weighed: {tried:?}");
    }
    shop.dear.mock.will(Reply::status(500));
    routing(&shop).await;
    let after = routing(&shop).await;
    assert_eq!(after[0]["provider"], "openai", "a failure changes no order");
    assert_eq!(shop.cheap.mock.saw().len(), 1);
}

#[tokio::test]
async fn a_new_price_changes_the_choice_at_once() {
    let shop = shop(1).await;
    assert_eq!(routing(&shop).await[0]["provider"], "anthropic");
    let price = json!({"model_pattern": Kind::Anthropic.model(),
        "input_cost_per_million_tokens": 900, "output_cost_per_million_tokens": 900});
    // Mean latencies differ by chance, which weighs half as much as the price.
    shop.acme.create("model-pricing", price).await;
    assert_eq!(routing(&shop).await[0]["provider"], "openai");
}

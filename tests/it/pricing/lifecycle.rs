//! Versions of a rule: set, scheduled, edited, archived, restored.

use serde_json::{Value, json};

use super::{
    Prices,
    desk::{price, soon, wait_for},
};
use crate::support::Gateway;

const HOUR: i64 = 3_600_000;

fn ids(versions: &[Value]) -> Vec<&str> {
    versions.iter().map(|version| version["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_version_shows_all_that_is_known_of_it() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let provider = acme.provider("main").at_url("http://127.0.0.1:9").await;
    let prices = Prices(&acme.admin);
    let made = prices
        .set_with(
            price("gpt-4o*", 2.5, 10.0),
            json!({"provider_id": provider.id, "catalog_slug": "openai", "change_reason": "deal",
                "sync_mode": "auto", "cache_read_cost_per_million_tokens": 1.25}),
        )
        .await;
    let expected = json!({
        "id": made["id"], "org_id": provider.row["org_id"], "model_provider": "openai",
        "model_pattern": "gpt-4o*", "input_cost_per_million_tokens": 2.5,
        "output_cost_per_million_tokens": 10, "effective_from": made["effective_from"],
        "sync_mode": "auto", "change_source": "admin_create", "is_archived": false,
        "provider_id": provider.id, "provider_name": "main", "catalog_slug": "openai",
        "cache_read_cost_per_million_tokens": 1.25, "cache_write_cost_per_million_tokens": null,
        "change_reason": "deal", "created_by_user_id": made["created_by_user_id"],
        "created_by_email": made["created_by_email"],
    });
    assert_eq!(made, expected);
    assert!(made["created_by_user_id"].is_string(), "{made}");
    let id = made["id"].as_str().unwrap();
    assert_eq!(prices.get(&format!("/version/{id}")).await, made);
    assert_eq!(prices.history("gpt-4o*", "openai").await, [made]);
}

#[tokio::test]
async fn a_write_that_changes_nothing_returns_the_version_that_is_there() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let prices = Prices(&acme.admin);
    let first = prices.set(price("m", 2.0, 8.0)).await;
    assert_eq!(prices.set(price("m", 2.0, 8.0)).await, first);
    let reason = json!({"change_reason": "a reason alone is no change"});
    assert_eq!(prices.set_with(price("m", 2.0, 8.0), reason).await, first);
    let past = json!({"effective_from": "2020-01-01T00:00:00Z"});
    assert_eq!(prices.set_with(price("m", 2.0, 8.0), past).await, first);
    for more in [
        json!({"output_cost_per_million_tokens": 9}),
        json!({"cache_read_cost_per_million_tokens": 0}),
        json!({"cache_write_cost_per_million_tokens": 1}),
        json!({"sync_mode": "tracking"}),
    ] {
        let next = prices.set_with(price("m", 2.0, 8.0), more.clone()).await;
        assert_eq!(next["change_source"], "admin_edit", "{more}");
    }
    assert_eq!(prices.history("m", "").await.len(), 5, "one version for each real change");
}

#[tokio::test]
async fn a_scheduled_version_can_be_edited_and_cancelled_until_it_takes_effect() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let prices = Prices(&acme.admin);
    let current = prices.set(price("m", 1.0, 1.0)).await;
    let at = soon(HOUR);
    let later = json!({"effective_from": at, "cache_read_cost_per_million_tokens": 0.5});
    let scheduled = prices.set_with(price("m", 2.0, 2.0), later).await;
    assert_eq!(scheduled["change_source"], "admin_schedule");
    assert_eq!(scheduled["effective_from"], at);

    let rule = &prices.list("").await[0];
    assert_eq!(rule["id"], current["id"], "the current version stands for the rule");
    assert_eq!((&rule["scheduled_count"], &rule["version_count"]), (&json!(1), &json!(2)));
    assert_eq!(rule["next_scheduled_effective_from"], at);

    let moved = soon(2 * HOUR);
    let edit = json!({"input_cost_per_million_tokens": 3, "effective_from": moved,
        "sync_mode": "auto", "change_reason": "later", "output_cost_per_million_tokens": null});
    let edited = prices.put(&scheduled, edit).await.has_status(200).json();
    assert_eq!(edited["id"], scheduled["id"]);
    assert_eq!(edited["input_cost_per_million_tokens"], 3);
    assert_eq!(edited["output_cost_per_million_tokens"], 2, "null keeps");
    assert_eq!(edited["effective_from"], moved);
    assert_eq!((&edited["sync_mode"], &edited["change_reason"]), (&json!("auto"), &json!("later")));
    assert_eq!(edited["cache_read_cost_per_million_tokens"], 0.5, "absent keeps");
    let cleared = json!({"cache_read_cost_per_million_tokens": null});
    let cleared = prices.put(&scheduled, cleared).await.has_status(200).json();
    assert_eq!(cleared["cache_read_cost_per_million_tokens"], Value::Null, "null clears");

    let gone = prices.delete(&scheduled).await.has_status(200).json();
    let expected = json!({"deleted": true, "mode": "cancelled_scheduled",
        "cancelled_scheduled": 0, "archived": false});
    assert_eq!(gone, expected);
    assert_eq!(ids(&prices.history("m", "").await), [current["id"].as_str().unwrap()]);
    prices.delete(&scheduled).await.refusal(404, "NotFound");
}

#[tokio::test]
async fn a_rule_that_is_only_scheduled_is_listed_by_what_comes_first() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let prices = Prices(&acme.admin);
    for (hours, input) in [(2, 2.0), (1, 1.0)] {
        let at = json!({"effective_from": soon(hours * HOUR)});
        prices.set_with(price("m", input, 1.0), at).await;
    }
    let rules = prices.list("").await;
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0]["input_cost_per_million_tokens"], 1);
    assert_eq!(rules[0]["scheduled_count"], 2);
    assert_eq!(rules[0]["next_scheduled_effective_from"], rules[0]["effective_from"]);
}

#[tokio::test]
async fn archiving_takes_pending_versions_along_and_leaves_a_tombstone() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let prices = Prices(&acme.admin);
    let first = prices.set(price("m", 1.0, 1.0)).await;
    let second = prices.set(price("m", 2.0, 2.0)).await;
    for hours in [1, 2] {
        prices.set_with(price("m", 3.0, 3.0), json!({"effective_from": soon(hours * HOUR)})).await;
    }
    let archived = prices.delete(&first).await.has_status(200).json();
    let expected = json!({"deleted": true, "mode": "archived_rule",
        "cancelled_scheduled": 2, "archived": true});
    assert_eq!(archived, expected, "a past version stands for its rule");

    let history = prices.history("m", "").await;
    assert_eq!(history.len(), 3);
    let tombstone = &history[0];
    assert_eq!(tombstone["is_archived"], true);
    assert_eq!(tombstone["change_source"], "admin_archive");
    assert_eq!(tombstone["change_reason"], "Archived by admin");
    assert_eq!(tombstone["input_cost_per_million_tokens"], 2, "the current prices");
    assert!(prices.list("").await.is_empty(), "hidden");
    assert_eq!(ids(&prices.list("/archived").await), [tombstone["id"].as_str().unwrap()]);

    let again = prices.delete(&second).await.has_status(200).json();
    assert_eq!((&again["archived"], &again["cancelled_scheduled"]), (&json!(false), &json!(0)));
    assert_eq!(prices.history("m", "").await.len(), 3, "nothing happened");
}

#[tokio::test]
async fn an_archived_rule_is_restored_or_revived() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let prices = Prices(&acme.admin);
    let made = prices
        .set_with(price("m", 2.0, 3.0), json!({"cache_write_cost_per_million_tokens": 4}))
        .await;
    let message = prices.restore(&made).await.refusal(400, "BadRequest");
    assert!(message.contains("not archived"), "{message}");
    prices.delete(&made).await.has_status(200);
    let restored = prices.restore(&made).await.has_status(200).json();
    assert_ne!(restored["id"], made["id"]);
    assert_eq!(restored["change_source"], "admin_restore");
    assert_eq!(restored["is_archived"], false);
    assert_eq!(restored["cache_write_cost_per_million_tokens"], 4);
    assert_eq!(ids(&prices.list("").await), [restored["id"].as_str().unwrap()]);

    prices.delete(&restored).await.has_status(200);
    let revived = prices
        .set_with(price("m", 2.0, 3.0), json!({"cache_write_cost_per_million_tokens": 4}))
        .await;
    assert_eq!(revived["change_source"], "admin_edit", "a tombstone is no price that is there");
    assert!(prices.list("/archived").await.is_empty());
    assert_eq!(prices.history("m", "").await.len(), 5, "nothing of the past is lost");
}

#[tokio::test]
async fn a_version_that_has_taken_effect_is_never_changed() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let prices = Prices(&acme.admin);
    let made = prices.set(price("m", 2.0, 3.0)).await;
    let message = prices.put(&made, json!({})).await.refusal(400, "BadRequest");
    assert!(message.starts_with("Past pricing versions are immutable"), "{message}");
    let at = soon(300);
    let scheduled = prices.set_with(price("m", 4.0, 3.0), json!({"effective_from": at})).await;
    wait_for(&at).await;
    let late = prices.put(&scheduled, json!({"change_reason": "late"})).await;
    late.refusal(400, "BadRequest");
    assert_eq!(prices.history("m", "").await[0], scheduled);
    assert_eq!(prices.list("").await[0]["id"], scheduled["id"]);
}

#[tokio::test]
async fn rules_differ_by_pattern_line_and_provider() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let one = acme.provider("one").at_url("http://127.0.0.1:9").await;
    let two = acme.provider("two").at_url("http://127.0.0.1:9").await;
    let prices = Prices(&acme.admin);
    let at = json!({"effective_from": "2026-01-01T00:00:00Z"});
    for more in [
        json!({}),
        json!({"model_provider": "openai"}),
        json!({"provider_id": one.id}),
        json!({"provider_id": two.id}),
    ] {
        let mut body = price("m", 1.0, 1.0);
        body.as_object_mut().unwrap().extend(at.as_object().unwrap().clone());
        prices.set_with(body, more).await;
    }
    assert_eq!(prices.list("").await.len(), 4);
    assert_eq!(prices.history("m", "").await.len(), 3, "whichever provider they are for");
    assert_eq!(prices.history("m", "openai").await.len(), 1);
    assert!(prices.history("other", "").await.is_empty());
}

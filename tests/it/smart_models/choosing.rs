//! Which slot answers: the determiner's choice, unless the size of the request demands a higher one.

use serde_json::json;

use super::{Stage, answering, chat, says};
use crate::support::{Gateway, MockVendor, Reply};

#[tokio::test]
async fn the_determiners_choice_is_followed() {
    let stage = Stage::new().await;
    for slot in [2, 0, 1] {
        stage.judge.will(says(&slot.to_string()));
        assert_eq!(stage.slot_of("Hi").await, slot);
    }
    assert_eq!(stage.judge.saw().len(), 3);
    let metrics = stage.gateway.metrics().await;
    let chosen = [("reason", "determiner")];
    assert_eq!(metrics.sum("turnpike_smart_model_choices_total", &chosen), 3);
}

#[tokio::test]
async fn a_large_request_gets_at_least_the_slot_that_its_breakpoint_demands() {
    let stage = Stage::new().await;
    // Four bytes are a token; what stands around the text are a few more.
    let words = |tokens: usize| "word".repeat(tokens);
    assert_eq!(stage.slot_of(&words(900)).await, 0);
    assert_eq!(stage.slot_of(&words(1_000)).await, 1, "the determiner says 0");
    stage.judge.will(says("2"));
    assert_eq!(stage.slot_of(&words(1_000)).await, 2, "a higher choice stands");
    assert_eq!(stage.judge.saw().len(), 3);
    assert_eq!(stage.slot_of(&words(10_000)).await, 2);
    assert_eq!(stage.judge.saw().len(), 3, "above the last breakpoint nobody is asked");
}

#[tokio::test]
async fn a_picture_counts_as_a_picture_and_not_by_its_bytes() {
    let stage = Stage::new().await;
    let picture = format!("data:image/png;base64,{}", "A".repeat(400_000));
    let body = json!({"model": "auto", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": picture}}]}]});
    stage.key.post("/v1/chat/completions", body.to_string()).await.has_status(200);
    assert_eq!(stage.seen(), [1, 0, 0]);
    assert!(stage.judge.saw_one().body.len() < 4_000, "the determiner is not shown the picture");
}

#[tokio::test]
async fn one_slot_alone_needs_no_determiner() {
    let one = json!({"slots": [{"model_alias": "large"}], "context_breakpoints": [],
        "default_slot_on_failure": 0});
    let stage = Stage::with(Gateway::configured(), one).await;
    assert_eq!(stage.slot_of("Hi").await, 1);
    stage.judge.saw_nothing();
}

#[tokio::test]
async fn a_smart_model_that_is_switched_off_is_refused() {
    let stage = Stage::new().await;
    stage.change(json!({"enabled": false})).await;
    let ask = stage.key.post("/v1/chat/completions", chat("Hi")).header("x-request-id", "off");
    let error = ask.await.has_status(400).openai_error();
    assert_eq!((&error["param"], &error["code"]), (&json!("model"), &json!("model_disabled")));
    assert!(error["message"].as_str().unwrap().contains("'auto' is switched off"), "{error}");
    assert_eq!(stage.acme.record_of("off").await["requested_model"], "auto");
    stage.judge.saw_nothing();
    stage.change(json!({"enabled": true})).await;
    assert_eq!(stage.slot_of("Hi").await, 0);
}

#[tokio::test]
async fn an_alias_is_matched_to_the_letter() {
    let stage = Stage::new().await;
    stage.key.chat("AUTO").await.has_status(404);
    stage.key.chat("openai/auto").await.has_status(404);
    stage.judge.saw_nothing();
}

#[tokio::test]
async fn determiner_and_slots_may_be_prefixed_names() {
    let stage = Stage::new().await;
    let named = json!({"determiner_model_alias": "judge/gpt-4o-mini", "slots": [
        {"model_alias": "Small/gpt-4o"}, {"model_alias": "large/large"}, {"model_alias": "huge"}]});
    stage.change(named).await;
    assert_eq!(stage.slot_of("Hi").await, 0);
    stage.judge.will(says("1"));
    assert_eq!(stage.slot_of("Hi").await, 1);
    assert_eq!(stage.judge.saw().len(), 2);
}

#[tokio::test]
async fn a_smart_model_is_neither_determiner_nor_slot_of_another() {
    let stage = Stage::new().await;
    for (field, value) in [
        ("determiner_model_alias", json!("auto")),
        ("slots", json!([{"model_alias": "small"}, {"model_alias": "auto"}])),
    ] {
        let mut body = json!({"model_alias": "more", "determiner_model_alias": "judge",
            "slots": [{"model_alias": "small"}, {"model_alias": "large"}], "context_breakpoints": [9]});
        body[field] = value;
        let message = stage.acme.post("/admin/smart-models", body).await.refusal(400, "BadRequest");
        assert!(message.ends_with("target 'auto' has no enabled routes"), "{message}");
    }
}

#[tokio::test]
async fn a_determiner_fails_over_as_any_alias_does() {
    let stage = Stage::new().await;
    let spare = MockVendor::start().await;
    let judge = answering(&stage.acme, "spare", &spare, "gpt-4o-mini").await;
    let second = json!({"priority": 900});
    stage.acme.route("judge", &judge, "gpt-4o-mini", second).await;
    stage.judge.always(Reply::status(503));
    spare.always(says("2"));
    assert_eq!(stage.slot_of("Hi").await, 2);
}

#[tokio::test]
async fn a_slots_routes_fail_over_as_those_of_any_alias() {
    let stage = Stage::new().await;
    let spare = MockVendor::start().await;
    let provider = answering(&stage.acme, "spare", &spare, "gpt-4o").await;
    stage.acme.route("small", &provider, "gpt-4o", json!({"priority": 900})).await;
    stage.small.always(Reply::status(503));
    let answer = stage.key.post("/v1/chat/completions", chat("Hi")).await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-count"), Some("2"));
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    assert_eq!(spare.saw().len(), 1);
}

#[tokio::test]
async fn the_answer_tells_what_was_asked_for_and_what_was_chosen() {
    let stage = Stage::new().await;
    stage.judge.will(says("1"));
    let answer = stage.key.post("/v1/chat/completions", chat("Hi")).await.has_status(200).json();
    let metadata = &answer["metadata"];
    assert_eq!(
        (&metadata["requested_model"], &metadata["used_provider"]),
        (&json!("auto"), &json!("large"))
    );
    let choice = json!({"slot": 1, "model_alias": "large", "reason": "determiner"});
    assert_eq!(metadata["smart_model"], choice);
    let plain = stage.key.chat("large").await.has_status(200).json();
    assert!(plain["metadata"].get("smart_model").is_none(), "{plain}");
}

/// The slug of the vendor, that of its row in the catalog, and the provider's name in any case.
#[tokio::test]
async fn slots_are_told_by_whatever_a_caller_could_send_and_the_model_is_listed() {
    let gateway = Gateway::start().await;
    let (judge, azure) = (MockVendor::start().await, MockVendor::start().await);
    let acme = gateway.org("acme");
    judge.always(says("0"));
    answering(&acme, "judge", &judge, "gpt-4o-mini").await;
    let settings = json!({"settings": {}, "api_key": "azure-key"});
    acme.provider("Prod").vendor("azure_openai").at(&azure).model("dep").with(settings).await;
    let key = acme.key().await;
    let slots = ["azure/dep", "azure_openai/dep", "PROD/dep", "Prod/dep"];
    for (alias, slot) in ["one", "two", "three", "four"].into_iter().zip(slots) {
        let body = json!({"model_alias": alias, "determiner_model_alias": "judge",
            "slots": [{"model_alias": slot}]});
        acme.create("smart-models", body).await;
        key.post("/v1/chat/completions", chat_of(alias)).await.has_status(200);
        key.get(&format!("/v1/models/{alias}")).await.has_status(200);
    }
    assert_eq!(azure.saw().len(), 4);
}

fn chat_of(alias: &str) -> String {
    json!({"model": alias, "messages": [{"role": "user", "content": "Hi"}]}).to_string()
}

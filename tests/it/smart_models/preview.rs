//! Previews ask the determiner, and send nothing to a slot.

use serde_json::{Value, json};

use super::{Stage, says};
use crate::support::Reply;

async fn preview(stage: &Stage, text: &str, more: Value) -> Value {
    let mut body = json!({
        "model_alias": "draft", "determiner_model_alias": "judge", "text": text,
        "slots": [{"model_alias": "small"}, {"model_alias": "large"}, {"model_alias": "huge"}],
        "context_breakpoints": [1_000, 10_000], "default_slot_on_failure": 1,
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stage.acme.post("/admin/smart-models/preview", body).await.has_status(200).json()
}

#[tokio::test]
async fn a_preview_shows_what_the_determiner_says_of_a_text() {
    let stage = Stage::new().await;
    stage.judge.will(says("2"));
    let shown = preview(&stage, "Prove it", json!({})).await;
    assert_eq!(shown["target_model_alias"], "huge");
    for (field, value) in [
        ("slot", json!(2)),
        ("determiner_asked", json!(true)),
        ("determiner_slot", json!(2)),
        ("floor_slot", json!(0)),
        ("determiner_input_chars", json!(8)),
        ("reason", json!("slot 2: the determiner chose it")),
    ] {
        assert_eq!(shown["decision"][field], value, "{field} of {shown}");
    }
    assert!(stage.judge.saw_one().text().contains("Prove it"));
    assert_eq!(stage.seen(), [0, 0, 0]);
}

#[tokio::test]
async fn a_preview_falls_back_as_a_request_does() {
    let stage = Stage::new().await;
    for reply in [says("I think 2"), Reply::status(500)] {
        stage.judge.always(reply);
        let shown = preview(&stage, "Hi", json!({})).await;
        assert_eq!(shown["target_model_alias"], "large");
        assert_eq!(shown["decision"]["determiner_slot"], json!(null));
        assert_eq!(
            shown["decision"]["reason"],
            "slot 1: it is the default; the determiner gave no slot"
        );
    }
    let asked = stage.judge.saw().len();
    let shown = preview(&stage, "Hi", json!({"token_count": 10_000})).await;
    assert_eq!(
        (&shown["decision"]["slot"], &shown["decision"]["determiner_asked"]),
        (&json!(2), &json!(false))
    );
    assert_eq!(stage.judge.saw().len(), asked);
}

#[tokio::test]
async fn a_preview_is_recorded_as_whoever_asked_for_it() {
    let stage = Stage::new().await;
    preview(&stage, "Hi", json!({})).await;
    let record = stage.acme.records(1).await.remove(0);
    assert_eq!(
        (&record["api_key_id"], &record["client"]),
        (&json!(null), &json!("turnpike-determiner"))
    );
    assert!(record["user_id"].is_string(), "{record}");
    assert!(record["request_id"].as_str().unwrap().strip_suffix(".d").is_some(), "{record}");
}

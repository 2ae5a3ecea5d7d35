//! What newer models refuse of what older ones take.

use serde_json::{Value, json};

use super::{
    asking,
    building::{at, tool},
    text, thinks, turn, write_for_model,
};
use crate::{
    domain::ReasoningMode,
    translate::{
        Platform,
        form::{Effort, Refusal, Request, Role, ToolChoice},
    },
};

fn written(model: &str, request: &Request<'_>) -> Result<Value, Refusal> {
    write_for_model(model, request, &thinks(ReasoningMode::Adaptive), Platform::Own)
}

#[test]
fn sampling_is_left_out_where_it_is_refused() {
    let mut request = asking("x");
    request.sampling.temperature = Some(0.2);
    assert_eq!(written("claude-opus-4-6", &request).unwrap()["temperature"], 0.2);
    for model in ["claude-opus-4-7", "claude-sonnet-5", "claude-haiku-5-5@20261007"] {
        assert_eq!(written(model, &request).unwrap().get("temperature"), None, "{model}");
    }
}

#[test]
fn each_model_is_told_not_to_think_in_its_own_words() {
    let request = Request { reasoning: Some(at(Effort::None)), ..asking("x") };
    for (model, thinking, effort) in [
        ("claude-opus-4-8", Value::Null, Value::Null),
        ("claude-opus-5", json!({"type": "disabled"}), Value::Null),
        ("claude-haiku-5-5", json!({"type": "disabled"}), Value::Null),
        ("claude-sonnet-5-5", json!({"type": "between_tools"}), Value::Null),
        ("claude-opus-5-5", Value::Null, json!("low")),
    ] {
        let body = written(model, &request).unwrap();
        assert_eq!(body["thinking"], thinking, "{model}");
        assert_eq!(body["output_config"]["effort"], effort, "{model}");
    }
}

#[test]
fn a_call_is_forced_without_thinking_or_refused_by_name() {
    let forced = Request {
        tools: vec![tool("t", None)],
        tool_choice: Some(ToolChoice::Required),
        reasoning: Some(at(Effort::Max)),
        ..asking("x")
    };
    let body = written("claude-opus-5", &forced).unwrap();
    assert_eq!(body["tool_choice"]["type"], "any");
    assert_eq!(body["thinking"], json!({"type": "disabled"}));
    assert_eq!(body["output_config"]["effort"], "high", "there is no more without thinking");
    for model in ["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1"] {
        let refusal = written(model, &forced).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some("tool_choice"), "{model}");
    }
}

#[test]
fn a_begun_answer_is_refused_by_name_where_the_model_takes_none() {
    let mut begun = asking("x");
    begun.turns.push(turn(Role::Assistant, vec![text("It is")]));
    assert!(written("claude-sonnet-4-5", &begun).is_ok());
    let refusal = written("claude-haiku-5-5", &begun).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("messages"));
    assert!(refusal.message.contains("begun"), "{}", refusal.message);
}

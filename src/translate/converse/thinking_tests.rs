//! Thinking: asked for, and given back.

use serde_json::{Value, json};

use super::{
    super::form::{
        Effort, Origin, Part, PartKind, Reasoning, Request, Role, Signature, Thinking, ToolChoice,
    },
    request_tests::{CLAUDE, asked, call, part, result, text, turn, write, write_with},
};
use crate::domain::{ModelFacts, ReasoningMode};

fn effort(effort: Effort) -> Reasoning {
    Reasoning { effort: Some(effort), ..Reasoning::default() }
}

fn thought(origin: Origin, value: &'static str, redacted: bool) -> Part<'static> {
    part(PartKind::Thinking(Thinking {
        text: if redacted { "".into() } else { "Hm.".into() },
        signature: Some(Signature::new(origin, value)),
        redacted,
        id: None,
    }))
}

fn fields(request: &Request<'_>, model: &str) -> Value {
    write(request, model)["additionalModelRequestFields"].clone()
}

#[test]
fn a_claude_that_thinks_by_itself_is_told_not_to_in_its_own_words() {
    let mut request = asked(vec![text("40+2?")]);
    request.reasoning = Some(effort(Effort::None));
    for (model, expected) in [
        ("anthropic.claude-opus-4-8-v1", Value::Null),
        ("us.anthropic.claude-opus-5-v1:0", json!({"thinking": {"type": "disabled"}})),
        ("anthropic.claude-sonnet-5-5", json!({"thinking": {"type": "between_tools"}})),
        ("anthropic.claude-opus-5-5", json!({"output_config": {"effort": "low"}})),
    ] {
        assert_eq!(fields(&request, model), expected, "{model}");
    }
}

#[test]
fn claude_thinks_within_a_budget_that_leaves_room_for_the_answer() {
    let mut request = asked(vec![text("40+2?")]);
    request.sampling.temperature = Some(0.3);
    request.sampling.top_p = Some(0.5);
    request.sampling.top_k = Some(3);
    request.max_tokens = Some(500);
    for (level, budget) in [
        (Effort::Minimal, 1024),
        (Effort::Low, 1024),
        (Effort::Medium, 2000),
        (Effort::High, 4000),
        (Effort::XHigh, 16_000),
        (Effort::Max, 24_000),
    ] {
        request.reasoning = Some(effort(level));
        let body = write(&request, CLAUDE);
        let thinking = json!({"thinking": {"type": "enabled", "budget_tokens": budget}});
        assert_eq!(body["additionalModelRequestFields"], thinking);
        assert_eq!(body["inferenceConfig"], json!({"maxTokens": budget + 1000}));
    }
    request.max_tokens = None;
    request.reasoning = Some(Reasoning { max_tokens: Some(3100), ..Reasoning::default() });
    let body = write(&request, CLAUDE);
    assert_eq!(body["additionalModelRequestFields"]["thinking"]["budget_tokens"], 3100);
    assert_eq!(body["inferenceConfig"]["maxTokens"], 19_100);
    let facts = ModelFacts { max_output_tokens: Some(3000), ..ModelFacts::default() };
    let body = write_with(&request, CLAUDE, &facts).unwrap();
    assert_eq!(body["additionalModelRequestFields"]["thinking"]["budget_tokens"], 2999);
    assert_eq!(body["inferenceConfig"]["maxTokens"], 3000);
}

#[test]
fn newer_claude_decides_itself_how_long_it_thinks() {
    let mut request = asked(vec![text("x")]);
    request.reasoning = Some(effort(Effort::Max));
    request.sampling.temperature = Some(0.5);
    let opus = "us.anthropic.claude-opus-4-7";
    let adaptive = json!({"type": "adaptive", "display": "summarized"});
    assert_eq!(
        fields(&request, opus),
        json!({"thinking": adaptive, "output_config": {"effort": "max"}})
    );
    request.reasoning = Some(Reasoning::default());
    assert_eq!(fields(&request, opus), json!({"thinking": adaptive}));
    request.reasoning = Some(effort(Effort::XHigh));
    let sonnet = fields(&request, "anthropic.claude-sonnet-4-6");
    assert_eq!(
        sonnet,
        json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}})
    );
    // What the catalogue says wins over what the name says.
    let facts =
        ModelFacts { reasoning_mode: Some(ReasoningMode::Adaptive), ..ModelFacts::default() };
    let body = write_with(&request, CLAUDE, &facts).unwrap();
    assert_eq!(body["additionalModelRequestFields"]["thinking"]["type"], "adaptive");
    request.reasoning = Some(effort(Effort::None));
    assert_eq!(fields(&request, opus), Value::Null);
}

#[test]
fn claude_does_not_think_where_it_must_call_a_tool() {
    let mut request = asked(vec![text("x"), text("y")]);
    request.reasoning = Some(effort(Effort::High));
    request.tool_choice = Some(ToolChoice::Required);
    assert_eq!(fields(&request, CLAUDE), Value::Null);
}

#[test]
fn a_firm_limit_is_never_raised_and_thinking_has_what_it_leaves() {
    let mut request = asked(vec![text("40+2?")]);
    request.limit_is_firm = true;
    request.reasoning = Some(effort(Effort::High));
    for (limit, budget) in [(500, None), (2023, None), (2024, Some(1024)), (9000, Some(4000))] {
        request.max_tokens = Some(limit);
        let body = write(&request, CLAUDE);
        let thinking = &body["additionalModelRequestFields"]["thinking"];
        assert_eq!(thinking["budget_tokens"].as_u64(), budget, "{limit}");
        assert_eq!(body["inferenceConfig"]["maxTokens"], limit);
    }
    let body = write(&request, "us.amazon.nova-2-lite-v1:0");
    let config = &body["additionalModelRequestFields"]["reasoningConfig"];
    assert_eq!(config["maxReasoningEffort"], "medium", "with high it takes no limit");
    assert_eq!(body["inferenceConfig"]["maxTokens"], 9000);
}

#[test]
fn other_families_have_other_words() {
    let mut request = asked(vec![text("x")]);
    request.max_tokens = Some(100);
    let nova = "us.amazon.nova-2-lite-v1:0";
    let config =
        |level| json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": level}});
    for (model, level, expected) in [
        (nova, Effort::Minimal, config("low")),
        (nova, Effort::Medium, config("medium")),
        (nova, Effort::Max, config("high")),
        ("openai.gpt-oss-120b-1:0", Effort::XHigh, json!({"reasoning_effort": "high"})),
        ("us.openai.gpt-5.6-sol", Effort::Minimal, json!({"reasoning": {"effort": "low"}})),
        ("us.openai.gpt-5.6-sol", Effort::None, json!({"reasoning": {"effort": "none"}})),
        ("us.deepseek.r1-v1:0", Effort::High, Value::Null),
        ("meta.llama3-1-70b-instruct-v1:0", Effort::None, Value::Null),
    ] {
        request.reasoning = Some(effort(level));
        assert_eq!(fields(&request, model), expected, "{model} {level:?}");
    }
    request.reasoning = Some(effort(Effort::High));
    assert!(write(&request, nova).get("inferenceConfig").is_none());
    let llama = write_with(&request, "meta.llama3-1-70b-instruct-v1:0", &ModelFacts::default());
    assert!(llama.unwrap_err().starts_with("reasoning_effort: "));
}

/// T-26: signatures and redacted blocks come back byte for byte, first in their turn.
#[test]
fn thinking_goes_back_to_the_model_that_it_came_from() {
    let mut request = asked(vec![text("x")]);
    request.turns.extend([
        turn(
            Role::Assistant,
            vec![
                text("Looking."),
                thought(Origin::Anthropic, "c2ln", false),
                thought(Origin::Anthropic, "cmVk", true),
                thought(Origin::Bedrock, "bm92YQ==", false),
                thought(Origin::OpenAi, "foreign", false),
                part(PartKind::Thinking(Thinking {
                    text: "unsigned".into(),
                    signature: None,
                    redacted: false,
                    id: None,
                })),
                call("c", "{}"),
            ],
        ),
        turn(Role::User, vec![result("c", vec![text("22")])]),
    ]);
    request.reasoning = Some(effort(Effort::High));
    let body = write(&request, CLAUDE);
    let content = body["messages"][1]["content"].as_array().unwrap();
    assert_eq!(
        content[..3],
        [
            json!({"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}}),
            json!({"reasoningContent": {"redactedContent": "cmVk"}}),
            json!({"text": "Looking."}),
        ]
    );
    assert_eq!(content.len(), 4);
    assert!(!body.to_string().contains("bm92YQ=="));
    assert_eq!(body["additionalModelRequestFields"]["thinking"]["type"], "enabled");
    let nova = write(&request, "us.amazon.nova-2-lite-v1:0");
    assert!(!nova.to_string().contains("c2ln") && nova.to_string().contains("bm92YQ=="));
}

#[test]
fn a_tool_loop_that_lost_its_thinking_goes_without() {
    let mut request = asked(vec![text("x")]);
    request.turns.extend([
        turn(Role::Assistant, vec![thought(Origin::Google, "g", false), call("c", "{}")]),
        turn(Role::User, vec![result("c", vec![text("22")])]),
    ]);
    request.reasoning = Some(effort(Effort::High));
    request.sampling.temperature = Some(0.5);
    let body = write(&request, CLAUDE);
    assert!(body.get("additionalModelRequestFields").is_none());
    assert_eq!(body["inferenceConfig"]["temperature"], 0.5);
    // The user speaks again: the loop is over.
    request.turns.push(turn(Role::Assistant, vec![text("22 degrees")]));
    request.turns.push(turn(Role::User, vec![text("and Bari?")]));
    assert_eq!(fields(&request, CLAUDE)["thinking"]["type"], "enabled");
}

#[test]
fn a_turn_of_nothing_but_foreign_thinking_leaves_no_gap() {
    let mut request = asked(vec![text("a")]);
    request.turns.extend([
        turn(Role::Assistant, vec![thought(Origin::Google, "g", false)]),
        turn(Role::User, vec![text("b")]),
    ]);
    assert_eq!(
        write(&request, CLAUDE)["messages"],
        json!([{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}])
    );
}

//! How long Claude is to think, and what follows from it.

use serde_json::json;

use super::{
    asking,
    building::{adaptive, at, called, in_a_loop, manual, part, result, thought, tool},
    text, thinks, turn, write_for,
};
use crate::{
    domain::{Efforts, ModelFacts, ReasoningMode},
    translate::{
        Platform,
        form::{
            Effort, Origin, PartKind, Reasoning, Request, Role, Signature, Thinking, ToolChoice,
        },
    },
};

#[test]
fn an_effort_becomes_a_budget_and_makes_room_for_it() {
    for (word, budget) in [
        (Effort::Minimal, 1024),
        (Effort::Low, 1024),
        (Effort::Medium, 2000),
        (Effort::High, 4000),
        (Effort::XHigh, 16000),
        (Effort::Max, 32000),
    ] {
        let mut request = Request { reasoning: Some(at(word)), ..asking("x") };
        request.sampling.temperature = Some(0.2);
        request.sampling.top_p = Some(0.5);
        request.sampling.top_k = Some(5);
        let body = manual(&request);
        assert_eq!(body["thinking"], json!({"type":"enabled","budget_tokens":budget}));
        assert_eq!(body["max_tokens"], budget + 1000);
        for gone in ["temperature", "top_p", "top_k", "output_config"] {
            assert_eq!(body.get(gone), None);
        }
    }
    for off in [Some(Reasoning::default()), Some(at(Effort::None)), None] {
        let is_on = off.is_some_and(|reasoning| !reasoning.is_off());
        let body = manual(&Request { reasoning: off, ..asking("x") });
        assert_eq!(body.get("thinking").is_some(), is_on);
        assert_eq!(body["max_tokens"], if is_on { 3000 } else { 100 });
    }
}

#[test]
fn a_firm_limit_is_never_raised_and_thinking_has_what_it_leaves() {
    for (limit, budget) in
        [(100, None), (2023, None), (2024, Some(1024)), (4000, Some(3000)), (9000, Some(4000))]
    {
        let reasoning = Some(at(Effort::High));
        let max_tokens = Some(limit);
        let body = manual(&Request { reasoning, max_tokens, limit_is_firm: true, ..asking("x") });
        assert_eq!(body["max_tokens"], limit);
        assert_eq!(body["thinking"]["budget_tokens"].as_u64(), budget, "{limit}");
    }
}

#[test]
fn a_budget_is_kept_within_what_can_be() {
    let with = |budget, facts: ModelFacts, limit| {
        let reasoning = Some(Reasoning { max_tokens: Some(budget), ..Reasoning::default() });
        let request = Request { reasoning, max_tokens: limit, ..asking("x") };
        let body = write_for(&request, facts, Platform::Own).unwrap();
        (body["thinking"]["budget_tokens"].as_u64().unwrap(), body["max_tokens"].as_u64().unwrap())
    };
    let facts = thinks(ReasoningMode::Manual);
    assert_eq!(with(3100, facts, None), (3100, 4100));
    assert_eq!(with(3100, facts, Some(9000)), (3100, 9000));
    assert_eq!(with(5, facts, Some(9000)), (1024, 9000));
    assert_eq!(with(1_000_000, facts, None), (128_000, 129_000));
    let small = ModelFacts { max_output_tokens: Some(8192), ..facts };
    assert_eq!(with(31_999, small, Some(100)), (7192, 8192));
    assert_eq!(with(2000, small, None), (2000, 8192));
}

#[test]
fn an_effort_that_the_model_does_not_have_is_the_next_below() {
    let efforts = Some(Efforts::named(["low", "medium", "high", "max"]));
    let facts = ModelFacts { efforts, ..thinks(ReasoningMode::Adaptive) };
    for (asked, told) in [(Effort::XHigh, "high"), (Effort::Max, "max"), (Effort::Low, "low")] {
        let request = Request { reasoning: Some(at(asked)), ..asking("x") };
        let body = write_for(&request, facts, Platform::Own).unwrap();
        assert_eq!(body["output_config"], json!({"effort": told}));
    }
}

#[test]
fn newer_models_get_an_effort() {
    for (word, told) in [
        (Effort::Minimal, "low"),
        (Effort::Low, "low"),
        (Effort::Medium, "medium"),
        (Effort::High, "high"),
        (Effort::XHigh, "xhigh"),
        (Effort::Max, "max"),
    ] {
        let body = adaptive(&Request { reasoning: Some(at(word)), ..asking("x") });
        assert_eq!(body["thinking"], json!({"type":"adaptive","display":"summarized"}));
        assert_eq!(body["output_config"], json!({"effort": told}));
        assert_eq!(body["max_tokens"], 100);
    }
    let hidden = Reasoning { effort: None, max_tokens: Some(3000), visible: Some(false) };
    let body = adaptive(&Request { reasoning: Some(hidden), ..asking("x") });
    assert_eq!(body["thinking"]["display"], "omitted");
    assert_eq!(body["output_config"]["effort"], "medium");
    let body = adaptive(&Request { reasoning: Some(at(Effort::None)), ..asking("x") });
    assert_eq!((body.get("thinking"), body.get("output_config")), (None, None));
}

/// T-26.
#[test]
fn thinking_that_claude_signed_goes_back_first_and_unmodified() {
    let redacted = part(PartKind::Thinking(Thinking {
        text: "".into(),
        signature: Some(Signature::new(Origin::Anthropic, "cmVk")),
        redacted: true,
        id: None,
    }));
    let mut request = in_a_loop(None);
    request.turns[1].parts.insert(0, text("Let me look."));
    request.turns[1].parts.extend([thought(Origin::Anthropic), redacted, thought(Origin::OpenAi)]);
    request.reasoning = Some(at(Effort::Low));
    let body = manual(&request);
    assert_eq!(body["thinking"]["type"], "enabled");
    assert_eq!(
        body["messages"][1]["content"],
        json!([{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"cmVk"},
            {"type":"text","text":"Let me look."},{"type":"tool_use","id":"a","name":"f","input":{}}])
    );
}

#[test]
fn a_loop_without_its_thinking_goes_on_without_thinking() {
    for first in [None, Some(thought(Origin::Google))] {
        let request = Request { reasoning: Some(at(Effort::Low)), ..in_a_loop(first) };
        assert_eq!(manual(&request).get("thinking"), None);
        assert_eq!(manual(&request)["max_tokens"], 100);
        assert_eq!(adaptive(&request)["thinking"]["type"], "adaptive");
    }
    // Only the loop that is going on counts, and any of its turns may have the thinking.
    let mut over = in_a_loop(None);
    over.turns.push(turn(Role::Assistant, vec![text("It is 1.")]));
    over.turns.push(turn(Role::User, vec![text("And now?")]));
    over.reasoning = Some(at(Effort::Low));
    assert_eq!(manual(&over)["thinking"]["type"], "enabled");
    let mut longer = in_a_loop(Some(thought(Origin::Anthropic)));
    longer.turns.push(turn(Role::Assistant, vec![called("b", "{}")]));
    longer.turns.push(turn(Role::User, vec![result("b", vec![])]));
    longer.reasoning = Some(at(Effort::Low));
    assert_eq!(manual(&longer)["thinking"]["type"], "enabled");
}

#[test]
fn thinking_has_no_place_where_it_is_off() {
    let request = in_a_loop(Some(thought(Origin::Anthropic)));
    assert_eq!(manual(&request)["messages"][1]["content"][0]["type"], "tool_use");
    assert_eq!(adaptive(&request)["messages"][1]["content"][0]["type"], "thinking");
}

#[test]
fn a_forced_call_and_a_begun_answer_are_worth_more_than_thinking() {
    let forced = |choice| Request {
        tools: vec![tool("f", None)],
        tool_choice: Some(choice),
        reasoning: Some(at(Effort::High)),
        ..asking("x")
    };
    let body = manual(&forced(ToolChoice::Named("f".into())));
    assert_eq!((body.get("thinking"), &body["tool_choice"]["type"]), (None, &json!("tool")));
    let body = adaptive(&forced(ToolChoice::Required));
    assert_eq!((body.get("thinking"), &body["output_config"]["effort"]), (None, &json!("high")));
    assert!(manual(&forced(ToolChoice::Auto)).get("thinking").is_some());

    let mut begun = Request { reasoning: Some(at(Effort::High)), ..asking("x") };
    begun.turns.push(turn(Role::Assistant, vec![text("It is ")]));
    let body = manual(&begun);
    assert_eq!(body.get("thinking"), None);
    assert_eq!(body["messages"][1]["content"][0]["text"], "It is");
}

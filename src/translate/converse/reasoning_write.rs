//! Thinking, and what it demands of sampling and limits: each family has its own words.

use super::{
    super::{
        Target,
        claude::{Claude, Off, is_forced},
        form::{Effort, PartKind, Reasoning, Refusal, Request, Role, ToolChoice},
    },
    body::{self, Additional, Inference, NovaReasoning, Thinking},
    family::{ADAPTIVE, Family},
    limits::unsupported,
    messages_write::is_replayed,
};
use crate::domain::ReasoningMode;

/// The least that Claude thinks, tokens.
/// <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>
pub(super) const MIN_BUDGET: u64 = 1024;
/// The most, tokens.
const MAX_BUDGET: u64 = 128_000;
/// What must be left for the answer beside the thinking, tokens.
const LEAST_ANSWER: u64 = 1000;
/// What is left for it where nobody said, tokens …
const USUAL_ANSWER: u64 = 16_000;
/// … as long as both together are within what every Claude that thinks can say, tokens.
const USUAL_TOTAL: u64 = 32_000;
/// Claude that takes only one of `temperature` and `top_p`.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html>
const ONE_OF_BOTH: (u32, u32) = (4, 1);

/// Puts the wish to think into `additional`, and changes `inference` as it demands.
pub(super) fn think(
    request: &Request<'_>,
    target: &Target<'_>,
    family: Family,
    inference: &mut Inference<'_>,
    additional: &mut Additional<'_>,
) -> Result<(), Refusal> {
    let wanted = request.reasoning.filter(|reasoning| !reasoning.is_off());
    if family.is_claude() {
        let model = Claude::of(target.model);
        model.check(request, request.turns.last().map(|turn| turn.role))?;
        stay(request, model, additional);
    }
    match (family, wanted) {
        (Family::Claude(..), Some(reasoning)) if may_think(request) => {
            claude(request, reasoning, target, family, inference, additional);
        }
        (Family::Nova2, Some(reasoning)) => nova(request, reasoning, inference, additional),
        (Family::GptOss, Some(reasoning)) => {
            let most = level(reasoning).min(Effort::High);
            additional.reasoning_effort = Some(most.as_str());
        }
        (Family::OpenAi, Some(reasoning)) => {
            let effort = level(reasoning).as_str();
            additional.reasoning = Some(body::Effort { effort });
        }
        (Family::OpenAi, None) if request.reasoning.is_some() => {
            additional.reasoning = Some(body::Effort { effort: Effort::None.as_str() });
        }
        (Family::Nova | Family::Llama | Family::Other, Some(reasoning))
            if reasoning.effort.is_some() || reasoning.max_tokens.is_some() =>
        {
            let remedy = "leave it out, this model has no setting for it on Bedrock";
            return Err(unsupported(name_of(reasoning), remedy));
        }
        _ => {}
    }
    sampling(target.model, family, inference, additional);
    Ok(())
}

/// Keeps a Claude that thinks by itself from it, where that is asked for or a tool must be called.
fn stay(request: &Request<'_>, model: Claude, additional: &mut Additional<'_>) {
    let is_off = request.reasoning.is_some_and(|reasoning| reasoning.is_off());
    let thinking = |kind| Some(Thinking { kind, budget_tokens: None, display: None });
    match model.off() {
        Off::Disabled if is_off || is_forced(request) => additional.thinking = thinking("disabled"),
        Off::BetweenTools if is_off => additional.thinking = thinking("between_tools"),
        Off::LowEffort if is_off => {
            additional.output_config = Some(body::Effort { effort: Effort::Low.as_str() });
        }
        _ => {}
    }
}

const fn name_of(reasoning: Reasoning) -> &'static str {
    if reasoning.max_tokens.is_some() { "reasoning.max_tokens" } else { "reasoning_effort" }
}

/// The effort, `low` at least, or the one that a budget comes nearest to.
fn level(reasoning: Reasoning) -> Effort {
    match (reasoning.max_tokens, reasoning.effort) {
        (Some(..2000), _) => Effort::Low,
        (Some(..4000), _) => Effort::Medium,
        (Some(..16_000), _) => Effort::High,
        (Some(_), _) => Effort::XHigh,
        (None, effort) => effort.unwrap_or(Effort::Medium).max(Effort::Low),
    }
}

/// Claude does not think where it is made to call a tool.
fn may_think(request: &Request<'_>) -> bool {
    !matches!(
        request.tool_choice,
        Some(
            ToolChoice::Required
                | ToolChoice::Named(_)
                | ToolChoice::Allowed { required: true, .. }
        )
    )
}

fn claude(
    request: &Request<'_>,
    reasoning: Reasoning,
    target: &Target<'_>,
    family: Family,
    inference: &mut Inference<'_>,
    additional: &mut Additional<'_>,
) {
    let adaptive = match target.facts.reasoning_mode {
        Some(ReasoningMode::Adaptive) => true,
        Some(ReasoningMode::Manual) => false,
        _ => family.is_claude_since(ADAPTIVE),
    };
    // Newer models hide what they think unless asked.
    let display = match reasoning.visible {
        Some(false) => Some("omitted"),
        Some(true) => Some("summarized"),
        None => family.is_claude_since((4, 7)).then_some("summarized"),
    };
    if adaptive {
        additional.thinking = Some(Thinking { kind: "adaptive", budget_tokens: None, display });
        if reasoning.effort.is_some() || reasoning.max_tokens.is_some() {
            let effort = match level(reasoning) {
                // Since 4.7.
                Effort::XHigh if !family.is_claude_since((4, 7)) => Effort::High,
                effort => effort,
            };
            additional.output_config = Some(body::Effort { effort: effort.as_str() });
        }
    } else {
        if !loop_has_its_thinking(request, family) {
            return;
        }
        let Some((budget, total)) = manual(request, reasoning, target) else { return };
        inference.max_tokens = Some(total);
        let display = display.filter(|_| reasoning.visible == Some(false));
        additional.thinking =
            Some(Thinking { kind: "enabled", budget_tokens: Some(budget), display });
    }
    inference.temperature = None;
    inference.top_p = inference.top_p.filter(|top_p| *top_p >= 0.95);
    additional.top_k = None;
}

/// The budget and the limit of all output; none where the model cannot say so much.
fn manual(request: &Request<'_>, reasoning: Reasoning, target: &Target<'_>) -> Option<(u64, u64)> {
    let budget = match (reasoning.max_tokens, reasoning.effort) {
        (Some(tokens), _) => tokens,
        (None, Some(Effort::Minimal | Effort::Low)) => 1024,
        (None, Some(Effort::High)) => 4000,
        (None, Some(Effort::XHigh)) => 16_000,
        (None, Some(Effort::Max)) => 24_000,
        (None, _) => 2000,
    };
    let budget = budget.clamp(MIN_BUDGET, MAX_BUDGET);
    let usual = || (budget + USUAL_ANSWER).min(USUAL_TOTAL);
    let wanted = request.max_tokens.or(target.facts.max_output_tokens).unwrap_or_else(usual);
    let most = target.facts.max_output_tokens.unwrap_or(u64::MAX);
    if request.limit_is_firm {
        let budget = budget.min(wanted.min(most).saturating_sub(LEAST_ANSWER));
        return (budget >= MIN_BUDGET).then_some((budget, wanted.min(most)));
    }
    let total = wanted.max(budget + LEAST_ANSWER).min(most);
    let budget = budget.min(total.saturating_sub(1));
    (budget >= MIN_BUDGET).then_some((budget, total))
}

/// While tools are being called, Claude demands that the turn which called them opens with its thinking;
/// where a client has lost it, the request goes without.
/// <https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks>
fn loop_has_its_thinking(request: &Request<'_>, family: Family) -> bool {
    let parts = |role| {
        let turns = request.turns.iter().rev().skip_while(move |turn| turn.role != role);
        turns.take_while(move |turn| turn.role == role).flat_map(|turn| &turn.parts)
    };
    let last = request.turns.last().map(|turn| turn.role);
    let answers_calls = last == Some(Role::User)
        && parts(Role::User).any(|part| matches!(part.kind, PartKind::ToolResult(_)));
    !answers_calls
        || parts(Role::Assistant).any(|part| match &part.kind {
            PartKind::Thinking(thinking) => is_replayed(thinking, family),
            _ => false,
        })
}

/// <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>
fn nova(
    request: &Request<'_>,
    reasoning: Reasoning,
    inference: &mut Inference<'_>,
    additional: &mut Additional<'_>,
) {
    let most = if request.limit_is_firm { Effort::Medium } else { Effort::High };
    let effort = level(reasoning).min(most);
    if effort == Effort::High {
        // With `high` the model sets these itself, and refuses them.
        inference.max_tokens = None;
        inference.temperature = None;
        inference.top_p = None;
        additional.inference_config = None;
    }
    additional.reasoning_config =
        Some(NovaReasoning { kind: "enabled", max_reasoning_effort: effort.as_str() });
}

/// What newer Claude refuses of sampling.
fn sampling(
    model: &str,
    family: Family,
    inference: &mut Inference<'_>,
    additional: &mut Additional<'_>,
) {
    if family.is_claude() && !Claude::of(model).samples() {
        inference.temperature = None;
        inference.top_p = None;
        additional.top_k = None;
    } else if family.is_claude_since(ONE_OF_BOTH) && inference.temperature.is_some() {
        inference.top_p = None;
    }
}

//! How long Claude is to think, and what that asks of the rest of the request.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>: a budget is at least 1024
//! and less than `max_tokens`; sampling cannot be changed, tools cannot be forced, an answer cannot be
//! begun by the client; in a loop of tools the thinking that led to the calls must come back.
//! <https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking>: newer models take an
//! effort instead of a budget, and do not mind missing thinking.

use serde::Serialize;

use super::blocks_write::is_own_thinking;
use crate::{
    domain::{Efforts, ReasoningMode},
    translate::{
        Target,
        claude::{Claude, Off, is_forced},
        form::{Effort, Part, PartKind, Reasoning, Request, Role},
    },
};

/// The least budget.
const MIN_BUDGET: u64 = 1024;
/// The largest.
const MAX_BUDGET: u64 = 128_000;
/// What must be left for the answer.
const ANSWER: u64 = 1000;
/// The limit of an answer where neither the client nor the catalogue says one: every Claude can do this.
const DEFAULT_LIMIT: u64 = 4096;

/// What was decided.
pub(super) struct Plan {
    pub(super) thinking: Option<ThinkingOut>,
    /// `output_config.effort`.
    pub(super) effort: Option<&'static str>,
    pub(super) max_tokens: u64,
    /// Whether thinking of earlier turns goes back.
    pub(super) keeps_thinking: bool,
}

/// `thinking`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ThinkingOut {
    Enabled {
        budget_tokens: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<&'static str>,
    },
    Adaptive {
        display: &'static str,
    },
    BetweenTools,
    Disabled,
}

/// Decides for a request whose turns alternate.
pub(super) fn plan(
    request: &Request<'_>,
    target: &Target<'_>,
    turns: &[(Role, Vec<&Part<'_>>)],
) -> Plan {
    let most = target.facts.max_output_tokens;
    let limit = request.max_tokens.or(most).unwrap_or(DEFAULT_LIMIT);
    let adaptive = target.facts.reasoning_mode == Some(ReasoningMode::Adaptive);
    let wanted = request.reasoning.as_ref().filter(|reasoning| !reasoning.is_off());
    let is_off = request.reasoning.as_ref().is_some_and(Reasoning::is_off);
    let (thinking, effort) = without(Claude::of(target.model), is_off, is_forced(request));
    let off = Plan {
        thinking,
        effort: effort.or_else(|| {
            let wanted = wanted.filter(|_| adaptive);
            let word = wanted.and_then(|wanted| effort_word(wanted, target.facts.efforts));
            // Without thinking there is no more than `high`.
            word.map(|word| match word {
                "xhigh" | "max" if thinking.is_some() => "high",
                word => word,
            })
        }),
        max_tokens: limit,
        // Such a model thinks by itself; else thinking has no place where there is none.
        keeps_thinking: adaptive && !is_off,
    };
    let Some(wanted) = wanted.filter(|_| !forbids(request, turns)) else { return off };
    if adaptive {
        let display = if wanted.visible == Some(false) { "omitted" } else { "summarized" };
        return Plan { thinking: Some(ThinkingOut::Adaptive { display }), ..off };
    }
    if lost_thinking(turns) {
        return off;
    }
    let mut budget_tokens = budget(wanted);
    if let Some(most) = most {
        budget_tokens = budget_tokens.min(most.saturating_sub(ANSWER)).max(MIN_BUDGET);
    }
    if request.limit_is_firm {
        budget_tokens = budget_tokens.min(limit.saturating_sub(ANSWER));
        if budget_tokens < MIN_BUDGET {
            return off;
        }
    }
    let display = (wanted.visible == Some(false)).then_some("omitted");
    Plan {
        thinking: Some(ThinkingOut::Enabled { budget_tokens, display }),
        effort: None,
        max_tokens: limit.max(budget_tokens + ANSWER),
        keeps_thinking: true,
    }
}

/// What keeps the model from thinking where that is asked for, or where a forced call of a tool would be
/// refused of one that thinks; and the effort, where that is what says it.
fn without(
    model: Claude,
    is_off: bool,
    is_forced: bool,
) -> (Option<ThinkingOut>, Option<&'static str>) {
    match model.off() {
        Off::Disabled if is_off || is_forced => (Some(ThinkingOut::Disabled), None),
        Off::BetweenTools if is_off => (Some(ThinkingOut::BetweenTools), None),
        Off::LowEffort if is_off => (None, Some("low")),
        _ => (None, None),
    }
}

/// The budget of an effort; the client's own where it gave one.
fn budget(wanted: &Reasoning) -> u64 {
    if let Some(tokens) = wanted.max_tokens {
        return tokens.clamp(MIN_BUDGET, MAX_BUDGET);
    }
    match wanted.effort {
        Some(Effort::Minimal | Effort::Low) => MIN_BUDGET,
        Some(Effort::None | Effort::Medium) | None => 2000,
        Some(Effort::High) => 4000,
        Some(Effort::XHigh) => 16_000,
        Some(Effort::Max) => 32_000,
    }
}

/// <https://platform.claude.com/docs/en/build-with-claude/effort>. Where a budget was asked of a model
/// that takes none, the effort whose budget it would be; never more than every such model has. Claude has
/// `xhigh` since 4.7.
fn effort_word(wanted: &Reasoning, known: Option<Efforts>) -> Option<&'static str> {
    let effort = match (wanted.max_tokens, wanted.effort) {
        (_, Some(effort)) => effort.max(Effort::Low),
        (Some(..2000), None) => Effort::Low,
        (Some(2000..4000), None) => Effort::Medium,
        (Some(4000..), None) => Effort::High,
        (None, None) => return None,
    };
    let effort = known.map_or(Some(effort), |known| known.nearest(effort));
    effort.map(Effort::as_str)
}

/// Whether the request asks for something that thinking would make an error. What it asks of the
/// answer counts for more than how it is found.
fn forbids(request: &Request<'_>, turns: &[(Role, Vec<&Part<'_>>)]) -> bool {
    is_forced(request) || matches!(turns.last(), Some((Role::Assistant, _)))
}

/// Whether the history ends in a loop of tools without any of the thinking that began it: the client
/// did not keep it, or another vendor made the calls.
fn lost_thinking(turns: &[(Role, Vec<&Part<'_>>)]) -> bool {
    let is_result = |part: &&Part<'_>| matches!(part.kind, PartKind::ToolResult(_));
    let mut in_loop = false;
    for (role, parts) in turns.iter().rev() {
        match role {
            Role::Assistant if !in_loop => return false,
            Role::Assistant => {
                if parts.iter().any(|part| is_own_thinking(part)) {
                    return false;
                }
            }
            _ if parts.iter().any(is_result) => in_loop = true,
            _ => break,
        }
    }
    in_loop
}

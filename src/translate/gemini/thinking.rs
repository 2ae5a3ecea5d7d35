//! How long Gemini is asked to think.
//!
//! Gemini 2.5 takes a budget in tokens, Gemini 3 a level
//! (<https://ai.google.dev/gemini-api/docs/thinking>); both at once are refused.

use super::{generation::Generation, request_body::ThinkingConfig};
use crate::{
    domain::{Capability, ReasoningMode},
    translate::{
        Platform, Target,
        form::{Effort, Reasoning},
    },
};

/// As long as the model likes.
const DYNAMIC: i64 = -1;

/// `thinkingConfig`; none where the client said nothing, or wants no thinking of a model that has none.
pub(super) fn config(reasoning: Option<&Reasoning>, target: &Target<'_>) -> Option<ThinkingConfig> {
    let reasoning = reasoning?;
    let generation = Generation::of(target.model);
    let off = reasoning.is_off();
    let include_thoughts = !off && reasoning.visible.unwrap_or(true);
    match mode(target, generation) {
        // A model without thinking refuses the member, even to switch off what it has not.
        None if off => None,
        Some(ReasoningMode::Level) => {
            let thinking_level = level(reasoning, target).map(|level| named(level, target));
            Some(ThinkingConfig { include_thoughts, thinking_level, thinking_budget: None })
        }
        _ => Some(ThinkingConfig {
            include_thoughts,
            thinking_budget: Some(budget(reasoning, generation)),
            thinking_level: None,
        }),
    }
}

fn mode(target: &Target<'_>, generation: Generation) -> Option<ReasoningMode> {
    match target.facts.reasoning_mode {
        Some(known @ (ReasoningMode::Budget | ReasoningMode::Level)) => Some(known),
        _ if !target.facts.may(Capability::Reasoning) => None,
        _ => generation.reasoning_mode(),
    }
}

/// Tokens, kept within what the model takes: 2.5 Pro 128 to 32,768 (it cannot stop thinking), Flash up
/// to 24,576, Flash-Lite from 512.
fn budget(reasoning: &Reasoning, generation: Generation) -> i64 {
    let wanted = match (reasoning.max_tokens, reasoning.effort) {
        (Some(tokens), _) => i64::try_from(tokens).unwrap_or(i64::MAX),
        (None, Some(effort)) => tokens_of(effort),
        (None, None) => return DYNAMIC,
    };
    if generation.pro {
        return wanted.clamp(128, 32_768);
    }
    match wanted {
        0 => 0,
        _ if generation.lite => wanted.clamp(512, 24_576),
        _ => wanted.clamp(1, 24_576),
    }
}

/// The numbers of the unified API (spec, 3.2).
const fn tokens_of(effort: Effort) -> i64 {
    match effort {
        Effort::None => 0,
        Effort::Minimal => 512,
        Effort::Low => 2048,
        Effort::Medium => 8192,
        Effort::High => 24_576,
        Effort::XHigh | Effort::Max => 65_536,
    }
}

/// A level; none where the model decides. A bound in tokens becomes the level whose usual number is the
/// next below it.
fn level(reasoning: &Reasoning, target: &Target<'_>) -> Option<Effort> {
    let wanted = match (reasoning.is_off(), reasoning.effort, reasoning.max_tokens) {
        (true, ..) => Effort::Minimal,
        (_, Some(effort), _) => effort,
        (_, None, Some(tokens)) => match tokens {
            0..2048 => Effort::Minimal,
            2048..8192 => Effort::Low,
            8192..24_576 => Effort::Medium,
            _ => Effort::High,
        },
        (_, None, None) => return None,
    };
    match target.facts.efforts {
        // Flash has no `minimal` since 3.7: "explicitly setting thinking_level to MINIMAL will return an
        // API validation error", <https://github.com/dograh-hq/dograh/issues/689>,
        // <https://ai.google.dev/gemini-api/docs/generate-content/thinking#thinking-levels>.
        Some(known) => {
            known.nearest(wanted).map(|level| level.clamp(Effort::Minimal, Effort::High))
        }
        None => Some(usual(wanted, Generation::of(target.model))),
    }
}

/// The level of a model of which only the name is known.
fn usual(wanted: Effort, generation: Generation) -> Effort {
    match wanted {
        // Pro has no level below this one.
        Effort::None | Effort::Minimal if generation.pro => Effort::Low,
        Effort::None | Effort::Minimal => Effort::Minimal,
        Effort::Low => Effort::Low,
        Effort::Medium if generation.is_first_3_pro() => Effort::High,
        Effort::Medium => Effort::Medium,
        Effort::High | Effort::XHigh | Effort::Max => Effort::High,
    }
}

/// As each platform's documentation writes it.
const fn named(level: Effort, target: &Target<'_>) -> &'static str {
    match (target.platform, level) {
        (Platform::Vertex, Effort::Minimal) => "MINIMAL",
        (Platform::Vertex, Effort::Low) => "LOW",
        (Platform::Vertex, Effort::Medium) => "MEDIUM",
        (Platform::Vertex, _) => "HIGH",
        (_, level) => level.as_str(),
    }
}

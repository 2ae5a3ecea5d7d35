//! How vendors are asked to think: each in a member of its own.

use serde::Serialize;

use crate::{
    domain::{Quirks, ReasoningMember},
    translate::form::{Effort, Reasoning},
};

/// How thinking is asked for: one of several members, by vendor.
#[derive(Default, Serialize)]
pub(super) struct Thinking {
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<ReasoningOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Switch>,
}

#[derive(Default, Serialize)]
struct ReasoningOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclude: Option<bool>,
}

#[derive(Serialize)]
struct Switch {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// Asks a vendor to think, in its own way.
pub(super) fn thinking(asked: Reasoning, quirks: &Quirks) -> Thinking {
    let off = asked.is_off();
    let wanted = if off { Some(Effort::None) } else { effort(asked) };
    let word = wanted.map(|effort| nearest(effort, &quirks.efforts).as_str());
    let on = if off { "disabled" } else { "enabled" };
    match quirks.reasoning {
        ReasoningMember::Effort => Thinking { reasoning_effort: word, ..Thinking::default() },
        ReasoningMember::Object => {
            let max_tokens = asked.max_tokens.filter(|_| !off);
            let effort = word.filter(|_| max_tokens.is_none() && !off);
            // Where nothing else says so.
            let enabled = (off || (effort.is_none() && max_tokens.is_none())).then_some(!off);
            let exclude = asked.visible.map(|visible| !visible);
            let own = ReasoningOut { enabled, effort, max_tokens, exclude };
            Thinking { reasoning: Some(own), ..Thinking::default() }
        }
        ReasoningMember::EffortAndThinking => Thinking {
            reasoning_effort: word.filter(|_| !off),
            thinking: Some(Switch { kind: on }),
            ..Thinking::default()
        },
        ReasoningMember::EffortAndEnabled => {
            let own = ReasoningOut { enabled: Some(!off), ..ReasoningOut::default() };
            let reasoning_effort = word.filter(|_| !off);
            Thinking { reasoning_effort, reasoning: Some(own), thinking: None }
        }
    }
}

/// The effort of a budget, for vendors that have none. The steps are those of Google's own `OpenAI`
/// API: <https://ai.google.dev/gemini-api/docs/openai#thinking>.
fn effort(asked: Reasoning) -> Option<Effort> {
    match asked.max_tokens {
        Some(0..=1024) => Some(Effort::Low),
        Some(1025..=8192) => Some(Effort::Medium),
        Some(_) => Some(Effort::High),
        None => asked.effort,
    }
}

/// The vendor's effort for one that it may not have: the next below, else the least that it has.
fn nearest(wanted: Effort, known: &[String]) -> Effort {
    let mut known: Vec<Effort> = known.iter().filter_map(|word| Effort::named(word)).collect();
    known.sort_unstable();
    if known.is_empty() || known.contains(&wanted) {
        return wanted;
    }
    // Not to think at all is no little thinking.
    known.retain(|effort| *effort != Effort::None);
    let below = known.iter().rev().find(|effort| **effort < wanted);
    below.or(known.first()).copied().unwrap_or(wanted)
}

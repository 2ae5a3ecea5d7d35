//! How vendors are asked to think: each in a member of its own.

use serde::Serialize;

use crate::{
    domain::ReasoningMember,
    translate::{
        Target,
        effort::{Told, told},
        form::{Effort, Reasoning},
    },
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

impl Thinking {
    /// Whether the model will not think for being told so.
    pub(super) fn is_off(&self) -> bool {
        self.reasoning_effort == Some(Effort::None.as_str())
    }
}

/// Asks a vendor to think, in its own way.
pub(super) fn thinking(asked: Reasoning, target: &Target<'_>) -> Thinking {
    let Some(told) = told(asked, target) else { return Thinking::default() };
    match target.quirks.reasoning {
        ReasoningMember::Effort => {
            Thinking { reasoning_effort: effort_alone(told), ..Thinking::default() }
        }
        ReasoningMember::Object => {
            Thinking { reasoning: Some(object(asked, told)), ..Thinking::default() }
        }
        ReasoningMember::EffortAndThinking => {
            let (kind, reasoning_effort) = match told {
                Told::Off { .. } => ("disabled", None),
                Told::On(effort) => ("enabled", effort.map(Effort::as_str)),
            };
            Thinking { reasoning_effort, thinking: Some(Switch { kind }), reasoning: None }
        }
        ReasoningMember::EffortAndEnabled => {
            let (enabled, reasoning_effort) = match told {
                Told::Off { .. } => (false, None),
                Told::On(effort) => (true, effort.map(Effort::as_str)),
            };
            let own = ReasoningOut { enabled: Some(enabled), ..ReasoningOut::default() };
            Thinking { reasoning_effort, reasoning: Some(own), thinking: None }
        }
    }
}

/// Where there is nothing but the effort.
fn effort_alone(told: Told) -> Option<&'static str> {
    match told {
        // A model that does not know the word refuses the request: it thinks as it likes.
        Told::Off { known } => known.then_some(Effort::None.as_str()),
        Told::On(effort) => effort.map(Effort::as_str),
    }
}

fn object(asked: Reasoning, told: Told) -> ReasoningOut {
    let exclude = asked.visible.map(|visible| !visible);
    let effort = match told {
        Told::Off { .. } => {
            return ReasoningOut { enabled: Some(false), exclude, ..ReasoningOut::default() };
        }
        Told::On(effort) => effort.map(Effort::as_str),
    };
    let max_tokens = asked.max_tokens.filter(|_| !asked.is_off());
    let effort = effort.filter(|_| max_tokens.is_none());
    // Where nothing else says so.
    let enabled = (effort.is_none() && max_tokens.is_none()).then_some(true);
    ReasoningOut { enabled, effort, max_tokens, exclude }
}

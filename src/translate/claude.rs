//! What Claude's models take, by line and version: each generation refuses something of the last.
//!
//! <https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-7>,
//! <https://platform.claude.com/docs/en/models/opus-5-5/whats-new-opus-5-5>,
//! <https://platform.claude.com/docs/en/models/sonnet-5-5/migration-guide>,
//! <https://platform.claude.com/docs/en/models/haiku-5-5/migration-guide>

use super::form::{Refusal, Request, Role, ToolChoice};

/// A model of Anthropic's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claude {
    line: Line,
    version: (u32, u32),
}

/// What its name calls it after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Opus,
    Sonnet,
    Haiku,
    Fable,
    Unknown,
}

/// How a model is told not to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Off {
    /// It thinks only where it is asked to.
    Unsaid,
    /// `thinking.type` `disabled`, with an effort of `high` at most.
    Disabled,
    /// `thinking.type` `between_tools`: as little as it can.
    BetweenTools,
    /// It always thinks; least with an effort of `low`.
    LowEffort,
}

impl Claude {
    /// By its id anywhere: `claude-opus-4-7`, `us.anthropic.claude-sonnet-5-v1:0`, `claude-haiku-5-5@2026…`.
    pub(super) fn of(model: &str) -> Self {
        let line = [
            ("opus", Line::Opus),
            ("sonnet", Line::Sonnet),
            ("haiku", Line::Haiku),
            ("fable", Line::Fable),
        ];
        let line = line.into_iter().find(|(name, _)| model.contains(name));
        let line = line.map_or(Line::Unknown, |(_, line)| line);
        let name = match model.split_once("claude") {
            Some((_, name)) => name,
            // A deployment or an ARN, whose numbers are not a version.
            None if line == Line::Unknown => "",
            None => model,
        };
        Self { line, version: version(name) }
    }

    /// Its line.
    pub(super) const fn line(self) -> Line {
        self.line
    }

    /// Major and minor; (0, 0) where the name says none.
    pub(super) const fn version(self) -> (u32, u32) {
        self.version
    }

    /// Whether it takes `temperature`, `top_p` and `top_k`.
    pub(super) fn samples(self) -> bool {
        self.version < (4, 7)
    }

    /// How it is told not to think.
    pub(super) fn off(self) -> Off {
        let is_newest = self.version >= (5, 5);
        match self.line {
            Line::Fable => Off::LowEffort,
            _ if self.version < (5, 0) => Off::Unsaid,
            Line::Opus if is_newest => Off::LowEffort,
            Line::Sonnet if is_newest => Off::BetweenTools,
            _ => Off::Disabled,
        }
    }

    /// Whether it can be made to call a tool. A model that thinks cannot, so it is one that can stop.
    fn obeys_tool_choice(self) -> bool {
        matches!(self.off(), Off::Unsaid | Off::Disabled)
            || (self.line == Line::Fable && self.version < (5, 1))
    }

    /// Whether it goes on with an answer that the client has begun.
    fn continues(self) -> bool {
        self.version < (4, 7)
    }

    /// Refuses what the model does not have.
    ///
    /// # Errors
    /// Where a call of a tool is demanded, or an answer begun, of a model that takes neither.
    pub(super) fn check(self, request: &Request<'_>, last: Option<Role>) -> Result<(), Refusal> {
        if is_forced(request) && !self.obeys_tool_choice() {
            let message =
                "this Claude cannot be made to call a tool; set `tool_choice` to \"auto\"";
            return Err(Refusal::unsupported("tool_choice", message));
        }
        if last == Some(Role::Assistant) && !self.continues() {
            let message = "this Claude does not go on with an answer that was begun for it; \
                           end `messages` with one of the user";
            return Err(Refusal::unsupported("messages", message));
        }
        Ok(())
    }
}

/// Whether the model is made to call a tool.
pub(super) fn is_forced(request: &Request<'_>) -> bool {
    let forced = match &request.tool_choice {
        Some(ToolChoice::Required | ToolChoice::Named(_)) => true,
        Some(ToolChoice::Allowed { required, .. }) => *required,
        Some(ToolChoice::Auto | ToolChoice::None) | None => false,
    };
    forced && !request.tools.is_empty()
}

/// `sonnet-4-5-20250929-v1:0` is (4, 5), `3-haiku-20240307` is (3, 0).
fn version(name: &str) -> (u32, u32) {
    let mut words = name.split(['-', '.', ':', '@']);
    // A date has eight digits, and is no version.
    let number = |word: &str| word.parse().ok().filter(|number| *number < 100);
    let major = words.find_map(number);
    let minor = major.and_then(|_| words.next()).and_then(number);
    (major.unwrap_or(0), minor.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_known_by_line_and_version_wherever_they_run() {
        for (model, line, version) in [
            ("claude-opus-4-7", Line::Opus, (4, 7)),
            ("claude-3-5-sonnet-20241022", Line::Sonnet, (3, 5)),
            ("claude-sonnet-4-20250514", Line::Sonnet, (4, 0)),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Line::Sonnet, (4, 5)),
            ("claude-haiku-5-5@20261007", Line::Haiku, (5, 5)),
            ("claude-opus-5@20260801", Line::Opus, (5, 0)),
            ("claude-fable-5-1", Line::Fable, (5, 1)),
            ("my-deployment", Line::Unknown, (0, 0)),
            ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", Line::Unknown, (0, 0)),
        ] {
            assert_eq!(Claude::of(model), Claude { line, version }, "{model}");
        }
    }

    #[test]
    fn each_generation_has_its_own_word_for_not_thinking() {
        for (model, off) in [
            ("claude-opus-4-8", Off::Unsaid),
            ("claude-opus-5", Off::Disabled),
            ("claude-sonnet-5", Off::Disabled),
            ("claude-haiku-5-5", Off::Disabled),
            ("claude-sonnet-5-5", Off::BetweenTools),
            ("claude-opus-5-5", Off::LowEffort),
            ("claude-fable-5-1", Off::LowEffort),
            ("my-deployment", Off::Unsaid),
        ] {
            assert_eq!(Claude::of(model).off(), off, "{model}");
        }
    }
}

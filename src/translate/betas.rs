//! Which of a client's betas (`anthropic-beta`) Claude's other platforms are told. Clients that are made
//! for Anthropic's own API name many; a platform refuses a request that names one which it, or the model
//! there, does not have ("invalid beta flag": <https://github.com/anthropics/claude-code/issues/30926>).
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html>
//! has Bedrock's, with the models that each is for.

use super::claude::{Claude, Line};

/// A version that is before all others.
const ANY: (u32, u32) = (0, 0);

/// A beta of Bedrock's, whatever its date.
struct Beta {
    /// What its name begins with; a date follows.
    begins: &'static str,
    /// The first version that has it …
    since: (u32, u32),
    /// … but for lines that have it from another one on.
    but: &'static [(Line, (u32, u32))],
    /// The first that no longer has it; none where all have.
    before: Option<(u32, u32)>,
    /// Converse has it too: what needs members of the body, or tools, that Converse does not know, is for
    /// `InvokeModel` alone.
    converse: bool,
}

const fn beta(begins: &'static str, since: (u32, u32)) -> Beta {
    Beta { begins, since, but: &[], before: None, converse: true }
}

const BEDROCK: [Beta; 12] = [
    Beta { converse: false, ..beta("compact-", (4, 6)) },
    beta("computer-use-", (3, 5)),
    Beta { but: &[(Line::Opus, (4, 6)), (Line::Haiku, (5, 5))], ..beta("context-1m-", (4, 0)) },
    Beta { converse: false, ..beta("context-management-", (4, 5)) },
    beta("dev-full-thinking-", (4, 0)),
    Beta { but: &[(Line::Opus, (4, 5))], ..beta("effort-", (4, 6)) },
    beta("fine-grained-tool-streaming-", (3, 7)),
    beta("interleaved-thinking-", (4, 0)),
    Beta { before: Some((4, 0)), ..beta("output-128k-", (3, 7)) },
    beta("token-efficient-tools-", (3, 7)),
    Beta { converse: false, ..beta("tool-examples-", (4, 5)) },
    Beta { converse: false, ..beta("tool-search-tool-", (4, 5)) },
];

/// What the betas that Vertex AI knows begin with, which is told in a header.
const VERTEX: [&str; 8] = [
    "compact-",
    "computer-use-",
    "context-1m-",
    "context-management-",
    "fine-grained-tool-streaming-",
    "interleaved-thinking-",
    "tool-search-tool-",
    "web-search-",
];

/// The search for tools has another name at Anthropic than on other platforms.
/// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool>
const TOOL_SEARCH: (&str, &str) = ("advanced-tool-use-2025-11-20", "tool-search-tool-2025-10-19");

impl Beta {
    fn is_of(&self, name: &str, model: Claude) -> bool {
        if !name.starts_with(self.begins) {
            return false;
        }
        let version = model.version();
        if version == ANY {
            // Its name tells nothing: then it is taken to be able.
            return true;
        }
        let line = self.but.iter().find(|(line, _)| *line == model.line());
        let since = line.map_or(self.since, |(_, since)| *since);
        version >= since && self.before.is_none_or(|before| version < before)
    }
}

/// Those of a client's betas that `InvokeModel` takes for `model`, by the names that Bedrock has for them,
/// each once.
pub(super) fn of_invoke<'b>(model: &str, betas: impl Iterator<Item = &'b str>) -> Vec<&'b str> {
    of_bedrock(model, betas, |_| true)
}

/// The same of Converse, which passes them on to the model.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html>
pub(super) fn of_converse<'b>(model: &str, betas: impl Iterator<Item = &'b str>) -> Vec<&'b str> {
    of_bedrock(model, betas, |beta| beta.converse)
}

fn of_bedrock<'b>(
    model: &str,
    betas: impl Iterator<Item = &'b str>,
    may: fn(&Beta) -> bool,
) -> Vec<&'b str> {
    let model = Claude::of(model);
    once(betas, |name| BEDROCK.iter().any(|beta| may(beta) && beta.is_of(name, model)))
}

/// The header `anthropic-beta` for Claude on Vertex AI: those of the client's betas that are known there;
/// none where there are none.
pub fn vertex_betas<'b>(betas: impl Iterator<Item = &'b str>) -> Option<String> {
    let betas = once(betas, |name| VERTEX.iter().any(|start| name.starts_with(start)));
    (!betas.is_empty()).then(|| betas.join(","))
}

/// The known ones in their order.
fn once<'b>(betas: impl Iterator<Item = &'b str>, is_known: impl Fn(&str) -> bool) -> Vec<&'b str> {
    let mut all = Vec::new();
    for name in betas {
        let name = if name == TOOL_SEARCH.0 { TOOL_SEARCH.1 } else { name };
        if is_known(name) && !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bedrock_is_told_what_the_model_has() {
        for (model, beta, is_told) in [
            ("us.anthropic.claude-opus-4-5-20251101-v1:0", "effort-2025-11-24", true),
            ("anthropic.claude-sonnet-4-5-20250929-v1:0", "effort-2025-11-24", false),
            ("anthropic.claude-sonnet-4-6", "effort-2025-11-24", true),
            ("anthropic.claude-sonnet-4-20250514-v1:0", "context-1m-2025-08-07", true),
            ("anthropic.claude-opus-4-1-20250805-v1:0", "context-1m-2025-08-07", false),
            ("anthropic.claude-haiku-4-5-20251001-v1:0", "context-1m-2025-08-07", false),
            ("anthropic.claude-3-7-sonnet-20250219-v1:0", "interleaved-thinking-2025-05-14", false),
            ("anthropic.claude-haiku-4-5-20251001-v1:0", "interleaved-thinking-2025-05-14", true),
            ("anthropic.claude-3-7-sonnet-20250219-v1:0", "output-128k-2025-02-19", true),
            ("anthropic.claude-sonnet-4-6", "output-128k-2025-02-19", false),
            ("anthropic.claude-sonnet-4-20250514-v1:0", "context-management-2025-06-27", false),
            ("anthropic.claude-sonnet-4-6", "claude-code-20250219", false),
            ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", "effort-2025", true),
        ] {
            let told = of_invoke(model, [beta].into_iter());
            assert_eq!(!told.is_empty(), is_told, "{model}: {beta}");
        }
    }

    #[test]
    fn converse_is_not_told_what_it_has_no_members_for() {
        let sent = ["context-management-2025-06-27", "interleaved-thinking-2025-05-14"];
        let model = "anthropic.claude-sonnet-4-6";
        assert_eq!(of_converse(model, sent.into_iter()), ["interleaved-thinking-2025-05-14"]);
        assert_eq!(of_invoke(model, sent.into_iter()), sent);
    }

    #[test]
    fn the_search_for_tools_is_told_by_the_platforms_name_once() {
        let sent = ["advanced-tool-use-2025-11-20", "tool-search-tool-2025-10-19"];
        let told = of_invoke("anthropic.claude-opus-4-6-v1", sent.into_iter());
        assert_eq!(told, ["tool-search-tool-2025-10-19"]);
        assert_eq!(vertex_betas(sent.into_iter()).as_deref(), Some("tool-search-tool-2025-10-19"));
    }

    #[test]
    fn vertex_is_told_the_betas_that_it_knows() {
        let sent = ["oauth-2025-04-20", "context-1m-2025-08-07", "interleaved-thinking-2025-05-14"];
        let known = "context-1m-2025-08-07,interleaved-thinking-2025-05-14";
        assert_eq!(vertex_betas(sent.into_iter()).as_deref(), Some(known));
        assert_eq!(vertex_betas(["claude-code-20250219"].into_iter()), None);
    }
}

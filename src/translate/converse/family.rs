//! Whose model it is: each maker's has its own words for what Converse itself has none for.

use super::super::claude::Claude;

/// Who made a model, as far as requests differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Anthropic's, with its version: (4, 5) is Claude Sonnet 4.5.
    Claude(u32, u32),
    /// Amazon Nova, first generation.
    Nova,
    /// Amazon Nova 2, which thinks.
    Nova2,
    /// `OpenAI`'s open models and those that take the same word for their effort (Kimi).
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html>
    GptOss,
    /// `OpenAI`'s other models: their effort is nested, as in its Responses API.
    OpenAi,
    /// Meta's Llama.
    Llama,
    /// `DeepSeek` R1, which always thinks.
    AlwaysThinks,
    /// All others.
    Other,
}

/// Claude since when thinking is `adaptive`.
/// <https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking>
pub(super) const ADAPTIVE: (u32, u32) = (4, 6);

/// Whether a model takes what a search found as a block of its own: "only supported by Anthropic Claude
/// Opus 4.1, Opus 4, Sonnet 4.5, Sonnet 4, Sonnet 3.7", and those after them.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_SearchResultBlock.html>
pub fn takes_search_results(model: &str) -> bool {
    Family::of(model).is_claude_since((3, 7))
}

impl Family {
    /// The family of a model id, an inference profile's id (`us.anthropic.claude-…`) or an ARN of either.
    pub(super) fn of(model: &str) -> Self {
        if model.contains("anthropic.") {
            let (major, minor) = Claude::of(model).version();
            return Self::Claude(major, minor);
        }
        let has = |name: &str| model.contains(name);
        if has("amazon.nova-2") {
            Self::Nova2
        } else if has("amazon.nova") {
            Self::Nova
        } else if has("openai.gpt-oss") || has("moonshot.") || has("moonshotai.") {
            Self::GptOss
        } else if has("openai.") {
            Self::OpenAi
        } else if has("meta.llama") {
            Self::Llama
        } else if has("deepseek.r1") {
            Self::AlwaysThinks
        } else {
            Self::Other
        }
    }

    pub(super) const fn is_claude(self) -> bool {
        matches!(self, Self::Claude(..))
    }

    /// Whether it is Claude of this version or a later one.
    pub(super) fn is_claude_since(self, version: (u32, u32)) -> bool {
        matches!(self, Self::Claude(major, minor) if (major, minor) >= version)
    }

    /// Whether it is one of Amazon's.
    pub(super) const fn is_nova(self) -> bool {
        matches!(self, Self::Nova | Self::Nova2)
    }

    /// Whether answers and arguments can be held to a schema, or that is not known. Claude's can since 4.5.
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>
    pub(super) fn holds_schemas(self) -> bool {
        match self {
            // Names that tell no version are taken to be new.
            Self::Claude(major, minor) => major == 0 || (major, minor) >= (4, 5),
            family => family != Self::Llama,
        }
    }

    /// Whether it takes pictures, and a status, in the result of a tool.
    /// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolResultContentBlock.html>
    pub(super) const fn has_rich_results(self) -> bool {
        self.is_claude() || self.is_nova()
    }

    /// Whether prompts can be marked for its cache.
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>
    pub(super) const fn caches(self) -> bool {
        matches!(self, Self::Claude(..) | Self::Nova | Self::Nova2)
    }
}

#[cfg(test)]
mod tests {
    use super::Family;

    #[test]
    fn the_family_is_known_by_the_id() {
        for (model, family) in [
            ("anthropic.claude-sonnet-4-5-20250929-v1:0", Family::Claude(4, 5)),
            ("us.anthropic.claude-opus-4-20250514-v1:0", Family::Claude(4, 0)),
            ("global.anthropic.claude-opus-4-7", Family::Claude(4, 7)),
            ("anthropic.claude-3-5-sonnet-20241022-v2:0", Family::Claude(3, 5)),
            ("anthropic.claude-3-haiku-20240307-v1:0", Family::Claude(3, 0)),
            ("anthropic.claude-instant-v1", Family::Claude(0, 0)),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5-v1:0",
                Family::Claude(5, 0),
            ),
            ("us.amazon.nova-2-lite-v1:0", Family::Nova2),
            ("amazon.nova-pro-v1:0", Family::Nova),
            ("openai.gpt-oss-120b-1:0", Family::GptOss),
            ("us.openai.gpt-5.6-sol", Family::OpenAi),
            ("moonshot.kimi-k2-thinking", Family::GptOss),
            ("us.deepseek.r1-v1:0", Family::AlwaysThinks),
            ("meta.llama3-1-70b-instruct-v1:0", Family::Llama),
            ("mistral.mistral-large-2407-v1:0", Family::Other),
        ] {
            assert_eq!(Family::of(model), family, "{model}");
        }
    }
}

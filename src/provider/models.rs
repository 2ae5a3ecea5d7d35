//! What models can do, as rows of `conf/models.json`.
//!
//! A model that has no row is taken to be able: the vendor says no where it is not.

use std::sync::LazyLock;

use serde::Deserialize;

static MODELS: LazyLock<Models> = LazyLock::new(|| {
    // As with the vendors: a test reads the file, so it cannot fail in a released binary.
    Models::parse(include_str!("../../conf/models.json")).unwrap_or_else(|fault| {
        tracing::error!(%fault, "conf/models.json is unreadable; nothing is known of models");
        Models::default()
    })
});

/// What a model can do at all, as the API names it.
pub const CAPABILITIES: [&str; 12] = [
    "streaming",
    "tools",
    "parallel_tool_calls",
    "vision",
    "documents",
    "audio",
    "json",
    "json_schema",
    "reasoning",
    "reasoning_max_tokens",
    "web_search",
    "image_output",
];

/// How thinking is asked for, as the API names it.
pub const REASONING_MODES: [&str; 5] = ["manual", "adaptive", "budget", "level", "effort"];

/// What is known of the models of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFacts {
    /// Names, or prefixes that end in `*`.
    pub patterns: Vec<String>,
    /// Out of [`CAPABILITIES`]; none where it is not known.
    pub capabilities: Option<Vec<String>>,
    /// Out of [`REASONING_MODES`]; none where it does not think, or that is not known.
    pub reasoning_mode: Option<String>,
    /// The efforts that it knows, `none` among them where it can be told not to think; none where that is
    /// not known.
    #[serde(default)]
    pub efforts: Option<Vec<String>>,
    /// What the model refuses where others of its vendor take it: `stop`, `tools_in_chat`,
    /// `tools_in_streams`, `begun_answers`, `penalties`.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// Tokens of input and output together; none where that is not known.
    pub context_tokens: Option<u32>,
    /// Tokens of output; none where that is not known.
    pub max_output_tokens: Option<u32>,
}

/// The models of one vendor, and who says so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorModels {
    /// The vendor.
    pub model_provider: String,
    /// Addresses of the pages that the facts are from.
    pub sources: Vec<String>,
    /// When they were last compared, `YYYY-MM-DD`.
    pub as_of: String,
    /// The models.
    pub models: Vec<ModelFacts>,
}

/// Everything in the file.
#[derive(Debug, Default, Deserialize)]
pub struct Models {
    vendors: Vec<VendorModels>,
}

impl Models {
    /// Every vendor, in the order of the file.
    pub fn vendors(&'static self) -> impl Iterator<Item = &'static VendorModels> {
        self.vendors.iter()
    }

    /// What any known model of the vendor can do, in the API's order; all of it where no model of
    /// the vendor is known.
    #[must_use]
    pub fn capabilities_of(&'static self, model_provider: &str) -> Vec<&'static str> {
        let own = |vendor: &&VendorModels| vendor.model_provider == model_provider;
        let mut known =
            self.vendors.iter().filter(own).flat_map(|vendor| &vendor.models).peekable();
        if known.peek().is_none() {
            return CAPABILITIES.to_vec();
        }
        let known: Vec<&str> = known
            .flat_map(|model| model.capabilities.iter().flatten())
            .map(String::as_str)
            .collect();
        CAPABILITIES.into_iter().filter(|name| known.contains(name)).collect()
    }

    fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// What this program knows of models.
#[must_use]
pub fn models() -> &'static Models {
    &MODELS
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{domain::Effort, provider::templates};

    #[test]
    fn every_vendor_of_the_catalog_that_has_models_of_its_own_has_facts() {
        Models::parse(include_str!("../../conf/models.json")).expect("it parses");
        let known: HashSet<&str> =
            models().vendors().map(|vendor| vendor.model_provider.as_str()).collect();
        for template in templates().all() {
            // A server of one's own, another's deployments by names of one's own, and the sandbox.
            let has_models = !["custom", "sandbox"].contains(&template.model_provider.as_str());
            assert_eq!(
                known.contains(template.model_provider.as_str()),
                has_models,
                "{}",
                template.slug
            );
        }
    }

    #[test]
    fn rows_are_in_the_words_of_the_api_and_patterns_are_told_once() {
        let mut seen = HashSet::new();
        let mut count = 0;
        for vendor in models().vendors() {
            assert!(!vendor.sources.is_empty(), "{}", vendor.model_provider);
            assert!(vendor.as_of.parse::<jiff::civil::Date>().is_ok(), "{}", vendor.as_of);
            for model in &vendor.models {
                count += 1;
                assert!(!model.patterns.is_empty());
                for pattern in &model.patterns {
                    assert!(
                        seen.insert((&vendor.model_provider, pattern)),
                        "{}: {pattern} is there twice",
                        vendor.model_provider
                    );
                    let star = pattern.find('*');
                    assert!(star.is_none_or(|at| at + 1 == pattern.len()), "{pattern}");
                }
                let capabilities = model.capabilities.iter().flatten();
                for capability in capabilities.clone() {
                    assert!(CAPABILITIES.contains(&capability.as_str()), "{capability}");
                }
                let reasons = capabilities.clone().any(|name| name == "reasoning");
                for word in model.efforts.iter().flatten() {
                    assert!(Effort::named(word).is_some(), "{word}");
                    assert!(reasons, "{:?} has efforts and does not think", model.patterns);
                }
                // What is asked for when a request is written.
                let known =
                    ["stop", "tools_in_chat", "tools_in_streams", "begun_answers", "penalties"];
                assert!(
                    model.lacks.iter().all(|name| known.contains(&&**name)),
                    "{:?}",
                    model.lacks
                );
                if let Some(mode) = &model.reasoning_mode {
                    assert!(REASONING_MODES.contains(&mode.as_str()), "{mode}");
                    assert!(reasons, "{:?} has a mode and does not think", model.patterns);
                }
                if let (Some(context), Some(output)) =
                    (model.context_tokens, model.max_output_tokens)
                {
                    assert!(output <= context, "{:?}", model.patterns);
                }
            }
        }
        assert!(count > 100, "{count} rows");
    }

    #[test]
    fn a_vendor_of_which_nothing_is_known_is_taken_to_be_able() {
        assert_eq!(models().capabilities_of("custom"), CAPABILITIES);
        assert!(!models().capabilities_of("perplexity").contains(&"audio"));
    }
}

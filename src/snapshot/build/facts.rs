//! What is known of a model: what the organization says, then what the program knows.

use std::cmp::Reverse;

use super::ModelNames;
use crate::{
    domain::{Capabilities, Efforts, ModelFacts, ReasoningMode},
    provider::models,
    store::ModelOverrideRow,
};

/// How well a pattern fits a name: an exact one best, then the longest prefix; none where it does not.
fn fit(pattern: &str, name: &str) -> Option<usize> {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix).then_some(prefix.len()),
        None => (pattern == name).then_some(usize::MAX),
    }
}

/// What is known of a model at `vendor`. A member that the organization left open is the program's.
pub(super) fn facts(
    overrides: &[ModelOverrideRow],
    vendor: &str,
    names: &ModelNames<'_>,
) -> ModelFacts {
    // A deployment may be named after a model that it is not.
    let shipped = shipped(vendor, names.told).or_else(|| shipped(vendor, names.base));
    let shipped = shipped.unwrap_or_default();
    let Some(own) = override_of(overrides, vendor, names) else { return shipped };
    let capabilities = own.capabilities.as_ref();
    let efforts = own.efforts.as_ref();
    let efforts = efforts.map(|words| Efforts::named(words.iter().map(String::as_str)));
    let mode = own.reasoning_mode.as_deref().and_then(ReasoningMode::named);
    ModelFacts {
        capabilities: capabilities
            .map(|names| Capabilities::named(names.iter().map(String::as_str)))
            .or(shipped.capabilities),
        reasoning_mode: mode.or(shipped.reasoning_mode),
        efforts: efforts.or(shipped.efforts),
        lacks_stop: shipped.lacks_stop,
        lacks_penalties: shipped.lacks_penalties,
        lacks_tools_in_chat: shipped.lacks_tools_in_chat,
        lacks_tools_in_streams: shipped.lacks_tools_in_streams,
        lacks_begun_answers: shipped.lacks_begun_answers,
        context_tokens: own.context_tokens.map(u64::from).or(shipped.context_tokens),
        max_output_tokens: own.max_output_tokens.map(u64::from).or(shipped.max_output_tokens),
    }
}

/// The row that fits any of the names best. Where several fit as well, the order of the names decides.
fn override_of<'o>(
    overrides: &'o [ModelOverrideRow],
    vendor: &str,
    names: &ModelNames<'_>,
) -> Option<&'o ModelOverrideRow> {
    let rows = overrides.iter();
    let rows = rows.filter(|row| row.model_provider.as_deref().is_none_or(|own| own == vendor));
    let fitting = rows.filter_map(|row| {
        let places = names.all().enumerate();
        let fits = places
            .filter_map(|(place, name)| Some((fit(&row.model_pattern, name)?, Reverse(place))));
        // A row for this vendor goes before one for any.
        Some(((fits.max()?, row.model_provider.is_some()), row))
    });
    fitting.max_by_key(|(fit, _)| *fit).map(|(_, row)| row)
}

fn shipped(vendor: &str, model: &str) -> Option<ModelFacts> {
    let known = models()
        .vendors()
        .filter(|known| known.model_provider == vendor)
        .flat_map(|known| &known.models)
        .filter_map(|row| {
            let fits = row.patterns.iter().filter_map(|pattern| fit(pattern, model));
            Some((fits.max()?, row))
        })
        .max_by_key(|(fit, _)| *fit);
    let (_, row) = known?;
    let (names, efforts) = (row.capabilities.as_ref(), row.efforts.as_ref());
    let lacks = |what: &str| row.lacks.iter().any(|name| name == what);
    Some(ModelFacts {
        capabilities: names.map(|names| Capabilities::named(names.iter().map(String::as_str))),
        reasoning_mode: row.reasoning_mode.as_deref().and_then(ReasoningMode::named),
        efforts: efforts.map(|words| Efforts::named(words.iter().map(String::as_str))),
        lacks_stop: lacks("stop"),
        lacks_penalties: lacks("penalties"),
        lacks_tools_in_chat: lacks("tools_in_chat"),
        lacks_tools_in_streams: lacks("tools_in_streams"),
        lacks_begun_answers: lacks("begun_answers"),
        context_tokens: row.context_tokens.map(u64::from),
        max_output_tokens: row.max_output_tokens.map(u64::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Effort, OrgId, Timestamp},
        provider::catalog,
    };

    fn known(vendor: &str, model: &str) -> ModelFacts {
        let base = catalog().vendor(vendor).unwrap().base_model(model);
        facts(&[], vendor, &ModelNames { sent: model, told: model, base })
    }

    #[test]
    fn a_model_is_known_wherever_it_runs() {
        let regional = known("bedrock", "us.anthropic.claude-sonnet-4-6");
        assert!(regional.context_tokens.is_some());
        for model in [
            "jp.anthropic.claude-sonnet-4-6",
            "au.anthropic.claude-sonnet-4-6",
            "apac.anthropic.claude-sonnet-4-6",
            "us-gov.anthropic.claude-sonnet-4-6",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-6",
        ] {
            assert_eq!(known("bedrock", model), regional, "{model}");
        }
        let own = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ab12";
        assert_eq!(known("bedrock", own), ModelFacts::default());
    }

    #[test]
    fn a_deployment_is_what_its_provider_says_it_is() {
        let named = |sent, told| facts(&[], "azure_openai", &ModelNames { sent, told, base: told });
        assert!(named("prod-chat", "gpt-5.2").lacks_tools_in_chat);
        assert!(!named("gpt-5.2", "gpt-4o").lacks_tools_in_chat, "its name is not what it is");
        assert_eq!(named("prod-chat", "prod-chat"), ModelFacts::default());
    }

    #[test]
    fn default_models_are_known_with_their_limits() {
        for vendor in catalog().vendors().filter(|vendor| vendor.slug != "sandbox") {
            for model in vendor.models.iter().filter(|model| !model.contains("embed")) {
                let facts = known(&vendor.slug, model);
                assert!(facts.context_tokens.is_some(), "{}: {model}", vendor.slug);
                // https://docs.x.ai/developers/grok-4-7: “No text output limit”.
                let unlimited = ["grok-4.5", "grok-4.6", "grok-4.7"].contains(&model.as_str());
                assert_eq!(
                    facts.max_output_tokens.is_none(),
                    unlimited,
                    "{}: {model}",
                    vendor.slug
                );
            }
        }
    }

    fn limited(pattern: &str, vendor: Option<&str>, context_tokens: u32) -> ModelOverrideRow {
        ModelOverrideRow {
            org_id: OrgId::random(),
            model_pattern: pattern.to_owned(),
            model_provider: vendor.map(str::to_owned),
            capabilities: None,
            reasoning_mode: None,
            efforts: None,
            context_tokens: Some(context_tokens),
            max_output_tokens: None,
            created_at: Timestamp(1),
            updated_at: Timestamp(1),
        }
    }

    #[test]
    fn of_what_the_organization_says_the_best_fit_to_any_name_counts() {
        let names = ModelNames { sent: "prod-chat", told: "gpt-5.2", base: "gpt-5.2" };
        let context =
            |rows: &[ModelOverrideRow]| facts(rows, "azure_openai", &names).context_tokens;
        let mut rows = vec![limited("*", None, 1), limited("*", Some("azure_openai"), 2)];
        assert_eq!(context(&rows), Some(2), "the vendor's own");
        rows.push(limited("gpt-5*", None, 3));
        assert_eq!(context(&rows), Some(3), "a longer prefix of another name");
        rows.push(limited("gpt-5.2", Some("azure_openai"), 4));
        assert_eq!(context(&rows), Some(4), "an exact one");
        rows.push(limited("prod-*", Some("azure_openai"), 5));
        assert_eq!(context(&rows), Some(4));
        rows.push(limited("prod-chat", None, 6));
        assert_eq!(context(&rows), Some(6), "as exact, and of the name that is sent");
        rows.push(limited("prod-chat", Some("azure_openai"), 7));
        assert_eq!(context(&rows), Some(7));
        rows.reverse();
        assert_eq!(context(&rows), Some(7), "in any order");
    }

    #[test]
    fn what_the_organization_says_of_efforts_goes_before_what_is_known() {
        let row = |efforts: Option<&[&str]>| ModelOverrideRow {
            efforts: efforts.map(|words| words.iter().map(|&word| word.to_owned()).collect()),
            ..limited("o3*", None, 1)
        };
        let knows = |row: ModelOverrideRow, effort| {
            let names = ModelNames { sent: "o3", told: "o3", base: "o3" };
            facts(&[row], "openai", &names).efforts.map(|efforts| efforts.has(effort))
        };
        assert_eq!(knows(row(Some(&["none", "max"])), Effort::Max), Some(true));
        assert_eq!(knows(row(Some(&["none", "max"])), Effort::Low), Some(false));
        assert_eq!(knows(row(None), Effort::Low), Some(true), "left open it is the program's");
    }

    #[test]
    fn models_know_the_efforts_that_their_vendors_document() {
        let knows = |vendor: &str, model: &str, effort| {
            known(vendor, model).efforts.map(|efforts| efforts.has(effort))
        };
        for (vendor, model, none, max) in [
            ("openai", "gpt-5.1", true, false),
            ("openai", "gpt-5", false, false),
            ("openai", "o3", false, false),
            ("openai", "gpt-6.1-terra", true, true),
            ("groq", "openai/gpt-oss-120b", false, false),
            ("anthropic", "claude-sonnet-4-6", false, true),
            ("bedrock", "us.anthropic.claude-opus-4-6-v1", false, true),
            ("xai", "grok-4", false, false),
        ] {
            assert_eq!(knows(vendor, model, Effort::None), Some(none), "{model}");
            assert_eq!(knows(vendor, model, Effort::Max), Some(max), "{model}");
        }
        assert_eq!(knows("anthropic", "claude-sonnet-4-6", Effort::XHigh), Some(false));
        assert_eq!(knows("openai", "gpt-4o", Effort::Low), None);
        for vendor in ["google_ai", "vertex"] {
            assert_eq!(knows(vendor, "gemini-3.6-flash", Effort::Minimal), Some(true));
            for model in ["gemini-3.7-flash", "gemini-3.8-flash"] {
                assert_eq!(knows(vendor, model, Effort::Minimal), Some(false), "{model}");
                assert_eq!(knows(vendor, model, Effort::Low), Some(true), "{model}");
            }
        }
        assert_eq!(knows("google_ai", "gemini-flash-latest", Effort::Minimal), Some(false));
        assert!(known("openai", "o3").lacks_stop);
        assert!(!known("openai", "gpt-4o").lacks_stop);
        for grok in ["grok-4", "grok-4.3", "grok-4.5", "grok-4.7"] {
            let facts = known("xai", grok);
            assert!(facts.lacks_stop && facts.lacks_penalties, "{grok}");
        }
        assert!(!known("xai", "grok-4.20-non-reasoning").lacks_stop);
        assert!(known("openai", "gpt-5.5").lacks_tools_in_chat);
        assert!(!known("openai", "gpt-5").lacks_tools_in_chat);
        for vendor in ["google_ai", "vertex"] {
            for model in ["gemini-3.5-flash-lite", "gemini-3.6-flash", "gemini-3.8-flash"] {
                let facts = known(vendor, model);
                assert!(facts.lacks_begun_answers && facts.lacks_penalties, "{vendor}: {model}");
            }
            let before = known(vendor, "gemini-3.5-flash");
            assert!(!before.lacks_begun_answers && !before.lacks_penalties, "{vendor}");
        }
    }
}

//! What a provider calls its models.

use crate::{
    pricing::ModelNames,
    provider::{Vendor, templates},
    store::ProviderRow,
};

/// The setting that says what deployments, or profiles, stand for.
const BASE_MODELS: &str = "base_models";

/// Whether providers of a vendor have that setting; elsewhere a name tells the model.
fn has_base_models(vendor: &Vendor) -> bool {
    templates()
        .all()
        .filter(|template| template.model_provider == vendor.slug)
        .any(|template| template.settings.iter().any(|setting| setting.name == BASE_MODELS))
}

impl<'n> ModelNames<'n> {
    /// The names of `sent` on a provider.
    #[must_use]
    pub fn of(row: &'n ProviderRow, vendor: &Vendor, sent: &'n str) -> Self {
        let models = row.settings.get(BASE_MODELS).filter(|_| has_base_models(vendor));
        let told = models.and_then(|models| models.get(sent)?.as_str()).unwrap_or(sent);
        Self { sent, told, base: vendor.base_model(told) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{domain::OrgId, provider::catalog, store::testing};

    #[test]
    fn only_where_a_template_has_the_setting_does_it_say_what_a_name_stands_for() {
        let profile = "us.anthropic.claude-sonnet-4-6";
        for (slug, told, base) in [
            ("azure_openai", profile, profile),
            ("bedrock", profile, "anthropic.claude-sonnet-4-6"),
            ("openai", "prod-chat", "prod-chat"),
            ("vertex", "prod-chat", "prod-chat"),
            ("custom", "prod-chat", "prod-chat"),
        ] {
            let mut row = testing::provider(OrgId::random(), "p");
            row.model_provider = slug.to_owned();
            row.settings = json!({ "base_models": { "prod-chat": profile } });
            let names = ModelNames::of(&row, catalog().vendor(slug).unwrap(), "prod-chat");
            assert_eq!(names, ModelNames { sent: "prod-chat", told, base }, "{slug}");
        }
    }

    #[test]
    fn a_setting_that_says_nothing_of_a_name_leaves_it() {
        let vendor = catalog().vendor("azure_openai").unwrap();
        let mut row = testing::provider(OrgId::random(), "p");
        row.model_provider = vendor.slug.clone();
        for models in [json!(null), json!(["gpt-5.2"]), json!({ "other": "gpt-5.2" })] {
            row.settings = json!({ "base_models": models });
            let names = ModelNames::of(&row, vendor, "prod-chat");
            let same = ModelNames { sent: "prod-chat", told: "prod-chat", base: "prod-chat" };
            assert_eq!(names, same);
            assert_eq!(names.all().collect::<Vec<_>>(), ["prod-chat"]);
        }
    }
}

//! Templates for providers: what people choose from when they connect a vendor, as rows of
//! `conf/templates.toml`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| {
    // As with the vendors: a test reads the file, so it cannot fail in a released binary.
    Templates::parse(include_str!("../../conf/templates.toml")).unwrap_or_else(|fault| {
        tracing::error!(%fault, "conf/templates.toml is unreadable; there are no templates");
        Templates::default()
    })
});

/// A field of a credential or of the settings.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CatalogField)]
pub struct TemplateField {
    /// Its name in `credentials` or `settings`; `api_key` also stands by itself.
    pub name: String,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
    /// Whether it is never shown again.
    #[serde(default)]
    pub secret: bool,
    /// What it is where it is not given.
    pub default: Option<String>,
    /// What it can be; anything where this is absent.
    pub values: Option<Vec<String>>,
}

/// A way of authenticating, and what it needs.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CatalogAuthType)]
pub struct TemplateAuth {
    /// `auth_type`
    pub auth_type: String,
    /// The parts of the credential.
    pub fields: Vec<TemplateField>,
}

/// One template.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// `catalog_id`; never changes.
    pub id: Uuid,
    /// `catalog_slug`, and what a model name may begin with.
    pub slug: String,
    /// Name shown to people.
    pub name: String,
    /// The vendor.
    pub model_provider: String,
    /// Ways to authenticate, by the names of [`Templates::auth`]; the first is the default.
    pub auth_types: Vec<String>,
    /// The default; in braces settings that are put in. None where each provider has its own.
    pub base_url: Option<String>,
    /// The APIs that the vendor speaks.
    pub dialects: Vec<String>,
    /// Settings of such a provider.
    #[serde(default)]
    pub settings: Vec<TemplateField>,
}

/// All templates, in the order of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    #[serde(rename = "auth")]
    auth: Vec<TemplateAuth>,
    #[serde(rename = "template")]
    rows: Vec<Template>,
}

impl Templates {
    /// Every template.
    pub fn all(&'static self) -> impl Iterator<Item = &'static Template> {
        self.rows.iter()
    }

    /// The template of this `catalog_id`.
    #[must_use]
    pub fn by_id(&'static self, id: Uuid) -> Option<&'static Template> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// What people call a vendor; its slug where there is no template of it.
    #[must_use]
    pub fn vendor_name<'a>(&'static self, model_provider: &'a str) -> &'a str {
        let of_vendor = self.rows.iter().find(|row| row.model_provider == model_provider);
        // What stands in brackets tells the templates of one vendor apart.
        of_vendor.map_or(model_provider, |row| {
            row.name.split_once(" (").map_or(row.name.as_str(), |(name, _)| name)
        })
    }

    /// The ways to authenticate of a template.
    pub fn auth(&'static self, template: &Template) -> Vec<&'static TemplateAuth> {
        let named = |name: &String| self.auth.iter().find(|auth| auth.auth_type == *name);
        template.auth_types.iter().filter_map(named).collect()
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

/// The templates of this program.
#[must_use]
pub fn templates() -> &'static Templates {
    &TEMPLATES
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::provider::catalog;

    /// contract.md 8
    const SLUGS: [&str; 21] = [
        "openai",
        "anthropic",
        "anthropic-oauth",
        "azure",
        "google-ai-studio",
        "google-vertex",
        "vertex-anthropic",
        "aws-bedrock",
        "bedrock-claude",
        "groq",
        "together",
        "mistral",
        "cohere",
        "xai",
        "fireworks",
        "perplexity",
        "openrouter",
        "deepseek",
        "cerebras",
        "custom",
        "sandbox",
    ];

    #[test]
    fn there_is_a_template_for_every_slug_of_the_contract() {
        Templates::parse(include_str!("../../conf/templates.toml")).expect("it parses");
        let slugs: Vec<&str> = templates().all().map(|row| row.slug.as_str()).collect();
        assert_eq!(slugs, SLUGS);
    }

    #[test]
    fn ids_are_unique_and_what_a_template_names_is_there() {
        let mut ids = HashSet::new();
        for row in templates().all() {
            assert!(ids.insert(row.id), "{}", row.slug);
            assert_eq!(row.id.get_version_num(), 4, "{}", row.slug);
            assert_eq!(templates().auth(row).len(), row.auth_types.len(), "{}", row.slug);
            assert!(!row.auth_types.is_empty() && !row.dialects.is_empty(), "{}", row.slug);
            let names: HashSet<&str> = row.settings.iter().map(|one| one.name.as_str()).collect();
            let url = row.base_url.clone().unwrap_or_default();
            for part in url.split('{').skip(1) {
                let name = part.split('}').next().unwrap();
                assert!(names.contains(name), "{}: {url}", row.slug);
            }
            assert!(templates().by_id(row.id).is_some_and(|found| found.slug == row.slug));
        }
    }

    #[test]
    fn templates_and_vendors_say_the_same() {
        for row in templates().all() {
            let Some(vendor) = catalog().vendor(&row.model_provider) else { continue };
            assert_eq!(row.base_url, vendor.base_url, "{}", row.slug);
            let own: HashSet<String> = vendor
                .endpoints
                .iter()
                .map(|endpoint| endpoint.as_str().to_owned())
                .filter(|name| name != "models")
                .collect();
            if own.is_empty() {
                // Kept and checked by this version, and called by a later one.
                continue;
            }
            let told: HashSet<String> = row.dialects.iter().cloned().collect();
            assert_eq!(told, own, "{}", row.slug);
        }
    }
}

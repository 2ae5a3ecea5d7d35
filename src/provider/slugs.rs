//! Catalog slugs: which template of the catalog a provider was made from, by what it is.
//!
//! Several templates may share a vendor; they differ in how the vendor is called.

use serde_json::Value;

/// The catalog slug of a provider of `vendor`, by its `auth_type` and its settings.
#[must_use]
pub fn catalog_slug<'a>(vendor: &'a str, auth_type: &str, settings: &Value) -> &'a str {
    let family = settings.get("model_api_family").and_then(Value::as_str);
    let is_claude = family == Some("anthropic_messages");
    match vendor {
        "anthropic" if matches!(auth_type, "oauth_passthrough" | "claude_oauth") => {
            "anthropic-oauth"
        }
        "azure_openai" => "azure",
        "google_ai" => "google-ai-studio",
        "vertex" if is_claude => "vertex-anthropic",
        "vertex" => "google-vertex",
        "bedrock" if is_claude => "bedrock-claude",
        "bedrock" => "aws-bedrock",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_that_share_a_vendor_are_told_apart() {
        let claude = json!({"model_api_family": "anthropic_messages"});
        for (vendor, auth_type, settings, slug) in [
            ("openai", "api_key", &json!({}), "openai"),
            ("anthropic", "api_key", &json!({}), "anthropic"),
            ("anthropic", "oauth_passthrough", &json!({}), "anthropic-oauth"),
            ("anthropic", "claude_oauth", &json!({}), "anthropic-oauth"),
            ("azure_openai", "api_key", &json!({}), "azure"),
            ("google_ai", "api_key", &json!({}), "google-ai-studio"),
            ("vertex", "google_adc", &json!({}), "google-vertex"),
            ("vertex", "google_adc", &claude, "vertex-anthropic"),
            ("bedrock", "aws_role", &json!({}), "aws-bedrock"),
            ("bedrock", "aws_role", &claude, "bedrock-claude"),
        ] {
            assert_eq!(catalog_slug(vendor, auth_type, settings), slug);
        }
    }
}

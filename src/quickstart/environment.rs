//! What the environment says of a vendor: a credential, an address, settings, models.

use serde_json::{Map, Value};

use crate::{
    provider::{AuthKind, Vendor},
    secrets::{Credential, Secret},
};

/// The process's environment.
pub(super) type Env = [(String, String)];

/// A provider that the environment is enough for.
pub(super) struct Found {
    /// How it shows who it is.
    pub kind: AuthKind,
    /// None where the machine's own identity is used.
    pub credential: Option<Credential>,
    /// Its address.
    pub base_url: String,
    /// Its settings, an object.
    pub settings: Value,
    /// Models that the environment names; the vendor's own list or the catalogue's where there are none.
    pub models: Vec<String>,
}

/// What `env` says of a vendor; none where it has no credential for it, or not all that one needs.
pub(super) fn found(vendor: &Vendor, env: &Env) -> Option<Found> {
    let (kind, credential) = credential(vendor, env)?;
    let settings = settings(vendor, env);
    let setting = |name: &str| settings.get(name)?.as_str().map(str::to_owned);
    if vendor.required_settings.iter().any(|name| setting(name).is_none()) {
        missing(vendor, "a setting");
        return None;
    }
    let told = vendor.environment.base_url.as_deref().and_then(|name| value(env, name));
    let base_url = told.map(str::to_owned).or_else(|| vendor.base_url_for(setting));
    let Some(base_url) = base_url else {
        missing(vendor, "an address");
        return None;
    };
    let models = vendor.environment.models.as_deref().and_then(|name| value(env, name));
    let models = models.unwrap_or_default().split(',').map(str::trim);
    let models = models.filter(|model| !model.is_empty()).map(str::to_owned).collect();
    Some(Found { kind, credential, base_url, settings: settings.into(), models })
}

fn missing(vendor: &Vendor, what: &str) {
    let slug = &vendor.slug;
    tracing::warn!(
        vendor = %slug,
        "the environment has a key for it, and lacks {what}; conf/providers.toml names the variables"
    );
}

fn value<'e>(env: &'e Env, name: &str) -> Option<&'e str> {
    let (_, value) = env.iter().find(|(set, _)| set == name)?;
    Some(value.trim()).filter(|value| !value.is_empty())
}

/// The first of the vendor's own variable, AWS's and Google's that is set.
fn credential(vendor: &Vendor, env: &Env) -> Option<(AuthKind, Option<Credential>)> {
    if let Some(key) = vendor.env_key.as_deref().and_then(|name| key(env, name)) {
        // Where a vendor has a kind of key of its own, that is what its variable holds.
        let own = vendor.auth_types.contains(&AuthKind::BedrockApiKey);
        let kind = if own { AuthKind::BedrockApiKey } else { AuthKind::ApiKey };
        return Some((kind, Some(Credential::ApiKey(key))));
    }
    vendor.auth_types.iter().find_map(|kind| match kind {
        AuthKind::AwsKeys => Some((*kind, Some(aws_keys(env)?))),
        AuthKind::GoogleAdc => {
            value(env, "GOOGLE_APPLICATION_CREDENTIALS").map(|_file| (*kind, None))
        }
        _ => None,
    })
}

/// <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>
fn aws_keys(env: &Env) -> Option<Credential> {
    Some(Credential::AwsKeys {
        access_key_id: key(env, "AWS_ACCESS_KEY_ID")?.expose().to_owned(),
        secret_access_key: key(env, "AWS_SECRET_ACCESS_KEY")?,
        session_token: key(env, "AWS_SESSION_TOKEN"),
    })
}

fn key(env: &Env, name: &str) -> Option<Secret> {
    let value = value(env, name)?;
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(Secret::new(value.to_owned()));
    }
    tracing::warn!("{name} holds spaces or characters that no API key has; it is not used");
    None
}

fn settings(vendor: &Vendor, env: &Env) -> Map<String, Value> {
    let mut settings = Map::new();
    for (name, variables) in &vendor.environment.settings {
        let told = variables.iter().find_map(|variable| value(env, variable));
        let usual = vendor.environment.usual.get(name).map(String::as_str);
        if let Some(value) = told.or(usual) {
            settings.insert(name.clone(), value.into());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalog;

    fn of(vendor: &str, env: &[(&str, &str)]) -> Option<Found> {
        let env: Vec<_> = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        found(catalog().vendor(vendor).unwrap(), &env)
    }

    #[test]
    fn azure_needs_its_address_and_takes_its_deployments() {
        let key = ("AZURE_OPENAI_API_KEY", "k");
        assert!(of("azure_openai", &[key]).is_none());
        let found = of(
            "azure_openai",
            &[
                key,
                ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/"),
                ("OPENAI_API_VERSION", "2025-04-01-preview"),
                ("AZURE_OPENAI_DEPLOYMENT_NAME", "gpt, small"),
            ],
        )
        .unwrap();
        assert_eq!(found.kind, AuthKind::ApiKey);
        assert_eq!(found.base_url, "https://r.openai.azure.com/");
        assert_eq!(found.settings["api_version"], "2025-04-01-preview");
        assert_eq!(found.models, ["gpt", "small"]);
    }

    #[test]
    fn bedrock_is_found_by_its_key_or_by_an_access_key_of_aws() {
        let by_key =
            of("bedrock", &[("AWS_BEARER_TOKEN_BEDROCK", "b"), ("AWS_REGION", "eu-west-1")]);
        let by_key = by_key.unwrap();
        assert_eq!(by_key.kind, AuthKind::BedrockApiKey);
        assert_eq!(by_key.base_url, "https://bedrock-runtime.eu-west-1.amazonaws.com");
        let keys = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "s")];
        assert!(of("bedrock", &keys[..1]).is_none());
        let by_keys = of("bedrock", &keys).unwrap();
        assert!(matches!(
            by_keys.credential,
            Some(Credential::AwsKeys { ref access_key_id, session_token: None, .. })
                if access_key_id == "AKIA"
        ));
        assert_eq!(by_keys.settings["region"], "us-east-1");
    }

    #[test]
    fn vertex_is_found_by_a_credentials_file_and_a_project() {
        let file = ("GOOGLE_APPLICATION_CREDENTIALS", "/x.json");
        assert!(of("vertex", &[file]).is_none());
        let found = of("vertex", &[file, ("GOOGLE_CLOUD_PROJECT", "p-1")]).unwrap();
        assert!(found.credential.is_none() && found.kind == AuthKind::GoogleAdc);
        assert_eq!(found.base_url, "https://us-central1-aiplatform.googleapis.com");
    }

    #[test]
    fn gemini_is_found_by_its_key() {
        let found = of("google_ai", &[("GEMINI_API_KEY", "g")]).unwrap();
        assert_eq!(found.base_url, "https://generativelanguage.googleapis.com");
        assert!(of("google_ai", &[("GEMINI_API_KEY", "two words")]).is_none());
    }
}

//! The rules for what describes an upstream, shared by credentials and providers.

use serde_json::{Map, Value};

use super::{error::AdminError, sealing::KeyInput};
use crate::{
    provider::{Vendor, catalog},
    snapshot::BaseUrl,
};

/// Vendors of the API that this version cannot speak to.
const LATER_VENDORS: [&str; 5] =
    ["azure_openai", "azure_foundry", "google_ai", "bedrock", "vertex"];
/// Names of plain API-key authentication in both public vocabularies.
const KEY_AUTH_TYPES: [&str; 3] = ["api_key", "bearer_api_key", "x_api_key"];
/// Names of the API that this version cannot authenticate with.
const LATER_AUTH_TYPES: [&str; 14] = [
    "aws_role",
    "aws_keys",
    "aws_static_credentials",
    "bedrock_api_key",
    "google_adc",
    "google_service_account",
    "google_impersonation",
    "google_service_account_impersonation",
    "oauth_passthrough",
    "claude_oauth",
    "codex_oauth",
    "azure_api_key",
    "azure_foundry_api_key",
    "azure_entra_client_secret",
];
/// Values of the setting `dialects` of a `custom` provider.
const DIALECTS: [&str; 4] = ["chat_completions", "responses", "completions", "embeddings"];

const MAX_NAME_CHARS: usize = 256;

/// Every `model_provider` of the API.
pub(super) fn vendors() -> Vec<&'static str> {
    catalog().vendors().map(|vendor| vendor.slug.as_str()).chain(LATER_VENDORS).collect()
}

/// Every `auth_type` of the API.
pub(super) fn auth_types() -> Vec<&'static str> {
    KEY_AUTH_TYPES.into_iter().chain(LATER_AUTH_TYPES).collect()
}

/// A vendor by its slug.
pub(super) fn vendor(slug: &str) -> Result<&'static Vendor, AdminError> {
    if let Some(vendor) = catalog().vendor(slug) {
        return Ok(vendor);
    }
    if LATER_VENDORS.contains(&slug) {
        let known: Vec<&str> = catalog().vendors().map(|vendor| vendor.slug.as_str()).collect();
        return Err(AdminError::bad_request(format!(
            "model_provider '{slug}' is not supported by this version; supported are: {}",
            known.join(", ")
        )));
    }
    Err(AdminError::bad_request(format!("unknown model provider: {slug}")))
}

/// An `auth_type`, stored and echoed as it was written.
pub(super) fn auth_type(given: String) -> Result<String, AdminError> {
    if KEY_AUTH_TYPES.contains(&given.as_str()) {
        return Ok(given);
    }
    let supported = KEY_AUTH_TYPES.join(", ");
    Err(AdminError::bad_request(if LATER_AUTH_TYPES.contains(&given.as_str()) {
        format!("auth_type '{given}' is not supported by this version; supported are: {supported}")
    } else {
        format!("unknown auth_type '{given}'; supported are: {supported}")
    }))
}

/// The `auth_type` where none is given.
pub(super) fn default_auth_type() -> String {
    "api_key".to_owned()
}

/// A `base_url`, stored and echoed as it was written; one that no snapshot could use is refused.
pub(super) fn base_url(given: String) -> Result<String, AdminError> {
    match BaseUrl::parse(&given) {
        Ok(_) => Ok(given),
        Err(error) => Err(AdminError::bad_request(format!("base_url {error}"))),
    }
}

/// The vendor's own base URL, for a row that gives none.
pub(super) fn default_base_url(vendor: &Vendor) -> Result<String, AdminError> {
    vendor.base_url.clone().ok_or_else(|| {
        let slug = &vendor.slug;
        AdminError::bad_request(format!("base_url is required for model_provider '{slug}'"))
    })
}

/// `settings`: an object, with what this version reads in it checked. Null is as absent.
pub(super) fn settings(given: Option<Value>, vendor: &Vendor) -> Result<Option<Value>, AdminError> {
    match given {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => {
            if vendor.slug == "custom" {
                check_dialects(&map)?;
            }
            Ok(Some(Value::Object(map)))
        }
        Some(_) => Err(AdminError::bad_request("settings must be a JSON object")),
    }
}

fn check_dialects(settings: &Map<String, Value>) -> Result<(), AdminError> {
    let Some(given) = settings.get("dialects") else { return Ok(()) };
    let known = |value: &Value| value.as_str().is_some_and(|name| DIALECTS.contains(&name));
    if given.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(known)) {
        return Ok(());
    }
    let message = format!("settings.dialects must be a list out of {}", DIALECTS.join(", "));
    Err(AdminError::bad_request(message))
}

/// Refuses a missing key where the vendor needs one.
pub(super) fn require_key(vendor: &Vendor, key: Option<&KeyInput>) -> Result<(), AdminError> {
    if vendor.key_optional || key.is_some_and(|key| !key.is_empty()) {
        return Ok(());
    }
    Err(AdminError::bad_request("api_key is required for API-key auth providers"))
}

/// A number of a closed range.
pub(super) fn in_range(field: &str, value: i64, min: u32, max: u32) -> Result<u32, AdminError> {
    let inside = u32::try_from(value).ok().filter(|value| (min..=max).contains(value));
    inside
        .ok_or_else(|| AdminError::bad_request(format!("{field} must be between {min} and {max}")))
}

/// `request_timeout_secs`
pub(super) fn request_timeout(value: i64) -> Result<u32, AdminError> {
    in_range("request_timeout_secs", value, 1, 3600)
}

/// `stream_idle_timeout_secs`
pub(super) fn stream_idle_timeout(value: i64) -> Result<u32, AdminError> {
    in_range("stream_idle_timeout_secs", value, 1, 1800)
}

/// A name, alias or model id: something readable.
pub(super) fn text(field: &str, given: String) -> Result<String, AdminError> {
    let refuse = |why: &str| Err(AdminError::bad_request(format!("{field} {why}")));
    if given.trim().is_empty() {
        return refuse("must not be empty");
    }
    if given.chars().count() > MAX_NAME_CHARS {
        return refuse(&format!("must have at most {MAX_NAME_CHARS} characters"));
    }
    if given.chars().any(char::is_control) {
        return refuse("must not contain control characters");
    }
    Ok(given)
}

/// Refuses an attempt to change what is fixed at creation; sending the stored value is no change.
pub(super) fn unchanged(field: &str, given: Option<&str>, stored: &str) -> Result<(), AdminError> {
    match given {
        Some(given) if given != stored => {
            Err(AdminError::bad_request(format!("{field} cannot be changed")))
        }
        _ => Ok(()),
    }
}

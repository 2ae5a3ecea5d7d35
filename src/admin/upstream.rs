//! The rules for what describes an upstream, shared by credentials and providers.

use serde_json::{Map, Value};

use super::{error::AdminError, state::AdminState};
use crate::{
    net::{CLAUDE, GOOGLE},
    provider::{AuthKind, Vendor, catalog},
    snapshot::BaseUrl,
};

/// Vendors of the API that this version does not know.
const LATER_VENDORS: [&str; 1] = ["azure_foundry"];
/// Names of the API that this version cannot authenticate with.
const LATER_AUTH_TYPES: [&str; 3] =
    ["codex_oauth", "azure_foundry_api_key", "azure_entra_client_secret"];
/// Values of the setting `dialects` of a `custom` provider.
const DIALECTS: [&str; 4] = ["chat_completions", "responses", "completions", "embeddings"];

const MAX_NAME_CHARS: usize = 256;

/// Every `model_provider` of the API.
pub(super) fn vendors() -> Vec<&'static str> {
    catalog().vendors().map(|vendor| vendor.slug.as_str()).chain(LATER_VENDORS).collect()
}

/// Every `auth_type` of the API.
pub(super) fn auth_types() -> Vec<&'static str> {
    AuthKind::names().chain(LATER_AUTH_TYPES).collect()
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
    Err(AdminError::bad_request(format!(
        "unknown model provider: {slug}; model_provider must be one of: {}",
        vendors().join(", ")
    )))
}

/// An `auth_type` that the vendor takes, stored and echoed as it was written.
pub(super) fn auth_type(given: String, vendor: &Vendor) -> Result<String, AdminError> {
    let kind = AuthKind::named(&given);
    if kind.is_some_and(|kind| vendor.auth_types.contains(&kind)) {
        return Ok(given);
    }
    let slug = &vendor.slug;
    let takes: Vec<&str> = vendor.auth_types.iter().flat_map(|kind| kind.own_names()).collect();
    let takes = takes.join(", ");
    Err(AdminError::bad_request(match kind {
        Some(_) => format!("auth_type '{given}' is not one of {slug}'s, which are: {takes}"),
        None if LATER_AUTH_TYPES.contains(&given.as_str()) => {
            format!("auth_type '{given}' is not supported by this version; {slug} takes: {takes}")
        }
        None => format!("unknown auth_type '{given}'; {slug} takes: {takes}"),
    }))
}

/// The `auth_type` where none is given: a key, where the vendor takes one.
pub(super) fn default_auth_type(vendor: &Vendor) -> String {
    let first = vendor.auth_types.first().copied().unwrap_or(AuthKind::ApiKey);
    let by_key = vendor.auth_types.contains(&AuthKind::ApiKey);
    if by_key { AuthKind::ApiKey } else { first }.name().to_owned()
}

/// What a stored `auth_type` means.
pub(super) fn kind(auth_type: &str) -> AuthKind {
    AuthKind::named(auth_type).unwrap_or(AuthKind::ApiKey)
}

/// A `base_url`, stored and echoed as it was written; one that no snapshot could use is refused.
pub(super) fn base_url(given: String) -> Result<String, AdminError> {
    match BaseUrl::parse(&given) {
        Ok(_) => Ok(given),
        Err(error) => Err(AdminError::bad_request(format!("base_url {error}"))),
    }
}

/// The vendor's own base URL, for a row that gives none. Where it lacks a setting, that is what is told.
pub(super) fn default_base_url(vendor: &Vendor, settings: &Value) -> Result<String, AdminError> {
    if let Some(usual) = usual_base_url(vendor, settings) {
        return Ok(usual);
    }
    required(vendor, settings)?;
    let slug = &vendor.slug;
    Err(AdminError::bad_request(format!("base_url is required for model_provider '{slug}'")))
}

/// The vendor's own base URL, with these settings in it.
pub(super) fn usual_base_url(vendor: &Vendor, settings: &Value) -> Option<String> {
    vendor.base_url_for(|name| settings.get(name)?.as_str().map(str::to_owned))
}

/// `settings`: an object, with what this version reads in it checked. Null is as absent.
pub(super) fn settings(given: Option<Value>, vendor: &Vendor) -> Result<Option<Value>, AdminError> {
    match given {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => {
            check_settings(&map, vendor)?;
            Ok(Some(Value::Object(map)))
        }
        Some(_) => Err(AdminError::bad_request("settings must be a JSON object")),
    }
}

/// Settings become parts of host names and paths: so each has the letters that it can have there.
fn check_settings(settings: &Map<String, Value>, vendor: &Vendor) -> Result<(), AdminError> {
    match vendor.slug.as_str() {
        "custom" => check_dialects(settings),
        "bedrock" => {
            name_setting(settings, "region", "-")?;
            base_models(settings)?;
            one_of(settings, "model_api_family", &["anthropic_messages", "bedrock_converse"])
        }
        "vertex" => {
            name_setting(settings, "project_id", "-.:")?;
            name_setting(settings, "location", "-")?;
            one_of(settings, "model_api_family", &["vertex_gemini", "anthropic_messages"])
        }
        "azure_openai" => {
            name_setting(settings, "api_version", "-")?;
            base_models(settings)?;
            one_of(settings, "endpoint_mode", &["deployment", "v1"])
        }
        _ => Ok(()),
    }
}

/// What deployments, or profiles, stand for: names of models by what is sent.
fn base_models(settings: &Map<String, Value>) -> Result<(), AdminError> {
    let named = |value: &Value| value.as_str().is_some_and(|name| !name.trim().is_empty());
    match settings.get("base_models") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(models)) => match models.iter().find(|(_, model)| !named(model)) {
            None => Ok(()),
            Some((sent, _)) => Err(AdminError::bad_request(format!(
                "settings.base_models.{sent} must be the name of a model"
            ))),
        },
        Some(_) => {
            let message = "settings.base_models must be an object: the vendor's names of models by \
                           the names of deployments or profiles that stand for them";
            Err(AdminError::bad_request(message))
        }
    }
}

fn name_setting(settings: &Map<String, Value>, name: &str, signs: &str) -> Result<(), AdminError> {
    match settings.get(name) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(value)) => cloud_name(&format!("settings.{name}"), value, signs),
        Some(_) => Err(AdminError::bad_request(format!("settings.{name} must be a string"))),
    }
}

/// A name that a cloud gave: letters, digits and the signs.
pub(super) fn cloud_name(field: &str, value: &str, signs: &str) -> Result<(), AdminError> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || signs.contains(letter);
    if (1..=128).contains(&value.len()) && value.chars().all(fits) {
        return Ok(());
    }
    let signs: Vec<String> = signs.chars().map(|sign| format!("'{sign}'")).collect();
    Err(AdminError::bad_request(format!(
        "{field} must be 1 to 128 letters, digits and {}",
        signs.join(", ")
    )))
}

fn one_of(settings: &Map<String, Value>, name: &str, allowed: &[&str]) -> Result<(), AdminError> {
    match settings.get(name) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(value)) if allowed.contains(&value.as_str()) => Ok(()),
        Some(_) => Err(AdminError::bad_request(format!(
            "settings.{name} must be one of: {}",
            allowed.join(", ")
        ))),
    }
}

/// What must be there for the vendor to be called, after defaults and inheritance; and where tokens
/// may go that are not the organization's own.
pub(super) fn complete(
    state: &AdminState,
    vendor: &Vendor,
    auth_type: &str,
    base_url: &str,
    settings: &Value,
) -> Result<(), AdminError> {
    required(vendor, settings)?;
    trusted(state, kind(auth_type), base_url)
}

fn required(vendor: &Vendor, settings: &Value) -> Result<(), AdminError> {
    for name in &vendor.required_settings {
        if settings.get(name).and_then(Value::as_str).is_none() {
            let slug = &vendor.slug;
            let message = format!("settings.{name} is required for model_provider '{slug}'");
            return Err(AdminError::bad_request(message));
        }
    }
    Ok(())
}

/// Refuses an address that the kind's tokens must not go to.
pub(super) fn trusted(
    state: &AdminState,
    kind: AuthKind,
    base_url: &str,
) -> Result<(), AdminError> {
    let own = match kind {
        AuthKind::GoogleAdc | AuthKind::GoogleImpersonation => GOOGLE,
        AuthKind::OauthPassthrough => CLAUDE,
        _ => return Ok(()),
    };
    if state.outside.trusted.permit(base_url, own) {
        return Ok(());
    }
    let name = kind.name();
    Err(AdminError::bad_request(format!(
        "base_url must be https://{own} with auth_type '{name}': its tokens are not the \
         organization's own. The operator of the gateway can list further hosts in \
         upstream.trusted_hosts"
    )))
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

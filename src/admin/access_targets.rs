//! The targets of an access policy as requests say them: each with the fields of its kind.

use serde::Deserialize;

use super::{error::AdminError, extract::uuid};
use crate::{
    domain::{AccessTarget, ProviderId},
    pricing::check_pattern,
};

/// So that a listing stays within what clients read.
const MAX_TARGETS: usize = 500;

/// Any kind; what its kind does not have is ignored, as unknown fields are everywhere.
#[derive(Deserialize)]
pub(super) struct TargetInput {
    kind: String,
    alias: Option<String>,
    model: Option<String>,
    provider_id: Option<String>,
}

/// Reads them; a refusal names the place.
pub(super) fn targets(given: Vec<TargetInput>) -> Result<Vec<AccessTarget>, AdminError> {
    if given.len() > MAX_TARGETS {
        let message = format!("targets must have at most {MAX_TARGETS} entries");
        return Err(AdminError::bad_request(message));
    }
    given.into_iter().enumerate().map(|(place, given)| target(place, given)).collect()
}

fn target(place: usize, given: TargetInput) -> Result<AccessTarget, AdminError> {
    let kind = given.kind.as_str();
    let missing = |field: &str| {
        let message = format!("targets[{place}].{field} is required for the kind '{kind}'");
        AdminError::bad_request(message)
    };
    let pattern = |field: &str, text: Option<String>| -> Result<String, AdminError> {
        let text = text.ok_or_else(|| missing(field))?;
        let checked = check_pattern(&text);
        checked.map_err(|fault| {
            AdminError::bad_request(format!("targets[{place}].{field} {fault}"))
        })?;
        Ok(text)
    };
    let provider = |text: Option<String>| {
        let text = text.ok_or_else(|| missing("provider_id"))?;
        uuid(&format!("targets[{place}].provider_id"), &text).map(ProviderId)
    };
    match kind {
        "model_alias" => Ok(AccessTarget::ModelAlias { alias: pattern("alias", given.alias)? }),
        "model" => Ok(AccessTarget::Model { model: pattern("model", given.model)? }),
        "provider" => Ok(AccessTarget::Provider { provider_id: provider(given.provider_id)? }),
        "provider_model" => Ok(AccessTarget::ProviderModel {
            provider_id: provider(given.provider_id)?,
            model: pattern("model", given.model)?,
        }),
        _ => Err(AdminError::bad_request(format!(
            "targets[{place}].kind must be one of: model_alias, model, provider, provider_model"
        ))),
    }
}

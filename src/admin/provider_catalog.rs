//! `/admin/provider-catalog`: what a provider can be made from.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{error::AdminError, schemas::ModelProvider};
use crate::{
    auth::Caller,
    provider::{Template, TemplateAuth, TemplateField, catalog, models, templates},
};

/// A template for providers
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderTemplate)]
pub(super) struct TemplateView {
    /// `catalog_id`
    id: Uuid,
    slug: &'static str,
    name: &'static str,
    #[schema(value_type = ModelProvider)]
    model_provider: &'static str,
    /// Whether this version of the gateway can call the vendor.
    available: bool,
    /// Ways to authenticate; the first is the default.
    auth_types: Vec<TemplateAuth>,
    /// Null where each provider has its own. Names in braces stand for settings.
    base_url: Option<&'static str>,
    /// The APIs that the vendor speaks.
    dialects: &'static [String],
    /// What some model of the vendor can do.
    capabilities: Vec<&'static str>,
    settings: &'static [TemplateField],
}

/// List the templates for providers
#[utoipa::path(
    get,
    path = "/admin/provider-catalog",
    operation_id = "listProviderCatalog",
    tag = "Catalogs",
    responses((status = 200, body = [TemplateView]))
)]
pub(super) async fn list(_caller: Caller) -> Json<Vec<TemplateView>> {
    Json(templates().all().map(view).collect())
}

/// The template that a request names, if it names one; it must be of the vendor.
pub(super) fn template(
    id: Option<Uuid>,
    model_provider: &str,
) -> Result<Option<&'static Template>, AdminError> {
    let Some(id) = id else { return Ok(None) };
    let template =
        templates().by_id(id).ok_or_else(|| AdminError::not_found("catalog template"))?;
    if template.model_provider != model_provider {
        return Err(AdminError::bad_request(format!(
            "catalog_id is that of the template '{}', whose model_provider is '{}', not '{}'",
            template.slug, template.model_provider, model_provider
        )));
    }
    Ok(Some(template))
}

fn view(template: &'static Template) -> TemplateView {
    let vendor = catalog().vendor(&template.model_provider);
    let optional = vendor.is_some_and(|vendor| vendor.key_optional);
    let mut auth_types: Vec<TemplateAuth> =
        templates().auth(template).into_iter().cloned().collect();
    for field in auth_types.iter_mut().flat_map(|auth| &mut auth.fields) {
        field.required &= !(optional && field.name == "api_key");
    }
    TemplateView {
        id: template.id,
        slug: &template.slug,
        name: &template.name,
        model_provider: &template.model_provider,
        available: vendor.is_some(),
        auth_types,
        base_url: template.base_url.as_deref(),
        dialects: &template.dialects,
        capabilities: models().capabilities_of(&template.model_provider),
        settings: &template.settings,
    }
}

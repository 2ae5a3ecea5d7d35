//! Whether the gateway gets what an organization set up for it at AWS and Google.

use std::time::Duration;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    credentials,
    error::AdminError,
    extract::{Body, PathId},
    refusals::Conflict,
    reply::{DONE, Done},
    schemas::{AuthType, Credentials, Url, VertexFamily},
    sealing::{self, CredentialsInput, Given, Purpose},
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    cloud::{
        CloudError,
        aws::Role,
        google::{Family, Identity, ServiceAccount, TOKEN_URI, VertexModel},
    },
    domain::CredentialId,
    provider::Vendor,
    secrets::Credential,
};

/// For everything that a validation asks: clients wait for 30 seconds.
const PATIENCE: Duration = Duration::from_secs(25);

/// The gateway's own AWS principal
#[derive(Serialize, ToSchema)]
#[schema(as = AwsRoleConfig)]
pub(super) struct RoleConfig {
    /// Whether the gateway has an identity at AWS.
    configured: bool,
    /// What trust policies must name.
    principal_arn: Option<String>,
}

/// AWS principal of this gateway
#[utoipa::path(
    get,
    path = "/admin/connections/aws-role-config",
    operation_id = "getAwsRoleConfig",
    tag = "Credentials",
    responses((status = 200, body = RoleConfig))
)]
pub(super) async fn role_config(
    State(state): State<AdminState>,
    _caller: Caller,
) -> Result<Json<RoleConfig>, AdminError> {
    let principal_arn = state.outside.aws.principal().await;
    Ok(Json(RoleConfig { configured: principal_arn.is_some(), principal_arn }))
}

/// What a role's trust policy says
#[derive(Serialize, ToSchema)]
#[schema(as = AwsTrustInfo)]
pub(super) struct TrustInfo {
    /// The gateway's principal.
    principal_arn: String,
    /// The credential's external id.
    external_id: String,
}

/// Trust-policy values of a credential
#[utoipa::path(
    get,
    path = "/admin/connections/{id}/aws-trust-info",
    operation_id = "getAwsTrustInfo",
    tag = "Credentials",
    responses((status = 200, body = TrustInfo))
)]
pub(super) async fn trust_info(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<TrustInfo>, AdminError> {
    let mut tx = state.store.read().await?;
    let row = credentials::existing(&mut tx, caller.org, CredentialId(id)).await?;
    drop(tx);
    let opened = state.open(row.org_id, row.id.0, row.sealed.as_deref())?;
    let Some(Credential::AwsRole { external_id, .. }) = opened else {
        return Err(AdminError::bad_request("this connection's auth_type is not aws_role"));
    };
    let principal_arn = state.outside.aws.principal().await.ok_or_else(|| {
        AdminError::bad_request(
            "the gateway has no AWS principal: its operator gives it AWS credentials or sets \
             aws.principal_arn",
        )
    })?;
    Ok(Json(TrustInfo { principal_arn, external_id }))
}

/// A role to be tried
#[derive(Deserialize, ToSchema)]
#[schema(as = ValidateAwsRoleRequest)]
pub(super) struct ValidateRole {
    #[schema(min_length = 1, max_length = 128)]
    region: String,
    iam_role_arn: String,
    #[schema(min_length = 2, max_length = 1224)]
    external_id: String,
}

/// Try the STS assume-role chain
///
/// As requests to Bedrock do. A refusal is told in AWS's own words.
#[utoipa::path(
    post,
    path = "/admin/connections/aws-role-validate",
    operation_id = "validateAwsRole",
    tag = "Credentials",
    request_body = ValidateRole,
    responses((status = 200, body = Done), Conflict)
)]
pub(super) async fn validate_role(
    State(state): State<AdminState>,
    caller: Caller,
    Body(body): Body<ValidateRole>,
) -> Result<Json<Done>, AdminError> {
    upstream::cloud_name("region", &body.region, "-")?;
    sealing::role_arn("iam_role_arn", &body.iam_role_arn)?;
    sealing::external("external_id", &body.external_id)?;
    let ValidateRole { region, iam_role_arn, external_id } = body;
    let role = Role { region, arn: iam_role_arn.clone(), external_id: external_id.clone() };
    let credential = Credential::AwsRole { iam_role_arn, external_id };
    sealing::unclaimed(&state, caller.org, &credential).await?;
    // Boxed: AWS's client makes futures of 20 KB.
    in_time(Box::pin(state.outside.aws.validate(&role))).await?;
    Ok(DONE)
}

/// An identity to be tried on a model of Vertex AI
#[derive(Deserialize, ToSchema)]
#[schema(as = ValidateGoogleVertexRequest)]
pub(super) struct ValidateVertex {
    #[schema(min_length = 1, max_length = 128)]
    project_id: String,
    #[schema(min_length = 1, max_length = 128)]
    location: String,
    /// `google_adc` where absent.
    #[schema(value_type = Option<AuthType>, default = "google_adc")]
    auth_type: Option<String>,
    /// `vertex_gemini` (where absent) or `anthropic_messages`.
    #[schema(value_type = Option<VertexFamily>, default = "vertex_gemini")]
    model_api_family: Option<String>,
    /// For `google_impersonation`.
    target_service_account: Option<String>,
    /// For `google_service_account`.
    #[schema(value_type = Option<Credentials>, write_only)]
    credentials: Option<CredentialsInput>,
    /// The model to ask; one of the family where absent.
    model: Option<String>,
    /// Vertex's own where absent.
    #[schema(value_type = Option<Url>)]
    base_url: Option<String>,
}

/// Fetch a token and ask a Vertex model
///
/// A refusal is told in Google's own words.
#[utoipa::path(
    post,
    path = "/admin/connections/google-vertex-validate",
    operation_id = "validateGoogleVertex",
    tag = "Credentials",
    request_body = ValidateVertex,
    responses((status = 200, body = Done), Conflict)
)]
pub(super) async fn validate_vertex(
    State(state): State<AdminState>,
    caller: Caller,
    Body(body): Body<ValidateVertex>,
) -> Result<Json<Done>, AdminError> {
    let vendor = upstream::vendor("vertex")?;
    let model = body.model(vendor)?;
    let auth_type = match body.auth_type {
        Some(given) => upstream::auth_type(given, vendor)?,
        None => upstream::default_auth_type(vendor),
    };
    upstream::trusted(&state, upstream::kind(&auth_type), &model.base_url)?;
    let settings = serde_json::json!({"target_service_account": body.target_service_account});
    let purpose = Purpose { vendor, auth_type: &auth_type, settings: &settings };
    let credential = Given::new(None, body.credentials).credential(purpose, None)?;
    if let Some(credential) = &credential {
        sealing::unclaimed(&state, caller.org, credential).await?;
    }
    in_time(state.outside.google.validate(&identity(credential), &model)).await?;
    Ok(DONE)
}

impl ValidateVertex {
    fn model(&self, vendor: &Vendor) -> Result<VertexModel, AdminError> {
        upstream::cloud_name("project_id", &self.project_id, "-.:")?;
        upstream::cloud_name("location", &self.location, "-")?;
        let (family, prefix) = match self.model_api_family.as_deref() {
            None | Some("vertex_gemini") => (Family::Gemini, "gemini"),
            Some("anthropic_messages") => (Family::Anthropic, "claude"),
            Some(_) => {
                let message = "model_api_family must be one of: vertex_gemini, anthropic_messages";
                return Err(AdminError::bad_request(message));
            }
        };
        let usual = vendor.models.iter().find(|model| model.starts_with(prefix));
        let model = self.model.clone().or_else(|| usual.cloned()).unwrap_or_default();
        upstream::cloud_name("model", &model, "-._@")?;
        let settings = serde_json::json!({"location": self.location});
        let base_url = match self.base_url.clone() {
            Some(given) => upstream::base_url(given)?,
            None => upstream::default_base_url(vendor, &settings)?,
        };
        Ok(VertexModel {
            base_url: base_url.trim_end_matches('/').to_owned(),
            project: self.project_id.clone(),
            location: self.location.clone(),
            family,
            model,
        })
    }
}

fn identity(credential: Option<Credential>) -> Identity {
    match credential {
        Some(Credential::GoogleServiceAccount { client_email, private_key, token_uri }) => {
            let token_uri = token_uri.unwrap_or_else(|| TOKEN_URI.to_owned());
            Identity::ServiceAccount(ServiceAccount { client_email, private_key, token_uri })
        }
        Some(Credential::GoogleImpersonation { target_service_account }) => {
            Identity::Impersonation(target_service_account)
        }
        _ => Identity::Adc,
    }
}

async fn in_time(asking: impl Future<Output = Result<(), CloudError>>) -> Result<(), AdminError> {
    let answer = tokio::time::timeout(PATIENCE, asking).await;
    let late = || AdminError::bad_request("the cloud did not answer in time; try again");
    Ok(answer.map_err(|_| late())??)
}

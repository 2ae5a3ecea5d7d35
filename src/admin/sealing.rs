//! Upstream credentials on their way from a request into an envelope.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{error::AdminError, state::AdminState, upstream};
use crate::{
    domain::OrgId,
    provider::{AuthKind, Vendor},
    secrets::{Credential, Secret, open_credential, seal_credential},
    store::{StoreError, Tx},
};

/// Longest value of a field, bytes: a private key of 16384 bits fits.
const MAX_FIELD: usize = 16 << 10;

/// An `api_key` as a request has it.
pub(super) type KeyInput = Secret;

/// The structured form, `credentials`. Which fields count is the auth type's matter.
#[derive(Default, Deserialize)]
pub(super) struct CredentialsInput {
    api_key: Option<Secret>,
    iam_role_arn: Option<String>,
    external_id: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<Secret>,
    session_token: Option<Secret>,
    client_email: Option<String>,
    private_key: Option<Secret>,
    token_uri: Option<String>,
    target_service_account: Option<String>,
}

/// What a request says of its secret. Null is as absent.
#[derive(Default)]
pub(super) struct Given {
    api_key: Option<Secret>,
    fields: Option<CredentialsInput>,
}

/// What the secret is for.
#[derive(Clone, Copy)]
pub(super) struct Purpose<'a> {
    pub(super) vendor: &'a Vendor,
    pub(super) auth_type: &'a str,
    pub(super) settings: &'a Value,
}

impl Given {
    pub(super) fn new(api_key: Option<KeyInput>, fields: Option<CredentialsInput>) -> Self {
        Self { api_key, fields }
    }

    /// Whether there is anything in it.
    pub(super) fn is_given(&self) -> bool {
        self.fields.is_some() || self.api_key.is_some()
    }

    /// Whether there is anything in it beside an empty key.
    pub(super) fn is_full(&self) -> bool {
        self.fields.is_some() || self.api_key.as_ref().is_some_and(|key| !key.expose().is_empty())
    }

    /// The credential that there is after the request, with what is `stored` where it says nothing.
    /// None where the kind has no secret, or its key may be missing.
    ///
    /// # Errors
    /// When something is missing or cannot be used, by the name of its field.
    pub(super) fn credential(
        self,
        purpose: Purpose<'_>,
        stored: Option<Credential>,
    ) -> Result<Option<Credential>, AdminError> {
        let kind = upstream::kind(purpose.auth_type);
        let stored = stored.filter(|credential| belongs(credential, kind));
        if kind.is_key() {
            return self.key(purpose, stored);
        }
        let stray = self.api_key.as_ref().is_some_and(|key| !key.expose().is_empty());
        if stray {
            return Err(AdminError::bad_request(format!(
                "api_key is not used with auth_type '{}'; leave it out",
                purpose.auth_type
            )));
        }
        let said_nothing = self.fields.is_none();
        let fields = self.fields.unwrap_or_default();
        match kind {
            AuthKind::ApiKey
            | AuthKind::BedrockApiKey
            | AuthKind::GoogleAdc
            | AuthKind::OauthPassthrough => Ok(None),
            AuthKind::AwsRole => fields.role(purpose, stored).map(Some),
            // The rest is set as a whole.
            _ if said_nothing && stored.is_some() => Ok(stored),
            AuthKind::AwsKeys => fields.access_key(purpose).map(Some),
            AuthKind::GoogleServiceAccount => fields.service_account(purpose).map(Some),
            AuthKind::GoogleImpersonation => fields.impersonation(purpose).map(Some),
        }
    }

    fn key(
        self,
        purpose: Purpose<'_>,
        stored: Option<Credential>,
    ) -> Result<Option<Credential>, AdminError> {
        let unknown_shape = self.fields.as_ref().is_some_and(|fields| fields.api_key.is_none());
        if unknown_shape && self.api_key.is_none() {
            return Err(missing("api_key", purpose));
        }
        let given = self.api_key.or_else(|| self.fields.and_then(|fields| fields.api_key));
        let Some(key) = given else {
            return match stored {
                None if !purpose.vendor.key_optional => Err(no_key()),
                stored => Ok(stored),
            };
        };
        if key.expose().bytes().any(|byte| !byte.is_ascii_graphic()) {
            let message = "api_key must be printable ASCII without spaces or line breaks";
            return Err(AdminError::bad_request(message));
        }
        match key.expose() {
            "" if purpose.vendor.key_optional => Ok(None),
            "" => Err(no_key()),
            _ => Ok(Some(Credential::ApiKey(key))),
        }
    }
}

fn no_key() -> AdminError {
    AdminError::bad_request("api_key is required for API-key auth providers")
}

fn missing(field: &str, purpose: Purpose<'_>) -> AdminError {
    let auth_type = purpose.auth_type;
    AdminError::bad_request(format!("credentials.{field} is required for auth_type '{auth_type}'"))
}

/// Whether a stored credential is of that kind.
fn belongs(credential: &Credential, kind: AuthKind) -> bool {
    match credential {
        Credential::ApiKey(_) => kind.is_key(),
        Credential::AwsRole { .. } => kind == AuthKind::AwsRole,
        Credential::AwsKeys { .. } => kind == AuthKind::AwsKeys,
        Credential::GoogleServiceAccount { .. } => kind == AuthKind::GoogleServiceAccount,
        Credential::GoogleImpersonation { .. } => kind == AuthKind::GoogleImpersonation,
    }
}

impl CredentialsInput {
    /// Role and external id may also stand in the settings; an external id is made where none is
    /// given, and stays with its role.
    fn role(
        self,
        purpose: Purpose<'_>,
        stored: Option<Credential>,
    ) -> Result<Credential, AdminError> {
        let (stored_arn, stored_id) = match stored {
            Some(Credential::AwsRole { iam_role_arn, external_id }) => {
                (Some(iam_role_arn), Some(external_id))
            }
            _ => (None, None),
        };
        let iam_role_arn = self
            .iam_role_arn
            .or_else(|| setting(purpose, "iam_role_arn"))
            .or_else(|| stored_arn.clone())
            .ok_or_else(|| missing("iam_role_arn", purpose))?;
        role_arn("credentials.iam_role_arn", &iam_role_arn)?;
        let kept = stored_id.filter(|_| stored_arn.as_ref() == Some(&iam_role_arn));
        let external_id = self
            .external_id
            .or_else(|| setting(purpose, "external_id"))
            .or(kept)
            .unwrap_or_else(|| Uuid::new_v4().to_string());
        external("credentials.external_id", &external_id)?;
        Ok(Credential::AwsRole { iam_role_arn, external_id })
    }

    fn access_key(self, purpose: Purpose<'_>) -> Result<Credential, AdminError> {
        let access_key_id = self.access_key_id.ok_or_else(|| missing("access_key_id", purpose))?;
        let secret_access_key =
            self.secret_access_key.ok_or_else(|| missing("secret_access_key", purpose))?;
        let session_token = self.session_token.filter(|token| !token.expose().is_empty());
        graphic("access_key_id", &access_key_id)?;
        graphic("secret_access_key", secret_access_key.expose())?;
        if let Some(token) = &session_token {
            graphic("session_token", token.expose())?;
        }
        Ok(Credential::AwsKeys { access_key_id, secret_access_key, session_token })
    }

    /// The key of a service account.
    pub(super) fn service_account(self, purpose: Purpose<'_>) -> Result<Credential, AdminError> {
        let client_email = self.client_email.ok_or_else(|| missing("client_email", purpose))?;
        let private_key = self.private_key.ok_or_else(|| missing("private_key", purpose))?;
        graphic("client_email", &client_email)?;
        let length = private_key.expose().len();
        if private_key.expose().trim().is_empty() || length > MAX_FIELD {
            let message = "credentials.private_key must be a private key in PEM form";
            return Err(AdminError::bad_request(message));
        }
        let token_uri = self.token_uri.filter(|uri| !uri.is_empty());
        if let Some(uri) = &token_uri {
            upstream::base_url(uri.clone()).map_err(|_| {
                AdminError::bad_request(
                    "credentials.token_uri must be an absolute URL such as \
                     https://oauth2.googleapis.com/token",
                )
            })?;
        }
        Ok(Credential::GoogleServiceAccount { client_email, private_key, token_uri })
    }

    fn impersonation(self, purpose: Purpose<'_>) -> Result<Credential, AdminError> {
        let target_service_account = self
            .target_service_account
            .or_else(|| setting(purpose, "target_service_account"))
            .ok_or_else(|| missing("target_service_account", purpose))?;
        service_account_name("credentials.target_service_account", &target_service_account)?;
        Ok(Credential::GoogleImpersonation { target_service_account })
    }
}

fn setting(purpose: Purpose<'_>, name: &str) -> Option<String> {
    purpose.settings.get(name)?.as_str().map(str::to_owned)
}

/// `arn:aws:iam::123456789012:role/path/name`
pub(super) fn role_arn(field: &str, arn: &str) -> Result<(), AdminError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let name = |role: &str| {
        role.strip_prefix("role/").is_some_and(|name| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|sign| sign.is_ascii_alphanumeric() || "+=,.@_/-".contains(sign))
        })
    };
    let account = |id: &str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    let partition = |name: &str| {
        name.starts_with("aws")
            && name.chars().all(|sign| sign.is_ascii_lowercase() || "-".contains(sign))
    };
    match parts.as_slice() {
        ["arn", of, "iam", "", id, role]
            if partition(of) && account(id) && name(role) && arn.len() <= 2048 =>
        {
            Ok(())
        }
        _ => Err(AdminError::bad_request(format!(
            "{field} must be the ARN of a role, such as arn:aws:iam::123456789012:role/turnpike"
        ))),
    }
}

/// What AWS takes: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
pub(super) fn external(field: &str, id: &str) -> Result<(), AdminError> {
    let fits = |sign: char| sign.is_ascii_alphanumeric() || "_+=,.@:/-".contains(sign);
    if (2..=1224).contains(&id.len()) && id.chars().all(fits) {
        return Ok(());
    }
    Err(AdminError::bad_request(format!(
        "{field} must be 2 to 1224 letters, digits and signs out of _+=,.@:/-"
    )))
}

/// An e-mail address or numeric id of a service account: it becomes part of a path.
pub(super) fn service_account_name(field: &str, name: &str) -> Result<(), AdminError> {
    let fits = |sign: char| sign.is_ascii_alphanumeric() || "@._-".contains(sign);
    if (1..=320).contains(&name.len()) && name.chars().all(fits) && !name.contains("..") {
        return Ok(());
    }
    Err(AdminError::bad_request(format!(
        "{field} must be a service account's e-mail address, such as \
         robot@project.iam.gserviceaccount.com"
    )))
}

fn graphic(field: &str, text: &str) -> Result<(), AdminError> {
    if (1..=MAX_FIELD).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(AdminError::bad_request(format!(
        "credentials.{field} must be printable ASCII without spaces or line breaks"
    )))
}

impl AdminState {
    /// Seals a credential for one row, and has the row claim what is the organization's alone.
    pub(super) async fn seal(
        &self,
        tx: &mut Tx,
        org: OrgId,
        row: Uuid,
        credential: Option<&Credential>,
    ) -> Result<Option<Vec<u8>>, AdminError> {
        let claim = credential.and_then(Credential::claim);
        tx.set_claim(org, row, claim.as_deref()).await.map_err(claimed)?;
        let sealed = credential.map(|it| seal_credential(&self.keyring, org, row, it));
        Ok(sealed.transpose()?)
    }

    /// Opens what a row holds.
    pub(super) fn open(
        &self,
        org: OrgId,
        row: Uuid,
        sealed: Option<&[u8]>,
    ) -> Result<Option<Credential>, AdminError> {
        let opened = sealed.map(|sealed| open_credential(&self.keyring, org, row, sealed));
        Ok(opened.transpose()?.flatten())
    }
}

fn claimed(error: StoreError) -> AdminError {
    match error {
        StoreError::Conflict => AdminError::conflict(
            "this AWS role with this external id, or this service account, is in use by another \
             organization; use another external id or service account",
        ),
        other => other.into(),
    }
}

/// Refuses what another organization has claimed.
pub(super) async fn unclaimed(
    state: &AdminState,
    org: OrgId,
    credential: &Credential,
) -> Result<(), AdminError> {
    let Some(claim) = credential.claim() else { return Ok(()) };
    let mut tx = state.store.read().await?;
    if tx.is_claimed_by_another(org, &claim).await? {
        return Err(claimed(StoreError::Conflict));
    }
    Ok(())
}

//! One provider's row, with the secret that it uses, made ready to be called.

use aws_credential_types::Credentials;
use serde::Deserialize;

use crate::{
    domain::Endpoint,
    provider::{AuthKind, Catalog, Vendor, catalog_slug},
    secrets::{
        self, AwsRole, Credential, GoogleIdentity, Keyring, SealError, Secret, ServiceAccount,
    },
    snapshot::{Auth, AwsSource, BaseUrl, BaseUrlError, Provider, ProviderError, ProviderParts},
    store::{ConnectionRow, ProviderRow},
};

/// Where a service account's key is exchanged unless it says otherwise.
const GOOGLE_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// What a caller's own OAuth token is forwarded for.
const OAUTH_ENDPOINTS: [Endpoint; 2] = [Endpoint::Messages, Endpoint::CountTokens];

/// Why a provider cannot be used. Messages never contain a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderFault {
    #[error("its vendor '{0}' is not in the catalogue of this version")]
    UnknownVendor(String),
    #[error("it has no base_url and its vendor has no default")]
    NoBaseUrl,
    #[error("its base_url {0}")]
    BaseUrl(#[from] BaseUrlError),
    #[error("its credential does not exist")]
    NoConnection,
    #[error("its secret cannot be opened: {0}")]
    Seal(#[from] SealError),
    #[error("it has no API key, which its vendor needs")]
    NoKey,
    #[error("it has no credential of its auth_type '{0}'")]
    NoCredential(&'static str),
    #[error("its setting '{0}' is missing")]
    NoSetting(&'static str),
    #[error(transparent)]
    Request(#[from] ProviderError),
    #[error("its setting 'dialects' is not a list of known endpoints")]
    Dialects,
}

pub(super) fn provider(
    row: &ProviderRow,
    connections: &[ConnectionRow],
    keyring: &Keyring,
    vendors: &'static Catalog,
) -> Result<Provider, ProviderFault> {
    let vendor = vendors
        .vendor(&row.model_provider)
        .ok_or_else(|| ProviderFault::UnknownVendor(row.model_provider.clone()))?;
    let credential = credential(row, connections, keyring)?;
    let (api_key, auth) = auth(row, vendor, credential)?;
    let parts = ProviderParts {
        id: row.id,
        name: row.name.as_str().into(),
        vendor,
        catalog: catalog_slug(&vendor.slug, &row.auth_type, &row.settings),
        base: base(row, vendor)?,
        api_key,
        auth,
        endpoints: endpoints(row, vendor)?,
        setting: &|name| setting(row, name),
    };
    Ok(Provider::new(parts)?)
}

/// One provider, ready to be called; else why it is not, without any secret.
///
/// # Errors
/// Why it cannot be called.
pub fn usable_provider(
    row: &ProviderRow,
    connections: &[ConnectionRow],
    keyring: &Keyring,
    vendors: &'static Catalog,
) -> Result<Provider, String> {
    provider(row, connections, keyring, vendors).map_err(|fault| fault.to_string())
}

fn base(row: &ProviderRow, vendor: &Vendor) -> Result<BaseUrl, ProviderFault> {
    let own = Some(row.base_url.clone()).filter(|text| !text.is_empty());
    let text = own.or_else(|| vendor.base_url_for(|name| setting(row, name)));
    let base = BaseUrl::parse(&text.ok_or(ProviderFault::NoBaseUrl)?)?;
    let root = vendor.root(&base.prefix).to_owned();
    Ok(base.with_prefix(&root))
}

fn setting(row: &ProviderRow, name: &str) -> Option<String> {
    row.settings.get(name)?.as_str().map(str::to_owned)
}

fn kind(row: &ProviderRow) -> AuthKind {
    AuthKind::named(&row.auth_type).unwrap_or(AuthKind::ApiKey)
}

/// The provider's own credential, or the shared one that it uses.
fn credential(
    row: &ProviderRow,
    connections: &[ConnectionRow],
    keyring: &Keyring,
) -> Result<Option<Credential>, ProviderFault> {
    let (record, sealed) = match row.connection_id {
        None => (row.id.0, row.sealed.as_deref()),
        Some(id) => {
            let shared = connections.iter().find(|connection| connection.id == id);
            (id.0, shared.ok_or(ProviderFault::NoConnection)?.sealed.as_deref())
        }
    };
    match sealed {
        Some(sealed) => Ok(secrets::open_credential(keyring, row.org_id, record, sealed)?),
        None => Ok(None),
    }
}

/// What the provider's requests show: a key that all of them have, and what each of them needs.
fn auth(
    row: &ProviderRow,
    vendor: &Vendor,
    credential: Option<Credential>,
) -> Result<(Option<Secret>, Auth), ProviderFault> {
    let kind = kind(row);
    let auth = match (kind, credential) {
        (AuthKind::ApiKey | AuthKind::BedrockApiKey, credential) => {
            return Ok((api_key(vendor, credential)?, Auth::Headers));
        }
        (AuthKind::OauthPassthrough, _) => Auth::Caller,
        (AuthKind::GoogleAdc, _) => Auth::Google(GoogleIdentity::Adc),
        (_, Some(credential)) => of_cloud(row, kind, credential)?,
        (_, None) => return Err(ProviderFault::NoCredential(kind.name())),
    };
    Ok((None, auth))
}

fn of_cloud(
    row: &ProviderRow,
    kind: AuthKind,
    credential: Credential,
) -> Result<Auth, ProviderFault> {
    match (kind, credential) {
        (
            AuthKind::AwsKeys,
            Credential::AwsKeys { access_key_id, secret_access_key, session_token },
        ) => {
            let secret = secret_access_key.expose();
            let token = session_token.map(|token| token.expose().to_owned());
            let keys = Credentials::new(access_key_id, secret, token, None, "provider");
            Ok(Auth::Aws { region: region(row)?.into(), source: AwsSource::Keys(keys) })
        }
        (AuthKind::AwsRole, Credential::AwsRole { iam_role_arn, external_id }) => {
            let region = region(row)?;
            let role = AwsRole { region: region.clone(), arn: iam_role_arn, external_id };
            Ok(Auth::Aws { region: region.into(), source: AwsSource::Role(role) })
        }
        (
            AuthKind::GoogleServiceAccount,
            Credential::GoogleServiceAccount { client_email, private_key, token_uri },
        ) => {
            let token_uri = token_uri.unwrap_or_else(|| GOOGLE_TOKEN_URI.to_owned());
            let account = ServiceAccount { client_email, private_key, token_uri };
            Ok(Auth::Google(GoogleIdentity::ServiceAccount(account)))
        }
        (
            AuthKind::GoogleImpersonation,
            Credential::GoogleImpersonation { target_service_account },
        ) => Ok(Auth::Google(GoogleIdentity::Impersonation(target_service_account))),
        _ => Err(ProviderFault::NoCredential(kind.name())),
    }
}

fn region(row: &ProviderRow) -> Result<String, ProviderFault> {
    setting(row, "region").ok_or(ProviderFault::NoSetting("region"))
}

fn api_key(
    vendor: &Vendor,
    credential: Option<Credential>,
) -> Result<Option<Secret>, ProviderFault> {
    let key = match credential {
        Some(Credential::ApiKey(key)) => Some(key),
        _ => None,
    };
    match key {
        Some(key) if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(ProviderError::KeyCharacters.into())
        }
        None if !vendor.key_optional => Err(ProviderFault::NoKey),
        key => Ok(key),
    }
}

/// A setting `dialects` is read of `custom` providers alone: what a known vendor speaks is known.
fn endpoints(row: &ProviderRow, vendor: &Vendor) -> Result<Vec<Endpoint>, ProviderFault> {
    if kind(row) == AuthKind::OauthPassthrough {
        return Ok(vendor.endpoints_for(Some(&OAUTH_ENDPOINTS)));
    }
    match row.settings.get("dialects") {
        Some(named) if vendor.slug == "custom" && !named.is_null() => {
            let named = Vec::<Endpoint>::deserialize(named).map_err(|_| ProviderFault::Dialects)?;
            Ok(vendor.endpoints_for(Some(&named)))
        }
        _ => Ok(vendor.endpoints_for(None)),
    }
}

//! The gateway's own identity at Google: a file that the environment names, the one that `gcloud`
//! leaves, else the machine's metadata server.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, header};
use serde::Deserialize;

use super::{
    SCOPE, ServiceAccount, TOKEN_URI, TokenAnswer, ask,
    assertion::{self, form, form_request},
    impersonate,
};
use crate::{cloud::CloudError, net::Fetcher, secrets::Secret};

/// <https://cloud.google.com/compute/docs/metadata/overview>
const METADATA_HOST: &str = "metadata.google.internal";

/// The kinds of file: AIP-4112, 4113, 4117, and impersonation by one of them.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Credentials {
    ServiceAccount {
        client_email: String,
        private_key: Secret,
        token_uri: Option<String>,
    },
    AuthorizedUser {
        client_id: String,
        client_secret: Secret,
        refresh_token: Secret,
    },
    ImpersonatedServiceAccount {
        service_account_impersonation_url: String,
        source_credentials: Box<Self>,
    },
    ExternalAccount {
        audience: String,
        subject_token_type: String,
        token_url: String,
        credential_source: Source,
        service_account_impersonation_url: Option<String>,
    },
}

/// Where an external account's token comes from.
#[derive(Deserialize)]
struct Source {
    file: Option<PathBuf>,
    url: Option<String>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    format: Format,
}

#[derive(Default, Deserialize)]
struct Format {
    /// Of a JSON object; without it the whole is the token.
    subject_token_field_name: Option<String>,
}

/// A token of the gateway's own identity.
pub(super) async fn token(platform: &Fetcher) -> Result<(Secret, Duration), CloudError> {
    // Every address here is the operator's choice: the environment's, or that of the file it names.
    match file()? {
        Some(credentials) => of_file(platform, credentials).await,
        None => metadata(platform).await,
    }
}

fn file() -> Result<Option<Credentials>, CloudError> {
    let named = std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").filter(|path| !path.is_empty());
    let (path, must_exist) = match (named, std::env::var_os("HOME")) {
        (Some(path), _) => (PathBuf::from(path), true),
        (None, Some(home)) => {
            (PathBuf::from(home).join(".config/gcloud/application_default_credentials.json"), false)
        }
        (None, None) => return Ok(None),
    };
    let text = match std::fs::read(&path) {
        Ok(text) => zeroize::Zeroizing::new(text),
        Err(error) if !must_exist && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "GOOGLE_APPLICATION_CREDENTIALS");
            return Err(CloudError::own(
                "the file that GOOGLE_APPLICATION_CREDENTIALS names cannot be read by the gateway",
            ));
        }
    };
    serde_json::from_slice(&text).map(Some).map_err(|error| {
        // By line and column: the text itself may be part of a secret.
        let (line, column) = (error.line(), error.column());
        tracing::warn!(path = %path.display(), line, column, "not a known kind of credentials");
        CloudError::own(
            "the gateway's Google credentials file is none of the types service_account, \
             authorized_user, external_account and impersonated_service_account",
        )
    })
}

/// Boxed, because credentials may rest on others.
fn of_file(
    fetcher: &Fetcher,
    credentials: Credentials,
) -> BoxFuture<'_, Result<(Secret, Duration), CloudError>> {
    Box::pin(async move {
        match credentials {
            Credentials::ServiceAccount { client_email, private_key, token_uri } => {
                let token_uri = token_uri.unwrap_or_else(|| TOKEN_URI.to_owned());
                let account = ServiceAccount { client_email, private_key, token_uri };
                assertion::exchange(fetcher, &account).await
            }
            Credentials::AuthorizedUser { client_id, client_secret, refresh_token } => {
                let body = form(&[
                    ("grant_type", "refresh_token"),
                    ("client_id", &client_id),
                    ("client_secret", client_secret.expose()),
                    ("refresh_token", refresh_token.expose()),
                ]);
                exchange(fetcher, TOKEN_URI, body).await
            }
            Credentials::ImpersonatedServiceAccount {
                service_account_impersonation_url: url,
                source_credentials,
            } => {
                let (own, _) = of_file(fetcher, *source_credentials).await?;
                impersonate(fetcher, &url, &own).await
            }
            Credentials::ExternalAccount {
                audience,
                subject_token_type,
                token_url,
                credential_source,
                service_account_impersonation_url,
            } => {
                let subject = subject(fetcher, &credential_source).await?;
                let body = form(&[
                    ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                    ("audience", &audience),
                    ("scope", SCOPE),
                    ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                    ("subject_token_type", &subject_token_type),
                    ("subject_token", subject.expose()),
                ]);
                let federated = exchange(fetcher, &token_url, body).await?;
                match service_account_impersonation_url {
                    Some(url) => impersonate(fetcher, &url, &federated.0).await,
                    None => Ok(federated),
                }
            }
        }
    })
}

async fn exchange(
    fetcher: &Fetcher,
    url: &str,
    body: String,
) -> Result<(Secret, Duration), CloudError> {
    let answer: TokenAnswer =
        ask(fetcher, "the token endpoint", form_request(url), body.into()).await?;
    Ok(answer.with_lifetime())
}

/// The token of the other identity provider: from a file, or an address on this machine.
async fn subject(fetcher: &Fetcher, source: &Source) -> Result<Secret, CloudError> {
    let whole = match (&source.file, &source.url) {
        (Some(path), _) => std::fs::read(path).map(Bytes::from).map_err(|error| {
            tracing::warn!(path = %path.display(), %error, "credential_source.file");
            CloudError::own("credential_source.file of the Google credentials cannot be read")
        })?,
        (None, Some(url)) => {
            let headers = source.headers.iter();
            let request = headers
                .fold(Request::get(url), |request, (name, value)| request.header(name, value));
            let request = request.body(Bytes::new()).map_err(|_| no_subject())?;
            let answer = fetcher.send(request, super::BOUNDS).await.map_err(|_| no_subject())?;
            answer.status().is_success().then(|| answer.into_body()).ok_or_else(no_subject)?
        }
        (None, None) => {
            return Err(CloudError::own(
                "external_account credentials are read with a credential_source of file or url",
            ));
        }
    };
    let text = match &source.format.subject_token_field_name {
        None => String::from_utf8(whole.to_vec()).map_err(|_| no_subject())?,
        Some(field) => serde_json::from_slice::<serde_json::Value>(&whole)
            .ok()
            .and_then(|object| object.get(field)?.as_str().map(str::to_owned))
            .ok_or_else(no_subject)?,
    };
    Ok(Secret::new(text.trim().to_owned()))
}

fn no_subject() -> CloudError {
    CloudError::own("credential_source of the Google credentials gives no token")
}

async fn metadata(platform: &Fetcher) -> Result<(Secret, Duration), CloudError> {
    let host = std::env::var("GCE_METADATA_HOST").ok().filter(|host| !host.is_empty());
    let is_named = host.is_some();
    let host = host.unwrap_or_else(|| METADATA_HOST.to_owned());
    let scope: String = url::form_urlencoded::byte_serialize(SCOPE.as_bytes()).collect();
    let url = format!(
        "http://{host}/computeMetadata/v1/instance/service-accounts/default/token?scopes={scope}"
    );
    let request =
        Request::get(url).header("metadata-flavor", "Google").header(header::ACCEPT, "*/*");
    let asked: Result<TokenAnswer, _> =
        ask(platform, "the metadata server", request, Bytes::new()).await;
    match asked {
        Ok(answer) => Ok(answer.with_lifetime()),
        Err(CloudError::Own(_)) if !is_named => Err(CloudError::own(
            "the gateway has no Google identity of its own: there is no metadata server on this \
             machine; set GOOGLE_APPLICATION_CREDENTIALS for the gateway",
        )),
        Err(error) => Err(error),
    }
}

//! Google: access tokens for the gateway's own identity (application default credentials), for a
//! service account whose key an organization gave, and for one that the gateway impersonates.
//!
//! ADC: <https://cloud.google.com/docs/authentication/application-default-credentials>; AIP-4110 and
//! those it names.

mod adc;
mod answer;
mod assertion;
#[cfg(test)]
mod tests;
mod vertex;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, header};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use super::{CloudError, Renewed};
use crate::{
    domain::Timestamp,
    net::{Bounds, FetchError, Fetcher},
    secrets::Secret,
};

pub use crate::secrets::{GoogleIdentity as Identity, ServiceAccount};
pub use vertex::{Family, VertexModel};

/// What tokens are good for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Where a service account's key is exchanged unless it says otherwise.
pub const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(8), bytes: 256 << 10 };
/// Identities whose tokens are kept.
const IDENTITIES: u64 = 10_000;

/// Access to Google. Clones share it.
#[derive(Clone)]
pub struct Google(Arc<Inner>);

struct Inner {
    /// For addresses that others may choose.
    guarded: Fetcher,
    /// For the metadata server: its address is nobody's choice but the operator's.
    platform: Fetcher,
    /// `google.iam_credentials_url`
    iam: String,
    tokens: Cache<Identity, Arc<Renewed<Secret>>>,
}

impl Google {
    /// `iam` is `google.iam_credentials_url`, without trailing slash.
    #[must_use]
    pub fn new(guarded: Fetcher, platform: Fetcher, iam: String) -> Self {
        Self(Arc::new(Inner { guarded, platform, iam, tokens: Cache::new(IDENTITIES) }))
    }

    /// An access token, kept and renewed.
    ///
    /// # Errors
    /// When Google refuses or cannot be asked.
    pub async fn token(&self, identity: &Identity) -> Result<Secret, CloudError> {
        let kept = self.0.tokens.get(identity);
        if let Some(fresh) = kept.as_ref().and_then(|kept| kept.fresh()) {
            return Ok(fresh);
        }
        let kept = kept.unwrap_or_else(|| self.0.tokens.get_with(identity.clone(), Arc::default));
        let (own, identity) = (self.clone(), identity.clone());
        kept.get(move || async move { own.fetch(&identity).await }).await
    }

    /// A vendor refused the identity's token: it is renewed before its time.
    pub fn doubt(&self, identity: &Identity) {
        if let Some(kept) = self.0.tokens.get(identity) {
            kept.doubt();
        }
    }

    /// Gets a token anew and asks Vertex about a model with it.
    ///
    /// # Errors
    /// When either step is refused or cannot be taken.
    pub async fn validate(
        &self,
        identity: &Identity,
        model: &VertexModel,
    ) -> Result<(), CloudError> {
        let (token, _) = self.fetch(identity).await?;
        vertex::probe(&self.0.guarded, &token, model).await
    }

    /// Boxed, because the impersonating identity is fetched by it, too.
    fn fetch<'a>(
        &'a self,
        identity: &'a Identity,
    ) -> BoxFuture<'a, Result<(Secret, Duration), CloudError>> {
        Box::pin(async move {
            match identity {
                Identity::Adc => adc::token(&self.0.platform).await,
                Identity::ServiceAccount(account) => {
                    assertion::exchange(&self.0.guarded, account).await
                }
                Identity::Impersonation(target) => {
                    let own = self.token(&Identity::Adc).await?;
                    let iam = &self.0.iam;
                    let url =
                        format!("{iam}/v1/projects/-/serviceAccounts/{target}:generateAccessToken");
                    impersonate(&self.0.guarded, &url, &own).await
                }
            }
        })
    }
}

/// <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken>
async fn impersonate(
    fetcher: &Fetcher,
    url: &str,
    own: &Secret,
) -> Result<(Secret, Duration), CloudError> {
    #[derive(Serialize)]
    struct Wanted {
        scope: [&'static str; 1],
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Made {
        access_token: Secret,
        expire_time: jiff::Timestamp,
    }
    let request = Request::post(url)
        .header(header::AUTHORIZATION, answer::bearer(own)?)
        .header(header::CONTENT_TYPE, "application/json");
    let body = serde_json::to_vec(&Wanted { scope: [SCOPE] }).unwrap_or_default();
    let made: Made = ask(fetcher, "the IAM credentials API", request, body.into()).await?;
    let left = made.expire_time.as_second().saturating_sub(Timestamp::now().unix_seconds());
    Ok((made.access_token, Duration::from_secs(u64::try_from(left).unwrap_or_default())))
}

/// What token endpoints answer (RFC 6749, 5.1), the metadata server's too.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Secret,
    expires_in: u64,
}

impl TokenAnswer {
    fn with_lifetime(self) -> (Secret, Duration) {
        (self.access_token, Duration::from_secs(self.expires_in))
    }
}

/// Sends a request and reads the answer, or the message of the refusal. `whom` names the address in
/// our words.
async fn ask<T: serde::de::DeserializeOwned>(
    fetcher: &Fetcher,
    whom: &str,
    request: http::request::Builder,
    body: Bytes,
) -> Result<T, CloudError> {
    let request = request.body(body);
    let request = request.map_err(|_| unreachable(whom, FetchError::Url))?;
    let answer = fetcher.send(request, BOUNDS).await.map_err(|error| unreachable(whom, error))?;
    if !answer.status().is_success() {
        return Err(answer::refusal(whom, answer.status(), answer.body()));
    }
    serde_json::from_slice(answer.body()).map_err(|_| {
        let status = answer.status().as_u16();
        CloudError::own(format!("{whom} answered {status}, and not what was asked for"))
    })
}

fn unreachable(whom: &str, error: FetchError) -> CloudError {
    CloudError::own(format!("{whom} cannot be asked: {error}"))
}

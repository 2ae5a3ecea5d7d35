//! The credential of an attempt, where it is not among the provider's fixed headers: a signature of AWS,
//! an access token of Google. Tokens are kept and renewed in [`crate::cloud`], across changes of the
//! snapshot.

use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header, request::Parts};

use super::ctx::Call;
use crate::{
    cloud::{
        CloudError, Clouds,
        aws::{Signable, sign},
    },
    domain::{AttemptOutcome, Timestamp},
    net::GOOGLE,
    route::{Failure, Plan},
    secrets::Secret,
    snapshot::{AWS_SERVICE, Auth, AwsSource, Provider},
    wire::Spliced,
};

/// Longest wait for a credential; less where the attempt has less time left.
const PATIENCE: Duration = Duration::from_secs(15);

/// Adds the provider's credential to a request. Answers what of it must not be repeated to anyone.
///
/// # Errors
/// Why there is none, as the failure of the attempt.
pub async fn authorize(
    head: &mut Parts,
    body: &Spliced,
    provider: &Provider,
    clouds: &Clouds,
    patience: Duration,
) -> Result<Option<Secret>, Failure> {
    match &provider.auth {
        Auth::Headers | Auth::Caller => Ok(None),
        Auth::Aws { region, source } => {
            let credentials = match source {
                AwsSource::Keys(keys) => keys.clone(),
                AwsSource::Role(role) => {
                    // Boxed: what is rarely waited for should not make every request's future large.
                    let asking = Box::pin(clouds.aws.credentials(role));
                    in_time(asking, patience, provider, "AWS").await?
                }
            };
            signed(head, &body.joined(), &credentials, region)?;
            Ok(credentials.session_token().map(|token| Secret::new(token.to_owned())))
        }
        Auth::Google(identity) => {
            if identity.is_platforms() && !clouds.trusted.permits(&provider.base, GOOGLE) {
                return Err(untrusted("Google identity", GOOGLE));
            }
            let asking = Box::pin(clouds.google.token(identity));
            let token = in_time(asking, patience, provider, "Google").await?;
            bearer(&mut head.headers, &token)?;
            Ok(Some(token))
        }
    }
}

/// Takes note that the vendor refused what was got for it. It may have been revoked: then another one may
/// be good.
pub fn refused(provider: &Provider, clouds: &Clouds) {
    match &provider.auth {
        Auth::Aws { source: AwsSource::Role(role), .. } => clouds.aws.doubt(role),
        Auth::Google(identity) => clouds.google.doubt(identity),
        Auth::Aws { .. } | Auth::Headers | Auth::Caller => {}
    }
}

/// How long a credential may be waited for.
pub fn patience(call: &Call) -> Duration {
    let deadline = call.plan.as_deref().and_then(|plan: &Plan| plan.addresses.deadline);
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    left.map_or(PATIENCE, |left| left.min(PATIENCE))
}

/// A token that is not the organization's own may not go to the provider's host.
pub fn untrusted(whose: &str, own: &str) -> Failure {
    failed(format!(
        "the gateway's {whose} is not sent to this provider's base_url, which is neither https://{own} \
         nor listed in upstream.trusted_hosts"
    ))
}

/// `Authorization` with a token.
fn bearer(headers: &mut HeaderMap, token: &Secret) -> Result<(), Failure> {
    let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
    let mut value = value
        .map_err(|_| failed("the token that was got has characters that no header carries"))?;
    value.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, value);
    Ok(())
}

fn signed(
    head: &mut Parts,
    body: &Bytes,
    credentials: &Credentials,
    region: &str,
) -> Result<(), Failure> {
    let request =
        Signable { method: &head.method, target: &head.uri, headers: &head.headers, body };
    let signature = sign(&request, credentials, AWS_SERVICE, region, now());
    let signature = signature.map_err(|error| failed(error.to_string()))?;
    head.headers.extend(signature);
    Ok(())
}

fn now() -> SystemTime {
    let since = u64::try_from(Timestamp::now().0).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_micros(since)
}

/// What a cloud said of a refusal is the operator's business: it names accounts and roles. The caller
/// is told in our words.
async fn in_time<T>(
    asking: impl Future<Output = Result<T, CloudError>>,
    patience: Duration,
    provider: &Provider,
    cloud: &str,
) -> Result<T, Failure> {
    let Ok(answer) = tokio::time::timeout(patience, asking).await else {
        let message = format!("{cloud} gave no credential for this provider in time");
        return Err(Failure::of(AttemptOutcome::Timeout, message));
    };
    answer.map_err(|error| {
        failed(match error {
            CloudError::Vendor(_) => {
                // Not in the vendor's words: an endpoint of the organization's choosing may repeat what
                // was sent to it. The validation operations tell those to who configured it.
                tracing::warn!(provider = %provider.name, "{cloud} refused a credential");
                format!("{cloud} refused to give the gateway a credential for this provider")
            }
            CloudError::Own(words) => {
                tracing::warn!(provider = %provider.name, %words, "no credential of {cloud}");
                format!("the gateway has no credential of {cloud} for this provider: {words}")
            }
        })
    })
}

fn failed(message: impl Into<String>) -> Failure {
    Failure::of(AttemptOutcome::AuthFailed, message)
}

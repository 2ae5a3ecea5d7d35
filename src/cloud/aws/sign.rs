//! Requests signed with AWS Signature Version 4:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{self, SignableBody, SignableRequest, SigningParams, SigningSettings},
    sign::v4,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

/// What a signature says about a request. Of the headers: the host and the content's type; what a proxy
/// on the way may change is not signed.
#[derive(Clone, Copy, Debug)]
pub struct Signable<'r> {
    /// The method.
    pub method: &'r Method,
    /// Path and query, percent-encoded as they are sent.
    pub target: &'r Uri,
    /// As they are sent.
    pub headers: &'r HeaderMap,
    /// The whole of it.
    pub body: &'r [u8],
}

/// The request cannot be signed. Nothing of it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request cannot be signed for AWS")]
pub struct SignError;

/// The headers that make the request one of the credentials' owner: `authorization`, `x-amz-date` and,
/// for temporary credentials, `x-amz-security-token`.
///
/// # Errors
/// When a part of it is none that can be sent.
pub fn sign(
    request: &Signable<'_>,
    credentials: &Credentials,
    service: &str,
    region: &str,
    now: SystemTime,
) -> Result<Vec<(HeaderName, HeaderValue)>, SignError> {
    let identity = credentials.clone().into();
    let params: SigningParams<'_> = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(now)
        // Paths are encoded once more for the signature, as every service but S3 has it.
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| SignError)?
        .into();
    let signed = [header::HOST, header::CONTENT_TYPE]
        .iter()
        .filter_map(|name| Some((name.as_str(), request.headers.get(name)?.to_str().ok()?)))
        .collect::<Vec<_>>();
    let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let url = format!("https://{}{}", host.ok_or(SignError)?, request.target);
    let signable = SignableRequest::new(
        request.method.as_str(),
        url,
        signed.into_iter(),
        SignableBody::Bytes(request.body),
    )
    .map_err(|_| SignError)?;
    let output = http_request::sign(signable, &params).map_err(|_| SignError)?;
    output.output().headers().map(|(name, value)| header(name, value)).collect()
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), SignError> {
    let name = HeaderName::try_from(name).map_err(|_| SignError)?;
    let mut value = HeaderValue::try_from(value).map_err(|_| SignError)?;
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;

//! Claude's OAuth passthrough: a provider without a credential, to which the caller's own token is
//! forwarded as it came. On the Messages endpoints alone, to Anthropic or a trusted host alone; a request
//! without such a token is the caller's fault, whatever other routes there are.

use http::{HeaderMap, HeaderValue, header};

use super::{
    authorize,
    ctx::Call,
    refusal::{self, Refusal},
};
use crate::{
    cloud::Clouds,
    domain::Endpoint,
    net::CLAUDE,
    route::{Failure, Plan},
    secrets::Secret,
    snapshot::{Auth, Provider},
};

/// What such a token begins with; nothing else is forwarded.
const PREFIX: &str = "sk-ant-oat";

/// Refuses what a request's first route can only be refused for: another endpoint than those of
/// messages, or no token.
///
/// # Errors
/// The refusal.
pub fn check(plan: &Plan, endpoint: Endpoint, headers: &HeaderMap) -> Result<(), Refusal> {
    let callers = |provider: &Provider| matches!(provider.auth, Auth::Caller);
    let first = plan.first().filter(|route| callers(&route.provider));
    if let Some(route) = first.filter(|_| !is_forwarded_on(endpoint)) {
        return Err(refusal::oauth_endpoint(&route.provider.name, endpoint));
    }
    match plan.current().filter(|route| callers(&route.provider)) {
        Some(route) if token(headers).is_none() => Err(refusal::oauth_token(&route.provider.name)),
        _ => Ok(()),
    }
}

const fn is_forwarded_on(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::Messages | Endpoint::CountTokens)
}

/// The header that is forwarded: `Authorization: Bearer sk-ant-oat…`, given once.
fn token(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (only, None) = (values.next()?, values.next()) else { return None };
    bare(only).map(|_| only)
}

fn bare(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let whole = token.len() > PREFIX.len() && token.bytes().all(|byte| byte.is_ascii_graphic());
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with(PREFIX) && whole).then_some(token)
}

/// Why a caller's token is not forwarded.
pub enum Withheld {
    /// There is none: the caller's fault, and the end of the request.
    Missing(Refusal),
    /// It may not go there: the attempt has failed.
    Untrusted(Failure),
}

/// Adds the caller's token to a request, and answers it bare: nobody is told it.
///
/// # Errors
/// Why it is not.
pub fn forward(
    client: &HeaderMap,
    to: &mut HeaderMap,
    call: &Call,
    provider: &Provider,
    clouds: &Clouds,
) -> Result<Secret, Withheld> {
    if !call.endpoint.is_some_and(is_forwarded_on)
        || !clouds.trusted.permits(&provider.base, CLAUDE)
    {
        return Err(Withheld::Untrusted(authorize::untrusted("caller's OAuth token", CLAUDE)));
    }
    let missing = || Withheld::Missing(refusal::oauth_token(&provider.name));
    let value = token(client).ok_or_else(missing)?;
    let bare = bare(value).ok_or_else(missing)?;
    let mut value = value.clone();
    value.set_sensitive(true);
    to.insert(header::AUTHORIZATION, value);
    Ok(Secret::new(bare.to_owned()))
}

/// Whether a vendor's refusal is of the caller's own credential: then it is the caller's to see, and says
/// nothing of the gateway's.
pub fn is_callers_refusal(call: &Call, status: u16) -> bool {
    let route = call.plan.as_deref().and_then(Plan::current);
    matches!(status, 401 | 403)
        && route.is_some_and(|route| matches!(route.provider.auth, Auth::Caller))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let value = |value: &&str| (header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        values.iter().map(value).collect()
    }

    #[test]
    fn a_token_is_one_bearer_value_of_its_kind() {
        for good in ["Bearer sk-ant-oat01-abc", "bearer sk-ant-oat-x_Y-9"] {
            assert_eq!(token(&headers(&[good])).unwrap(), good);
        }
        for bad in [
            "Bearer bd-1234",
            "Bearer sk-ant-api03-abc",
            "Bearer sk-ant-oat",
            "Bearer sk-ant-oat01 abc",
            "Basic sk-ant-oat01-abc",
            "sk-ant-oat01-abc",
            "Bearer",
            "",
        ] {
            assert!(token(&headers(&[bad])).is_none(), "{bad}");
        }
        assert!(token(&headers(&[])).is_none());
        let two = ["Bearer sk-ant-oat01-a", "Bearer sk-ant-oat01-b"];
        let mut twice = headers(&two[..1]);
        twice.append(header::AUTHORIZATION, HeaderValue::from_static(two[1]));
        assert!(token(&twice).is_none());
    }
}

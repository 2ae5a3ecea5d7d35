//! Send: the request line and headers of an attempt, rebuilt from an allow-list.

use http::{HeaderName, HeaderValue, Method, header};
use pingora_error::{ErrorType, OrErr, Result};
use pingora_http::RequestHeader;

use super::ctx::{Call, Ctx};
use crate::{provider::AuthScheme, route::Plan, snapshot::Provider, wire::headers};

/// Replaces Pingora's copy of the client's header by what the vendor may see.
pub fn rebuild(client: &RequestHeader, upstream: &mut RequestHeader, ctx: &Ctx) -> Result<()> {
    let Some(call) = ctx.call.as_ref() else { return Ok(()) };
    let Some(route) = call.plan.as_ref().and_then(Plan::current) else { return Ok(()) };
    let provider = &route.provider;
    let mut head =
        RequestHeader::build_no_case(Method::POST, path(call, provider).as_bytes(), Some(16))?;
    forward(client, &mut head, provider)?;
    head.insert_header(header::HOST, &*provider.base.authority)?;
    if !head.headers.contains_key(header::CONTENT_TYPE) {
        head.insert_header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))?;
    }
    head.insert_header(header::CONTENT_LENGTH, HeaderValue::from(call.attempt.body_len))?;
    // A compressed stream would be held back by the compressor, and its usage could not be read.
    head.insert_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))?;
    identify(call, &mut head)?;
    credentials(provider, &mut head)?;
    // Pingora has set it to the protocol of the connection.
    head.set_version(upstream.version);
    *upstream = head;
    Ok(())
}

fn path(call: &Call, provider: &Provider) -> String {
    let path = call.endpoint.map(|endpoint| provider.vendor.path(endpoint)).unwrap_or_default();
    let prefix = &provider.base.prefix;
    match &call.query {
        None => format!("{prefix}{path}"),
        Some(query) => format!("{prefix}{path}?{query}"),
    }
}

fn forward(client: &RequestHeader, head: &mut RequestHeader, provider: &Provider) -> Result<()> {
    let vendor = provider.vendor;
    let nominates = client.headers.contains_key(header::CONNECTION);
    for (name, value) in &client.headers {
        let nominated = nominates && headers::is_nominated(&client.headers, name.as_str());
        if !nominated && headers::is_forwardable_request(name.as_str(), &vendor.forward_headers) {
            head.append_header(name.clone(), value.clone())?;
        }
    }
    for (name, value) in &vendor.default_headers {
        if !head.headers.contains_key(name.as_str()) {
            let name = HeaderName::try_from(name.as_str())
                .or_err(ErrorType::InternalError, "default header")?;
            head.insert_header(name, value.as_str())?;
        }
    }
    Ok(())
}

fn identify(call: &Call, head: &mut RequestHeader) -> Result<()> {
    head.insert_header(HeaderName::from_static("x-request-id"), call.id.as_str())?;
    if let Some(trace) = &call.trace {
        head.insert_header(HeaderName::from_static("traceparent"), trace.child())?;
    }
    Ok(())
}

fn credentials(provider: &Provider, head: &mut RequestHeader) -> Result<()> {
    let Some(key) = provider.api_key.as_ref().filter(|key| !key.expose().is_empty()) else {
        return Ok(());
    };
    let (name, mut value) = match provider.vendor.auth {
        AuthScheme::Bearer => {
            (header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {}", key.expose())))
        }
        AuthScheme::XApiKey => {
            (HeaderName::from_static("x-api-key"), HeaderValue::try_from(key.expose()))
        }
    };
    if let Ok(value) = &mut value {
        value.set_sensitive(true);
    }
    let value = value.map_err(|_| {
        pingora_error::Error::explain(
            ErrorType::InternalError,
            "the provider's key cannot be sent in a header",
        )
    })?;
    head.insert_header(name, value)?;
    Ok(())
}

//! Send: the request line and headers of an attempt, rebuilt from an allow-list.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use pingora_error::{Error, ErrorType, OrErr, Result};
use pingora_http::RequestHeader;

use super::ctx::{Call, Ctx};
use crate::{route::Plan, snapshot::Provider, wire::headers};

/// Room for the headers of an ordinary request.
const HEADERS: usize = 16;

/// Replaces Pingora's copy of the client's header by what the vendor may see.
pub fn rebuild(client: &RequestHeader, upstream: &mut RequestHeader, ctx: &Ctx) -> Result<()> {
    let Some(call) = ctx.call.as_ref() else { return Ok(()) };
    let Some(route) = call.plan.as_ref().and_then(Plan::current) else { return Ok(()) };
    let (mut head, ()) = http::Request::new(()).into_parts();
    head.method = Method::POST;
    head.uri = target(call, &route.provider)?;
    // Pingora has set it to the protocol of the connection.
    head.version = upstream.version;
    head.headers = fields(client, call, &route.provider)?;
    *upstream = RequestHeader::from(head);
    Ok(())
}

/// The headers, as a map of `http`: Pingora's own way in takes every name apart and parses it again.
fn fields(client: &RequestHeader, call: &Call, provider: &Provider) -> Result<HeaderMap> {
    let mut head = HeaderMap::with_capacity(HEADERS);
    forward(client, &mut head, provider);
    if !head.contains_key(header::CONTENT_TYPE) {
        head.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    head.insert(header::CONTENT_LENGTH, HeaderValue::from(call.attempt.body.len()));
    identify(call, &mut head)?;
    for (name, value) in &provider.headers {
        head.insert(name, value.clone());
    }
    Ok(head)
}

fn target(call: &Call, provider: &Provider) -> Result<Uri> {
    let path = call.endpoint.and_then(|endpoint| provider.path(endpoint));
    let path = path.ok_or_else(|| {
        Error::explain(ErrorType::InternalError, "the provider does not speak the endpoint")
    })?;
    match &call.query {
        None => Ok(path.clone()),
        Some(query) => Uri::try_from(format!("{path}?{query}"))
            .or_err(ErrorType::InternalError, "the query cannot be passed on"),
    }
}

fn forward(client: &RequestHeader, head: &mut HeaderMap, provider: &Provider) {
    let vendor = provider.vendor;
    let nominates = client.headers.contains_key(header::CONNECTION);
    for (name, value) in &client.headers {
        let nominated = nominates && headers::is_nominated(&client.headers, name.as_str());
        if !nominated && headers::is_forwardable_request(name.as_str(), &vendor.forward_headers) {
            head.append(name, value.clone());
        }
    }
    for (name, value) in &vendor.default_headers {
        if !head.contains_key(name) {
            head.insert(name, value.clone());
        }
    }
}

fn identify(call: &Call, head: &mut HeaderMap) -> Result<()> {
    head.insert(HeaderName::from_static("x-request-id"), call.id_header.clone());
    if let Some(trace) = &call.trace {
        head.insert(HeaderName::from_static("traceparent"), value(&trace.child())?);
    }
    Ok(())
}

fn value(text: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(text).or_err(ErrorType::InternalError, "an id is no header value")
}

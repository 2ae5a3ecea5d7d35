//! Send: the request line, headers and credential of an attempt, rebuilt from an allow-list.

use std::{sync::Arc, time::Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, header};
use pingora_error::{Error, ErrorType, OrErr, Result};
use pingora_http::RequestHeader;

use super::{
    authorize,
    ctx::{Call, Ctx},
    identity::Trace,
    oauth::{self, Withheld},
    observe::BAD_ANSWER,
    traced,
};
use crate::{
    route::{Failure, Plan},
    snapshot::{Auth, Provider, Route, Upcall, Way},
    translate::{self, Platform},
    wire::headers,
};

/// Room for the headers of an ordinary request.
const HEADERS: usize = 16;

/// Replaces Pingora's copy of the client's header by what the vendor may see.
pub fn rebuild(client: &RequestHeader, upstream: &mut RequestHeader, ctx: &mut Ctx) -> Result<()> {
    let shared = Arc::clone(&ctx.shared);
    let Some(call) = ctx.call.as_mut() else { return Ok(()) };
    let Some(route) = call.plan.as_deref().and_then(Plan::current).cloned() else { return Ok(()) };
    let way = call.endpoint.and_then(|endpoint| route.way(endpoint));
    let way = way.ok_or_else(not_spoken)?;
    let (mut head, ()) = http::Request::new(()).into_parts();
    head.method = Method::POST;
    head.uri = target(call, &route, way)?;
    // Pingora has set it to the protocol of the connection.
    head.version = upstream.version;
    head.headers = fields(client, call, &route.provider, way)?;
    if matches!(route.provider.auth, Auth::Caller) {
        let (from, to) = (&client.headers, &mut head.headers);
        match oauth::forward(from, to, call, &route.provider, &shared.clouds) {
            Ok(token) => call.attempt.secret = Some(token),
            Err(Withheld::Untrusted(failure)) => return fail(call, failure),
            Err(Withheld::Missing(refusal)) => {
                let failure = Failure::callers(&refusal.error.message);
                call.callers_fault = Some(refusal);
                return fail(call, failure);
            }
        }
    }
    *upstream = RequestHeader::from(head);
    Ok(())
}

/// Adds the credential that has to be got or computed for the request.
pub async fn authorize(upstream: &mut RequestHeader, ctx: &mut Ctx) -> Result<()> {
    let shared = Arc::clone(&ctx.shared);
    let Some(call) = ctx.call.as_mut() else { return Ok(()) };
    let Some(route) = call.plan.as_deref().and_then(Plan::current).cloned() else { return Ok(()) };
    if matches!(route.provider.auth, Auth::Headers | Auth::Caller) {
        call.attempt.sent = Some(Instant::now());
        return Ok(());
    }
    let mut head: http::request::Parts = upstream.clone().into();
    let patience = authorize::patience(call);
    let body = call.attempt.body.clone();
    let provider = &route.provider;
    match authorize::authorize(&mut head, &body, provider, &shared.clouds, patience).await {
        Ok(secret) => {
            call.attempt.secret = secret;
            call.attempt.sent = Some(Instant::now());
            *upstream = RequestHeader::from(head);
            Ok(())
        }
        Err(failure) => fail(call, failure),
    }
}

/// Over HTTP/1 a long body goes out in pieces, and on a connection of the gateway's own the header waits for
/// its body.
pub fn in_http1(upstream: &RequestHeader, ctx: &Ctx) {
    let Some(call) = ctx.call.as_ref().filter(|_| upstream.version != Version::HTTP_2) else {
        return;
    };
    if let Some(gate) = &call.gate {
        gate.control.in_pieces();
    }
    if let Some(dial) = call.attempt.dial.as_ref().filter(|_| !call.attempt.body.is_empty()) {
        dial.hold_header();
    }
}

/// The attempt ends before it was sent.
fn fail(call: &mut Call, failure: Failure) -> Result<()> {
    call.attempt.failure = Some(failure);
    Error::e_explain(BAD_ANSWER, "see the attempt's failure")
}

#[expect(clippy::unnecessary_box_returns, reason = "Pingora's errors are boxed")]
fn not_spoken() -> Box<Error> {
    Error::explain(ErrorType::InternalError, "the provider does not speak the endpoint")
}

/// The headers, as a map of `http`: Pingora's own way in takes every name apart and parses it again.
fn fields(client: &RequestHeader, call: &Call, provider: &Provider, way: Way) -> Result<HeaderMap> {
    let mut head = HeaderMap::with_capacity(HEADERS);
    forward(client, &mut head, provider);
    if way != Way::Pass {
        // The body is the gateway's own; and what the client would accept, it gets from the gateway.
        head.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        head.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    }
    if !head.contains_key(header::CONTENT_TYPE) {
        head.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if way == Way::Rehost(Platform::Vertex)
        && let Some(betas) = translate::vertex_betas(headers::betas(&client.headers))
    {
        head.insert(HeaderName::from_static("anthropic-beta"), value(&betas)?);
    }
    head.insert(header::CONTENT_LENGTH, headers::count(call.attempt.body.len()));
    identify(call, &mut head)?;
    for (name, value) in &provider.headers {
        head.insert(name, value.clone());
    }
    Ok(head)
}

fn target(call: &Call, route: &Route, way: Way) -> Result<Uri> {
    let upcall = Upcall {
        endpoint: call.endpoint.ok_or_else(not_spoken)?,
        way,
        model: &route.upstream_model,
        base_model: &route.base_model,
        stream: call.asks_stream(),
        query: call.query.as_deref(),
    };
    let target = route.provider.target(&upcall);
    target.or_err(ErrorType::InternalError, "the request's address cannot be made")
}

/// What of the client's header travels. `tracestate` belongs to the `traceparent` beside it, and means
/// nothing without one (<https://www.w3.org/TR/trace-context/#tracestate-header>).
fn forward(client: &RequestHeader, head: &mut HeaderMap, provider: &Provider) {
    let vendor = provider.vendor;
    let nominates = client.headers.contains_key(header::CONNECTION);
    for (name, value) in &client.headers {
        let nominated = nominates && headers::is_nominated(&client.headers, name.as_str());
        let travels = headers::is_forwardable_request(name.as_str(), &vendor.forward_headers)
            || (name == "tracestate" && Trace::read(&client.headers).is_some());
        if !nominated && travels {
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
    head.insert(&headers::X_REQUEST_ID, call.id_header.clone());
    if let Some(parent) = traced::below_attempt(call) {
        head.insert(&headers::TRACEPARENT, value(&parent)?);
    }
    Ok(())
}

fn value(text: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(text).or_err(ErrorType::InternalError, "an id is no header value")
}

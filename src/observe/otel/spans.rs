//! The spans of a request, made of what is known once it is over.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    InstrumentationScope, KeyValue, Value,
    trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::{Place, names};
use crate::domain::{AttemptOutcome, Endpoint, Timestamp, UsageRecord};

/// A request that is over.
pub struct RequestSpan<'a> {
    /// Where it stands.
    pub place: Place,
    /// Its method, if it is one that HTTP knows.
    pub method: &'static str,
    /// When it arrived.
    pub arrived: Timestamp,
    /// How long it took.
    pub elapsed: Duration,
    /// What is recorded of it.
    pub record: &'a UsageRecord<'a>,
    /// What was tried for it, in order.
    pub attempts: &'a [AttemptSpan],
}

/// One attempt: one request to a vendor.
#[derive(Clone, Debug)]
pub struct AttemptSpan {
    /// Its id, which the vendor was told.
    pub span: u64,
    /// When it began, from the request's arrival.
    pub began: Duration,
    /// When it ended, from the request's arrival.
    pub ended: Duration,
    /// The vendor, as the conventions call it.
    pub vendor: &'static str,
    /// The provider's name.
    pub provider: Arc<str>,
    /// The model asked for.
    pub model: Arc<str>,
    /// The host that was called.
    pub host: Arc<str>,
    /// Its port.
    pub port: u16,
    /// What the vendor answered, if it did.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// How often this route had been tried before for the request.
    pub resent: u32,
    /// From its beginning to the first byte of an answer that is one.
    pub first_chunk: Option<Duration>,
}

/// Everything about a request: its own span first, then its attempts'.
pub(super) fn of(request: &RequestSpan<'_>, scheme: &'static str) -> Vec<SpanData> {
    let mut spans = Vec::with_capacity(1 + request.attempts.len());
    spans.push(server(request, scheme));
    let last = request.attempts.len().saturating_sub(1);
    for (index, attempt) in request.attempts.iter().enumerate() {
        spans.push(client(request, attempt, index == last));
    }
    spans
}

fn server(request: &RequestSpan<'_>, scheme: &'static str) -> SpanData {
    let record = request.record;
    // The path itself is the client's; where it leads is not.
    let route = record.endpoint.map(|endpoint| format!("/v1{}", endpoint.path()));
    let method = request.method;
    let name =
        route.as_ref().map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let error = record.error_type.as_deref().filter(|_| record.status >= 500);
    let mut list = Attributes::default();
    list.set(names::HTTP_METHOD, method);
    list.set(names::URL_SCHEME, scheme);
    list.maybe(names::HTTP_ROUTE, route);
    list.set(names::HTTP_STATUS, i64::from(record.status));
    list.maybe(names::ERROR_TYPE, error.map(str::to_owned));
    list.set(names::REQUEST_ID, record.request_id.to_string());
    list.maybe(names::ALIAS, record.alias.as_deref().map(str::to_owned));
    list.maybe(names::ROUTE_PROVIDER, record.provider_name.as_deref().map(str::to_owned));
    list.maybe(names::DENIED_BY, record.denied_by.as_deref().map(str::to_owned));
    list.set(names::ROUTES_TRIED, count(record.attempts.len()));
    list.set(names::RETRIES, i64::from(record.retry_count));
    let frame = Frame {
        span: request.place.span,
        parent: request.place.parent,
        remote: true,
        kind: SpanKind::Server,
        status: status(error),
    };
    let window = (Duration::ZERO, request.elapsed);
    span(request, frame, name, window, list)
}

fn client(request: &RequestSpan<'_>, attempt: &AttemptSpan, last: bool) -> SpanData {
    let operation = operation(request.record.endpoint);
    let error = error_of(attempt);
    let mut list = Attributes::default();
    list.set(names::OPERATION, operation);
    list.set(names::PROVIDER, attempt.vendor);
    list.set(names::REQUEST_MODEL, attempt.model.to_string());
    list.set(names::ROUTE_PROVIDER, attempt.provider.to_string());
    list.set(names::SERVER_ADDRESS, attempt.host.to_string());
    list.set(names::SERVER_PORT, i64::from(attempt.port));
    list.maybe(names::HTTP_STATUS, attempt.status.map(i64::from));
    list.maybe(names::ERROR_TYPE, error.map(str::to_owned));
    if attempt.resent > 0 {
        list.set(names::HTTP_RESEND_COUNT, i64::from(attempt.resent));
    }
    if request.record.stream {
        list.set(names::REQUEST_STREAM, true);
        list.maybe(names::FIRST_CHUNK, attempt.first_chunk.map(|time| time.as_secs_f64()));
    }
    if last {
        answer(&mut list, request.record);
    }
    let frame = Frame {
        span: attempt.span,
        parent: Some(request.place.span),
        remote: false,
        kind: SpanKind::Client,
        status: status(error),
    };
    let name = format!("{operation} {}", attempt.model);
    span(request, frame, name, (attempt.began, attempt.ended), list)
}

/// What the vendor said about its answer. The conventions' input tokens are all of them.
fn answer(list: &mut Attributes, record: &UsageRecord<'_>) {
    list.maybe(names::RESPONSE_MODEL, record.used_model.as_deref().map(str::to_owned));
    if record.usage_source.is_none() {
        return;
    }
    let cached = record.cache_read_tokens.saturating_add(record.cache_write_tokens);
    for (name, tokens) in [
        (names::INPUT_TOKENS, record.input_tokens.saturating_add(cached)),
        (names::OUTPUT_TOKENS, record.output_tokens),
        (names::CACHE_READ_TOKENS, record.cache_read_tokens),
        (names::CACHE_WRITE_TOKENS, record.cache_write_tokens),
        (names::REASONING_TOKENS, record.reasoning_tokens),
    ] {
        list.set(name, count(tokens));
    }
}

const fn operation(endpoint: Option<Endpoint>) -> &'static str {
    match endpoint {
        Some(Endpoint::Completions) => "text_completion",
        Some(Endpoint::Embeddings) => "embeddings",
        Some(Endpoint::CountTokens) => "count_tokens",
        Some(Endpoint::Models) => "list_models",
        Some(Endpoint::ChatCompletions | Endpoint::Responses | Endpoint::Messages) | None => "chat",
    }
}

fn error_of(attempt: &AttemptSpan) -> Option<&'static str> {
    (attempt.outcome != AttemptOutcome::Ok).then(|| attempt.outcome.as_str())
}

fn status(error: Option<&str>) -> Status {
    error.map_or(Status::Unset, |error| Status::error(error.to_owned()))
}

/// A span's place and kind.
struct Frame {
    span: u64,
    parent: Option<u64>,
    remote: bool,
    kind: SpanKind,
    status: Status,
}

fn span(
    request: &RequestSpan<'_>,
    frame: Frame,
    name: String,
    (began, ended): (Duration, Duration),
    attributes: Attributes,
) -> SpanData {
    let (trace, id) = (TraceId::from(request.place.trace), SpanId::from(frame.span));
    let arrived = moment(request.arrived);
    SpanData {
        span_context: SpanContext::new(
            trace,
            id,
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: frame.parent.map_or(SpanId::INVALID, SpanId::from),
        parent_span_is_remote: frame.remote && frame.parent.is_some(),
        span_kind: frame.kind,
        name: name.into(),
        start_time: arrived + began,
        end_time: arrived + ended,
        attributes: attributes.0,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: frame.status,
        instrumentation_scope: InstrumentationScope::builder("turnpike")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    }
}

fn moment(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.0).unwrap_or(0))
}

fn count(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

#[derive(Default)]
struct Attributes(Vec<KeyValue>);

impl Attributes {
    fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push(KeyValue::new(name, value));
    }

    fn maybe(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }
}

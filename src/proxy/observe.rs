//! Observe: judge each answer, let good ones through, read usage off them, and end streams honestly.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use pingora_error::{Error, ErrorType, Result, RetryType};
use pingora_http::ResponseHeader;
use smallvec::SmallVec;

use super::{
    authorize,
    ctx::{Call, Ctx, Meter, Stage},
    gate, oauth, plan, refusal,
    settle::{self, Outcome},
    stream::StreamAnswer,
    whole::{Asked, Change, WholeAnswer},
};
use crate::{
    dialect::{self, AnswerMeter, FirstEvent, StreamError, StreamMeter, upstream_error},
    domain::{AttemptOutcome, Endpoint, Timestamp},
    net,
    route::{self, Failure, Plan},
    snapshot::{Route, Way},
    translate::{
        Additions, Answering, ClientApi, Platform, RehostStream, Selection, StreamTranslator,
    },
    wire::headers,
};

/// How much of a failed attempt's body is read for its message, bytes.
const ERROR_BODY: usize = 16 * 1024;
/// How much of an error for the client is collected, bytes. A longer one is told in words of ours.
const CLIENT_ERROR_BODY: usize = 64 * 1024;
/// How much of an answer without framing is held back, bytes.
const UNFRAMED_BODY: usize = 1024 * 1024;
/// How long a failed attempt's body may take.
const ERROR_BODY_PATIENCE: Duration = Duration::from_secs(2);

/// Raised when the filters have found an answer to be no answer; never shown to a client.
pub const BAD_ANSWER: ErrorType = ErrorType::Custom("the answer is a failure");

fn bad_answer<T>() -> Result<T> {
    Error::e_explain(BAD_ANSWER, "see the attempt's failure")
}

/// Judges the vendor's status line and headers.
pub fn judge(upstream: &ResponseHeader, ctx: &mut Ctx) {
    let Some(call) = ctx.call.as_mut() else { return };
    let status = upstream.status.as_u16();
    if upstream.status.is_informational() {
        return;
    }
    call.attempt.status = Some(status);
    call.attempt.unframed = is_unframed(upstream);
    let asked = route::retry_after(&upstream.headers, Timestamp::now().unix_seconds());
    call.attempt.failure =
        Failure::of_status(status, asked).filter(|_| !oauth::is_callers_refusal(call, status));
    if matches!(status, 401 | 403)
        && let Some(route) = call.plan.as_ref().and_then(Plan::current)
    {
        authorize::refused(&route.provider, &ctx.shared.clouds);
    }
    if call.attempt.failure.is_none() && has_strange_coding(upstream) {
        call.attempt.failure =
            Some(nonsense(call, "the vendor's answer has a transfer coding that nobody asked for"));
    }
    let Some(gate) = &call.gate else { return };
    if call.attempt.failure.is_some() {
        gate.control.within(Instant::now() + ERROR_BODY_PATIENCE);
    } else if upstream.status.is_success() || counts(call) {
        call.attempt.told = (!upstream.status.is_success()).then_some(200);
        call.attempt.counted = header_count(&upstream.headers);
        call.attempt.meter = meter(call, &upstream.headers, ctx.arrived);
    } else {
        call.attempt.meter = Meter::Error(Vec::new());
        release(call, None);
    }
}

fn meter(call: &Call, headers: &HeaderMap, arrived: Timestamp) -> Meter {
    let (Some(endpoint), Some(inbound)) = (call.endpoint, &call.inbound) else {
        return Meter::None;
    };
    let Some(route) = call.plan.as_ref().and_then(Plan::current) else { return Meter::None };
    let way = route.way(endpoint).unwrap_or(Way::Pass);
    let whole = |change| Meter::Whole(Box::new(WholeAnswer::new(endpoint, change)));
    if !is_event_stream(headers) {
        return match way {
            Way::Pass if endpoint == Endpoint::ChatCompletions => {
                additions(call, route, arrived).map_or(Meter::None, |all| whole(Change::Add(all)))
            }
            Way::Pass => Meter::Answer(AnswerMeter::new(endpoint)),
            Way::Rehost(_) => whole(Change::Rehost(Arc::clone(&route.upstream_model))),
            Way::Embed(api) => whole(Change::Embed(api)),
            Way::Count(api) => whole(Change::Count(api)),
            Way::Estimate => Meter::None,
            Way::Translate(client, vendor) => {
                let context = answering(call, route, client, arrived);
                whole(Change::Translate { client, vendor, context, stream: call.stream() })
            }
        };
    }
    let framing = route.provider.framing(way);
    Meter::Stream(Box::new(match way {
        Way::Pass | Way::Embed(_) | Way::Count(_) | Way::Estimate => {
            let wanted = call.wishes.metadata && endpoint == Endpoint::ChatCompletions;
            StreamAnswer::Pass(match additions(call, route, arrived).filter(|_| wanted) {
                Some(all) => StreamMeter::with_trailer(Box::new(move |facts, usage| {
                    all.trailer(facts, usage)
                })),
                None => StreamMeter::new(endpoint, plan::asks_usage(inbound, route, call.endpoint)),
            })
        }
        Way::Rehost(_) => StreamAnswer::Rehost(
            RehostStream::new(framing, Arc::clone(&route.upstream_model)),
            StreamMeter::new(endpoint, false),
        ),
        Way::Translate(client, vendor) => {
            let context = answering(call, route, client, arrived);
            StreamAnswer::Translate(StreamTranslator::new(vendor, framing, client, context))
        }
    }))
}

/// Whether the vendor is asked for a count of tokens, which the gateway can give where it does not.
fn counts(call: &Call) -> bool {
    let route = call.plan.as_ref().and_then(Plan::current);
    let way = route.zip(call.endpoint).and_then(|(route, endpoint)| route.way(endpoint));
    matches!(way, Some(Way::Count(_)))
}

/// Bedrock's count of the input
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>).
fn header_count(headers: &HeaderMap) -> Option<u64> {
    headers.get("x-amzn-bedrock-input-token-count")?.to_str().ok()?.parse().ok()
}

/// What a translated answer says that the vendor does not.
fn answering(call: &Call, route: &Route, client: ClientApi, arrived: Timestamp) -> Answering {
    Answering {
        seed: uuid::Uuid::new_v4().simple().to_string(),
        created: arrived.unix_seconds(),
        model: Arc::clone(&route.upstream_model),
        one_call: call.wishes.one_call,
        force_model: route.provider.platform != Platform::Own,
        additions: (client == ClientApi::Chat).then(|| additions(call, route, arrived)).flatten(),
    }
}

/// The unified API's additions (contract 4.8).
fn additions(call: &Call, route: &Route, arrived: Timestamp) -> Option<Additions> {
    let (plan, inbound) = (call.plan.as_ref()?, call.inbound.as_ref()?);
    Some(Additions {
        requested_model: inbound.head.model_name.clone(),
        requested_provider: plan.pinned_provider().cloned(),
        used_provider: Arc::clone(&route.provider.name),
        underlying_used_model: Arc::clone(&route.upstream_model),
        failed: plan.attempts.clone(),
        rates: route.prices.at(arrived).map(|price| price.rates),
        selection: plan.choice_of(route).and_then(|choice| {
            Some(Selection { reason: choice.reason?.as_str(), score: choice.score? })
        }),
    })
}

/// Whether nothing but the end of the connection tells the end of the body (RFC 9112 6.3).
fn is_unframed(upstream: &ResponseHeader) -> bool {
    upstream.version < Version::HTTP_2
        && !upstream.headers.contains_key(header::CONTENT_LENGTH)
        && !upstream.headers.contains_key(header::TRANSFER_ENCODING)
}

/// Whether the body is coded for the connection in a way that was not offered (RFC 9112 6.1).
fn has_strange_coding(upstream: &ResponseHeader) -> bool {
    let mut codings = upstream.headers.get_all(header::TRANSFER_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    [&b"text/event-stream"[..], b"application/vnd.amazon.eventstream"].iter().any(|stream| {
        kind.get(..stream.len()).is_some_and(|start| start.eq_ignore_ascii_case(stream))
    })
}

/// Turns the vendor's header into the client's.
///
/// A client of HTTP/1.0 (`version`) knows no chunks: what has no length ends with its connection.
pub fn dress(answer: &mut ResponseHeader, version: Version, ctx: &Ctx) -> Result<()> {
    let Some(call) = ctx.call.as_ref().filter(|call| call.attempt.failure.is_none()) else {
        return Ok(());
    };
    let error = matches!(call.attempt.meter, Meter::Error(_));
    let whole = matches!(call.attempt.meter, Meter::Whole(_));
    let stream = matches!(call.attempt.meter, Meter::Stream(_));
    let changes = error || whole || stream;
    let mut close = ctx.shared.drain.draining();
    let tells = matches!(call.endpoint, Some(Endpoint::ChatCompletions | Endpoint::Messages));
    if whole && !answer.status.is_success() {
        answer.set_status(StatusCode::OK)?;
    }
    let plan = call.plan.as_ref().filter(|_| tells && answer.status.is_success());
    redress(answer, |headers| {
        strip(headers, changes, credential(call));
        if error || (whole && !call.stream()) {
            as_json(headers);
        } else if stream || whole {
            as_event_stream(headers);
        }
        if changes {
            // Chunks are flushed one by one, a body with a length only when it is complete.
            headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        if version < Version::HTTP_11 && !headers.contains_key(header::CONTENT_LENGTH) {
            headers.remove(header::TRANSFER_ENCODING);
            close = true;
        }
        name(headers, call);
        if let Some(plan) = plan {
            tell_route(headers, plan);
        }
    })?;
    if let (true, Some(gate)) = (close, &call.gate) {
        gate.control.close_afterwards();
    }
    Ok(())
}

/// Changes the headers as a map of `http`. Pingora's own way in looks every name up twice, to keep
/// the letters' case, of which the meaning is independent.
pub fn redress(answer: &mut ResponseHeader, change: impl FnOnce(&mut HeaderMap)) -> Result<()> {
    let own =
        answer.get_reason_phrase().filter(|own| answer.status.canonical_reason() != Some(*own));
    let own = own.map(str::to_owned);
    let empty = ResponseHeader::build_no_case(answer.status, Some(0))?;
    let mut parts: http::response::Parts = std::mem::replace(answer, empty).into();
    change(&mut parts.headers);
    *answer = parts.into();
    match own {
        Some(own) => answer.set_reason_phrase(Some(&own)),
        None => Ok(()),
    }
}

/// What a vendor's error is told as, whatever it came as.
fn as_json(headers: &mut HeaderMap) {
    headers.remove(header::CONTENT_ENCODING);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if !essence.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
}

/// What a stream is told as: a vendor's own type stays where it is one.
fn as_event_stream(headers: &mut HeaderMap) {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !kind.get(..17).is_some_and(|start| start.eq_ignore_ascii_case(b"text/event-stream")) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    }
}

/// Removes what speaks of the vendor's connection or site. Framing stays Pingora's business.
fn strip(headers: &mut HeaderMap, body_changes: bool, key: &str) {
    let nominates = headers.contains_key(header::CONNECTION);
    let kept = |name: &HeaderName| {
        *name == header::TRANSFER_ENCODING
            || (headers::is_forwardable_response(name.as_str(), body_changes)
                && !(nominates && headers::is_nominated(headers, name.as_str())))
    };
    let echoes = |value: &HeaderValue| {
        !key.is_empty() && memchr::memmem::find(value.as_bytes(), key.as_bytes()).is_some()
    };
    let gone: SmallVec<[HeaderName; 4]> = headers
        .iter()
        .filter(|(name, value)| !kept(name) || echoes(value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in &gone {
        headers.remove(name);
    }
}

/// The request's id, under both names where the client's SDK looks for the other.
pub fn name(headers: &mut HeaderMap, call: &Call) {
    headers.insert(HeaderName::from_static("x-request-id"), call.id_header.clone());
    if call.dialect == crate::domain::ClientDialect::Anthropic {
        headers.insert(HeaderName::from_static("request-id"), call.id_header.clone());
    }
}

/// The five headers of seed 001.
fn tell_route(headers: &mut HeaderMap, plan: &Plan) {
    let sleep = u64::try_from(plan.retry_sleep.as_millis()).unwrap_or(u64::MAX);
    let mut tell = |name, value| headers.insert(HeaderName::from_static(name), value);
    tell("x-bd-provider-route-attempt", plan.position().into());
    tell("x-bd-provider-route-count", plan.route_count().into());
    tell("x-bd-provider-failover-count", plan.attempts.len().into());
    tell("x-bd-provider-retry-count", plan.retry_count.into());
    tell("x-bd-provider-retry-sleep-ms", sleep.into());
}

/// Looks at a piece of the answer's body, and decides what of it goes on.
pub fn body(piece: &mut Option<Bytes>, end: bool, ctx: &mut Ctx) -> Result<()> {
    let Some(call) = ctx.call.as_mut() else { return Ok(()) };
    if call.attempt.failure.is_some() {
        return capture(piece.take(), end, call);
    }
    match std::mem::take(&mut call.attempt.meter) {
        Meter::None => {}
        Meter::Error(kept) => client_error(kept, piece, end, call),
        Meter::Answer(meter) => answer(meter, piece.as_ref(), end, call)?,
        Meter::Whole(answer) => whole(answer, piece, end, call)?,
        Meter::Stream(meter) => stream(meter, piece, end, call)?,
    }
    if call.first_byte.is_none() && piece.as_ref().is_some_and(|piece| !piece.is_empty()) {
        call.first_byte = Some(ctx.began.elapsed());
    }
    let finished = matches!(&call.attempt.meter, Meter::Stream(meter) if meter.finished());
    if end || finished {
        settle::settle(ctx, Outcome::answered());
    }
    Ok(())
}

/// Keeps the start of a failed attempt's body for its message, then ends the attempt.
fn capture(piece: Option<Bytes>, end: bool, call: &mut Call) -> Result<()> {
    let kept = &mut call.attempt.error_body;
    if let Some(piece) = piece {
        let room = ERROR_BODY.saturating_sub(kept.len()).min(piece.len());
        kept.extend_from_slice(piece.get(..room).unwrap_or_default());
    }
    if end || kept.len() >= ERROR_BODY { bad_answer() } else { Ok(()) }
}

/// The vendor's own error for the client, told in the client's dialect (contract 4.1).
fn client_error(mut kept: Vec<u8>, piece: &mut Option<Bytes>, end: bool, call: &mut Call) {
    let more = piece.take().unwrap_or_default();
    // One byte beyond the bound leaves half an object, which is no error that can be read.
    let room = (CLIENT_ERROR_BODY + 1).saturating_sub(kept.len()).min(more.len());
    kept.extend_from_slice(more.get(..room).unwrap_or_default());
    if end {
        if kept.len() > CLIENT_ERROR_BODY {
            kept.truncate(1);
        }
        let status = call.attempt.status.unwrap_or_default();
        let kept = without_credential(kept, call);
        let told = upstream_error::translate(status, &kept, call.dialect, Some(&call.id));
        *piece = Some(told.unwrap_or_else(|| kept.into()));
    } else {
        call.attempt.meter = Meter::Error(kept);
    }
}

fn answer(mut meter: AnswerMeter, piece: Option<&Bytes>, end: bool, call: &mut Call) -> Result<()> {
    let piece = piece.filter(|piece| !piece.is_empty());
    let held = call.attempt.stage == Stage::Held;
    if held && piece.is_some_and(|piece| !dialect::looks_like_json(piece)) {
        let failure = nonsense(call, "the vendor answered with something that is not JSON");
        return fail(call, failure);
    }
    if let Some(piece) = piece {
        meter.push(piece);
    }
    if end && call.attempt.unframed && !meter.is_whole() {
        return fail(call, nonsense(call, "the vendor's answer was cut off"));
    }
    call.attempt.seen += piece.map_or(0, Bytes::len);
    // Whether an answer without framing is whole shows at its end only.
    let settled = !call.attempt.unframed || end || call.attempt.seen > UNFRAMED_BODY;
    if held && piece.is_some() && settled {
        let idle = call.stream().then(|| route_idle(call)).flatten();
        release(call, idle);
    }
    call.attempt.meter = Meter::Answer(meter);
    Ok(())
}

/// Collects the answer; at its end it is changed and let through.
fn whole(
    mut answer: Box<WholeAnswer>,
    piece: &mut Option<Bytes>,
    end: bool,
    call: &mut Call,
) -> Result<()> {
    let more = piece.take().unwrap_or_default();
    if !answer.push(&more) {
        return fail(call, nonsense(call, "the vendor's answer is too large to be changed"));
    }
    if end {
        if let Some(counted) = call.attempt.counted {
            call.series.counted = Some(call.series.counted.unwrap_or_default() + counted);
        }
        if call.series.goes_on() {
            call.series.answers.push(answer.take());
            call.attempt.goes_on = true;
            return bad_answer();
        }
        let Some(told) = finished(&mut answer, call) else {
            return fail(
                call,
                nonsense(call, "the vendor answered with something that cannot be read"),
            );
        };
        release(call, None);
        *piece = Some(told);
    }
    call.attempt.meter = Meter::Whole(answer);
    Ok(())
}

fn finished(answer: &mut WholeAnswer, call: &Call) -> Option<Bytes> {
    let inbound = call.inbound.as_ref()?;
    let route = call.plan.as_ref().and_then(Plan::current)?;
    answer.finish(&Asked {
        body: &inbound.body,
        model: &route.upstream_model,
        series: &call.series,
        status: call.attempt.status.unwrap_or_default(),
    })
}

fn stream(
    mut meter: Box<StreamAnswer>,
    piece: &mut Option<Bytes>,
    end: bool,
    call: &mut Call,
) -> Result<()> {
    let mut out = piece.take().map(|piece| meter.push(piece));
    if call.attempt.stage == Stage::Held {
        match meter.first() {
            FirstEvent::Undecided if !end => {}
            FirstEvent::Undecided => {
                return fail(
                    call,
                    nonsense(call, "the vendor's stream ended before its first event"),
                );
            }
            FirstEvent::Error(error) => return fail(call, first_error(call, error)),
            FirstEvent::Good => release(call, route_idle(call)),
        }
    }
    if end {
        let rest = finish(&mut meter, call);
        out = Some(joined(out.unwrap_or_default(), &rest));
    }
    *piece = out.filter(|bytes| !bytes.is_empty());
    call.attempt.meter = Meter::Stream(meter);
    Ok(())
}

/// An ending that the vendor did not finish is told as an error, never passed off as complete.
fn finish(meter: &mut StreamAnswer, call: &mut Call) -> Bytes {
    let rest = meter.end();
    if meter.complete() || meter.failed().is_some() {
        return rest;
    }
    call.attempt.stage = Stage::Cut;
    let error = refusal::stream_cut("the vendor's stream ended before it was complete");
    joined(rest, &meter.abort(&error))
}

fn joined(head: Bytes, tail: &Bytes) -> Bytes {
    if tail.is_empty() { head } else { [&*head, &**tail].concat().into() }
}

fn first_error(call: &Call, error: &StreamError) -> Failure {
    let mut failure = nonsense(call, "the vendor's stream began with an error");
    failure.said = Some(scrubbed(&error.message, call));
    if error.status == 429 {
        failure.outcome = AttemptOutcome::RateLimited;
    }
    failure
}

/// The answer is none: the attempt ends here.
fn fail(call: &mut Call, failure: Failure) -> Result<()> {
    call.attempt.failure = Some(failure);
    bad_answer()
}

fn nonsense(call: &Call, message: &str) -> Failure {
    let mut failure = Failure::of(AttemptOutcome::UpstreamError, message);
    failure.status = call.attempt.status;
    failure
}

fn route_idle(call: &Call) -> Option<Duration> {
    call.plan.as_ref().and_then(Plan::current).map(|route| route.stream_idle_timeout)
}

/// The answer is one: from here on it is the client's, and nothing is tried again.
fn release(call: &mut Call, idle: Option<Duration>) {
    call.attempt.stage = Stage::Released;
    call.attempt.latency = call.attempt.began.map(|began| began.elapsed());
    if let Some(gate) = &call.gate {
        gate.control.release(idle);
    }
    call.forget_body();
}

impl Call {
    /// Once nothing can be retried, a long answer must not keep a long request in memory.
    pub fn forget_body(&mut self) {
        if let Some(gate) = &self.gate {
            gate.control.forget_body();
        }
        self.attempt.body = Bytes::new();
        if let Some(inbound) = self.inbound.as_mut() {
            inbound.body = Bytes::new();
            inbound.room.release();
        }
    }
}

/// What the failed attempt was, once Pingora has ended it.
pub fn failure(call: &mut Call, error: &Error, reused: bool) -> Failure {
    let expired = call.gate.as_ref().is_some_and(|gate| gate.control.expired());
    if let Some(mut failure) = call.attempt.failure.take() {
        if !call.attempt.error_body.is_empty() {
            let said = upstream_error::attempt_message(
                failure.status.unwrap_or_default(),
                &call.attempt.error_body,
            );
            failure.said = Some(scrubbed(&said, call));
        }
        return failure;
    }
    if expired {
        return Failure::of(AttemptOutcome::Timeout, timeout_message(call));
    }
    let mut failure = of_error(error);
    failure.status = call.attempt.status;
    if failure.outcome == AttemptOutcome::NetworkError && call.attempt.stage != Stage::Held {
        "the connection was lost before the answer was complete".clone_into(&mut failure.message);
    }
    // Pingora decides for a retry where the vendor has said that it did nothing with the request.
    let unseen = error.retry == RetryType::Decided(true);
    let lost = reused && failure.outcome == AttemptOutcome::NetworkError;
    failure.stale_connection = call.attempt.status.is_none() && (unseen || lost);
    failure
}

fn timeout_message(call: &Call) -> &'static str {
    if call.stream() {
        "the vendor sent no event in time"
    } else {
        "the vendor did not answer in time"
    }
}

/// A transport error of Pingora's in a class and words of ours: its own text names addresses.
pub fn of_error(error: &Error) -> Failure {
    use AttemptOutcome::{NetworkError, Timeout, TlsError, UpstreamError};
    let (outcome, message) = match error.etype() {
        ErrorType::ConnectTimedout => (Timeout, "the connection was not established in time"),
        ErrorType::TLSHandshakeTimedout => (Timeout, "the TLS handshake did not finish in time"),
        ErrorType::ReadTimedout | ErrorType::WriteTimedout => {
            (Timeout, "the vendor did not answer in time")
        }
        ErrorType::ConnectRefused => (NetworkError, "the connection was refused"),
        ErrorType::ConnectNoRoute
        | ErrorType::ConnectError
        | ErrorType::SocketError
        | ErrorType::ConnectProxyFailure => (NetworkError, "the vendor cannot be reached"),
        ErrorType::TLSHandshakeFailure | ErrorType::InvalidCert | ErrorType::TLSWantX509Lookup => {
            (TlsError, "the TLS handshake failed")
        }
        ErrorType::H2Error if !net::is_lost_h2(error) => {
            (UpstreamError, "the vendor broke the stream off")
        }
        ErrorType::InvalidHTTPHeader | ErrorType::InvalidH2 => {
            (UpstreamError, "the vendor's answer is not valid HTTP")
        }
        kind if *kind == gate::ENDED_WHILE_HELD => (UpstreamError, "the vendor's answer was empty"),
        kind if *kind == gate::HELD_TOO_MUCH => {
            (UpstreamError, "the vendor's answer was too long before its first event")
        }
        _ => (NetworkError, "the connection was lost before an answer came"),
    };
    Failure::of(outcome, message)
}

/// The credential of the attempt under way; empty where it has none.
fn credential(call: &Call) -> &str {
    if let Some(secret) = &call.attempt.secret {
        return secret.expose();
    }
    let route: Option<&Arc<Route>> = call.plan.as_ref().and_then(Plan::current);
    route.and_then(|route| route.provider.api_key.as_ref()).map_or("", |key| key.expose())
}

/// A vendor's words without the credential that was sent to it.
fn scrubbed(message: &str, call: &Call) -> String {
    upstream_error::scrub(message.chars().take(500).collect(), credential(call))
}

/// A vendor's error body without the credential that was sent to it.
fn without_credential(body: Vec<u8>, call: &Call) -> Vec<u8> {
    let key = credential(call);
    if key.is_empty() || memchr::memmem::find(&body, key.as_bytes()).is_none() {
        return body;
    }
    String::from_utf8_lossy(&body).replace(key, "***").into_bytes()
}

/// The error event with which a broken stream ends; none where the answer is no stream.
pub fn last_words(call: &mut Call, failure: &Failure) -> Option<Bytes> {
    let Meter::Stream(meter) = &mut call.attempt.meter else { return None };
    if meter.finished() {
        return Some(Bytes::new());
    }
    call.attempt.stage = Stage::Cut;
    Some(meter.abort(&refusal::stream_cut(&failure.message)))
}

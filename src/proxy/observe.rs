//! Observe: judge each answer, let good ones through, read usage off them, and end streams honestly.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Version, header};
use pingora_error::{Error, ErrorType, Result};
use pingora_http::ResponseHeader;

use super::{
    attempt, authorize,
    ctx::{Call, Ctx, Meter, Series, Stage},
    failed::{scrubbed, without_credential},
    meter, oauth, refusal,
    settle::{self, Outcome},
    stream::StreamAnswer,
    unfinished,
    whole::{Asked, Told, WholeAnswer},
};
use crate::{
    dialect::{self, AnswerMeter, FirstEvent, StreamError, upstream_error},
    domain::{AttemptOutcome, Timestamp},
    route::{self, Failure, OVERLOADED, Plan},
    wire::{Spliced, headers::is_of_type},
};

/// Headers of an answer. Pingora reads no more over HTTP/1; over HTTP/2 more than a map can hold would come.
const MOST_HEADERS: usize = 256;
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
    call.attempt.failure = Failure::of_status(status, asked)
        .or_else(|| platforms_fault(call, status))
        .filter(|_| !oauth::is_callers_refusal(call, status));
    if matches!(status, 401 | 403)
        && let Some(route) = call.plan.as_deref().and_then(Plan::current)
    {
        authorize::refused(&route.provider, &ctx.shared.clouds);
    }
    if call.attempt.failure.is_none()
        && let Some(fault) = strangeness(upstream)
    {
        call.attempt.failure = Some(nonsense(call, fault));
    }
    let Some(gate) = &call.gate else { return };
    if call.attempt.failure.is_some() {
        gate.control.within(Instant::now() + ERROR_BODY_PATIENCE);
    } else if upstream.status.is_success() || meter::counts(call) {
        call.attempt.told = (!upstream.status.is_success()).then_some(200);
        call.attempt.counted = meter::header_count(&upstream.headers);
        call.attempt.meter = meter::meter(call, &upstream.headers, ctx.arrived);
    } else {
        call.attempt.meter = Meter::Error(Vec::new());
        // What came before in a series was used, though its last call is refused.
        attempt::lose(call);
        if !may_refuse_key(call, status, upstream) {
            release(call, None, false);
        }
    }
}

/// Whether only the body tells if it was the caller's request that was refused, or the gateway's key: at
/// Google. Others' answers are not held for it.
fn may_refuse_key(call: &Call, status: u16, upstream: &ResponseHeader) -> bool {
    let length = upstream.headers.get(header::CONTENT_LENGTH);
    let route = call.plan.as_deref().and_then(Plan::current);
    status == 400
        && route.is_some_and(|route| route.provider.vendor.auth.header() == "x-goog-api-key")
        && length.is_none_or(|length| length != "0")
        && is_of_type(&upstream.headers, "application/json")
}

/// What a platform tells of its own faults with a client's status.
fn platforms_fault(call: &Call, status: u16) -> Option<Failure> {
    let route = call.plan.as_deref().and_then(Plan::current)?;
    let is_fault = route.provider.platform.own_faults().contains(&status);
    is_fault.then(|| Failure::of_vendor(AttemptOutcome::UpstreamError, status))
}

/// Whether nothing but the end of the connection tells the end of the body (RFC 9112 6.3).
fn is_unframed(upstream: &ResponseHeader) -> bool {
    upstream.version < Version::HTTP_2
        && !upstream.headers.contains_key(header::CONTENT_LENGTH)
        && !upstream.headers.contains_key(header::TRANSFER_ENCODING)
}

/// What keeps a header from being a client's.
fn strangeness(upstream: &ResponseHeader) -> Option<&'static str> {
    if upstream.headers.len() > MOST_HEADERS {
        return Some("the vendor's answer has too many headers");
    }
    has_strange_coding(upstream)
        .then_some("the vendor's answer has a transfer coding that nobody asked for")
}

/// Whether the body is coded for the connection in a way that was not offered (RFC 9112 6.1).
fn has_strange_coding(upstream: &ResponseHeader) -> bool {
    let mut codings = upstream.headers.get_all(header::TRANSFER_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

/// Looks at a piece of the answer's body, and decides what of it goes on.
pub fn body(piece: &mut Option<Bytes>, end: bool, ctx: &mut Ctx) -> Result<()> {
    let Some(call) = ctx.call.as_mut() else { return Ok(()) };
    if end && let Some(dial) = &call.attempt.dial {
        dial.end_answer();
    }
    if call.attempt.failure.is_some() {
        return capture(piece.take(), end, call);
    }
    match std::mem::take(&mut call.attempt.meter) {
        Meter::None => {}
        Meter::Error(kept) => client_error(kept, piece, end, call)?,
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
fn client_error(
    mut kept: Vec<u8>,
    piece: &mut Option<Bytes>,
    end: bool,
    call: &mut Call,
) -> Result<()> {
    let more = piece.take().unwrap_or_default();
    // One byte beyond the bound leaves half an object, which is no error that can be read.
    let room = (CLIENT_ERROR_BODY + 1).saturating_sub(kept.len()).min(more.len());
    kept.extend_from_slice(more.get(..room).unwrap_or_default());
    if end {
        if kept.len() > CLIENT_ERROR_BODY {
            kept.truncate(1);
        }
        let status = call.attempt.status.unwrap_or_default();
        if call.attempt.stage == Stage::Held {
            if upstream_error::refuses_key(&kept) {
                return fail(call, Failure::of_vendor(AttemptOutcome::AuthFailed, status));
            }
            release(call, None, false);
        }
        let kept = without_credential(kept.into(), call);
        let told = upstream_error::translate(status, &kept, call.dialect, Some(&call.id));
        *piece = Some(told.unwrap_or(kept));
    } else {
        call.attempt.meter = Meter::Error(kept);
    }
    Ok(())
}

fn answer(
    mut meter: Box<AnswerMeter>,
    piece: Option<&Bytes>,
    end: bool,
    call: &mut Call,
) -> Result<()> {
    let piece = piece.filter(|piece| !piece.is_empty());
    let held = call.attempt.stage == Stage::Held;
    if held && piece.is_some_and(|piece| !dialect::looks_like_json(piece)) {
        let failure = nonsense(call, "the vendor answered with something that is not JSON");
        return fail(call, failure);
    }
    if let Some(piece) = piece {
        meter.push(piece);
        if held
            && call.attempt.seen == 0
            && meter.is_error()
            && !meter.tells_usage()
            && let Some(error) = error_in_place_of_an_answer(piece)
        {
            return fail(call, told_error(call, &error, "the vendor answered with an error"));
        }
    }
    if end && call.attempt.unframed && !meter.is_whole() {
        return fail(call, nonsense(call, "the vendor's answer was cut off"));
    }
    call.attempt.seen += piece.map_or(0, Bytes::len);
    // Whether an answer without framing is whole shows at its end only.
    let settled = !call.attempt.unframed || end || call.attempt.seen > UNFRAMED_BODY;
    if held && piece.is_some() && settled {
        let idle = call.stream().then(|| route_idle(call)).flatten();
        release(call, idle, !meter.tells_usage());
    }
    call.attempt.meter = Meter::Answer(meter);
    Ok(())
}

/// What some vendors tell with a status of success, where it has come whole. A response that failed is an answer, and
/// what is wrong with the request is for the caller to know.
fn error_in_place_of_an_answer(piece: &[u8]) -> Option<StreamError> {
    let is_response = memchr::memmem::find(piece, b"\"output\"").is_some();
    dialect::error_within(piece).filter(|error| !is_response && !error.is_callers())
}

/// Collects the answer; at its end it is changed and let through.
fn whole(
    mut answer: Box<WholeAnswer>,
    piece: &mut Option<Bytes>,
    end: bool,
    call: &mut Call,
) -> Result<()> {
    let more = piece.take().unwrap_or_default();
    if !answer.push(more) {
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
        match finished(&mut answer, call) {
            Some(Ok(told)) => {
                release(call, None, !answer.tells_usage());
                *piece = Some(told);
            }
            Some(Err(Told { error: Some(error), retry_after })) => {
                let mut failure = told_error(call, &error, "the vendor answered with an error");
                let is_limited = failure.outcome == AttemptOutcome::RateLimited;
                failure.retry_after = retry_after.filter(|_| is_limited);
                return fail(call, failure);
            }
            Some(Err(_)) | None => {
                let message = "the vendor answered with something that cannot be read";
                return fail(call, nonsense(call, message));
            }
        }
    }
    call.attempt.meter = Meter::Whole(answer);
    Ok(())
}

fn finished(answer: &mut WholeAnswer, call: &Call) -> Option<Result<Bytes, Told>> {
    let inbound = call.inbound.as_ref()?;
    let route = call.plan.as_deref().and_then(Plan::current)?;
    Some(answer.finish(&Asked {
        body: &inbound.body,
        model: &route.upstream_model,
        series: &call.series,
        status: call.attempt.status.unwrap_or_default(),
    }))
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
            FirstEvent::Error(error) => {
                let failure = told_error(call, error, "the vendor's stream began with an error");
                return fail(call, failure);
            }
            FirstEvent::Good => release(call, route_idle(call), true),
        }
    }
    if end {
        let rest = finish(&mut meter, call);
        out = Some(joined(out.unwrap_or_default(), &rest));
    }
    if meter.failed().is_some() {
        // The vendor's words for its failure are among these bytes.
        out = out.map(|bytes| without_credential(bytes, call));
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

/// What a vendor told with the status of success: as the first event of a stream, or in place of an answer.
fn told_error(call: &Call, error: &StreamError, message: &str) -> Failure {
    let mut failure = nonsense(call, message);
    failure.said = Some(scrubbed(&error.message, call));
    failure.overloaded = error.status == OVERLOADED;
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
    call.plan.as_deref().and_then(Plan::current).map(|route| route.stream_idle_timeout)
}

/// The answer is one: from here on it is the client's, and nothing is tried again. `guess`: its use may have
/// to be guessed.
fn release(call: &mut Call, idle: Option<Duration>, guess: bool) {
    call.attempt.stage = Stage::Released;
    call.attempt.latency = call.attempt.began.map(|began| began.elapsed());
    attempt::answered(call);
    if let Some(gate) = &call.gate {
        gate.control.release(idle);
    }
    call.forget_body(guess);
}

impl Call {
    /// Once nothing can be retried, a long answer must not keep a long request in memory.
    fn forget_body(&mut self, guess: bool) {
        if let Some(gate) = &self.gate {
            gate.control.forget_body();
        }
        self.attempt.body = Spliced::default();
        self.media = Vec::new();
        self.series = Series::default();
        if let Some(inbound) = self.inbound.as_mut() {
            if guess && !inbound.body.is_empty() {
                self.input_guess = unfinished::input(&inbound.body);
            }
            inbound.body = Bytes::new();
            inbound.room.release();
        }
    }
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

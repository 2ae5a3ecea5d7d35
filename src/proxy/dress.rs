//! The header of the vendor's answer, made the client's.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use pingora_error::Result;
use pingora_http::ResponseHeader;
use smallvec::SmallVec;

use super::{
    ctx::{Call, Ctx, Meter},
    failed::credential,
};
use crate::{
    domain::{ClientDialect, Endpoint},
    govern::Room,
    route::Plan,
    wire::headers::{self, EVENT_STREAM, is_of_type},
};

/// Turns the vendor's header into the client's.
///
/// A client of HTTP/1.0 (`version`) knows no chunks: what has no length ends with its connection.
pub fn dress(answer: &mut ResponseHeader, version: Version, ctx: &Ctx) -> Result<()> {
    let Some(call) = ctx.call.as_ref().filter(|call| call.attempt.failure.is_none()) else {
        return Ok(());
    };
    let error = matches!(call.attempt.meter, Meter::Error(_));
    let whole = matches!(call.attempt.meter, Meter::Whole(_));
    let whole_stream =
        matches!(&call.attempt.meter, Meter::Whole(answer) if answer.becomes_stream());
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
        // All at once: when it grows, all names are put in their places anew. Where it cannot, it tries again.
        let _ = headers.try_reserve(added(call, plan.is_some()));
        if stream || whole_stream {
            as_event_stream(headers);
        } else if error || whole {
            as_json(headers);
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

/// How many headers an answer gets at most: the ids, the framing, those of the route and those of the limits.
fn added(call: &Call, tells_route: bool) -> usize {
    let limits = [call.standing.requests.is_some(), call.standing.tokens.is_some()];
    let limits = limits.into_iter().filter(|is_told| *is_told).count();
    4 + usize::from(tells_route) * ROUTE.len() + limits * REQUESTS.len()
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
    if !is_of_type(headers, EVENT_STREAM) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
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
    headers.insert(&headers::X_REQUEST_ID, call.id_header.clone());
    if call.dialect == ClientDialect::Anthropic {
        headers.insert(&headers::REQUEST_ID, call.id_header.clone());
    }
    let rooms = [(&REQUESTS, &call.standing.requests), (&TOKENS, &call.standing.tokens)];
    if rooms.iter().all(|(_, room)| room.is_none()) {
        return;
    }
    for (names, room) in rooms {
        match room {
            Some(room) => tell_room(headers, names, room),
            // The vendor's, of its own limit, would be read as one of the same caller's.
            None => names.iter().for_each(|name| drop(headers.remove(name))),
        }
    }
}

/// Limit, remaining and reset, in the place of the vendor's own: it is the gateway's limit that the
/// caller meets.
type RoomNames = [HeaderName; 3];
static REQUESTS: RoomNames = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
static TOKENS: RoomNames = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

fn tell_room(headers: &mut HeaderMap, [limit, remaining, reset]: &RoomNames, room: &Room) {
    headers.insert(limit, headers::number(room.limit));
    headers.insert(remaining, headers::number(room.remaining));
    if let Ok(value) = HeaderValue::from_str(&duration(room.reset)) {
        headers.insert(reset, value);
    }
}

/// As OpenAI writes it: `6s`, `1m3s`. Whole seconds, rounded up.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let mut text = String::with_capacity(16);
    let mut number = itoa::Buffer::new();
    if seconds >= 60 {
        text.push_str(number.format(seconds / 60));
        text.push('m');
    }
    text.push_str(number.format(seconds % 60));
    text.push('s');
    text
}

/// The five headers of seed 001.
static ROUTE: [HeaderName; 5] = [
    HeaderName::from_static("x-bd-provider-route-attempt"),
    HeaderName::from_static("x-bd-provider-route-count"),
    HeaderName::from_static("x-bd-provider-failover-count"),
    HeaderName::from_static("x-bd-provider-retry-count"),
    HeaderName::from_static("x-bd-provider-retry-sleep-ms"),
];

fn tell_route(headers: &mut HeaderMap, plan: &Plan) {
    let [attempt, count, failovers, retries, slept] = &ROUTE;
    let sleep = u64::try_from(plan.retry_sleep.as_millis()).unwrap_or(u64::MAX);
    headers.insert(attempt, headers::count(plan.position()));
    headers.insert(count, headers::count(plan.route_count()));
    headers.insert(failovers, headers::count(plan.attempts.len()));
    headers.insert(retries, headers::number(plan.retry_count.into()));
    headers.insert(slept, headers::number(sleep));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_openai_writes_them() {
        let told = [0, 1, 59_001, 60_000, 63_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(told, ["0s", "1s", "1m0s", "1m0s", "1m3s"]);
    }
}

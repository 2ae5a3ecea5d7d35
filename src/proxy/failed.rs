//! A failed attempt in words: ours for everybody, the vendor's for the caller, nobody's credential.

use std::sync::Arc;

use bytes::Bytes;
use pingora_error::{Error, ErrorType, RetryType};

use super::{
    ctx::{Call, Stage},
    gate,
};
use crate::{
    dialect::{self, upstream_error},
    domain::AttemptOutcome,
    net,
    route::{Failure, Plan},
    snapshot::Route,
};

/// The longest account of a failure in a vendor's words, characters.
const MOST_WORDS: usize = 500;

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
            let route = call.plan.as_deref().and_then(Plan::current);
            let platform = route.map(|route| route.provider.platform).unwrap_or_default();
            if let Some(status) = platform.model_status(&call.attempt.error_body) {
                failure = failure.with_model_status(status);
            }
            if failure.outcome == AttemptOutcome::RateLimited && failure.retry_after.is_none() {
                failure.retry_after = dialect::retry_delay(&call.attempt.error_body);
            }
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
    if call.asks_stream() {
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
pub fn credential(call: &Call) -> &str {
    if let Some(secret) = &call.attempt.secret {
        return secret.expose();
    }
    let route: Option<&Arc<Route>> = call.plan.as_deref().and_then(Plan::current);
    route.and_then(|route| route.provider.api_key.as_ref()).map_or("", |key| key.expose())
}

/// A vendor's words without the credential that was sent to it.
pub fn scrubbed(message: &str, call: &Call) -> String {
    // In this order: what is cut first may end in a part of it.
    let message = upstream_error::scrub(message.to_owned(), credential(call));
    message.chars().take(MOST_WORDS).collect()
}

/// A vendor's words as bytes, without the credential that was sent to it.
pub fn without_credential(body: Bytes, call: &Call) -> Bytes {
    let key = credential(call);
    if key.is_empty() || memchr::memmem::find(&body, key.as_bytes()).is_none() {
        return body;
    }
    String::from_utf8_lossy(&body).replace(key, "***").into()
}

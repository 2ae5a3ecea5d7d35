//! The sandbox as an HTTP service: paths, bodies, pacing. All thinking is elsewhere.

use std::{convert::Infallible, io, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Path},
    response::Response,
    routing::{get, post},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::{
    answer::{Answer, Event},
    behaviour::Behaviour,
    chat, completions, embeddings, messages, models,
    refusal::{Fault, Refusal},
    responses,
};
use crate::domain::{ClientDialect, Endpoint, Timestamp};

/// The pause between the events of a stream where the request sets none.
const PACE: Duration = Duration::from_millis(5);
/// The request header that sets another, in milliseconds.
const PACE_HEADER: &str = "x-sandbox-pace-ms";
/// The longest pause that can be set.
const SLOWEST: Duration = Duration::from_secs(60);

/// The simulated vendor, with the paths that its row of the catalogue promises.
pub fn sandbox_router() -> Router {
    let endpoint = |endpoint: Endpoint| {
        post(move |headers: HeaderMap, body: Bytes| async move {
            serve(endpoint, &headers, &body).await
        })
    };
    Router::new()
        .route("/v1/chat/completions", endpoint(Endpoint::ChatCompletions))
        .route("/v1/completions", endpoint(Endpoint::Completions))
        .route("/v1/embeddings", endpoint(Endpoint::Embeddings))
        .route("/v1/responses", endpoint(Endpoint::Responses))
        .route("/v1/messages", endpoint(Endpoint::Messages))
        .route("/v1/messages/count_tokens", endpoint(Endpoint::CountTokens))
        .route("/v1/models", get(|| async { whole(StatusCode::OK, &models::list()) }))
        .route("/v1/models/{*name}", get(one_model))
        .fallback(|| async { refuse(&unknown_path(StatusCode::NOT_FOUND), ClientDialect::OpenAi) })
        .method_not_allowed_fallback(|| async {
            refuse(&unknown_path(StatusCode::METHOD_NOT_ALLOWED), ClientDialect::OpenAi)
        })
        // The gateway has its own limit, which its operator sets.
        .layer(DefaultBodyLimit::disable())
}

async fn one_model(Path(name): Path<String>) -> Response {
    match models::one(&name) {
        Ok(model) => whole(StatusCode::OK, &model),
        Err(refusal) => refuse(&refusal, ClientDialect::OpenAi),
    }
}

async fn serve(endpoint: Endpoint, headers: &HeaderMap, body: &[u8]) -> Response {
    match answer(endpoint, body, Timestamp::now()) {
        Ok((answer, behaviour)) => {
            if behaviour == Behaviour::Slow {
                tokio::time::sleep(Behaviour::SLOW).await;
            }
            render(answer, behaviour == Behaviour::Cut, pace(headers))
        }
        Err(refusal) => refuse(&refusal, endpoint.dialect()),
    }
}

fn answer(endpoint: Endpoint, body: &[u8], now: Timestamp) -> Result<(Answer, Behaviour), Refusal> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|fault| Refusal::invalid("body", format!("could not be read as JSON: {fault}")))?;
    let answer = match endpoint {
        Endpoint::ChatCompletions => chat::answer(&body, now),
        Endpoint::Completions => completions::answer(&body, now),
        Endpoint::Embeddings => embeddings::answer(&body),
        Endpoint::Responses => responses::answer(&body, now),
        Endpoint::Messages => messages::answer(&body),
        Endpoint::CountTokens => messages::count_tokens(&body),
        Endpoint::Models => Ok(Answer::Whole(models::list())),
    }?;
    let model = body.get("model").and_then(Value::as_str).unwrap_or_default();
    let behaviour = Behaviour::of(model);
    match behaviour.refusal(model, matches!(answer, Answer::Events(_))) {
        Some(refusal) => Err(refusal),
        None => Ok((behaviour.spoil(answer, endpoint), behaviour)),
    }
}

fn render(answer: Answer, cut: bool, pace: Duration) -> Response {
    match answer {
        Answer::Whole(value) if cut => {
            let body = value.to_string();
            let half =
                Bytes::copy_from_slice(body.as_bytes().get(..body.len() / 2).unwrap_or_default());
            let mut response =
                json_response(StatusCode::OK, Body::from_stream(then_cut(stream::iter([half]))));
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
            response
        }
        Answer::Whole(value) => whole(StatusCode::OK, &value),
        Answer::Events(events) => {
            let body = if cut {
                let half = events.len() / 2;
                Body::from_stream(then_cut(paced(events.into_iter().take(half).collect(), pace)))
            } else {
                Body::from_stream(paced(events, pace).map(Ok::<_, Infallible>))
            };
            let mut response = Response::new(body);
            let headers = response.headers_mut();
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/event-stream; charset=utf-8"),
            );
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }
    }
}

/// The events' bytes, with a pause before each but the first.
fn paced(events: Vec<Event>, pace: Duration) -> impl Stream<Item = Bytes> {
    stream::iter(events.into_iter().enumerate()).then(move |(index, event)| async move {
        if index > 0 && !pace.is_zero() {
            tokio::time::sleep(pace).await;
        }
        Bytes::from(event.encode())
    })
}

/// A body that fails after its last byte, which makes the server drop the connection; what it has not
/// sent by then would be lost, so the failure waits a moment.
fn then_cut(bytes: impl Stream<Item = Bytes>) -> impl Stream<Item = io::Result<Bytes>> {
    let cut = stream::once(async {
        tokio::time::sleep(PACE).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    bytes.map(Ok).chain(cut)
}

fn pace(headers: &HeaderMap) -> Duration {
    let wanted = headers.get(PACE_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
    wanted.map_or(PACE, Duration::from_millis).min(SLOWEST)
}

fn refuse(refusal: &Refusal, dialect: ClientDialect) -> Response {
    let mut response = whole(refusal.status, &refusal.body(dialect));
    if refusal.fault == Fault::RateLimit {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(Behaviour::RETRY_AFTER_SECS));
    }
    response
}

fn unknown_path(status: StatusCode) -> Refusal {
    Refusal::new(
        status,
        Fault::NotFound,
        Some("unknown_url"),
        "The sandbox has no such endpoint or method.",
    )
}

fn whole(status: StatusCode, value: &Value) -> Response {
    json_response(status, Body::from(value.to_string()))
}

fn json_response(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

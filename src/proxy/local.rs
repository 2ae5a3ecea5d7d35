//! Requests that are not runtime traffic: handed to the router for probes and the admin and user API.

use bytes::Bytes;
use http::{HeaderValue, Request, Version, header};
use http_body_util::{BodyExt, Full};
use pingora_error::{ErrorType, OrErr, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::Session;
use tower::ServiceExt;

use crate::{domain::MAX_ADMIN_BODY, wire::headers::X_REQUEST_ID};

use super::{
    body::{self, BodyError, Room},
    ctx::Ctx,
    framing, identity, reply,
    shared::Limits,
};

const MAX_BODY: u64 = MAX_ADMIN_BODY as u64;

/// Serves the request through the router. Always `Ok(true)`.
pub async fn serve(session: &mut Session, ctx: &mut Ctx) -> Result<bool> {
    ctx.active = Some(ctx.shared.drain.enter());
    let id = identity::request_id(&session.req_header().headers);
    let answer = match read(session, ctx).await {
        Ok(body) => {
            let request = request(session.req_header(), &id, body);
            let Ok(answer) = ctx.shared.local.clone().oneshot(request).await;
            answer
        }
        Err(BodyError::Gone) => {
            session.set_keepalive(None);
            session.downstream_session.shutdown().await;
            return Ok(true);
        }
        Err(error) => {
            if matches!(error, BodyError::Malformed) {
                session.set_keepalive(None);
            }
            refusal(&error)
        }
    };
    let closing = ctx.shared.drain.draining();
    write(session, answer, &id, closing).await?;
    reply::linger(session).await;
    Ok(true)
}

async fn read(session: &mut Session, ctx: &Ctx) -> std::result::Result<Bytes, BodyError> {
    if framing::fault(session).is_some() {
        return Err(BodyError::Malformed);
    }
    let limits = Limits { max_body: MAX_BODY, ..ctx.shared.limits };
    let mut room = Room::within(&ctx.shared, limits);
    body::read(&mut session.downstream_session, &mut room).await
}

fn request(head: &RequestHeader, id: &str, body: Bytes) -> Request<axum::body::Body> {
    let mut request = Request::new(axum::body::Body::from(body));
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = head.uri.clone();
    *request.headers_mut() = head.headers.clone();
    if let Ok(id) = HeaderValue::from_str(id) {
        request.headers_mut().insert(&X_REQUEST_ID, id);
    }
    request
}

fn refusal(error: &BodyError) -> http::Response<axum::body::Body> {
    let (status, class, message) = match error {
        BodyError::TooLarge => {
            let most = format!("the request body may have at most {} MiB", MAX_BODY >> 20);
            (413, "PayloadTooLarge", most)
        }
        BodyError::NoRoom => {
            let full = "the gateway holds as many request bodies as it may; try again";
            (503, "Unavailable", full.to_owned())
        }
        BodyError::Malformed => {
            (400, "BadRequest", "the request's framing is not valid".to_owned())
        }
        BodyError::TooSlow | BodyError::Gone => {
            (408, "RequestTimeout", "the request body did not arrive in time".to_owned())
        }
    };
    let text = serde_json::json!({"error": class, "message": message}).to_string();
    let mut answer = http::Response::new(axum::body::Body::new(Full::from(text)));
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

async fn write(
    session: &mut Session,
    answer: http::Response<axum::body::Body>,
    id: &str,
    closing: bool,
) -> Result<()> {
    let (parts, mut body) = answer.into_parts();
    let mut head = ResponseHeader::build(parts.status, Some(parts.headers.len() + 3))?;
    for (name, value) in &parts.headers {
        head.append_header(name.clone(), value.clone())?;
    }
    head.insert_header(&X_REQUEST_ID, id)?;
    if closing {
        session.set_keepalive(None);
    }
    let bodiless = session.req_header().method == http::Method::HEAD;
    if !head.headers.contains_key(header::CONTENT_LENGTH) {
        match session.req_header().version {
            Version::HTTP_2 => {}
            Version::HTTP_11 => {
                head.insert_header(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"))?;
            }
            // Older clients know no chunks: the end of the connection is the end of the answer.
            _ => session.set_keepalive(None),
        }
    }
    let down = &mut session.downstream_session;
    down.write_response_header(Box::new(head)).await?;
    while let Some(frame) = body.frame().await {
        let frame = frame.or_err(ErrorType::InternalError, "local answer")?;
        if let (Ok(data), false) = (frame.into_data(), bodiless) {
            down.write_response_body(data, false).await?;
        }
    }
    down.write_response_body(Bytes::new(), true).await
}

//! People in the console, who try models out with their session in place of a key.

use std::sync::Arc;

use pingora_http::RequestHeader;

use super::{
    ctx::Ctx,
    refusal::{self, Refusal},
};
use crate::{
    auth::{CallerRefusal, Head, Principal},
    domain::Timestamp,
};

/// Who sent a request with a session; none where it shows a key, or nothing.
pub async fn principal(
    request: &RequestHeader,
    ctx: &Ctx,
) -> Option<Result<Arc<Principal>, Refusal>> {
    let head = Head { method: &request.method, uri: &request.uri, headers: &request.headers };
    let people = ctx.shared.people.as_ref().filter(|people| people.has_session(&head))?;
    Some(people.principal(&head, Timestamp::now()).await.map_err(|refused| refusal(&refused)))
}

fn refusal(refused: &CallerRefusal) -> Refusal {
    let message = refused.to_string();
    match refused.status() {
        401 => refusal::invalid_api_key(&message),
        503 => refusal::unavailable("session_store", &message),
        status => refusal::session(status, message),
    }
}

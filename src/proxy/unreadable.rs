//! A request whose header Pingora cannot read: refused in the gateway's words, and recorded.
//!
//! Pingora answers it by itself, with a status and nothing else, before any phase has begun. The
//! [`watched`](super::watched) connection writes what is made here in that answer's place.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;

use super::{
    admit,
    ctx::{Call, Ctx},
    refusal::{self, Refusal},
    settle::{self, Outcome},
    shared::Shared,
};
use crate::domain::{ClientDialect, RequestId};

/// What is kept of it until the connection is at its end.
#[derive(Debug)]
pub struct Unreadable {
    id: String,
    status: u16,
    dialect: ClientDialect,
}

impl Unreadable {
    /// Of a request that begins with `opening`, which Pingora answers with `theirs`.
    pub fn of(opening: &[u8], theirs: &[u8]) -> Self {
        Self { id: RequestId::random().into(), status: status(theirs), dialect: dialect(opening) }
    }

    /// The answer, from its status line to its last byte.
    pub fn answer(&self) -> Bytes {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let Refusal { error, .. } = refusal::unreadable(self.status);
        let body = error.request_id(&*self.id).body(self.dialect);
        let allow = if self.status == 405 { "allow: GET, HEAD, POST\r\n" } else { "" };
        let mut answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             x-request-id: {}\r\n{allow}connection: close\r\n\r\n",
            body.len(),
            self.id
        )
        .into_bytes();
        answer.extend_from_slice(&body);
        answer.into()
    }

    /// Records and logs the refusal, as any other.
    pub fn settle(&self, shared: &Arc<Shared>) {
        let mut ctx = Ctx::new(shared);
        let call = Call::new(self.id.clone(), self.dialect, shared.metrics.in_flight());
        ctx.call = Some(Box::new(call));
        let Refusal { error, reason } = refusal::unreadable(self.status);
        let code = error.code.unwrap_or(error.kind);
        settle::settle(&mut ctx, Outcome::replied(self.status, code, Some(reason)));
    }
}

/// The status that an answer begins with: `HTTP/1.1 400 …`.
fn status(answer: &[u8]) -> u16 {
    let digits = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(400)
}

/// The dialect to answer in, as far as the request's first line can be made out.
fn dialect(opening: &[u8]) -> ClientDialect {
    let target = opening.split(|byte| *byte == b' ').nth(1);
    let path = target.and_then(|target| std::str::from_utf8(target).ok());
    let rest = path.and_then(admit::runtime_path);
    rest.map_or(ClientDialect::OpenAi, admit::dialect_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_is_read_off_the_first_line_as_far_as_there_is_one() {
        for (opening, wanted) in [
            ("POST /v1/messages HTTP/1.1\r\n", ClientDialect::Anthropic),
            ("POST /api/llm-gateway/v1/messages/coun", ClientDialect::Anthropic),
            ("POST /v1/chat/completions HTTP/1.1", ClientDialect::OpenAi),
            ("\u{1}\u{2}", ClientDialect::OpenAi),
            ("", ClientDialect::OpenAi),
        ] {
            assert_eq!(dialect(opening.as_bytes()), wanted, "{opening}");
        }
    }

    #[test]
    fn the_answer_is_whole_and_its_length_is_told() {
        let unreadable = Unreadable::of(b"", b"HTTP/1.1 405 Method Not Allowed\r\n\r\n");
        let answer = String::from_utf8(unreadable.answer().to_vec()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        assert!(body.contains("CONNECT"), "{body}");
    }
}

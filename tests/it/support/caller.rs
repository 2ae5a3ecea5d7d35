//! Someone who calls the gateway: with a `bd-` key, a JWT, both or nothing.

use std::{future::IntoFuture, net::SocketAddr, pin::Pin};

use super::{Answer, Live, Wire, within};
use bytes::{Bytes, BytesMut};

/// A caller and the headers that it always sends.
#[derive(Clone, Debug)]
pub struct Caller {
    address: SocketAddr,
    tls: bool,
    headers: Vec<(String, String)>,
    /// The key or token, where there is one.
    pub secret: String,
}

impl Caller {
    /// Someone who shows nothing.
    pub fn nobody(address: SocketAddr) -> Self {
        Self { address, tls: false, headers: Vec::new(), secret: String::new() }
    }

    /// Someone who shows `secret` as a bearer token.
    pub fn bearer(address: SocketAddr, secret: &str) -> Self {
        let mut caller = Self::nobody(address).with("authorization", &format!("Bearer {secret}"));
        secret.clone_into(&mut caller.secret);
        caller
    }

    /// Someone who shows `secret` as Anthropic's clients do.
    pub fn x_api_key(address: SocketAddr, secret: &str) -> Self {
        let mut caller = Self::nobody(address).with("x-api-key", secret);
        secret.clone_into(&mut caller.secret);
        caller
    }

    /// The same place and way, another key.
    pub fn holding(&self, key: &str) -> Self {
        Self { tls: self.tls, ..Self::bearer(self.address, key) }
    }

    /// The same caller with one more header on every request.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut caller = self.clone();
        caller.headers.push((name.to_owned(), value.to_owned()));
        caller
    }

    /// The same caller over TLS.
    pub fn over_tls(&self) -> Self {
        Self { tls: true, ..self.clone() }
    }

    pub fn get(&self, path: &str) -> Ask {
        self.ask("GET", path)
    }

    pub fn delete(&self, path: &str) -> Ask {
        self.ask("DELETE", path)
    }

    pub fn post(&self, path: &str, body: impl Into<Bytes>) -> Ask {
        self.ask("POST", path).json(body)
    }

    pub fn put(&self, path: &str, body: impl Into<Bytes>) -> Ask {
        self.ask("PUT", path).json(body)
    }

    /// Asks for a chat completion.
    pub fn chat(&self, model: &str) -> Ask {
        let body =
            format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hi"}}]}}"#);
        self.post("/v1/chat/completions", body)
    }

    /// Asks for a streamed chat completion.
    pub fn chat_stream(&self, model: &str) -> Ask {
        let body = format!(
            r#"{{"model":"{model}","stream":true,"messages":[{{"role":"user","content":"Hi"}}]}}"#
        );
        self.post("/v1/chat/completions", body)
    }

    pub fn ask(&self, method: &str, path: &str) -> Ask {
        Ask {
            caller: self.clone(),
            method: method.to_owned(),
            path: path.to_owned(),
            headers: self.headers.clone(),
            body: None,
            chunked: false,
        }
    }

    /// A connection, unless nobody listens any more.
    pub async fn try_connect(&self) -> Option<Wire> {
        Wire::try_connect(self.address).await
    }

    /// A connection of one's own.
    pub async fn connect(&self) -> Wire {
        if self.tls {
            Wire::connect_tls(self.address).await
        } else {
            Wire::connect(self.address).await
        }
    }
}

/// A request in the making; awaiting it sends it and reads the whole answer.
#[derive(Clone)]
pub struct Ask {
    caller: Caller,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
    chunked: bool,
}

impl Ask {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A body of type JSON.
    pub fn json(self, body: impl Into<Bytes>) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    /// A body without a type.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends the body in chunks instead of announcing its length.
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// The request's bytes: head, and the body in its framing.
    pub fn bytes(&self) -> Bytes {
        let mut bytes = BytesMut::from(self.head().as_bytes());
        let body = self.body.as_deref().unwrap_or_default();
        if self.chunked {
            for piece in body.chunks(1 << 16) {
                bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                bytes.extend_from_slice(piece);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(body);
        }
        bytes.freeze()
    }

    /// The request's head, blank line included.
    pub fn head(&self) -> String {
        let mut lines = vec![format!("{} {} HTTP/1.1", self.method, self.path)];
        if !self.headers.iter().any(|(name, _)| name == "host") {
            lines.push(format!("host: {}", self.caller.address));
        }
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        match &self.body {
            Some(_) if self.chunked => lines.push("transfer-encoding: chunked".to_owned()),
            Some(body) => lines.push(format!("content-length: {}", body.len())),
            None => {}
        }
        lines.join("\r\n") + "\r\n\r\n"
    }

    /// Sends it on `wire` and reads the whole answer.
    pub async fn on(&self, wire: &mut Wire) -> Answer {
        wire.send(self.bytes()).await;
        wire.answer().await
    }

    /// Sends it on `wire`; none when the connection ends before an answer.
    pub async fn on_maybe(&self, wire: &mut Wire) -> Option<Answer> {
        wire.try_send(self.bytes()).await.ok()?;
        wire.try_answer().await
    }

    /// Sends it; the connection is left with the answer yet to be read.
    pub async fn sent(&self) -> Wire {
        let mut wire = self.caller.connect().await;
        wire.send(self.bytes()).await;
        wire
    }

    /// Sends it and reads the head of the answer.
    pub async fn open(self) -> Live {
        let mut wire = self.sent().await;
        let head = within("the head of an answer", wire.head()).await.expect("an answer");
        Live {
            status: head.status,
            headers: head.headers,
            framing: head.framing,
            wire,
            read: BytesMut::new(),
        }
    }

    async fn send(self) -> Answer {
        let mut wire = self.caller.connect().await;
        // An early refusal may close the connection while the body is still on its way.
        wire.try_send(self.bytes()).await.ok();
        if self.method == "HEAD" {
            return wire.answer_without_body().await;
        }
        wire.answer().await
    }
}

impl IntoFuture for Ask {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

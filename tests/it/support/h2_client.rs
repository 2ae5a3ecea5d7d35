//! A client that speaks HTTP/2 over TLS.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use h2::{
    RecvStream,
    client::{self, SendRequest},
};
use http::{HeaderMap, Request};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{tls, within};

/// One HTTP/2 connection.
#[derive(Clone)]
pub struct H2Client {
    requests: SendRequest<Bytes>,
    authority: String,
}

/// An answer whose body may still be coming.
pub struct H2Answer {
    pub status: u16,
    pub headers: HeaderMap,
    body: RecvStream,
}

impl H2Client {
    /// Connects with `h2` offered by ALPN; panics if the gateway chooses another protocol.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the gateway accepts connections");
        let name = ServerName::try_from("localhost").unwrap();
        let connector = tls::TRUSTED.connector(&["h2"]);
        let stream = connector.connect(name, stream).await.expect("a TLS handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let mut builder = client::Builder::new();
        builder.initial_window_size(1 << 20).initial_connection_window_size(4 << 20);
        let (requests, connection) = builder.handshake(stream).await.expect("HTTP/2");
        tokio::spawn(connection);
        Self { requests, authority: format!("localhost:{}", address.port()) }
    }

    /// Posts `body` and waits for the answer's head.
    pub async fn post(&self, path: &str, key: &str, body: impl Into<Bytes>) -> H2Answer {
        self.try_post(path, key, body.into()).await.expect("an answer")
    }

    pub async fn try_post(
        &self,
        path: &str,
        key: &str,
        body: Bytes,
    ) -> Result<H2Answer, h2::Error> {
        let request = Request::post(format!("https://{}{path}", self.authority))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .body(())
            .unwrap();
        let mut requests = self.requests.clone().ready().await?;
        let (response, mut upload) = requests.send_request(request, false)?;
        let mut left = body;
        while !left.is_empty() {
            upload.reserve_capacity(left.len());
            let room = std::future::poll_fn(|cx| upload.poll_capacity(cx)).await;
            let Some(Ok(room)) = room else { break };
            upload.send_data(left.split_to(room.min(left.len())), false)?;
        }
        upload.send_data(Bytes::new(), true).ok();
        let (parts, body) = within("the head of an answer", response).await?.into_parts();
        Ok(H2Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

impl H2Answer {
    /// The next piece of the body; none at its end.
    pub async fn piece(&mut self) -> Option<Bytes> {
        loop {
            let next = within("the next piece", self.body.data()).await?;
            let piece = next.expect("the stream goes on");
            self.body.flow_control().release_capacity(piece.len()).unwrap();
            // A frame without bytes ends a stream and says nothing.
            if !piece.is_empty() {
                return Some(piece);
            }
        }
    }

    /// All of the body.
    pub async fn body(mut self) -> Bytes {
        let mut all = BytesMut::new();
        while let Some(piece) = self.piece().await {
            all.extend_from_slice(&piece);
        }
        all.freeze()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

//! The mock's HTTP/1.1 side, from the socket up.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use super::{
    calls::Call,
    reply::{Reply, Step},
    server::Inner,
};

/// A stream whose connection can be broken hard.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin {
    /// Makes the coming drop send RST instead of FIN.
    fn break_on_drop(&self);
}

impl Socket for TcpStream {
    fn break_on_drop(&self) {
        self.set_zero_linger().ok();
    }
}

impl Socket for TlsStream<TcpStream> {
    fn break_on_drop(&self) {
        self.get_ref().0.set_zero_linger().ok();
    }
}

/// Bytes that are read at once: what came together is seen together.
const READ: usize = 16 << 10;

struct Head {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
}

enum Outcome {
    /// The answer is complete; the connection may carry another.
    KeepAlive,
    Reset,
    Close,
    ClientGone,
}

/// Answers requests on one connection until either side ends it.
pub(super) async fn serve<S: Socket>(mut stream: S, number: u64, inner: &Arc<Inner>) {
    let mut buffer = BytesMut::new();
    while let Some(head) = read_head(&mut stream, &mut buffer).await {
        let reply = inner.reply_to(&head.method);
        let behind_the_head = buffer.len();
        let body = if reply.is_early() {
            Some(Bytes::new())
        } else {
            read_body(&mut stream, &mut buffer, &head).await
        };
        // A client that leaves while it uploads was no whole request, so it is not in the log.
        let Some(body) = body else { return };
        let call =
            Call::new(number, "HTTP/1.1", &head.method, &head.path, head.headers.clone(), body);
        if call.body.len() == behind_the_head {
            call.at_once();
        }
        inner.calls.add(&call);
        match answer(&mut stream, &mut buffer, &call, &reply).await {
            Outcome::KeepAlive if !reply.is_early() => call.answered(),
            Outcome::KeepAlive => {
                call.answered();
                stream.shutdown().await.ok();
                drain(&mut stream).await;
                return;
            }
            Outcome::Reset => return stream.break_on_drop(),
            Outcome::Close => {
                stream.shutdown().await.ok();
                return;
            }
            Outcome::ClientGone => return call.client_gone(),
        }
    }
}

/// Plays the script while watching for the client's departure.
async fn answer<S: Socket>(
    stream: &mut S,
    buffer: &mut BytesMut,
    call: &Call,
    reply: &Reply,
) -> Outcome {
    let steps = reply.steps(call);
    let (mut reader, mut writer) = tokio::io::split(stream);
    if reply.is_early() {
        return play(&steps, &mut writer).await;
    }
    tokio::select! {
        outcome = play(&steps, &mut writer) => outcome,
        () = departure(&mut reader, buffer) => Outcome::ClientGone,
    }
}

/// Ready when the client closes or breaks the connection.
async fn departure(reader: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut) {
    while let Ok(read) = reader.read_buf(buffer).await {
        if read == 0 {
            return;
        }
    }
}

async fn play(steps: &[Step], writer: &mut (impl AsyncWrite + Unpin)) -> Outcome {
    let mut chunked = false;
    for step in steps {
        let written = match step {
            Step::Wait(pause) => {
                tokio::time::sleep(*pause).await;
                Ok(())
            }
            Step::Pass(gate) => {
                gate.pass().await;
                Ok(())
            }
            Step::Head { status, headers, length } => {
                chunked = length.is_none();
                write(writer, &head_bytes(*status, headers, *length)).await
            }
            Step::Data(piece) if chunked => {
                let mut framed = format!("{:x}\r\n", piece.len()).into_bytes();
                framed.extend_from_slice(piece);
                framed.extend_from_slice(b"\r\n");
                write(writer, &framed).await
            }
            Step::Data(bytes) | Step::Raw(bytes) => write(writer, bytes).await,
            Step::End if chunked => write(writer, b"0\r\n\r\n").await,
            Step::End => Ok(()),
            Step::Hang => std::future::pending().await,
            Step::Reset => return Outcome::Reset,
            Step::Close => return Outcome::Close,
            Step::Refuse | Step::GoAway => panic!("HTTP/1.1 has no words for this"),
        };
        if written.is_err() {
            return Outcome::ClientGone;
        }
    }
    Outcome::KeepAlive
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}

fn head_bytes(status: u16, headers: &[(String, String)], length: Option<usize>) -> Vec<u8> {
    let mut lines = vec![format!("HTTP/1.1 {status} Said So")];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.push(match length {
        Some(length) => format!("content-length: {length}"),
        None => "transfer-encoding: chunked".to_owned(),
    });
    (lines.join("\r\n") + "\r\n\r\n").into_bytes()
}

async fn read_head<S: Socket>(stream: &mut S, buffer: &mut BytesMut) -> Option<Head> {
    let end = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end;
        }
        buffer.reserve(READ);
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(buffer.split_to(end + 4)[..end].to_vec()).ok()?;
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Some(Head { method, path, headers })
}

async fn read_body<S: Socket>(stream: &mut S, buffer: &mut BytesMut, head: &Head) -> Option<Bytes> {
    let header = |name: &str| head.headers.iter().find(|(known, _)| known == name);
    if header("transfer-encoding").is_some() {
        return read_chunks(stream, buffer).await;
    }
    let length = header("content-length").map_or(Some(0), |(_, value)| value.parse().ok())?;
    read_exactly(stream, buffer, length).await
}

async fn read_chunks<S: Socket>(stream: &mut S, buffer: &mut BytesMut) -> Option<Bytes> {
    let mut body = BytesMut::new();
    loop {
        let end = loop {
            if let Some(end) = find(buffer, b"\r\n") {
                break end;
            }
            if stream.read_buf(buffer).await.ok()? == 0 {
                return None;
            }
        };
        let line = String::from_utf8(buffer.split_to(end).to_vec()).ok()?;
        buffer.advance(2);
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        body.extend_from_slice(&read_exactly(stream, buffer, size).await?);
        read_exactly(stream, buffer, 2).await?;
        if size == 0 {
            return Some(body.freeze());
        }
    }
}

async fn read_exactly<S: Socket>(
    stream: &mut S,
    buffer: &mut BytesMut,
    length: usize,
) -> Option<Bytes> {
    buffer.reserve(length.saturating_sub(buffer.len()));
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    Some(buffer.split_to(length).freeze())
}

/// Takes what still comes, so that closing does not destroy an answer that is on its way.
async fn drain<S: Socket>(stream: &mut S) {
    let mut waste = vec![0; 1 << 16];
    while matches!(stream.read(&mut waste).await, Ok(read) if read > 0) {}
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

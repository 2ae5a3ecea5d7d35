//! The mock's HTTP/2 side: the same scripts on streams.

use std::{future::poll_fn, sync::Arc};

use ::h2::{
    Reason, RecvStream, SendStream,
    server::{self, SendResponse},
};
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
};

use super::{calls::Call, reply::Step, server::Inner};

/// Answers streams on one connection until the client closes it.
pub(super) async fn serve<S>(stream: S, number: u64, inner: &Arc<Inner>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = server::Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(4 << 20);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
    let leave = Arc::new(Notify::new());
    loop {
        let accepted = tokio::select! {
            accepted = connection.accept() => accepted,
            () = leave.notified() => {
                connection.abrupt_shutdown(Reason::NO_ERROR);
                continue;
            }
        };
        let Some(Ok((request, respond))) = accepted else { return };
        let (inner, leave) = (Arc::clone(inner), Arc::clone(&leave));
        tokio::spawn(async move { answer(request, respond, number, &inner, &leave).await });
    }
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    number: u64,
    inner: &Inner,
    leave: &Notify,
) {
    let (parts, body) = request.into_parts();
    let reply = inner.reply_to(parts.method.as_str());
    let body = if reply.is_early() { Some(Bytes::new()) } else { read(body).await };
    let Some(body) = body else { return };
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("?").to_owned()))
        .collect();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let call = Call::new(number, "HTTP/2", parts.method.as_str(), path, headers, body);
    inner.calls.add(&call);
    match play(&reply.steps(&call), &mut respond, leave).await {
        Some(()) => call.answered(),
        None => call.client_gone(),
    }
}

async fn read(mut body: RecvStream) -> Option<Bytes> {
    let mut all = BytesMut::new();
    while let Some(piece) = body.data().await {
        let piece = piece.ok()?;
        body.flow_control().release_capacity(piece.len()).ok()?;
        all.extend_from_slice(&piece);
    }
    Some(all.freeze())
}

/// Plays the script; none when the client went away.
async fn play(steps: &[Step], respond: &mut SendResponse<Bytes>, leave: &Notify) -> Option<()> {
    let mut open: Option<SendStream<Bytes>> = None;
    for step in steps {
        match step {
            Step::Wait(pause) => {
                unless_gone(&mut open, respond, tokio::time::sleep(*pause)).await?;
            }
            Step::Pass(gate) => unless_gone(&mut open, respond, gate.pass()).await?,
            Step::Head { status, headers, .. } => {
                let mut head = Response::builder().status(*status);
                for (name, value) in headers {
                    head = head.header(name, value);
                }
                open = Some(respond.send_response(head.body(()).ok()?, false).ok()?);
            }
            Step::Data(piece) | Step::Raw(piece) => send(open.as_mut()?, piece.clone()).await?,
            Step::End => open.as_mut()?.send_data(Bytes::new(), true).ok()?,
            Step::Hang => unless_gone(&mut open, respond, std::future::pending()).await?,
            Step::Reset | Step::Close => {
                match open.as_mut() {
                    Some(stream) => stream.send_reset(Reason::INTERNAL_ERROR),
                    None => respond.send_reset(Reason::INTERNAL_ERROR),
                }
                return Some(());
            }
            Step::Refuse => {
                respond.send_reset(Reason::REFUSED_STREAM);
                return Some(());
            }
            Step::GoAway => {
                leave.notify_one();
                unless_gone(&mut open, respond, std::future::pending()).await?;
            }
        }
    }
    Some(())
}

/// Awaits `future` unless the client resets the stream first.
async fn unless_gone(
    open: &mut Option<SendStream<Bytes>>,
    respond: &mut SendResponse<Bytes>,
    future: impl Future<Output = ()>,
) -> Option<()> {
    let gone = poll_fn(|cx| match open.as_mut() {
        Some(stream) => stream.poll_reset(cx),
        None => respond.poll_reset(cx),
    });
    tokio::select! {
        () = future => Some(()),
        _ = gone => None,
    }
}

/// Sends a piece within the client's window.
async fn send(stream: &mut SendStream<Bytes>, mut piece: Bytes) -> Option<()> {
    while !piece.is_empty() {
        stream.reserve_capacity(piece.len());
        let room = poll_fn(|cx| stream.poll_capacity(cx)).await?.ok()?;
        stream.send_data(piece.split_to(room.min(piece.len())), false).ok()?;
    }
    Some(())
}

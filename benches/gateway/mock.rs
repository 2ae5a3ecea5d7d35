//! The mock vendor: one thread that answers at once, so that what is measured is what stands
//! before it.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

use crate::child;
use crate::fault::Outcome;
use crate::mock_counters::{as_json, count};
use crate::mock_request::{Reader, Request, Wish};
use crate::mock_wire;

/// Answers that never change, made once.
struct Canned {
    answer: Vec<u8>,
    failure: Vec<u8>,
    refusal: Vec<u8>,
    models: Vec<u8>,
}

/// Serves on `listen` until the parent process closes standard input.
pub fn serve(listen: SocketAddr) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        let accepting = tokio::task::spawn_local(accept(listen));
        tokio::select! {
            ended = accepting => ended?,
            () = child::parent_gone() => Ok(()),
        }
    })
}

async fn accept(listen: SocketAddr) -> Outcome<()> {
    let canned = Rc::new(Canned {
        answer: mock_wire::answer(),
        failure: mock_wire::failure(),
        refusal: mock_wire::refusal(),
        models: mock_wire::models(),
    });
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        let canned = Rc::clone(&canned);
        tokio::task::spawn_local(async move {
            // A client that goes away is the ordinary end of a connection.
            let _ = converse(socket, &canned).await;
        });
    }
}

async fn converse(mut socket: TcpStream, canned: &Canned) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut reader = Reader::default();
    while let Some(request) = reader.next(&socket).await? {
        note(request);
        match request.wish {
            Wish::Plain => socket.write_all(&canned.answer).await?,
            Wish::Failure => socket.write_all(&canned.failure).await?,
            Wish::Models => socket.write_all(&canned.models).await?,
            Wish::Counters => socket.write_all(&mock_wire::json(&as_json())).await?,
            Wish::Stream => stream(&mut socket, request.usage).await?,
            Wish::Idle => return idle(&mut socket).await,
            Wish::Unreadable => return socket.write_all(&canned.refusal).await,
        }
    }
    Ok(())
}

fn note(request: Request) {
    count(|seen| {
        match request.wish {
            Wish::Plain => seen.plain += 1,
            Wish::Stream => seen.streams += 1,
            Wish::Idle => seen.idle += 1,
            Wish::Failure => seen.failed += 1,
            Wish::Unreadable => seen.unreadable += 1,
            Wish::Models | Wish::Counters => return,
        }
        seen.body_bytes += request.body_bytes as u64;
        seen.caller_keys += u64::from(request.caller_key);
        seen.aliases += u64::from(request.alias);
    });
}

/// The first event leaves with the head, as vendors do who answer when the first token is there.
async fn stream(socket: &mut TcpStream, usage: bool) -> std::io::Result<()> {
    let start = Instant::now();
    let mut opening = mock_wire::stream_head();
    opening.extend(mock_wire::event());
    socket.write_all(&opening).await?;
    for number in 1..mock_wire::EVENTS as u64 {
        sleep_until(start + Duration::from_millis(number * mock_wire::EVENT_GAP_MS)).await;
        socket.write_all(&mock_wire::event()).await?;
    }
    socket.write_all(&mock_wire::stream_end(usage)).await?;
    count(|seen| seen.streams_finished += 1);
    Ok(())
}

/// One event, then silence until the other side leaves.
async fn idle(socket: &mut TcpStream) -> std::io::Result<()> {
    let mut opening = mock_wire::stream_head();
    opening.extend(mock_wire::event());
    socket.write_all(&opening).await?;
    socket.read_u8().await.map(|_| ())
}

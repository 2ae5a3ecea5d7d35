//! Idle streams: opens thousands, lets them be, and reads what each costs the process that
//! carries them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::fault::Outcome;
use crate::http1::Connection;
use crate::process::{Memory, Process};
use crate::prompt::Prompt;

/// Streams that are opened at the same time.
const OPENING_AT_ONCE: usize = 64;
/// Time for memory to settle before it is read.
const SETTLE: Duration = Duration::from_secs(2);

/// What idle streams cost.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Idle {
    /// Streams that were open when memory was read.
    pub streams: usize,
    /// Memory before the first.
    pub before: Memory,
    /// Memory with all of them open.
    pub open: Memory,
    /// Memory after they were closed.
    pub closed: Memory,
    /// Resident KiB for each stream.
    pub kib_per_stream: f64,
    /// The part of it that the process allocated (the rest is mapped files).
    pub anon_kib_per_stream: f64,
}

/// Opens `count` idle streams through the process `pid`.
pub async fn measure(prompt: &Prompt, count: usize, pid: u32) -> Outcome<Idle> {
    let process = Process::new(pid)?;
    let before = process.memory()?;
    let streams = open_all(prompt, count).await?;
    tokio::time::sleep(SETTLE).await;
    let open = process.memory()?;
    let streams_open = streams.len();
    drop(streams);
    tokio::time::sleep(SETTLE).await;
    let each = |after: u64, before: u64| after.saturating_sub(before) as f64 / streams_open as f64;
    Ok(Idle {
        streams: streams_open,
        before,
        open,
        closed: process.memory()?,
        kib_per_stream: each(open.rss, before.rss),
        anon_kib_per_stream: each(open.anon, before.anon),
    })
}

async fn open_all(prompt: &Prompt, count: usize) -> Outcome<Vec<Connection>> {
    let mut opening = JoinSet::new();
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        if opening.len() >= OPENING_AT_ONCE
            && let Some(opened) = opening.join_next().await
        {
            streams.push(opened??);
        }
        opening.spawn(open(prompt.clone()));
    }
    while let Some(opened) = opening.join_next().await {
        streams.push(opened??);
    }
    Ok(streams)
}

/// Opens one and reads its head and first event, after which the vendor says nothing more.
async fn open(prompt: Prompt) -> Outcome<Connection> {
    let mut connection = Connection::open(prompt.addr).await?;
    connection.send(&prompt.bytes()).await?;
    let head = connection.head().await?;
    let first = connection.piece().await?;
    if head.status == 200 && first.is_some() {
        Ok(connection)
    } else {
        Err(format!("an idle stream answered {}", head.status).into())
    }
}

//! The closed-loop load generator: n connections, each sends its next request when the last
//! answer is complete and right.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::fault::Outcome;
use crate::http1::Connection;
use crate::mock_wire::ANSWER_BYTES;
use crate::prompt::Prompt;
use crate::samples::{Samples, Summary};

/// How much load, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// Connections, each with one request under way.
    pub connections: usize,
    /// When to stop sending.
    pub time: Duration,
    /// The most requests of one connection.
    pub requests: u64,
}

/// What the load generator saw.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Load {
    /// Answers that were complete and right.
    pub good: u64,
    /// Answers that were not, and connections that broke.
    pub bad: u64,
    /// What was wrong first.
    pub first_fault: Option<String>,
    /// Good answers in a second.
    pub rps: f64,
    /// From the request's first byte sent to the answer's last byte read, microseconds.
    pub latency: Summary,
}

#[derive(Default)]
struct Tally {
    latency: Samples,
    bad: u64,
    first_fault: Option<String>,
}

/// Applies the load and reports. A connection gives up after 10 faults: a dead target must not
/// spin the generator.
pub async fn apply(prompt: &Prompt, amount: Amount) -> Outcome<Load> {
    let start = Instant::now();
    let request: &'static [u8] = Vec::leak(prompt.bytes());
    let mut workers = JoinSet::new();
    for _ in 0..amount.connections {
        workers.spawn(work(prompt.addr, request, amount, start + amount.time));
    }
    let mut sum = Tally::default();
    while let Some(tally) = workers.join_next().await {
        let tally = tally?;
        sum.latency.absorb(tally.latency);
        sum.bad += tally.bad;
        sum.first_fault = sum.first_fault.or(tally.first_fault);
    }
    let seconds = start.elapsed().as_secs_f64();
    let latency = sum.latency.summary();
    Ok(Load {
        good: latency.count,
        bad: sum.bad,
        first_fault: sum.first_fault,
        rps: latency.count as f64 / seconds,
        latency,
    })
}

async fn work(
    addr: std::net::SocketAddr,
    request: &'static [u8],
    amount: Amount,
    end: Instant,
) -> Tally {
    let mut tally = Tally::default();
    let mut connection = None;
    let mut sent = 0;
    while sent < amount.requests && tally.bad < 10 {
        let begun = Instant::now();
        if begun >= end {
            break;
        }
        sent += 1;
        match exchange(addr, &mut connection, request).await {
            Ok(()) => tally.latency.add(begun.elapsed().as_micros()),
            Err(fault) => {
                tally.bad += 1;
                tally.first_fault.get_or_insert(fault.to_string());
                connection = None;
            }
        }
    }
    tally
}

async fn exchange(
    addr: std::net::SocketAddr,
    slot: &mut Option<Connection>,
    request: &[u8],
) -> Outcome<()> {
    let mut connection = match slot.take() {
        Some(connection) => connection,
        None => Connection::open(addr).await?,
    };
    connection.send(request).await?;
    let head = connection.head().await?;
    let length = connection.body_length().await?;
    // The gateway adds its `metadata` to a vendor's answer; nothing may be missing from that.
    if head.status != 200 || length < ANSWER_BYTES {
        return Err(format!("status {} with {length} bytes of body", head.status).into());
    }
    if !head.close {
        *slot = Some(connection);
    }
    Ok(())
}

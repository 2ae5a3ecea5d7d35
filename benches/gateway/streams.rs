//! The streaming client: how late the first byte is, and how late each event, by the time that
//! the mock wrote into it.

use std::time::Instant;

use memchr::memmem;
use serde::{Deserialize, Serialize};

use crate::fault::Outcome;
use crate::http1::Connection;
use crate::mock_wire::{EVENTS, STAMP, now_micros};
use crate::prompt::Prompt;
use crate::samples::{Samples, Summary};

/// What the streaming client saw.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StreamLoad {
    /// Streams that were complete and right.
    pub good: u64,
    /// Streams that were not.
    pub bad: u64,
    /// What was wrong first.
    pub first_fault: Option<String>,
    /// From the request sent to the answer's first byte, microseconds.
    pub first_byte: Summary,
    /// From the mock's writing to the client's reading of each later event, microseconds.
    pub event_delay: Summary,
}

/// Reads `count` streams, one at a time, each on a new connection.
pub async fn apply(prompt: &Prompt, count: usize) -> Outcome<StreamLoad> {
    let request = prompt.bytes();
    let (mut first_byte, mut event_delay) = (Samples::default(), Samples::default());
    let mut seen = StreamLoad::default();
    for _ in 0..count {
        match read_one(prompt, &request).await {
            Ok((first, delays)) => {
                seen.good += 1;
                first_byte.add(first);
                event_delay.absorb(delays);
            }
            Err(fault) => {
                seen.bad += 1;
                seen.first_fault.get_or_insert(fault.to_string());
            }
        }
    }
    seen.first_byte = first_byte.summary();
    seen.event_delay = event_delay.summary();
    Ok(seen)
}

async fn read_one(prompt: &Prompt, request: &[u8]) -> Outcome<(u128, Samples)> {
    let mut connection = Connection::open(prompt.addr).await?;
    let begun = Instant::now();
    connection.send(request).await?;
    connection.first_byte().await?;
    let first_byte = begun.elapsed().as_micros();
    let head = connection.head().await?;
    if head.status != 200 {
        return Err(format!("a stream answered {}", head.status).into());
    }
    Ok((first_byte, read_events(&mut connection).await?))
}

/// Reads events to the stream's end. The first is left out of the delays: it left with the head.
async fn read_events(connection: &mut Connection) -> Outcome<Samples> {
    let (mut delays, mut events, mut done) = (Samples::default(), 0, false);
    let mut pending = Vec::new();
    while let Some(piece) = connection.piece().await? {
        let now = now_micros();
        pending.extend_from_slice(&piece);
        while let Some(end) = memmem::find(&pending, b"\n\n") {
            let event: Vec<u8> = pending.drain(..end + 2).collect();
            match sent_at(&event) {
                Some(sent) => {
                    events += 1;
                    if events > 1 {
                        delays.add(now.saturating_sub(sent));
                    }
                }
                None if event.starts_with(b"data: [DONE]") => done = true,
                None => {
                    return Err(format!(
                        "an event that the client did not ask for: {}",
                        String::from_utf8_lossy(&event)
                    )
                    .into());
                }
            }
        }
    }
    if events == EVENTS && done && pending.is_empty() {
        Ok(delays)
    } else {
        Err(format!("a stream of {events} events, [DONE] seen: {done}").into())
    }
}

/// The microseconds that the mock wrote into an event.
fn sent_at(event: &[u8]) -> Option<u128> {
    let from = memmem::find(event, STAMP.as_bytes())? + STAMP.len();
    let digits = event.get(from..)?;
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(digits.get(..len)?).ok()?.parse().ok()
}

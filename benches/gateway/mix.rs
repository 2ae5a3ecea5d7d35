//! The soak's traffic: everything that happens to a gateway in a day, at a rate that a laptop
//! bears: plain calls, streams, large bodies, failures of every kind, clients that leave.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::fault::Outcome;
use crate::http1::Connection;
use crate::prompt::Prompt;
use crate::turnpike::{DOWN, FAILOVER, GOOD, IDLE};

/// No request of the mix may take longer.
const LONGEST: Duration = Duration::from_secs(20);

/// What the clients have seen so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Requests that ended as they should.
    pub good: u64,
    /// Requests that did not.
    pub bad: u64,
    /// What was wrong first.
    pub first_fault: Option<String>,
}

/// One kind of client.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Plain,
    Large,
    Stream,
    /// An alias whose first routes fail.
    Failover,
    /// An alias whose routes all fail.
    Down,
    /// A key that nobody made.
    WrongKey,
    /// A model that is not there.
    WrongModel,
    /// A body that is no JSON.
    Unreadable,
    /// Leaves in the middle of its upload.
    LeavesUploading,
    /// Leaves in the middle of a stream.
    LeavesReading,
    /// Leaves a stream that has fallen silent.
    LeavesWaiting,
}

/// Clients of each kind, and the milliseconds between two requests of one client.
const CLIENTS: [(Kind, usize, u64); 11] = [
    (Kind::Plain, 8, 20),
    (Kind::Large, 1, 500),
    (Kind::Stream, 12, 260),
    (Kind::Failover, 1, 50),
    (Kind::Down, 1, 100),
    (Kind::WrongKey, 1, 100),
    (Kind::WrongModel, 1, 100),
    (Kind::Unreadable, 1, 100),
    (Kind::LeavesUploading, 1, 100),
    (Kind::LeavesReading, 2, 100),
    (Kind::LeavesWaiting, 2, 100),
];

/// Starts all clients on this thread's task set; they stop at `end`. `good` is a request that
/// succeeds; the others are made from it.
pub fn start(
    good: &Prompt,
    end: Instant,
) -> (Rc<RefCell<Tally>>, Vec<tokio::task::JoinHandle<()>>) {
    let tally = Rc::<RefCell<Tally>>::default();
    let mut clients = Vec::new();
    for (kind, count, gap) in CLIENTS {
        for _ in 0..count {
            let client =
                repeat(kind, kind.prompt(good), Duration::from_millis(gap), end, Rc::clone(&tally));
            clients.push(tokio::task::spawn_local(client));
        }
    }
    (tally, clients)
}

async fn repeat(
    kind: Kind,
    prompt: Prompt,
    gap: Duration,
    end: Instant,
    tally: Rc<RefCell<Tally>>,
) {
    let mut ticks = interval(gap);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let request = kind.request(&prompt);
    while Instant::now() < end {
        ticks.tick().await;
        let outcome = match timeout(LONGEST, kind.act(&prompt, &request)).await {
            Ok(outcome) => outcome,
            Err(late) => Err(late.into()),
        };
        let mut tally = tally.borrow_mut();
        match outcome {
            Ok(()) => tally.good += 1,
            Err(fault) => {
                tally.bad += 1;
                tally.first_fault.get_or_insert(format!("{kind:?}: {fault}"));
            }
        }
    }
}

impl Kind {
    fn prompt(self, good: &Prompt) -> Prompt {
        let mut prompt = good.clone();
        match self {
            Self::Plain | Self::Unreadable => GOOD,
            Self::Large => {
                prompt.body_bytes = 2 * 1024 * 1024;
                GOOD
            }
            Self::LeavesUploading => {
                prompt.body_bytes = 256 * 1024;
                GOOD
            }
            Self::WrongKey => {
                "bd-0000000000000000000000000000000000000000".clone_into(&mut prompt.bearer);
                GOOD
            }
            Self::Stream | Self::LeavesReading => {
                prompt.stream = true;
                GOOD
            }
            Self::LeavesWaiting => {
                prompt.stream = true;
                IDLE
            }
            Self::Failover => FAILOVER,
            Self::Down => DOWN,
            Self::WrongModel => "nobody-has-this",
        }
        .clone_into(&mut prompt.model);
        prompt
    }

    /// The bytes to send; the unreadable ones lose the brace that begins their JSON.
    fn request(self, prompt: &Prompt) -> Vec<u8> {
        let mut request = prompt.bytes();
        if matches!(self, Self::Unreadable)
            && let Some(brace) = request.iter_mut().find(|byte| **byte == b'{')
        {
            *brace = b' ';
        }
        request
    }

    fn expected_status(self) -> u16 {
        match self {
            Self::Down => 502,
            Self::WrongKey => 401,
            Self::WrongModel => 404,
            Self::Unreadable => 400,
            _ => 200,
        }
    }

    async fn act(self, prompt: &Prompt, request: &[u8]) -> Outcome<()> {
        let mut connection = Connection::open(prompt.addr).await?;
        if matches!(self, Self::LeavesUploading) {
            let half = request.get(..request.len() / 2).unwrap_or_default();
            return Ok(connection.send(half).await?);
        }
        connection.send(request).await?;
        let head = connection.head().await?;
        if head.status != self.expected_status() {
            return Err(format!("status {}", head.status).into());
        }
        match self {
            Self::LeavesReading => {
                for _ in 0..5 {
                    connection.piece().await?;
                }
            }
            Self::LeavesWaiting => {
                connection.piece().await?;
            }
            _ => {
                connection.body_length().await?;
            }
        }
        Ok(())
    }
}

//! Clients that never rest, and remember what they were answered to the last byte.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task::JoinHandle;

use super::{Caller, Ending, until, within};

/// Clients of one key that ask again and again, every third time for a stream.
pub struct Hammer {
    told: Arc<Told>,
    clients: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Told {
    to_stop: AtomicBool,
    answered: Mutex<BTreeSet<String>>,
}

impl Hammer {
    /// So many clients; their requests' ids begin with `name`.
    pub fn start(key: &Caller, name: &str, clients: usize) -> Self {
        let told = Arc::new(Told::default());
        let clients = (0..clients)
            .map(|n| tokio::spawn(ask(key.clone(), format!("{name}-{n}"), Arc::clone(&told))))
            .collect();
        Self { told, clients }
    }

    /// Waits for so many answers.
    pub async fn has_answers(&self, count: usize) {
        until("enough was answered", async || {
            (self.told.answered.lock().unwrap().len() >= count).then_some(())
        })
        .await;
    }

    /// Ends it; the ids of the requests that were answered.
    pub async fn stop(self) -> BTreeSet<String> {
        self.told.to_stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            within("a client to end", client).await.unwrap();
        }
        std::mem::take(&mut self.told.answered.lock().unwrap())
    }
}

/// Until it is told to stop, or nobody listens any more.
async fn ask(key: Caller, name: String, told: Arc<Told>) {
    let mut turn = 0;
    let is_over = || told.to_stop.load(Ordering::SeqCst);
    'connections: while !is_over() {
        let Some(mut wire) = key.try_connect().await else { return };
        while !is_over() {
            turn += 1;
            let id = format!("{name}-{turn}");
            let ask = if turn % 3 == 0 { key.chat_stream("fast") } else { key.chat("fast") };
            if wire.try_send(ask.header("x-request-id", &id).bytes()).await.is_err() {
                continue 'connections;
            }
            let Some(answer) = wire.try_answer().await else { continue 'connections };
            if answer.status == 200 && answer.ending == Ending::Complete {
                told.answered.lock().unwrap().insert(id);
            }
        }
    }
}

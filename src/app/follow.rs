//! Changes of other processes: heard of at once where the database announces them, looked for
//! otherwise.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval, sleep};

use super::refresh::Refresher;
use crate::store::{Announcements, StoreError};

/// How often changes are looked for, announced or not: what a lost announcement costs at most. Also
/// how often what could not be put into force is tried again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a lost connection for announcements rests before it is made anew.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// Whether the store answered when it was last asked.
#[derive(Default)]
pub struct StoreWatch(AtomicBool);

impl StoreWatch {
    /// Whether it is away.
    pub fn is_away(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn note(&self, away: bool, reason: &str) {
        match (self.0.swap(away, Ordering::Relaxed), away) {
            (false, true) => {
                tracing::warn!(reason, "the database is away: serving what is known");
            }
            (true, false) => tracing::info!("the database is back"),
            _ => {}
        }
    }
}

/// Puts changes into force for as long as the process lives.
pub async fn run(refresher: Arc<Refresher>, watch: Arc<StoreWatch>) {
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (heard, mut hearing) = tokio::sync::mpsc::channel(1);
    tokio::spawn(listen(Arc::clone(&refresher), heard.clone()));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = hearing.recv() => {}
        }
        let looked = refresher.catch_up().await;
        let reason = looked.as_ref().err().map(ToString::to_string).unwrap_or_default();
        watch.note(looked.is_err(), &reason);
    }
}

/// Says on `heard` that something changed, each time that the database announces it.
async fn listen(refresher: Arc<Refresher>, heard: tokio::sync::mpsc::Sender<()>) {
    loop {
        match refresher.store().announcements().await {
            // This engine announces nothing.
            Ok(None) => return,
            Ok(Some(mut announcements)) => pass_on(&mut announcements, &heard).await,
            Err(_) => {}
        }
        sleep(LISTEN_AGAIN).await;
    }
}

async fn pass_on(announcements: &mut Announcements, heard: &tokio::sync::mpsc::Sender<()>) {
    loop {
        let said: Result<_, StoreError> = announcements.next().await;
        // A full channel holds the same word already.
        let _same_word = heard.try_send(());
        if said.is_err() {
            return;
        }
    }
}

//! Changes of other processes: heard of at once where the database announces them, looked for
//! otherwise.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, mpsc},
    time::{MissedTickBehavior, interval, sleep},
};

use super::refresh::Refresher;
use crate::{
    admin::RefreshError,
    store::{Announcements, Store},
};

/// How often changes are looked for, announced or not: what a lost announcement costs at most. Also
/// how often what could not be put into force is tried again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a lost connection for announcements rests before it is made anew.
const LISTEN_AGAIN: Duration = Duration::from_millis(200);

/// Puts changes into force for as long as the process lives.
pub async fn run(refresher: Arc<Refresher>) {
    let store = refresher.store().clone();
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (heard, mut hearing) = mpsc::channel(1);
    let back = Arc::new(Notify::new());
    tokio::spawn(listen(store.clone(), heard.clone(), Arc::clone(&back)));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = hearing.recv() => {}
        }
        let looked = refresher.catch_up().await;
        if store.is_closed() {
            return;
        }
        if note(&store, looked).await {
            // The connection for announcements may have died without a word.
            back.notify_one();
        }
    }
}

/// Takes note of whether the store answered; says whether it is back.
async fn note(store: &Store, looked: Result<(), RefreshError>) -> bool {
    let was_away = store.note_away(looked.is_err());
    match (was_away, looked) {
        (false, Err(error)) => {
            let reason = store.trouble().await.unwrap_or_else(|| error.to_string());
            tracing::warn!(%reason, "the database is away: serving what is known");
        }
        (true, Ok(())) => {
            tracing::info!("the database is back");
            return true;
        }
        _ => {}
    }
    false
}

/// Says on `heard` that something changed, each time that the database announces it.
async fn listen(store: Store, heard: mpsc::Sender<()>, back: Arc<Notify>) {
    loop {
        match store.announcements().await {
            // This engine announces nothing.
            Ok(None) => return,
            Ok(Some(mut announcements)) => tokio::select! {
                () = pass_on(&mut announcements, &heard) => {}
                () = back.notified() => {}
            },
            Err(_) => {}
        }
        sleep(LISTEN_AGAIN).await;
    }
}

/// Ends with the connection. What was missed before it was made is looked for first.
async fn pass_on(announcements: &mut Announcements, heard: &mpsc::Sender<()>) {
    loop {
        // A full channel holds the same word already.
        let _same_word = heard.try_send(());
        if !matches!(announcements.next().await, Ok(Some(_))) {
            return;
        }
    }
}

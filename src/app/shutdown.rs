//! Leaving: readiness first, then whatever is under way, then the door.

use std::time::{Duration, Instant};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::AppError;
use crate::proxy::Drain;

/// How often idleness is looked for.
const LOOK: Duration = Duration::from_millis(10);

/// Resolves at SIGTERM or SIGINT. A second one ends the process at once.
pub async fn requested() -> Result<(), AppError> {
    let failed = |error| AppError::Io("cannot listen for signals", error);
    let mut term = signal(SignalKind::terminate()).map_err(failed)?;
    let mut int = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
    tokio::spawn(async move {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        std::process::exit(130);
    });
    Ok(())
}

/// Drains: new requests are still served while those under way finish, so that nothing is refused
/// before the load balancer has looked. The listener closes once nothing is under way; where traffic
/// does not go away by itself, at half time, so that what is under way then can finish, too.
pub async fn drain(state: &Drain, close: &watch::Sender<bool>, delay: Duration, grace: Duration) {
    let end = Instant::now() + grace;
    state.begin();
    tokio::time::sleep(delay.min(grace)).await;
    idle(state, Instant::now() + end.saturating_duration_since(Instant::now()) / 2).await;
    let _nobody_listens = close.send(true);
    // A request may have slipped in between the last look and the closing.
    idle(state, end).await;
    if state.active() > 0 {
        tracing::warn!(
            requests = state.active(),
            "server.shutdown_grace_secs is over: requests are cut off"
        );
    }
}

async fn idle(state: &Drain, end: Instant) {
    while state.active() > 0 && Instant::now() < end {
        tokio::time::sleep(LOOK).await;
    }
}

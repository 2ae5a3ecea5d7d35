//! Leaving: readiness first, then whatever is under way, then the door.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{AppError, deaf};
use crate::proxy::{Drain, LULL};

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

/// How long the process may still take, and the public listener that it is to give up.
pub struct Leave {
    /// A hold on the listener beside the one that serves.
    pub listener: TcpListener,
    /// Tells that one to close.
    pub close: watch::Sender<bool>,
    /// `server.drain_delay_ms`.
    pub delay: Duration,
    /// `server.shutdown_grace_secs`.
    pub grace: Duration,
}

/// Drains: new requests are still served while those under way finish, so that nothing is refused
/// before the load balancer has looked. The listener closes once nothing is under way; where traffic
/// does not go away by itself, at half time, so that what is under way then can finish, too.
pub async fn drain(state: &Drain, leave: Leave) {
    let end = Instant::now() + leave.grace;
    state.begin();
    tokio::time::sleep(leave.delay.min(leave.grace)).await;
    idle(state, Instant::now() + left(end) / 2).await;
    close(leave.listener, &leave.close, end).await;
    idle(state, end).await;
    if state.active() > 0 {
        tracing::warn!(
            requests = state.active(),
            "server.shutdown_grace_secs is over: requests are cut off"
        );
    }
}

/// Closes the listener so that no connection which reached it is lost: those that wait are accepted
/// first, and those that were accepted may bring the request that is on its way.
async fn close(listener: TcpListener, close: &watch::Sender<bool>, end: Instant) {
    if let Err(error) = deaf::deafen(&listener) {
        tracing::debug!(%error, "connections that arrive now may be reset");
    }
    drop(listener);
    tokio::time::sleep(LULL.min(left(end))).await;
    let _nobody_listens = close.send(true);
    tokio::time::sleep(LULL.min(left(end))).await;
}

fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}

async fn idle(state: &Drain, end: Instant) {
    while state.active() > 0 && Instant::now() < end {
        tokio::time::sleep(LOOK).await;
    }
}

//! Waiting for what must become true.

use std::{future::Future, time::Duration};

/// How long anything that must happen may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Polls until `probe` gives a value; panics with `what` when patience runs out.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let polling = async {
        loop {
            if let Some(value) = probe().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
    };
    let value = tokio::time::timeout(PATIENCE, polling).await.ok();
    value.unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain until {what}"))
}

/// Awaits `future`; panics with `what` when patience runs out.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let value = tokio::time::timeout(PATIENCE, future).await.ok();
    value.unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain for {what}"))
}

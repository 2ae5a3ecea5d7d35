//! A credential that ends and is renewed before it does: by one request at a time, while the others
//! go on with the one that still holds.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::CloudError;

/// After a failed renewal, how long the old one goes on unasked.
const AFTER_FAILURE: Duration = Duration::from_secs(30);
/// How old a credential is that a vendor's refusal has renewed before its time.
const DOUBTED_AFTER: Duration = Duration::from_secs(30);
/// Taken off every lifetime: a credential must outlast the request that it is used for.
const MARGIN: Duration = Duration::from_secs(60);

struct Held<T> {
    value: T,
    since: Instant,
    renew_at: Instant,
    ends: Instant,
}

struct Failed {
    at: Instant,
    error: CloudError,
}

/// What is renewed.
pub struct Renewed<T> {
    held: ArcSwapOption<Held<T>>,
    failed: ArcSwapOption<Failed>,
    turn: Arc<Mutex<()>>,
}

impl<T> Default for Renewed<T> {
    fn default() -> Self {
        Self { held: ArcSwapOption::empty(), failed: ArcSwapOption::empty(), turn: Arc::default() }
    }
}

impl<T: Clone + Send + Sync + 'static> Renewed<T> {
    /// What holds now, if it need not be renewed yet.
    #[must_use]
    pub fn fresh(&self) -> Option<T> {
        let held = self.held.load();
        let held = held.as_ref().filter(|held| Instant::now() < held.renew_at)?;
        Some(held.value.clone())
    }

    /// A vendor refused what is held: the next [`Self::get`] has it renewed, unless it is quite new.
    pub fn doubt(&self) {
        let Some(held) = self.held.load_full() else { return };
        let now = Instant::now();
        if now.saturating_duration_since(held.since) >= DOUBTED_AFTER && held.renew_at > now {
            let value = held.value.clone();
            let (since, ends) = (held.since, held.ends);
            self.held.store(Some(Arc::new(Held { value, since, renew_at: now, ends })));
        }
    }

    /// What holds now; where there is none, `fetch` gets one with its lifetime. From 80 % of the
    /// lifetime on one caller has it renewed in the background.
    ///
    /// Whoever waits while another caller's fetch is under way takes part in its outcome, good or bad. A
    /// fetch that has begun goes on when its caller no longer waits: the next one finds what it brought,
    /// however little patience each has.
    ///
    /// # Errors
    /// When there is none and `fetch` fails.
    pub async fn get<F>(
        self: &Arc<Self>,
        fetch: impl FnOnce() -> F + Send + 'static,
    ) -> Result<T, CloudError>
    where
        F: Future<Output = Result<(T, Duration), CloudError>> + Send,
    {
        match self.held.load_full() {
            Some(held) if Instant::now() < held.renew_at => Ok(held.value.clone()),
            Some(held) if Instant::now() < held.ends => {
                if let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() {
                    let (own, old) = (Arc::clone(self), Arc::clone(&held));
                    tokio::spawn(async move {
                        match fetch().await {
                            Ok((value, lifetime)) => own.hold(value, lifetime),
                            Err(_) => own.keep(&old),
                        }
                        drop(turn);
                    });
                }
                Ok(held.value.clone())
            }
            _ => {
                let asked = Instant::now();
                let turn = Arc::clone(&self.turn).lock_owned().await;
                match self.brought_since(asked) {
                    Some(outcome) => outcome,
                    None => self.first(turn, fetch).await,
                }
            }
        }
    }

    /// What a fetch of another caller's brought that ended after `asked`.
    fn brought_since(&self, asked: Instant) -> Option<Result<T, CloudError>> {
        if let Some(held) = self.held.load_full().filter(|held| Instant::now() < held.ends) {
            return Some(Ok(held.value.clone()));
        }
        let failed = self.failed.load_full().filter(|failed| failed.at >= asked)?;
        Some(Err(failed.error.clone()))
    }

    async fn first<F>(
        self: &Arc<Self>,
        turn: OwnedMutexGuard<()>,
        fetch: impl FnOnce() -> F + Send + 'static,
    ) -> Result<T, CloudError>
    where
        F: Future<Output = Result<(T, Duration), CloudError>> + Send,
    {
        let (tell, told) = oneshot::channel();
        let own = Arc::clone(self);
        tokio::spawn(async move {
            let fetched = fetch().await;
            let outcome = fetched.map(|(value, lifetime)| {
                own.hold(value.clone(), lifetime);
                value
            });
            if let Err(error) = &outcome {
                let failed = Failed { at: Instant::now(), error: error.clone() };
                own.failed.store(Some(Arc::new(failed)));
            }
            drop(turn);
            let _nobody_waits = tell.send(outcome);
        });
        told.await.unwrap_or_else(|_| Err(CloudError::own("the gateway is about to end")))
    }

    fn hold(&self, value: T, lifetime: Duration) {
        let lifetime = lifetime.saturating_sub(MARGIN);
        let now = Instant::now();
        let (renew_at, ends) = (now + lifetime.mul_f64(0.8), now + lifetime);
        let held = Held { value, since: now, renew_at, ends };
        self.held.store(Some(Arc::new(held)));
    }

    fn keep(&self, old: &Held<T>) {
        let renew_at = Instant::now() + AFTER_FAILURE;
        let (value, since) = (old.value.clone(), old.since);
        let held = Held { value, since, renew_at, ends: old.ends };
        self.held.store(Some(Arc::new(held)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn away() -> CloudError {
        CloudError::own("away")
    }

    #[tokio::test]
    async fn many_at_once_ask_once() {
        let (renewed, asked) = (Arc::new(Renewed::default()), Arc::new(AtomicUsize::new(0)));
        let gets = (0..50).map(|_| {
            let asked = Arc::clone(&asked);
            renewed.get(move || async move {
                tokio::task::yield_now().await;
                Ok((asked.fetch_add(1, Ordering::SeqCst), HOUR))
            })
        });
        let got = futures_util::future::join_all(gets).await;
        assert!(got.iter().all(|value| *value == Ok(0)));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn many_at_once_fail_once_and_the_next_one_asks_again() {
        let (renewed, asked) = (Arc::new(Renewed::<i32>::default()), Arc::new(AtomicUsize::new(0)));
        let gets = (0..50).map(|_| {
            let asked = Arc::clone(&asked);
            renewed.get(move || async move {
                asked.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(away())
            })
        });
        let got = futures_util::future::join_all(gets).await;
        assert!(got.iter().all(|value| *value == Err(away())));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert_eq!(renewed.get(|| async { Ok((7, HOUR)) }).await, Ok(7));
    }

    #[tokio::test]
    async fn a_fetch_outlives_the_caller_that_began_it() {
        let renewed = Arc::new(Renewed::default());
        let slow = renewed.get(|| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok((1, HOUR))
        });
        assert!(tokio::time::timeout(Duration::from_millis(5), slow).await.is_err());
        assert_eq!(renewed.get(|| async { Err(away()) }).await, Ok(1));
    }

    #[tokio::test]
    async fn one_that_nearly_ends_is_used_while_it_is_renewed() {
        let renewed = Arc::new(Renewed::default());
        let now = Instant::now();
        let old = Held { value: 1, since: now, renew_at: now, ends: now + HOUR };
        renewed.held.store(Some(Arc::new(old)));
        assert_eq!(renewed.get(|| async { Ok((2, HOUR)) }).await, Ok(1));
        let deadline = now + Duration::from_secs(10);
        while renewed.held.load().as_ref().is_some_and(|held| held.value == 1) {
            assert!(Instant::now() < deadline, "never renewed");
            tokio::task::yield_now().await;
        }
        assert_eq!(renewed.get(|| async { Err(away()) }).await, Ok(2));
    }

    #[tokio::test]
    async fn a_failed_renewal_leaves_the_old_one_and_an_ended_one_is_not_used() {
        let renewed = Arc::new(Renewed::default());
        let now = Instant::now();
        let old = Held { value: 1, since: now, renew_at: now, ends: now + HOUR };
        renewed.held.store(Some(Arc::new(old)));
        assert_eq!(renewed.get(|| async { Err(away()) }).await, Ok(1));
        // The failure puts the next renewal off.
        while renewed.held.load().as_ref().is_some_and(|held| held.renew_at == now) {
            assert!(now.elapsed() < Duration::from_secs(10), "never tried");
            tokio::task::yield_now().await;
        }
        assert_eq!(renewed.get(|| async { Err(away()) }).await, Ok(1));
        let ended = Held { value: 1, since: now, renew_at: now, ends: now };
        renewed.held.store(Some(Arc::new(ended)));
        assert_eq!(renewed.get(|| async { Err(away()) }).await, Err(away()));
    }

    #[tokio::test]
    async fn one_that_a_vendor_refused_is_renewed_before_its_time_unless_it_is_new() {
        let renewed = Arc::new(Renewed::default());
        assert_eq!(renewed.get(|| async { Ok((1, HOUR)) }).await, Ok(1));
        renewed.doubt();
        assert_eq!(renewed.fresh(), Some(1), "it is new");
        let now = Instant::now();
        let Some(since) = now.checked_sub(DOUBTED_AFTER) else { return };
        let old = Held { value: 1, since, renew_at: now + HOUR, ends: now + HOUR };
        renewed.held.store(Some(Arc::new(old)));
        renewed.doubt();
        assert_eq!(renewed.fresh(), None);
        assert_eq!(renewed.get(|| async { Ok((2, HOUR)) }).await, Ok(1), "it holds still");
        while renewed.fresh() != Some(2) {
            assert!(now.elapsed() < Duration::from_secs(10), "never renewed");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_ends_at_once_is_used_once() {
        let renewed = Arc::new(Renewed::default());
        let short = Duration::from_secs(1);
        assert_eq!(renewed.get(move || async move { Ok((1, short)) }).await, Ok(1));
        assert_eq!(renewed.get(move || async move { Ok((2, short)) }).await, Ok(2));
    }
}

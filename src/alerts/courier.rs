//! Delivering messages.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, header};
use tokio::sync::watch;

use super::secret::WebhookSecret;
use crate::{
    domain::{DeliveryOutcome, Timestamp},
    net::{Bounds, Fetcher},
    secrets::Keyring,
    store::{DeliveryRow, Store, StoreError, WebhookRow},
};

/// How long to wait after each failed attempt, as the standard recommends; after the last the
/// message is given up, some three days after it was queued.
pub const PAUSES: &[Duration] = &[
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(5 * 3600),
    Duration::from_secs(10 * 3600),
    Duration::from_secs(14 * 3600),
    Duration::from_secs(20 * 3600),
    Duration::from_secs(24 * 3600),
];

/// How often the queue is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Messages taken at once: they are sent side by side, so that a slow receiver delays few others.
const AT_ONCE: u32 = 32;
/// What a receiver may take; it answers with a status, and nobody reads the rest.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(15), bytes: 64 * 1024 };
/// After so long a message whose taker never reported back is anyone's again.
const LEASE: Duration = Duration::from_secs(60);
/// How long messages are remembered that are done with: longer than the longest period of a budget,
/// about which nothing is told twice.
const REMEMBERED: Duration = Duration::from_secs(400 * 24 * 3600);
/// How often the others are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// Delivers the messages of all organizations, together with the couriers of other replicas.
pub struct Courier {
    store: Store,
    keyring: Arc<Keyring>,
    fetcher: Fetcher,
    pauses: &'static [Duration],
    /// Told what became of every attempt.
    told: Box<dyn Fn(DeliveryOutcome) + Send + Sync>,
}

/// Waits for the word to stop, or until nobody can give it any more.
async fn told(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}

/// What became of an attempt, in words that repeat neither address nor message.
type Attempt = Result<(), String>;

impl Courier {
    /// Sends by `fetcher`, which minds which addresses may be reached; `pauses` are usually
    /// [`PAUSES`].
    #[must_use]
    pub fn new(
        store: Store,
        keyring: Arc<Keyring>,
        fetcher: Fetcher,
        pauses: &'static [Duration],
    ) -> Self {
        Self { store, keyring, fetcher, pauses, told: Box::new(|_| ()) }
    }

    /// Has `told` called with what became of every attempt, once that is noted.
    #[must_use]
    pub fn telling(self, told: impl Fn(DeliveryOutcome) + Send + Sync + 'static) -> Self {
        Self { told: Box::new(told), ..self }
    }

    /// Delivers until told to stop. What is under way then is sent again later, by anyone.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut forget = tokio::time::interval(FORGET_EVERY);
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = told(&mut stop) => return,
                _ = look.tick() => {
                    if let Err(error) = self.round().await {
                        tracing::warn!(%error, "alerts wait for the store");
                    }
                }
                _ = forget.tick() => {
                    let before = Timestamp::now().before(REMEMBERED);
                    if let Err(error) = self.store.expire_deliveries(before).await {
                        tracing::warn!(%error, "old alerts are kept longer");
                    }
                }
            }
        }
    }

    /// Sends everything that is due; answers how many attempts that took.
    ///
    /// # Errors
    /// When the database is unavailable; then some may be sent again.
    pub async fn round(&self) -> Result<usize, StoreError> {
        let mut attempts = 0;
        loop {
            let now = Timestamp::now();
            let taken = self.store.claim_deliveries(now, now.after(LEASE), AT_ONCE).await?;
            if taken.is_empty() {
                return Ok(attempts);
            }
            attempts += taken.len();
            for result in join_all(taken.iter().map(|row| self.deliver(row))).await {
                result?;
            }
        }
    }

    async fn deliver(&self, row: &DeliveryRow) -> Result<(), StoreError> {
        let webhook = self.store.read().await?.webhook(row.org_id, row.webhook_id).await?;
        // Taken away since: its messages went with it.
        let Some(webhook) = webhook else { return Ok(()) };
        let failure = self.attempt(row, &webhook).await.err();
        let now = Timestamp::now();
        let made = usize::try_from(row.attempts).unwrap_or(usize::MAX);
        let pause = made.checked_sub(1).and_then(|before| self.pauses.get(before));
        let outcome = match (failure, pause) {
            (None, _) => {
                self.store.finish_delivery(row, now, None).await?;
                DeliveryOutcome::Delivered
            }
            (Some(error), Some(pause)) => {
                self.store.retry_delivery(row, now.after(*pause), &error).await?;
                DeliveryOutcome::Failed
            }
            (Some(error), None) => {
                tracing::warn!(
                    org = %row.org_id, webhook = %webhook.name, attempts = row.attempts, error,
                    "an alert could not be delivered and is given up"
                );
                self.store.finish_delivery(row, now, Some(&error)).await?;
                DeliveryOutcome::GivenUp
            }
        };
        (self.told)(outcome);
        Ok(())
    }

    async fn attempt(&self, row: &DeliveryRow, webhook: &WebhookRow) -> Attempt {
        let request = self.request(row, webhook)?;
        let status =
            self.fetcher.status(request, BOUNDS).await.map_err(|error| error.to_string())?;
        if status.is_success() {
            return Ok(());
        }
        Err(format!("the receiver answered {}", status.as_u16()))
    }

    fn request(&self, row: &DeliveryRow, webhook: &WebhookRow) -> Result<Request<Bytes>, String> {
        let secret =
            WebhookSecret::open(&self.keyring, webhook.org_id, webhook.id, &webhook.sealed);
        let secret = secret.map_err(|error| error.to_string())?;
        let id = format!("msg_{}", row.id.0.simple());
        let seconds = Timestamp::now().unix_seconds();
        Request::post(&webhook.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("turnpike/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", secret.signature(&id, seconds, &row.body))
            .body(Bytes::from(row.body.clone()))
            .map_err(|_| "not a URL that can be fetched".to_owned())
    }
}

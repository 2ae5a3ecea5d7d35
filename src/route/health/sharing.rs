//! What replicas tell each other: a route that one has ejected is skipped by all, for as long.
//!
//! Each replica keeps its own breakers and decides on its own; what is shared are cool-downs. A replica
//! that takes one over probes the route itself once it is over. While the shared place is away, every
//! replica goes by what it finds out; what is still ejected when that is back is told then.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::{Ejection, Origin, RouteHealth, RouteKey, State};

/// How often other replicas' cool-downs are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Routes of which the last cool-down is remembered, before old ones are forgotten.
const MOST_KNOWN: usize = 4096;
/// How long one is remembered at least.
const KNOWN_FOR: Duration = Duration::from_secs(3600);

/// The place that holds them could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CooldownError(pub String);

/// What is known of one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cooldown {
    /// Tells this one from those before.
    pub id: Uuid,
    /// The route.
    pub key: RouteKey,
    /// The provider's name.
    pub provider_name: Arc<str>,
    /// For how long it is to be skipped yet; none where it was reset.
    pub ejection: Option<Ejection>,
}

/// Where replicas keep cool-downs, by that place's clock.
#[async_trait]
pub trait Cooldowns: Send + Sync {
    /// Makes an ejection known for as long as it lasts. One that is known already and has at least half as
    /// long to go stands. Answers the id of the one that does.
    ///
    /// # Errors
    /// When the place cannot be reached.
    async fn publish(&self, cooldown: &Cooldown) -> Result<Uuid, CooldownError>;

    /// The same of one that could not be told when it was made. Whatever is known of the route stands: a
    /// reset, too.
    ///
    /// # Errors
    /// When the place cannot be reached.
    async fn publish_late(&self, cooldown: &Cooldown) -> Result<Uuid, CooldownError>;

    /// Has every replica make the route healthy; `id` is that of the reset. Whether there was a cool-down.
    ///
    /// # Errors
    /// When the place cannot be reached.
    async fn reset(&self, key: &RouteKey, id: Uuid) -> Result<bool, CooldownError>;

    /// What became known since it was read last, and is in force. After an outage some of it may come again.
    ///
    /// # Errors
    /// When the place cannot be reached.
    async fn read(&self) -> Result<Vec<Cooldown>, CooldownError>;
}

/// Keeps this process's health and the shared cool-downs together.
pub struct Sharing {
    health: Arc<RouteHealth>,
    cooldowns: Arc<dyn Cooldowns>,
    /// The last one of each route that this process knows of.
    known: Mutex<HashMap<RouteKey, (Uuid, Instant)>>,
    /// Routes of whose ejection the others could not be told, with their providers' names.
    untold: Mutex<HashMap<RouteKey, Arc<str>>>,
}

impl Sharing {
    /// Between `health` and `cooldowns`.
    #[must_use]
    pub fn new(health: Arc<RouteHealth>, cooldowns: Arc<dyn Cooldowns>) -> Self {
        Self { health, cooldowns, known: Mutex::default(), untold: Mutex::default() }
    }

    /// Tells the others of an ejection of this process. Answers the id of the cool-down that is in force.
    ///
    /// # Errors
    /// When the shared place cannot be reached: they are told what is left of it when it can.
    pub async fn publish(
        &self,
        key: &RouteKey,
        provider_name: &Arc<str>,
        ejection: Ejection,
    ) -> Result<Uuid, CooldownError> {
        let cooldown = Cooldown {
            id: Uuid::new_v4(),
            key: key.clone(),
            provider_name: Arc::clone(provider_name),
            ejection: Some(ejection),
        };
        // Known before the others can be: this process has ejected the route already.
        self.know(key, cooldown.id);
        let published = self.cooldowns.publish(&cooldown).await;
        if published.is_err() {
            lock(&self.untold).insert(key.clone(), Arc::clone(provider_name));
        }
        published
    }

    /// Tells of what could not be told, as far as it still is so.
    async fn publish_untold(&self) -> Result<(), CooldownError> {
        let untold = std::mem::take(&mut *lock(&self.untold));
        let mut untold = untold.into_iter();
        for (key, provider_name) in untold.by_ref() {
            let status = self.health.status(key.provider, &key.model, Instant::now());
            let left = status.remaining.filter(|_| status.state == State::Ejected);
            let (Some(lasts), Some(reason)) = (left, status.reason) else { continue };
            let ejection = Ejection { reason, lasts, multiplier: status.multiplier };
            let id = Uuid::new_v4();
            let ejection = Some(ejection);
            let late = Cooldown { id, key, provider_name, ejection };
            match self.cooldowns.publish_late(&late).await {
                // What stands is somebody else's, and news to this process.
                Ok(stands) if stands != id => {}
                Ok(_) => {
                    self.know(&late.key, id);
                }
                Err(error) => {
                    let mut kept = lock(&self.untold);
                    kept.insert(late.key, late.provider_name);
                    kept.extend(untold);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Makes the route healthy on every replica but this one. Whether there was a cool-down.
    ///
    /// # Errors
    /// When the shared place cannot be reached.
    pub async fn reset(&self, key: &RouteKey) -> Result<bool, CooldownError> {
        let id = Uuid::new_v4();
        self.know(key, id);
        lock(&self.untold).remove(key);
        self.cooldowns.reset(key, id).await
    }

    /// Takes over what is new, and tells what could not be told before.
    ///
    /// # Errors
    /// When the shared place cannot be reached.
    pub async fn round(&self) -> Result<(), CooldownError> {
        let all = self.cooldowns.read().await?;
        let now = Instant::now();
        for cooldown in &all {
            if !self.know(&cooldown.key, cooldown.id) {
                continue;
            }
            let key = cooldown.key.clone();
            match cooldown.ejection {
                Some(ejection) => {
                    self.health.adopt(key, &cooldown.provider_name, ejection, now);
                }
                None => {
                    self.health.reset(key.provider, &key.model, Origin::Elsewhere, now);
                }
            }
        }
        self.publish_untold().await
    }

    /// Looks for news for good. An outage is told once, by who holds the connection.
    pub async fn run(self: Arc<Self>) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            if let Err(error) = self.round().await {
                tracing::debug!(%error, "route health is not shared with other replicas");
            }
        }
    }

    /// Whether it is news.
    fn know(&self, key: &RouteKey, id: Uuid) -> bool {
        let mut known = lock(&self.known);
        let now = Instant::now();
        if known.len() >= MOST_KNOWN {
            known.retain(|_, (_, at)| now.saturating_duration_since(*at) < KNOWN_FOR);
        }
        known.insert(key.clone(), (id, now)).is_none_or(|(before, _)| before != id)
    }
}

/// What a holder that panicked has left is still a list of routes.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

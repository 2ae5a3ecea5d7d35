//! An identity provider's keys: fetched once for all who wait, and kept for when it is away.
//!
//! Known keys are used without waiting; old ones are renewed behind the requests' backs. A token with
//! a key that is not among them may be the first after a rotation, so it waits for a new set, but not
//! more than one in half a minute does: anybody can write a key id into a token.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde::Deserialize;
use tokio::{sync::watch, time::Instant};

use super::{
    TokenRefusal,
    jwks::{KeySet, NoKeySet},
    jwt::Jwt,
};
use crate::net::{Bounds, FetchError, Fetcher};

/// Age at which a set is renewed.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// Age until which a set serves while there is no newer one.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two fetches for the sake of unknown keys, and after one that failed.
const DAMPING: Duration = Duration::from_secs(30);
/// How long a failure is taken without asking again where nothing is known.
const FAILED: Duration = Duration::from_secs(2);

/// For each of the two documents.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(5), bytes: 256 << 10 };

/// Somewhere that has an issuer's keys.
#[async_trait]
pub(super) trait Publishes: Send + Sync {
    async fn fetch(&self) -> Result<KeySet, KeysError>;
}

/// Why there are no keys to be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeysError {
    #[error("{0}: {1}")]
    Fetch(&'static str, FetchError),
    #[error("{0} answers {1}")]
    Status(&'static str, u16),
    #[error("the discovery document is not one of this issuer")]
    Discovery,
    #[error(transparent)]
    Keys(#[from] NoKeySet),
}

const DISCOVERY: &str = "its discovery document";
const KEYS: &str = "its keys";

/// The issuer's own documents: `OpenID` Connect Discovery 1.0, 4, and RFC 7517.
pub(super) struct Published {
    pub(super) fetcher: Fetcher,
    /// Without trailing slash.
    pub(super) issuer: String,
    pub(super) jwks_url: Option<String>,
}

/// The discovery document, as far as anybody here reads it.
#[derive(Deserialize)]
pub(super) struct Discovery {
    issuer: String,
    jwks_uri: String,
    pub(super) authorization_endpoint: Option<String>,
    pub(super) token_endpoint: Option<String>,
    pub(super) token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[async_trait]
impl Publishes for Published {
    async fn fetch(&self) -> Result<KeySet, KeysError> {
        let url = match &self.jwks_url {
            Some(url) => url.clone(),
            None => self.discovery().await?.jwks_uri,
        };
        Ok(KeySet::parse(&self.get(KEYS, &url).await?)?)
    }
}

impl Published {
    pub(super) async fn discovery(&self) -> Result<Discovery, KeysError> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        let document = self.get(DISCOVERY, &url).await?;
        let found: Discovery =
            serde_json::from_slice(&document).map_err(|_| KeysError::Discovery)?;
        // 4.3: else one provider could speak in another's name.
        let own = found.issuer.trim_end_matches('/') == self.issuer;
        let downgraded =
            self.issuer.starts_with("https://") && !found.jwks_uri.starts_with("https://");
        if own && !downgraded { Ok(found) } else { Err(KeysError::Discovery) }
    }

    async fn get(&self, what: &'static str, url: &str) -> Result<bytes::Bytes, KeysError> {
        let answer = self.fetcher.get(url, BOUNDS).await;
        let answer = answer.map_err(|error| KeysError::Fetch(what, error))?;
        match answer.status().as_u16() {
            200 => Ok(answer.into_body()),
            status => Err(KeysError::Status(what, status)),
        }
    }
}

/// The keys of one issuer.
#[derive(Clone)]
pub(super) struct IssuerKeys {
    issuer: Arc<str>,
    from: Arc<dyn Publishes>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    keys: Option<(Arc<KeySet>, Instant)>,
    failed: Option<Instant>,
    /// When a fetch for the sake of an unknown key began.
    sought: Option<Instant>,
    /// The one fetch under way; its end is the news.
    fetching: Option<watch::Receiver<()>>,
}

/// What to do about a token.
enum Step {
    Take(Arc<KeySet>),
    Wait(watch::Receiver<()>),
    GiveUp,
}

impl IssuerKeys {
    pub(super) fn new(issuer: &str, from: Arc<dyn Publishes>) -> Self {
        Self { issuer: Arc::from(issuer), from, known: Arc::default() }
    }

    /// Checks the token's signature.
    ///
    /// # Errors
    /// [`TokenRefusal::Unavailable`] where no keys are known and none can be had.
    pub(super) async fn verify(&self, jwt: &Jwt<'_>) -> Result<(), TokenRefusal> {
        let (keys, waited) = match self.first_step() {
            Step::Take(keys) => (keys, false),
            Step::Wait(news) => (self.after(news).await?, true),
            Step::GiveUp => return Err(TokenRefusal::Unavailable),
        };
        let verdict = keys.verify(jwt);
        if verdict != Err(TokenRefusal::UnknownKey) {
            return verdict;
        }
        match self.step_for_unknown(waited) {
            Step::Wait(news) => self.after(news).await?.verify(jwt),
            // Another may have brought a newer set between the two steps.
            Step::Take(newer) if !Arc::ptr_eq(&newer, &keys) => newer.verify(jwt),
            Step::Take(_) | Step::GiveUp => verdict,
        }
    }

    fn first_step(&self) -> Step {
        let mut known = self.lock();
        let usable = known.usable();
        if known.is_due() {
            let news = self.fetch(&mut known);
            return usable.map_or(Step::Wait(news), Step::Take);
        }
        match (usable, &known.fetching) {
            (Some(keys), _) => Step::Take(keys),
            (None, Some(news)) => Step::Wait(news.clone()),
            (None, None) => Step::GiveUp,
        }
    }

    /// `waited`: the set in which the key is not was fetched for this very token.
    fn step_for_unknown(&self, waited: bool) -> Step {
        let mut known = self.lock();
        let damped = known.sought.is_some_and(|at| at.elapsed() < DAMPING);
        if !damped && waited {
            known.sought = Some(Instant::now());
        }
        if let Some(news) = known.fetching.clone().filter(|_| !waited) {
            return Step::Wait(news);
        }
        if damped || waited {
            return known.usable().map_or(Step::GiveUp, Step::Take);
        }
        known.sought = Some(Instant::now());
        Step::Wait(self.fetch(&mut known))
    }

    /// The keys after a fetch has ended, old ones if it was in vain.
    async fn after(&self, mut news: watch::Receiver<()>) -> Result<Arc<KeySet>, TokenRefusal> {
        // Ends with the sender, whatever became of the fetch.
        while news.changed().await.is_ok() {}
        self.lock().usable().ok_or(TokenRefusal::Unavailable)
    }

    fn fetch(&self, known: &mut Known) -> watch::Receiver<()> {
        let (tell, news) = watch::channel(());
        known.fetching = Some(news.clone());
        // A task of its own: who asked may leave, and the keys are still wanted.
        tokio::spawn(self.clone().run(tell));
        news
    }

    async fn run(self, tell: watch::Sender<()>) {
        let fetched = self.from.fetch().await;
        let mut known = self.lock();
        known.fetching = None;
        match fetched {
            Ok(keys) => {
                if keys.len() == 0 {
                    tracing::warn!(issuer = %self.issuer, "none of the issuer's keys can be used");
                }
                known.keys = Some((Arc::new(keys), Instant::now()));
                known.failed = None;
            }
            Err(error) => {
                known.failed = Some(Instant::now());
                tracing::warn!(issuer = %self.issuer, %error, "the issuer's keys cannot be had");
            }
        }
        drop(known);
        drop(tell);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // One that ended without a word, with its runtime.
        known.fetching.take_if(|news| news.has_changed().is_err());
        known
    }
}

impl Known {
    fn usable(&self) -> Option<Arc<KeySet>> {
        let (keys, at) = self.keys.as_ref()?;
        (at.elapsed() < STALE).then(|| Arc::clone(keys))
    }

    /// Whether it is time for a fetch, for no token's sake in particular.
    fn is_due(&self) -> bool {
        let pause = if self.usable().is_some() { DAMPING } else { FAILED };
        let fresh = self.keys.as_ref().is_some_and(|(_, at)| at.elapsed() < FRESH);
        let resting = self.failed.is_some_and(|at| at.elapsed() < pause);
        !fresh && !resting && self.fetching.is_none()
    }
}

#[cfg(test)]
mod tests;

//! `bd-` keys: from the text in a request to the organization, user and groups behind it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    api_key::{self, MintedKey},
    key_cache::{Finding, KeyCache},
};
use crate::{
    domain::{KeyId, OrgId, Person, Timestamp, UserId},
    secrets::{Keyring, SealError},
    store::{KeyRow, Store, StoreError},
};

/// How long a request with a known key waits to hear whether the key is still valid.
const PATIENCE: Duration = Duration::from_millis(500);

/// On whose behalf a runtime request is made.
#[derive(Debug, PartialEq, Eq)]
pub struct Principal {
    /// The caller's organization.
    pub org: OrgId,
    /// The key; none for someone in the console.
    pub key: Option<KeyId>,
    /// The key's name.
    pub key_name: Arc<str>,
    /// The user that calls, or that the key belongs to, if any.
    pub user: Option<UserId>,
    /// Who that is.
    pub person: Option<Person>,
    /// The group that the key is bound to, else the user's groups as last known.
    pub groups: Arc<[String]>,
    /// When the key ends.
    pub expires_at: Option<Timestamp>,
}

/// Whose requests are held to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Those with one key.
    Key(KeyId),
    /// Those of one user in the console.
    User(OrgId, Option<UserId>),
}

impl Principal {
    /// Whose request it is.
    #[must_use]
    pub fn who(&self) -> Who {
        let user = Who::User(self.org, self.user);
        self.key.map_or(user, Who::Key)
    }
}

/// Why a key gives no access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRefusal {
    /// The request carries none.
    Missing,
    /// The text has not the form of a key.
    Malformed,
    /// No such key.
    Unknown,
    /// It was revoked. With whose it was.
    Revoked(Arc<Principal>),
    /// Its time is over. With whose it is.
    Expired(Arc<Principal>),
    /// The store cannot be asked now. Not the caller's fault.
    Unavailable,
}

impl KeyRefusal {
    /// What the caller is told.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        match self {
            Self::Missing => {
                "an API key is required: send it as 'Authorization: Bearer bd-…' or 'x-api-key: bd-…'"
            }
            Self::Malformed => "the API key is malformed: a key is 'bd-' and 38 letters and digits",
            Self::Unknown => "the API key is not known",
            Self::Revoked(_) => "the API key was revoked",
            Self::Expired(_) => "the API key has expired",
            Self::Unavailable => "API keys cannot be checked at the moment; try again shortly",
        }
    }

    /// Whose key it is, where that is known.
    #[must_use]
    pub const fn owner(&self) -> Option<&Arc<Principal>> {
        match self {
            Self::Revoked(owner) | Self::Expired(owner) => Some(owner),
            Self::Missing | Self::Malformed | Self::Unknown | Self::Unavailable => None,
        }
    }
}

/// Checks keys, with a bounded cache before the store.
pub struct ApiKeys {
    store: Store,
    keyring: Arc<Keyring>,
    cache: KeyCache,
}

impl ApiKeys {
    /// An empty cache over the store.
    #[must_use]
    pub fn new(store: Store, keyring: Arc<Keyring>) -> Self {
        Self { store, keyring, cache: KeyCache::new() }
    }

    /// What is known without asking the store. None when nothing is, and for one caller at a time
    /// when it is time to ask again: that one is to [`ApiKeys::verify`].
    pub fn cached(&self, token: &str) -> Option<Result<Arc<Principal>, KeyRefusal>> {
        self.cached_at(token, Instant::now())
    }

    fn cached_at(&self, token: &str, now: Instant) -> Option<Finding> {
        if !api_key::is_well_formed(token) {
            return Some(Err(KeyRefusal::Malformed));
        }
        let known = self.cache.get_or_ask(&self.keyring.key_hash(token), now);
        known.map(|finding| unexpired(finding, Timestamp::now()))
    }

    /// Checks a key. A known one is served while the store is away or slow.
    ///
    /// # Errors
    /// Why it gives no access, or [`KeyRefusal::Unavailable`] when the store cannot be asked.
    pub async fn verify(&self, token: &str) -> Result<Arc<Principal>, KeyRefusal> {
        self.verify_at(token, Instant::now()).await
    }

    async fn verify_at(&self, token: &str, now: Instant) -> Finding {
        if !api_key::is_well_formed(token) {
            return Err(KeyRefusal::Malformed);
        }
        let hash = self.keyring.key_hash(token);
        let finding = match self.cache.get(&hash, now) {
            Some(believed) => believed,
            None => self.ask(&hash, now).await,
        };
        unexpired(finding, Timestamp::now())
    }

    async fn ask(&self, hash: &[u8; 32], now: Instant) -> Finding {
        // What changed meanwhile is learnt when it is back.
        if self.store.is_away()
            && let Some(known) = self.cache.last_known(hash, now)
        {
            return known;
        }
        let ticket = self.cache.ticket();
        let lookup = self.store.key_by_hash(hash);
        let answer = if self.cache.last_known(hash, now).is_some() {
            tokio::time::timeout(PATIENCE, lookup).await.ok()
        } else {
            Some(lookup.await)
        };
        match answer {
            Some(Ok(row)) => {
                let finding = judge(row, hash);
                self.cache.insert(&ticket, *hash, finding.clone(), now);
                return finding;
            }
            Some(Err(_)) if self.store.is_away() => {}
            Some(Err(error)) => tracing::warn!(%error, "an API key could not be looked up"),
            None => tracing::warn!("the store is slow to look an API key up"),
        }
        // Looked for only now: it may have been revoked in the meantime.
        self.cache.last_known(hash, Instant::now()).unwrap_or(Err(KeyRefusal::Unavailable))
    }

    /// Makes what is known about a key void at once, as after its revocation.
    pub fn forget(&self, hash: &[u8; 32]) {
        self.cache.forget(hash);
    }

    /// Takes over what other processes changed: of keys that are known here, the new state; of the
    /// others, nothing.
    pub fn learn(&self, changed: Vec<KeyRow>) {
        let now = Instant::now();
        for row in changed {
            let Ok(hash) = <[u8; 32]>::try_from(row.hash.as_slice()) else { continue };
            let known = self.cache.last_known(&hash, now).is_some();
            self.forget(&hash);
            if known {
                self.cache.insert(&self.cache.ticket(), hash, judge(Some(row), &hash), now);
            }
        }
    }

    /// Makes everything that is known void at once.
    pub fn forget_all(&self) {
        self.cache.forget_all();
    }

    /// Makes what is known about a user's keys void at once, as after a change of the user's groups.
    pub async fn forget_user(&self, org: OrgId, user: UserId) {
        match self.hashes_of(org, user).await {
            Ok(hashes) => hashes.iter().for_each(|hash| self.forget(hash)),
            Err(error) => {
                tracing::warn!(%error, "a user's keys cannot be listed: all keys are looked up anew");
                self.forget_all();
            }
        }
    }

    async fn hashes_of(&self, org: OrgId, user: UserId) -> Result<Vec<[u8; 32]>, StoreError> {
        let keys = self.store.read().await?.user_keys(org, user).await?;
        Ok(keys.into_iter().filter_map(|key| key.hash.try_into().ok()).collect())
    }

    /// Makes a new key; storing its hash is the caller's part.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn mint(&self) -> Result<MintedKey, SealError> {
        MintedKey::new(&self.keyring)
    }
}

fn judge(row: Option<KeyRow>, hash: &[u8; 32]) -> Finding {
    // The database compared the hashes too, but in its own way and time.
    let row = row.filter(|row| Keyring::same_hash(&row.hash, hash)).ok_or(KeyRefusal::Unknown)?;
    let is_revoked = row.revoked_at.is_some();
    let principal = Arc::new(Principal {
        org: row.org_id,
        key: Some(row.id),
        key_name: row.name.into(),
        user: row.user_id,
        person: row.person,
        groups: row.group_name.map_or(row.user_groups, |group| vec![group]).into(),
        expires_at: row.expires_at,
    });
    if is_revoked { Err(KeyRefusal::Revoked(principal)) } else { Ok(principal) }
}

fn unexpired(finding: Finding, now: Timestamp) -> Finding {
    finding.and_then(|principal| match principal.expires_at {
        Some(end) if end <= now => Err(KeyRefusal::Expired(principal)),
        _ => Ok(principal),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auth::key_cache::VALID_FOR, store::testing};

    struct Fixture {
        _dir: tempfile::TempDir,
        store: Store,
        keys: ApiKeys,
        org: OrgId,
        user: UserId,
    }

    impl Fixture {
        async fn new() -> Self {
            let (dir, store) = testing::temp_store().await;
            let (org, user) = testing::org_with_user(&store, "acme").await;
            let keys = ApiKeys::new(store.clone(), Arc::new(Keyring::new([5; 32])));
            Self { _dir: dir, store, keys, org: org.id, user: user.id }
        }

        /// Stores a new key, changed by `edit`, and answers its text and row.
        async fn key(&self, edit: impl FnOnce(&mut KeyRow)) -> (String, KeyRow) {
            let minted = self.keys.mint().unwrap();
            let mut row = KeyRow {
                id: KeyId::random(),
                org_id: self.org,
                name: "ci".into(),
                key_prefix: minted.prefix,
                hash: minted.hash.to_vec(),
                created_by_user_id: self.user,
                user_id: None,
                group_name: None,
                user_email: None,
                scopes: vec![],
                created_at: Timestamp::now(),
                expires_at: None,
                revoked_at: None,
                user_groups: vec![],
                person: None,
            };
            edit(&mut row);
            let mut tx = self.store.write().await.unwrap();
            tx.insert_key(&row).await.unwrap();
            tx.commit().await.unwrap();
            (minted.plain.expose().to_owned(), row)
        }

        async fn revoke(&self, row: &KeyRow) {
            let mut tx = self.store.write().await.unwrap();
            tx.revoke_key(self.org, row.id, Timestamp::now()).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_key_tells_on_whose_behalf_a_request_is() {
        let f = Fixture::new().await;
        let (text, row) = f.key(|row| row.user_id = Some(f.user)).await;
        assert!(f.keys.cached(&text).is_none());
        let principal = f.keys.verify(&text).await.unwrap();
        assert_eq!((principal.org, principal.who()), (f.org, Who::Key(row.id)));
        assert_eq!(principal.user, Some(f.user));
        assert_eq!(*principal.groups, ["research"], "the user's groups");
        assert_eq!(f.keys.cached(&text), Some(Ok(principal)));
    }

    #[tokio::test]
    async fn a_key_bound_to_a_group_has_that_group() {
        let f = Fixture::new().await;
        let (text, _) = f.key(|row| row.group_name = Some("ci".into())).await;
        let principal = f.keys.verify(&text).await.unwrap();
        assert_eq!(*principal.groups, ["ci"]);
        assert_eq!(principal.user, None);
    }

    #[tokio::test]
    async fn a_revoked_key_is_refused_once_it_is_forgotten() {
        let f = Fixture::new().await;
        let (text, row) = f.key(|_| ()).await;
        f.keys.verify(&text).await.unwrap();
        f.revoke(&row).await;
        f.keys.forget(&row.hash.clone().try_into().unwrap());
        assert!(f.keys.cached(&text).is_none());
        assert!(matches!(f.keys.verify(&text).await, Err(KeyRefusal::Revoked(_))));
        assert!(matches!(f.keys.cached(&text), Some(Err(KeyRefusal::Revoked(_)))));
    }

    #[tokio::test]
    async fn a_key_that_expires_while_it_is_cached_is_refused() {
        let f = Fixture::new().await;
        let soon = Timestamp(Timestamp::now().0 + 200_000);
        let (text, _) = f.key(|row| row.expires_at = Some(soon)).await;
        let deadline = Timestamp(soon.0 + 5_000_000);
        while f.keys.verify(&text).await.is_ok() {
            assert!(Timestamp::now() < deadline, "still accepted");
            tokio::task::yield_now().await;
        }
        assert!(Timestamp::now() >= soon);
        assert!(matches!(f.keys.cached(&text), Some(Err(KeyRefusal::Expired(_)))));
    }

    #[tokio::test]
    async fn an_unknown_key_is_remembered_as_such() {
        let f = Fixture::new().await;
        let stranger = f.keys.mint().unwrap();
        let text = stranger.plain.expose();
        assert_eq!(f.keys.verify(text).await, Err(KeyRefusal::Unknown));
        assert_eq!(f.keys.cached(text), Some(Err(KeyRefusal::Unknown)));
    }

    #[tokio::test]
    async fn a_malformed_key_is_refused_without_a_lookup() {
        let f = Fixture::new().await;
        f.store.close().await;
        for text in ["", "bd-short", "eyJhbGciOiJFZERTQSJ9.e30.sig"] {
            assert_eq!(f.keys.cached(text), Some(Err(KeyRefusal::Malformed)));
            assert_eq!(f.keys.verify(text).await, Err(KeyRefusal::Malformed));
        }
    }

    #[tokio::test]
    async fn an_unreachable_store_is_told_apart_and_not_remembered() {
        let f = Fixture::new().await;
        let (text, _) = f.key(|_| ()).await;
        let (known, _) = f.key(|_| ()).await;
        f.keys.verify(&known).await.unwrap();
        f.store.close().await;
        assert_eq!(f.keys.verify(&text).await, Err(KeyRefusal::Unavailable));
        assert!(f.keys.cached(&text).is_none());
        assert!(f.keys.verify(&known).await.is_ok(), "what is known still works");
    }

    #[tokio::test]
    async fn while_the_store_is_known_to_be_away_nobody_waits_for_it() {
        let f = Fixture::new().await;
        let (text, _) = f.key(|_| ()).await;
        f.keys.verify(&text).await.unwrap();
        let _busy = f.store.stop_lookups().await;
        f.store.note_away(true);
        let later = Instant::now() + VALID_FOR;
        let began = Instant::now();
        assert!(f.keys.verify_at(&text, later).await.is_ok());
        assert!(began.elapsed() < PATIENCE, "it waited for the store");
    }

    #[tokio::test]
    async fn a_stale_key_is_served_at_once_while_the_store_does_not_answer() {
        let f = Fixture::new().await;
        let (text, _) = f.key(|_| ()).await;
        f.keys.verify(&text).await.unwrap();
        let busy = f.store.stop_lookups().await;
        let later = Instant::now() + VALID_FOR;
        assert_eq!(f.keys.cached_at(&text, later), None, "the first one asks");
        let began = Instant::now();
        let (asking, others) = tokio::join!(f.keys.verify_at(&text, later), async {
            (0..100).all(|_| matches!(f.keys.cached_at(&text, later), Some(Ok(_))))
        });
        assert!(asking.is_ok() && others);
        assert!(began.elapsed() < Duration::from_secs(4), "it waited for the store");
        drop(busy);
        assert!(f.keys.verify_at(&text, later).await.is_ok());
    }

    #[tokio::test]
    async fn a_revocation_elsewhere_is_seen_by_the_first_request_after_the_key_is_stale() {
        let f = Fixture::new().await;
        let (text, row) = f.key(|_| ()).await;
        f.keys.verify(&text).await.unwrap();
        f.revoke(&row).await;
        let later = Instant::now() + VALID_FOR;
        assert!(f.keys.cached_at(&text, later).is_none());
        assert!(matches!(f.keys.verify_at(&text, later).await, Err(KeyRefusal::Revoked(_))));
        assert!(matches!(f.keys.cached_at(&text, later), Some(Err(KeyRefusal::Revoked(_)))));
    }

    #[tokio::test]
    async fn a_stale_key_that_is_revoked_here_is_served_to_nobody_though_the_store_is_away() {
        let f = Fixture::new().await;
        let (text, row) = f.key(|_| ()).await;
        f.keys.verify(&text).await.unwrap();
        f.store.close().await;
        f.keys.forget(&row.hash.try_into().unwrap());
        let later = Instant::now() + VALID_FOR;
        assert_eq!(f.keys.cached_at(&text, later), None);
        assert_eq!(f.keys.verify_at(&text, later).await, Err(KeyRefusal::Unavailable));
    }

    #[tokio::test]
    async fn a_key_of_another_master_key_is_unknown() {
        let f = Fixture::new().await;
        let (text, _) = f.key(|_| ()).await;
        let other = ApiKeys::new(f.store.clone(), Arc::new(Keyring::new([6; 32])));
        assert_eq!(other.verify(&text).await, Err(KeyRefusal::Unknown));
    }
}

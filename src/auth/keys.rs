//! `bd-` keys: from the text in a request to the organization, user and groups behind it.

use std::sync::Arc;

use super::{
    api_key::{self, MintedKey},
    key_cache::{Finding, KeyCache},
};
use crate::{
    domain::{KeyId, OrgId, Timestamp, UserId},
    secrets::{Keyring, SealError},
    store::{KeyRow, Store},
};

/// On whose behalf a runtime request is made.
#[derive(Debug, PartialEq, Eq)]
pub struct Principal {
    /// The key's organization.
    pub org: OrgId,
    /// The key.
    pub key: KeyId,
    /// The user it belongs to, if any.
    pub user: Option<UserId>,
    /// The group that the key is bound to, else the user's groups as last known.
    pub groups: Arc<[String]>,
    /// When the key ends.
    pub expires_at: Option<Timestamp>,
}

/// Why a key gives no access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRefusal {
    /// The request carries none.
    Missing,
    /// The text has not the form of a key.
    Malformed,
    /// No such key.
    Unknown,
    /// It was revoked.
    Revoked,
    /// Its time is over.
    Expired,
    /// The store cannot be asked now. Not the caller's fault.
    Unavailable,
}

impl KeyRefusal {
    /// What the caller is told.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Missing => {
                "an API key is required: send it as 'Authorization: Bearer bd-…' or 'x-api-key: bd-…'"
            }
            Self::Malformed => "the API key is malformed: a key is 'bd-' and 38 letters and digits",
            Self::Unknown => "the API key is not known",
            Self::Revoked => "the API key was revoked",
            Self::Expired => "the API key has expired",
            Self::Unavailable => "API keys cannot be checked at the moment; try again shortly",
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

    /// What is known without asking the store; none when nothing is.
    pub fn cached(&self, token: &str) -> Option<Result<Arc<Principal>, KeyRefusal>> {
        if !api_key::is_well_formed(token) {
            return Some(Err(KeyRefusal::Malformed));
        }
        self.cache
            .get(&self.keyring.key_hash(token))
            .map(|finding| unexpired(finding, Timestamp::now()))
    }

    /// Checks a key.
    ///
    /// # Errors
    /// Why it gives no access, or [`KeyRefusal::Unavailable`] when the store cannot be asked.
    pub async fn verify(&self, token: &str) -> Result<Arc<Principal>, KeyRefusal> {
        if !api_key::is_well_formed(token) {
            return Err(KeyRefusal::Malformed);
        }
        let hash = self.keyring.key_hash(token);
        if let Some(finding) = self.cache.get(&hash) {
            return unexpired(finding, Timestamp::now());
        }
        let ticket = self.cache.ticket();
        let row = match self.store.key_by_hash(&hash).await {
            Ok(row) => row,
            Err(error) => {
                tracing::warn!(%error, "an API key could not be looked up");
                // A known key is served while the store is away.
                let known = self.cache.last_known(&hash).unwrap_or(Err(KeyRefusal::Unavailable));
                return unexpired(known, Timestamp::now());
            }
        };
        let finding = judge(row, &hash);
        self.cache.insert(&ticket, hash, finding.clone());
        unexpired(finding, Timestamp::now())
    }

    /// Makes what is known about a key void at once, as after its revocation.
    pub fn forget(&self, hash: &[u8; 32]) {
        self.cache.forget(hash);
    }

    /// Makes everything that is known void at once, as after a change of groups.
    pub fn forget_all(&self) {
        self.cache.forget_all();
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
    if row.revoked_at.is_some() {
        return Err(KeyRefusal::Revoked);
    }
    Ok(Arc::new(Principal {
        org: row.org_id,
        key: row.id,
        user: row.user_id,
        groups: row.group_name.map_or(row.user_groups, |group| vec![group]).into(),
        expires_at: row.expires_at,
    }))
}

fn unexpired(finding: Finding, now: Timestamp) -> Finding {
    finding.and_then(|principal| match principal.expires_at {
        Some(end) if end <= now => Err(KeyRefusal::Expired),
        _ => Ok(principal),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing;

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
                scopes: vec![],
                created_at: Timestamp::now(),
                expires_at: None,
                revoked_at: None,
                user_groups: vec![],
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
        assert_eq!((principal.org, principal.key, principal.user), (f.org, row.id, Some(f.user)));
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
        assert_eq!(f.keys.verify(&text).await, Err(KeyRefusal::Revoked));
        assert_eq!(f.keys.cached(&text), Some(Err(KeyRefusal::Revoked)));
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
        assert_eq!(f.keys.cached(&text), Some(Err(KeyRefusal::Expired)));
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
    async fn a_key_of_another_master_key_is_unknown() {
        let f = Fixture::new().await;
        let (text, _) = f.key(|_| ()).await;
        let other = ApiKeys::new(f.store.clone(), Arc::new(Keyring::new([6; 32])));
        assert_eq!(other.verify(&text).await, Err(KeyRefusal::Unknown));
    }
}

//! Unlocking the store: its root secret, unwrapped with the key of this process, before anything
//! else.

use std::path::{Path, PathBuf};

use crate::{
    secrets::{self, KeyWrap, Keyring, LocalWrap, MasterKeyError, Root, SealError, WrapError},
    store::{Store, StoreError, Tx},
};

/// Wraps of the root are stored under this, followed by the name of the key that made them.
pub(super) const WRAPS: &str = "root/";
/// Name of the sealed value that only the right root opens.
const CHECK_NAME: &str = "key-check";
const CHECK_TEXT: &[u8] = b"turnpike";

/// Which key wraps the root.
pub enum KeySource<'a> {
    /// The master key: that of the setting, or the data folder's.
    Master {
        /// `secrets.master_key`.
        setting: Option<&'a str>,
        /// Where `master.key` is, if there is no setting.
        data_dir: &'a Path,
    },
    /// A key service's.
    Service(&'a dyn KeyWrap),
}

/// Takes the root out of the store, or makes it in a store that holds nothing yet.
///
/// A master key is made only for a store that holds nothing sealed: where a file got lost, a new key
/// would hide the loss until the first credential is needed.
///
/// # Errors
/// When there is no key, it cannot be used, or it is not the store's. Messages name the remedy.
pub async fn unlock(store: &Store, source: &KeySource<'_>) -> Result<Keyring, UnlockError> {
    Ok(Keyring::of(&unlock_root(store, source).await?))
}

pub(super) async fn unlock_root(
    store: &Store,
    source: &KeySource<'_>,
) -> Result<Root, UnlockError> {
    match source {
        KeySource::Service(wrap) => root(store, *wrap, None).await,
        KeySource::Master { setting, data_dir } => {
            let wrap = master(store, *setting, data_dir).await?;
            match root(store, &wrap, Some(&wrap)).await {
                // The file may have been exchanged since it was read: by a rotation.
                Err(UnlockError::Other) => {
                    let again = master(store, *setting, data_dir).await?;
                    root(store, &again, Some(&again)).await
                }
                other => other,
            }
        }
    }
}

/// The master key, made if the store is new.
pub(super) async fn master(
    store: &Store,
    setting: Option<&str>,
    data_dir: &Path,
) -> Result<LocalWrap, UnlockError> {
    let master = match secrets::load(setting, data_dir)? {
        Some(master) => master,
        None if is_new(store).await? => secrets::create(data_dir)?,
        // Asked again: another process may have made both in the meantime, the key first.
        None => secrets::load(setting, data_dir)?
            .ok_or_else(|| UnlockError::Lost(secrets::describe(setting, data_dir)))?,
    };
    Ok(LocalWrap::new(master))
}

async fn is_new(store: &Store) -> Result<bool, StoreError> {
    let mut tx = store.read().await?;
    Ok(tx.sealed(CHECK_NAME).await?.is_none() && tx.sealed_under(WRAPS).await?.is_empty())
}

/// Unwraps the root; `master` is given where the wrap is that of a master key.
async fn root(
    store: &Store,
    wrap: &dyn KeyWrap,
    master: Option<&LocalWrap>,
) -> Result<Root, UnlockError> {
    let name = format!("{WRAPS}{}", wrap.name());
    let stored = store.sealed(&name).await?;
    let root = match stored {
        Some(stored) => wrap.unwrap(&stored).await?,
        None => first_root(store, wrap, master, &name).await?,
    };
    check(store, &Keyring::of(&root)).await?;
    Ok(root)
}

/// There is no wrap of this key: a store that is new, or from before there were wraps, gets one.
async fn first_root(
    store: &Store,
    wrap: &dyn KeyWrap,
    master: Option<&LocalWrap>,
    name: &str,
) -> Result<Root, UnlockError> {
    // Asked before the transaction: a key service may be slow, and writers wait for each other.
    let made = Root::random()?;
    let wrapped = wrap.wrap(&made).await?;
    let mut tx = store.write().await?;
    let wraps = tx.sealed_under(WRAPS).await?;
    if let Some((_, stored)) = wraps.iter().find(|(known, _)| known == name) {
        // Another process was first.
        return Ok(wrap.unwrap(stored).await?);
    }
    if !wraps.is_empty() {
        return Err(foreign(&wraps, master.is_some()));
    }
    let (root, wrapped) = match (tx.sealed(CHECK_NAME).await?, master) {
        (None, _) => (made, wrapped),
        // From before there was a root: values are sealed under the master key itself, which thereby
        // is the root. Nothing needs to be sealed again.
        (Some(check), Some(master)) => {
            let root = master.as_root();
            verify(&Keyring::of(&root), &check)?;
            let wrapped = wrap.wrap(&root).await?;
            (root, wrapped)
        }
        (Some(_), None) => return Err(UnlockError::WrappedLocally),
    };
    tx.put_sealed(name, &wrapped).await?;
    put_check(&mut tx, &root).await?;
    tx.commit().await?;
    Ok(root)
}

async fn put_check(tx: &mut Tx, root: &Root) -> Result<(), UnlockError> {
    if tx.sealed(CHECK_NAME).await?.is_none() {
        let made = Keyring::of(root).seal_named(CHECK_NAME, CHECK_TEXT)?;
        tx.put_sealed(CHECK_NAME, &made).await?;
    }
    Ok(())
}

/// The store's wraps are those of other keys.
fn foreign(wraps: &[(String, Vec<u8>)], local: bool) -> UnlockError {
    let is_local = |(name, _): &(String, Vec<u8>)| name.starts_with("root/local/");
    match (local, wraps.iter().any(is_local)) {
        (true, false) => UnlockError::WrappedByService,
        (false, true) => UnlockError::WrappedLocally,
        _ => UnlockError::Other,
    }
}

/// Checks that the root is the one under which the store's values are sealed.
async fn check(store: &Store, keyring: &Keyring) -> Result<(), UnlockError> {
    match store.sealed(CHECK_NAME).await? {
        Some(stored) => verify(keyring, &stored),
        None => Err(SealError::Malformed.into()),
    }
}

fn verify(keyring: &Keyring, check: &[u8]) -> Result<(), UnlockError> {
    match keyring.open_named(CHECK_NAME, check) {
        Ok(_) => Ok(()),
        Err(SealError::OtherRoot) => Err(UnlockError::Other),
        Err(error) => Err(error.into()),
    }
}

/// The store cannot be unlocked.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The key cannot be read or made.
    #[error(transparent)]
    Key(#[from] MasterKeyError),
    /// The store holds sealed secrets and there is no key.
    #[error(
        "the database holds secrets sealed with a master key, but {0} does not exist; \
         restore that file from a backup, or set secrets.master_key to the key it held"
    )]
    Lost(String),
    /// The key is not the one that the store was sealed with.
    #[error(
        "the master key is not the one that this database was sealed with; restore the right \
         master.key from a backup, set secrets.master_key to the right key (the new one, if it was \
         rotated), or use another storage.data_dir or storage.url"
    )]
    Other,
    /// The store belongs to a key service.
    #[error(
        "this database was sealed with a key of a key service; set secrets.wrap = \"vault\" and \
         secrets.vault.key as they were, or use another storage.data_dir or storage.url"
    )]
    WrappedByService,
    /// The store belongs to a master key.
    #[error(
        "this database was sealed with a master key; set secrets.wrap = \"local\", run `turnpike \
         rotate-master-key --to vault`, and then set secrets.wrap = \"vault\" again"
    )]
    WrappedLocally,
    /// The root cannot be wrapped or unwrapped.
    #[error("the root secret cannot be opened: {0}")]
    Wrap(#[from] WrapError),
    /// The check value itself is damaged.
    #[error(
        "the database's check of its root secret is damaged ({0}); restore the database from a backup"
    )]
    Damaged(#[from] SealError),
    /// A new key cannot be put in place.
    #[error("{} cannot be written: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A rotation was asked for that cannot be.
    #[error("{0}")]
    Rotation(String),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::temp_store;

    fn in_folder(data_dir: &Path) -> KeySource<'_> {
        KeySource::Master { setting: None, data_dir }
    }

    #[tokio::test]
    async fn the_same_key_unlocks_again() {
        let (dir, store) = temp_store().await;
        let first = unlock(&store, &in_folder(dir.path())).await.unwrap();
        let again = unlock(&store, &in_folder(dir.path())).await.unwrap();
        assert_eq!(first.key_id(), again.key_id());
    }

    #[tokio::test]
    async fn processes_that_start_together_have_one_root() {
        let (dir, store) = temp_store().await;
        let starts = (0..8).map(|_| async { unlock(&store, &in_folder(dir.path())).await });
        let rings = futures_util::future::join_all(starts).await;
        let ids: Vec<_> = rings.into_iter().map(|ring| ring.unwrap().key_id()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[tokio::test]
    async fn a_new_root_is_not_the_master_key() {
        let (dir, store) = temp_store().await;
        let ring = unlock(&store, &in_folder(dir.path())).await.unwrap();
        let master = secrets::load(None, dir.path()).unwrap().unwrap();
        assert_ne!(ring.key_id(), Keyring::new(master).key_id());
    }

    #[tokio::test]
    async fn values_sealed_under_the_master_key_itself_stay_readable() {
        let (dir, store) = temp_store().await;
        let master = secrets::create(dir.path()).unwrap();
        let old = Keyring::new(master);
        let check = old.seal_named(CHECK_NAME, CHECK_TEXT).unwrap();
        store.put_sealed_if_absent(CHECK_NAME, &check).await.unwrap();
        for _ in 0..2 {
            let ring = unlock(&store, &in_folder(dir.path())).await.unwrap();
            assert_eq!(ring.key_id(), old.key_id());
            assert_eq!(ring.key_hash("bd-1"), old.key_hash("bd-1"));
        }
    }

    #[tokio::test]
    async fn another_key_is_refused_with_a_remedy() {
        for from_before in [false, true] {
            let (dir, store) = temp_store().await;
            if from_before {
                let check = Keyring::new([1; 32]).seal_named(CHECK_NAME, CHECK_TEXT).unwrap();
                store.put_sealed_if_absent(CHECK_NAME, &check).await.unwrap();
            } else {
                unlock(&store, &in_folder(dir.path())).await.unwrap();
                std::fs::remove_file(dir.path().join("master.key")).unwrap();
            }
            secrets::create(dir.path()).unwrap();
            let error = unlock(&store, &in_folder(dir.path())).await.unwrap_err();
            assert!(matches!(error, UnlockError::Other), "{error}");
            assert!(error.to_string().contains("secrets.master_key"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_lost_key_is_told_and_not_replaced() {
        let (dir, store) = temp_store().await;
        unlock(&store, &in_folder(dir.path())).await.unwrap();
        let file = dir.path().join("master.key");
        std::fs::remove_file(&file).unwrap();
        let error = unlock(&store, &in_folder(dir.path())).await.unwrap_err();
        assert!(matches!(error, UnlockError::Lost(_)), "{error}");
        assert!(error.to_string().contains("master.key"), "{error}");
        assert!(!file.exists());
    }
}

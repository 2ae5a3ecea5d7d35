//! Whether the master key is the one that the store was sealed with, asked before anything else.

use std::path::Path;

use crate::{
    secrets::{self, Keyring, MasterKeyError, SealError},
    store::{Store, StoreError},
};

/// Name of the sealed value that only the right master key opens.
const CHECK_NAME: &str = "key-check";
const CHECK_TEXT: &[u8] = b"turnpike";

/// Takes the master key from the setting or the data folder and checks it against the store.
///
/// A key is made only for a store that holds nothing sealed: where a file got lost, a new key would
/// hide the loss until the first credential is needed.
///
/// # Errors
/// When there is no key, it cannot be read, or it is not the store's. Messages name the remedy.
pub async fn unlock(
    store: &Store,
    setting: Option<&str>,
    data_dir: &Path,
) -> Result<Keyring, MasterCheckError> {
    let master = match secrets::load(setting, data_dir)? {
        Some(master) => master,
        None if store.sealed(CHECK_NAME).await?.is_none() => secrets::create(data_dir)?,
        // Asked again: another process may have made both in the meantime, the key first.
        None => secrets::load(setting, data_dir)?
            .ok_or_else(|| MasterCheckError::Lost(secrets::describe(setting, data_dir)))?,
    };
    let keyring = Keyring::new(master);
    check_master_key(store, &keyring).await?;
    Ok(keyring)
}

/// Checks that the keyring opens what the store holds; marks a new store as the keyring's.
///
/// # Errors
/// When it does not, or the store cannot be used.
pub async fn check_master_key(store: &Store, keyring: &Keyring) -> Result<(), MasterCheckError> {
    let stored = if let Some(stored) = store.sealed(CHECK_NAME).await? {
        stored
    } else {
        let made = keyring.seal_named(CHECK_NAME, CHECK_TEXT)?;
        store.put_sealed_if_absent(CHECK_NAME, &made).await?
    };
    match keyring.open_named(CHECK_NAME, &stored) {
        Ok(_) => Ok(()),
        Err(SealError::OtherMasterKey) => Err(MasterCheckError::Other),
        Err(error) => Err(error.into()),
    }
}

/// The store cannot be unlocked.
#[derive(Debug, thiserror::Error)]
pub enum MasterCheckError {
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
         master.key from a backup, set secrets.master_key to the right key, or use another \
         storage.data_dir or storage.url"
    )]
    Other,
    /// The check value itself is damaged.
    #[error(
        "the database's check of the master key is damaged ({0}); restore the database from a backup"
    )]
    Damaged(#[from] SealError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn store(dir: &Path) -> Store {
        Store::open(&format!("sqlite://{}", dir.join("turnpike.db").display())).await.unwrap()
    }

    #[tokio::test]
    async fn the_same_key_unlocks_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path()).await;
        let first = unlock(&store, None, dir.path()).await.unwrap();
        let again = unlock(&store, None, dir.path()).await.unwrap();
        assert_eq!(first.key_id(), again.key_id());
    }

    #[tokio::test]
    async fn another_key_is_refused_with_a_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path()).await;
        check_master_key(&store, &Keyring::new([1; 32])).await.unwrap();
        let error = check_master_key(&store, &Keyring::new([2; 32])).await.unwrap_err();
        assert!(matches!(error, MasterCheckError::Other));
        assert!(error.to_string().contains("secrets.master_key"), "{error}");
    }

    #[tokio::test]
    async fn a_lost_key_is_told_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path()).await;
        unlock(&store, None, dir.path()).await.unwrap();
        let file = dir.path().join("master.key");
        std::fs::remove_file(&file).unwrap();
        let error = unlock(&store, None, dir.path()).await.unwrap_err();
        assert!(matches!(error, MasterCheckError::Lost(_)), "{error}");
        assert!(error.to_string().contains("master.key"), "{error}");
        assert!(!file.exists());
    }
}

//! Changing the key that wraps the root: a second wrap is stored, the key is exchanged, the first
//! wrap is removed. In between both keys open the store, and stopping at any point loses nothing.

use std::path::{Path, PathBuf};

use super::unlock::{KeySource, UnlockError, WRAPS, master, unlock_root};
use crate::{
    secrets::{self, KeyWrap, LocalWrap, Root},
    store::Store,
};

/// What wraps of master keys are stored under.
const LOCAL: &str = "root/local/";

/// What a rotation came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Rotation {
    /// `master.key` is another key; the one before is kept under this name.
    Exchanged {
        /// Where the key before is kept.
        previous: PathBuf,
    },
    /// The store opens with both keys, until [`finish`].
    Added,
    /// The store opens with the key in use alone; so many others were removed.
    Finished(usize),
}

/// Exchanges `<data_dir>/master.key` for the given key, or a new one.
///
/// # Errors
/// When the store cannot be unlocked or written, or the folder not. Whatever was done by then, the
/// key under that name opens the store, and calling this again goes on from there.
pub async fn rotate(
    store: &Store,
    data_dir: &Path,
    given: Option<[u8; 32]>,
) -> Result<Rotation, UnlockError> {
    let source = KeySource::Master { setting: None, data_dir };
    let root = unlock_root(store, &source).await?;
    let present = master(store, None, data_dir).await?.name();
    if !secrets::is_prepared(data_dir) {
        // One that was stopped before its last step is brought to its end, and not doubled.
        let removed = keep_only(store, &present, LOCAL).await?;
        if removed > 0 {
            return Ok(Rotation::Finished(removed));
        }
    }
    let next = LocalWrap::new(secrets::prepare(data_dir, given)?);
    put(store, &root, &next).await?;
    let previous = secrets::exchange(data_dir)?;
    keep_only(store, &next.name(), LOCAL).await?;
    Ok(Rotation::Exchanged { previous })
}

/// Has the store open with `to` as well.
///
/// # Errors
/// When the store cannot be unlocked or written, or the new key cannot be used.
pub async fn add(
    store: &Store,
    source: &KeySource<'_>,
    to: &dyn KeyWrap,
) -> Result<Rotation, UnlockError> {
    let root = unlock_root(store, source).await?;
    put(store, &root, to).await?;
    Ok(Rotation::Added)
}

/// Has the store open with the key in use alone.
///
/// # Errors
/// When the store cannot be unlocked with that key, or not be written.
pub async fn finish(store: &Store, source: &KeySource<'_>) -> Result<Rotation, UnlockError> {
    // Also shows that what is kept opens.
    unlock_root(store, source).await?;
    let name = match source {
        KeySource::Service(wrap) => wrap.name(),
        KeySource::Master { setting, data_dir } => master(store, *setting, data_dir).await?.name(),
    };
    Ok(Rotation::Finished(keep_only(store, &name, WRAPS).await?))
}

/// Stores a wrap, once what was wrapped is seen to come back.
async fn put(store: &Store, root: &Root, to: &dyn KeyWrap) -> Result<(), UnlockError> {
    let wrapped = to.wrap(root).await?;
    if to.unwrap(&wrapped).await?.to_plain() != root.to_plain() {
        return Err(UnlockError::Rotation(
            "the new key does not return what it wrapped; nothing was changed".to_owned(),
        ));
    }
    let mut tx = store.write().await?;
    tx.put_sealed(&format!("{WRAPS}{}", to.name()), &wrapped).await?;
    Ok(tx.commit().await?)
}

/// Removes the wraps under `prefix`, except that of the key `name`.
async fn keep_only(store: &Store, name: &str, prefix: &str) -> Result<usize, UnlockError> {
    let kept = format!("{WRAPS}{name}");
    let mut tx = store.write().await?;
    let wraps = tx.sealed_under(prefix).await?;
    let others: Vec<&String> =
        wraps.iter().map(|(known, _)| known).filter(|known| **known != kept).collect();
    for other in &others {
        tx.delete_sealed(other).await?;
    }
    tx.commit().await?;
    Ok(others.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auth::unlock, store::testing::temp_store};

    fn in_folder(data_dir: &Path) -> KeySource<'_> {
        KeySource::Master { setting: None, data_dir }
    }

    async fn wraps(store: &Store) -> usize {
        store.read().await.unwrap().sealed_under(WRAPS).await.unwrap().len()
    }

    #[tokio::test]
    async fn the_store_opens_with_the_new_key_and_no_longer_with_the_old() {
        let (dir, store) = temp_store().await;
        let before = unlock(&store, &in_folder(dir.path())).await.unwrap();
        let Rotation::Exchanged { previous } = rotate(&store, dir.path(), None).await.unwrap()
        else {
            panic!("not exchanged")
        };
        let after = unlock(&store, &in_folder(dir.path())).await.unwrap();
        assert_eq!(after.key_id(), before.key_id(), "what was sealed opens, keys stay valid");
        let old = format!("file:{}", previous.display());
        let old = KeySource::Master { setting: Some(&old), data_dir: dir.path() };
        let error = unlock(&store, &old).await.unwrap_err();
        assert!(matches!(error, UnlockError::Other), "{error}");
        assert_eq!(wraps(&store).await, 1);
    }

    #[tokio::test]
    async fn it_can_be_stopped_anywhere_and_begun_again() {
        for stop in 0..4 {
            let (dir, store) = temp_store().await;
            let before = unlock(&store, &in_folder(dir.path())).await.unwrap();
            let root = unlock_root(&store, &in_folder(dir.path())).await.unwrap();
            let next = LocalWrap::new(secrets::prepare(dir.path(), None).unwrap());
            if stop > 0 {
                put(&store, &root, &next).await.unwrap();
            }
            if stop > 1 {
                secrets::exchange(dir.path()).unwrap();
            }
            if stop > 2 {
                keep_only(&store, &next.name(), LOCAL).await.unwrap();
            }
            let between = unlock(&store, &in_folder(dir.path())).await.unwrap();
            assert_eq!(between.key_id(), before.key_id(), "stopped after step {stop}");
            rotate(&store, dir.path(), None).await.unwrap();
            let after = unlock(&store, &in_folder(dir.path())).await.unwrap();
            assert_eq!(after.key_id(), before.key_id(), "stopped after step {stop}");
            assert_eq!(wraps(&store).await, 1, "stopped after step {stop}");
        }
    }

    #[tokio::test]
    async fn with_keys_of_the_setting_both_open_until_it_is_finished() {
        let (dir, store) = temp_store().await;
        let key = |byte: u8| {
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            STANDARD.encode([byte; 32])
        };
        let (old, new) = (key(1), key(2));
        let old = KeySource::Master { setting: Some(&old), data_dir: dir.path() };
        let new = KeySource::Master { setting: Some(&new), data_dir: dir.path() };
        let before = unlock(&store, &old).await.unwrap();
        assert!(unlock(&store, &new).await.is_err());
        assert_eq!(add(&store, &old, &LocalWrap::new([2; 32])).await.unwrap(), Rotation::Added);
        for source in [&old, &new] {
            assert_eq!(unlock(&store, source).await.unwrap().key_id(), before.key_id());
        }
        assert_eq!(finish(&store, &new).await.unwrap(), Rotation::Finished(1));
        assert!(unlock(&store, &old).await.is_err());
        assert_eq!(unlock(&store, &new).await.unwrap().key_id(), before.key_id());
        assert_eq!(finish(&store, &new).await.unwrap(), Rotation::Finished(0));
    }

    #[tokio::test]
    async fn a_key_that_is_not_the_stores_finishes_nothing() {
        let (dir, store) = temp_store().await;
        unlock(&store, &in_folder(dir.path())).await.unwrap();
        std::fs::remove_file(dir.path().join("master.key")).unwrap();
        secrets::create(dir.path()).unwrap();
        assert!(finish(&store, &in_folder(dir.path())).await.is_err());
        assert!(rotate(&store, dir.path(), None).await.is_err());
        assert_eq!(wraps(&store).await, 1);
    }
}

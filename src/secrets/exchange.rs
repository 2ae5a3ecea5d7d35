//! Exchanging `master.key` for another, so that at every moment there is one whole key under that
//! name, and the one before is kept.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::{
    MasterKeyError,
    master_key::{FILE_NAME, random, read_own, text_of, write_once},
};

/// The key that is to come.
const NEXT: &str = "master.key.next";
/// The key that was: it opens backups made until then.
const PREVIOUS: &str = "master.key.previous";

/// Whether an exchange was prepared and not carried out.
#[must_use]
pub fn is_prepared(data_dir: &Path) -> bool {
    data_dir.join(NEXT).exists()
}

/// Lays the next key beside the present one: the given key, else the one of an exchange that was
/// prepared before, else a new one. Answers it.
///
/// # Errors
/// When the folder cannot be written, or what was prepared cannot be read.
pub fn prepare(data_dir: &Path, given: Option<[u8; 32]>) -> Result<[u8; 32], MasterKeyError> {
    let path = data_dir.join(NEXT);
    let fault = |source| MasterKeyError::Create { path: path.clone(), source };
    if let Some(found) = read_own(&path)? {
        if given.is_none_or(|given| given == found) {
            return Ok(found);
        }
        fs::remove_file(&path).map_err(fault)?;
    }
    let key = match given {
        Some(given) => zeroize::Zeroizing::new(given),
        None => random()?,
    };
    write_once(&path, text_of(&key).as_bytes()).map_err(fault)?;
    // Not the key made above: another process may have been first.
    read_own(&path)?.ok_or_else(|| fault(io::ErrorKind::NotFound.into()))
}

/// Puts the prepared key in the present one's place, and keeps that. Answers where it is kept.
///
/// # Errors
/// When the folder cannot be written; `master.key` is then the old or the new key, whole.
pub fn exchange(data_dir: &Path) -> Result<PathBuf, MasterKeyError> {
    let (present, next) = (data_dir.join(FILE_NAME), data_dir.join(NEXT));
    let previous = data_dir.join(PREVIOUS);
    let fault = |source| MasterKeyError::Create { path: present.clone(), source };
    if !next.exists() {
        // Carried out by another process in the meantime.
        return Ok(previous);
    }
    replace_link(&present, &previous).map_err(fault)?;
    fs::rename(&next, &present).map_err(fault)?;
    fs::File::open(data_dir).and_then(|folder| folder.sync_all()).map_err(fault)?;
    Ok(previous)
}

/// Makes `to` another name of the file `from`, whatever `to` named before.
fn replace_link(from: &Path, to: &Path) -> io::Result<()> {
    let draft = to.with_extension(format!("{}.tmp", Uuid::new_v4()));
    fs::hard_link(from, &draft)?;
    fs::rename(&draft, to)?;
    // Renaming one name of a file over another of its names leaves both.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::secrets::{create, load};

    #[test]
    fn the_next_key_takes_the_place_and_the_one_before_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let before = create(dir.path()).unwrap();
        let next = prepare(dir.path(), None).unwrap();
        assert_ne!(next, before);
        assert_eq!(load(None, dir.path()).unwrap(), Some(before), "not in force yet");
        let kept = exchange(dir.path()).unwrap();
        assert_eq!(load(None, dir.path()).unwrap(), Some(next));
        assert_eq!(read_own(&kept).unwrap(), Some(before));
        for file in fs::read_dir(dir.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left behind");
    }

    #[test]
    fn an_interrupted_exchange_goes_on_with_the_same_key() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path()).unwrap();
        let next = prepare(dir.path(), None).unwrap();
        assert!(is_prepared(dir.path()));
        assert_eq!(prepare(dir.path(), None).unwrap(), next);
        // Stopped after the old key was linked to its second name.
        replace_link(&dir.path().join(FILE_NAME), &dir.path().join(PREVIOUS)).unwrap();
        exchange(dir.path()).unwrap();
        assert_eq!(load(None, dir.path()).unwrap(), Some(next));
        assert!(!is_prepared(dir.path()));
    }

    #[test]
    fn a_given_key_wins_over_one_that_was_prepared() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path()).unwrap();
        prepare(dir.path(), None).unwrap();
        assert_eq!(prepare(dir.path(), Some([5; 32])).unwrap(), [5; 32]);
        exchange(dir.path()).unwrap();
        assert_eq!(load(None, dir.path()).unwrap(), Some([5; 32]));
    }
}

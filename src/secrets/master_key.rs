//! Where the master key comes from: the setting, or a file that is made once.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Name of the file that is made in the data folder.
pub(super) const FILE_NAME: &str = "master.key";

/// Takes the master key from the setting `secrets.master_key` (base64, `file:PATH` or `env:NAME`),
/// else from `<data_dir>/master.key`, which is made with mode 0600 if it does not exist.
///
/// # Errors
/// When the key cannot be read, made, or is not 32 bytes of base64.
pub fn load_or_create(setting: Option<&str>, data_dir: &Path) -> Result<[u8; 32], MasterKeyError> {
    match load(setting, data_dir)? {
        Some(key) => Ok(key),
        None => create(data_dir),
    }
}

/// Like [`load_or_create`], but makes nothing: none when there is neither setting nor file.
///
/// # Errors
/// When the key cannot be read or is not 32 bytes of base64.
pub fn load(setting: Option<&str>, data_dir: &Path) -> Result<Option<[u8; 32]>, MasterKeyError> {
    let Some(setting) = setting else { return read_own(&data_dir.join(FILE_NAME)) };
    named(setting, "secrets.master_key").map(Some)
}

/// A key as people name one: base64, `file:PATH` or `env:NAME`; `what` names the setting or argument.
///
/// # Errors
/// When the key cannot be read or is not 32 bytes of base64.
pub fn named(setting: &str, what: &str) -> Result<[u8; 32], MasterKeyError> {
    if let Some(path) = setting.strip_prefix("file:") {
        let path = PathBuf::from(path);
        let text =
            read(&path).map_err(|source| MasterKeyError::Read { path: path.clone(), source })?;
        return decode(&text, &format!("the file {}", path.display()));
    }
    if let Some(name) = setting.strip_prefix("env:") {
        let text = std::env::var(name).map_err(|_| MasterKeyError::NoVariable {
            what: what.to_owned(),
            name: name.to_owned(),
        })?;
        return decode(&Zeroizing::new(text), &format!("the environment variable {name}"));
    }
    decode(setting, what)
}

/// Whether the text is a key: 32 bytes in base64 of either alphabet, padded or not.
#[must_use]
pub fn is_key(text: &str) -> bool {
    decode(text, "").is_ok_and(|key| !Zeroizing::new(key).is_empty())
}

/// Says where [`load`] looks, for messages.
#[must_use]
pub fn describe(setting: Option<&str>, data_dir: &Path) -> String {
    match setting {
        None => data_dir.join(FILE_NAME).display().to_string(),
        Some(text) if text.starts_with("file:") || text.starts_with("env:") => text.to_owned(),
        Some(_) => "secrets.master_key".to_owned(),
    }
}

/// Makes `<data_dir>/master.key`. Where two processes do so at once, both get the first one's key.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn create(data_dir: &Path) -> Result<[u8; 32], MasterKeyError> {
    let path = data_dir.join(FILE_NAME);
    let fault = |source| MasterKeyError::Create { path: path.clone(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(fault)?;
    write_once(&path, text_of(&*random()?).as_bytes()).map_err(fault)?;
    // Not the key made above: another process may have been first.
    read_own(&path)?.ok_or_else(|| fault(io::ErrorKind::NotFound.into()))
}

pub(super) fn random() -> Result<Zeroizing<[u8; 32]>, MasterKeyError> {
    let mut key = Zeroizing::new([0; 32]);
    rand::fill(&mut key[..]).map_err(|_| MasterKeyError::Random)?;
    Ok(key)
}

/// A key as it stands in a file.
pub(super) fn text_of(key: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(general_purpose::STANDARD.encode(key))
}

/// The file appears whole or not at all, and never replaces another: it is written beside its
/// place, synced, and linked there.
pub(super) fn write_once(path: &Path, text: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.tmp", Uuid::new_v4()));
    let linked = write_synced(&draft, text).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&draft);
    linked.and(removed)?;
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

fn write_synced(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

pub(super) fn read_own(path: &Path) -> Result<Option<[u8; 32]>, MasterKeyError> {
    let text = match read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(MasterKeyError::Read { path: path.to_owned(), source }),
    };
    if fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0) {
        tracing::warn!(
            path = %path.display(),
            "the master key can be read by other users of this machine; run: chmod 600 on it"
        );
    }
    decode(&text, &format!("the file {}", path.display())).map(Some)
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    fs::read_to_string(path).map(Zeroizing::new)
}

/// Either alphabet, padded or not: people make keys with `openssl rand -base64 32` and otherwise.
fn decode(text: &str, place: &str) -> Result<[u8; 32], MasterKeyError> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = text.trim();
    [&alphabet::STANDARD, &alphabet::URL_SAFE]
        .into_iter()
        .find_map(|letters| GeneralPurpose::new(letters, lenient).decode(text).ok())
        .map(Zeroizing::new)
        .and_then(|bytes| <[u8; 32]>::try_from(&bytes[..]).ok())
        .ok_or_else(|| MasterKeyError::NotAKey(place.to_owned()))
}

/// Why there is no master key. Messages never contain any part of one.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The named variable is not set, or not text.
    #[error(
        "{what} names the environment variable {name}, which is not set; set it to base64 of 32 bytes"
    )]
    NoVariable {
        /// The setting or argument.
        what: String,
        /// The variable.
        name: String,
    },
    /// The file cannot be read.
    #[error("the master key's file {} cannot be read: {source}; make it readable for this user or change secrets.master_key", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not base64 of 32 bytes.
    #[error(
        "{0} does not hold a master key: it must be base64 of exactly 32 bytes, as made by: openssl rand -base64 32"
    )]
    NotAKey(String),
    /// The file cannot be made.
    #[error("the master key's file {} cannot be made: {source}; make its folder writable for this user or set secrets.master_key", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no random numbers.
    #[error("the system gave no random numbers for a master key")]
    Random,
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn expected() -> [u8; 32] {
        std::array::from_fn(|at| u8::try_from(at).unwrap())
    }

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let first = load_or_create(None, &data).unwrap();
        assert_eq!(load_or_create(None, &data).unwrap(), first);
        let mode = fs::metadata(data.join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn processes_that_start_together_share_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let started: Vec<_> =
                (0..8).map(|_| scope.spawn(|| load_or_create(None, dir.path()).unwrap())).collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn the_setting_may_hold_the_key_in_any_base64() {
        let dir = tempfile::tempdir().unwrap();
        for text in [KEY, KEY.trim_end_matches('='), &format!(" {KEY}\n")] {
            assert_eq!(load(Some(text), dir.path()).unwrap(), Some(expected()));
        }
        let high = [0xff; 32];
        for engine in [&general_purpose::STANDARD, &general_purpose::URL_SAFE] {
            assert_eq!(load(Some(&engine.encode(high)), dir.path()).unwrap(), Some(high));
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was written");
    }

    #[test]
    fn the_setting_may_name_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, format!("{KEY}\n")).unwrap();
        let setting = format!("file:{}", path.display());
        assert_eq!(load_or_create(Some(&setting), dir.path()).unwrap(), expected());
    }

    #[test]
    fn a_named_file_that_is_missing_is_a_fault_and_is_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let error =
            load_or_create(Some(&format!("file:{}", path.display())), dir.path()).unwrap_err();
        assert!(error.to_string().contains("secrets.master_key"), "{error}");
        assert!(!path.exists());
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = load(Some("env:TURNPIKE_TEST_UNSET"), Path::new(".")).unwrap_err();
        assert!(error.to_string().contains("TURNPIKE_TEST_UNSET"), "{error}");
    }

    #[test]
    fn a_wrong_key_is_refused_with_a_remedy_and_is_not_repeated() {
        for wrong in ["", "c2hvcnQ=", "not base64!", &general_purpose::STANDARD.encode([0; 33])] {
            let error = load(Some(wrong), Path::new(".")).unwrap_err().to_string();
            assert!(error.contains("openssl rand -base64 32"), "{error}");
            assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn nothing_is_made_by_loading_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(load(None, dir.path()).unwrap(), None);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

//! What protects the root secret at rest: a key outside the store *wraps* it.
//!
//! Every sub-key derives from the root, which never changes; what changes is the key that wraps it.
//! So a change of that key writes one small value and leaves credentials, key hashes and running
//! replicas alone. Several wraps of one root may lie in the store side by side: that is how two keys
//! are valid while replicas move from one to the other.

use async_trait::async_trait;
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::{envelope, keyring};

/// Version of what is wrapped, its first byte.
const VERSION: u8 = 1;
/// Wraps the root.
const WRAP: &[u8] = b"wrap/v1";
/// Names the wrapping key without revealing it.
const WRAP_ID: &[u8] = b"wrap-id/v1";
/// What the wrap is bound to.
const CONTEXT: &[u8] = b"root";

/// The secret that everything of an installation derives from.
pub struct Root(Zeroizing<[u8; 32]>);

impl Root {
    /// Makes one.
    ///
    /// # Errors
    /// [`WrapError::Random`] when the system gives no random numbers.
    pub fn random() -> Result<Self, WrapError> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(&mut bytes[..]).map_err(|_| WrapError::Random)?;
        Ok(Self(bytes))
    }

    /// Takes one over.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As it is wrapped: a version, then the secret.
    #[must_use]
    pub fn to_plain(&self) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(1 + self.0.len()));
        plain.push(VERSION);
        plain.extend_from_slice(&self.0[..]);
        plain
    }

    /// Reads what [`Root::to_plain`] wrote.
    ///
    /// # Errors
    /// [`WrapError::Content`] when it is something else.
    pub fn from_plain(plain: &[u8]) -> Result<Self, WrapError> {
        match plain.split_first() {
            Some((&VERSION, secret)) => {
                let secret = <[u8; 32]>::try_from(secret).map_err(|_| WrapError::Content)?;
                Ok(Self::new(secret))
            }
            _ => Err(WrapError::Content),
        }
    }
}

/// A key outside the store that wraps the root. Another key service is another implementation of
/// this.
#[async_trait]
pub trait KeyWrap: Send + Sync {
    /// Names the wrapping key, without revealing it; stays the same as long as the key can unwrap
    /// what it wrapped. The wrap is stored under this name.
    fn name(&self) -> String;

    /// Wraps the root.
    ///
    /// # Errors
    /// When the key cannot be used now.
    async fn wrap(&self, root: &Root) -> Result<Vec<u8>, WrapError>;

    /// Unwraps what [`KeyWrap::wrap`] made.
    ///
    /// # Errors
    /// When the key cannot be used now, or this was made by another key.
    async fn unwrap(&self, wrapped: &[u8]) -> Result<Root, WrapError>;
}

/// Wraps with the master key, in this process.
pub struct LocalWrap {
    master: Zeroizing<[u8; 32]>,
    key: Zeroizing<[u8; 32]>,
    id: [u8; 8],
}

impl LocalWrap {
    /// With this master key.
    #[must_use]
    pub fn new(master: [u8; 32]) -> Self {
        let master = Zeroizing::new(master);
        let derived = keyring::extract(&master);
        let named = keyring::derive(&derived, WRAP_ID);
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(named.iter()) {
            *to = *from;
        }
        Self { key: keyring::derive(&derived, WRAP), master, id }
    }

    /// The root of installations from before there was one: the master key itself.
    #[must_use]
    pub fn as_root(&self) -> Root {
        Root(self.master.clone())
    }
}

#[async_trait]
impl KeyWrap for LocalWrap {
    fn name(&self) -> String {
        use std::fmt::Write as _;
        self.id.iter().fold("local/".to_owned(), |mut name, byte| {
            let _ = write!(name, "{byte:02x}");
            name
        })
    }

    async fn wrap(&self, root: &Root) -> Result<Vec<u8>, WrapError> {
        envelope::seal(&self.key, self.id, CONTEXT, &root.to_plain()).map_err(|_| WrapError::Cipher)
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Root, WrapError> {
        let plain = envelope::open(&self.key, self.id, CONTEXT, wrapped);
        Root::from_plain(&plain.map_err(|_| WrapError::Damaged)?)
    }
}

/// The root cannot be wrapped or unwrapped. Messages never contain any part of a key.
#[derive(Debug, thiserror::Error)]
pub enum WrapError {
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Random,
    /// The cipher failed.
    #[error("the cipher is not usable in this process")]
    Cipher,
    /// Changed since it was written.
    #[error("the wrapped root secret was changed or is cut off")]
    Damaged,
    /// Unwrapped, but of a version that is not known here.
    #[error("the wrapped root secret is none of this version")]
    Content,
    /// The key service refused, did not answer, or answered something else.
    #[error("{0}")]
    Service(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_root_comes_back_as_it_was_with_its_key_and_no_other() {
        let root = Root::random().unwrap();
        let wrapped = LocalWrap::new([1; 32]).wrap(&root).await.unwrap();
        let back = LocalWrap::new([1; 32]).unwrap(&wrapped).await.unwrap();
        assert_eq!(back.bytes(), root.bytes());
        assert!(LocalWrap::new([2; 32]).unwrap(&wrapped).await.is_err());
        assert!(!wrapped.windows(32).any(|part| part == root.bytes()));
    }

    #[tokio::test]
    async fn a_wrap_with_any_bit_changed_does_not_open() {
        let wrap = LocalWrap::new([1; 32]);
        let wrapped = wrap.wrap(&Root::new([9; 32])).await.unwrap();
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert!(wrap.unwrap(&changed).await.is_err(), "byte {at}");
        }
    }

    #[test]
    fn keys_are_told_apart_by_name_and_the_name_is_stable() {
        let name = |byte| LocalWrap::new([byte; 32]).name();
        assert_eq!(name(1), name(1));
        assert_ne!(name(1), name(2));
        assert_eq!(name(1).len(), "local/".len() + 16);
    }

    #[test]
    fn another_version_of_a_root_is_not_guessed_at() {
        for plain in [&[][..], &[1], &[2; 33], &[1; 32], &[1; 34]] {
            assert!(Root::from_plain(plain).is_err(), "{plain:?}");
        }
    }
}

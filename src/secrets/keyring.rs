//! The sub-keys that are derived from the root secret, and what each is for.

use aws_lc_rs::{constant_time, hmac};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Root, envelope};
use crate::domain::OrgId;

/// Wraps the data keys of organizations' credentials.
const CREDENTIAL: &[u8] = b"credential/v1";
/// Hashes gateway API keys.
const KEY_HASH: &[u8] = b"key-hash/v1";
/// Wraps what belongs to the installation: the issuer's signing key, the key check.
const ISSUER: &[u8] = b"issuer/v1";
/// Hashes what signs people in to the console.
const SESSION: &[u8] = b"session/v1";
/// Names the root without revealing it.
const KEY_ID: &[u8] = b"key-id/v1";

/// Separates these derivations from any other use of the same secret.
const SALT: &[u8] = b"turnpike";

/// Everything that the root secret can do, derived once at start.
pub struct Keyring {
    credential: Zeroizing<[u8; 32]>,
    issuer: Zeroizing<[u8; 32]>,
    key_hash: hmac::Key,
    session: hmac::Key,
    id: [u8; 8],
}

impl Keyring {
    /// Derives the sub-keys of a root.
    #[must_use]
    pub fn of(root: &Root) -> Self {
        let root = extract(root.bytes());
        let named = derive(&root, KEY_ID);
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(named.iter()) {
            *to = *from;
        }
        Self {
            credential: derive(&root, CREDENTIAL),
            issuer: derive(&root, ISSUER),
            key_hash: hmac::Key::new(hmac::HMAC_SHA256, &derive(&root, KEY_HASH)[..]),
            session: hmac::Key::new(hmac::HMAC_SHA256, &derive(&root, SESSION)[..]),
            id,
        }
    }

    /// The keyring of a known root.
    #[cfg(test)]
    #[must_use]
    pub fn new(root: [u8; 32]) -> Self {
        Self::of(&Root::new(root))
    }

    /// Seals one field of one record of one organization.
    ///
    /// # Errors
    /// [`SealError::Cipher`] when the cipher cannot be used.
    pub fn seal(
        &self,
        org: OrgId,
        record: Uuid,
        field: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        envelope::seal(&self.credential, self.id, &context(org, record, field), plain)
    }

    /// Opens what [`Keyring::seal`] made for the same organization, record and field.
    ///
    /// # Errors
    /// When the value was made under another root, for another place, or was changed.
    pub fn open(
        &self,
        org: OrgId,
        record: Uuid,
        field: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        envelope::open(&self.credential, self.id, &context(org, record, field), sealed)
    }

    /// Seals a value of the installation itself, bound to its name.
    ///
    /// # Errors
    /// [`SealError::Cipher`] when the cipher cannot be used.
    pub fn seal_named(&self, name: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        envelope::seal(&self.issuer, self.id, name.as_bytes(), plain)
    }

    /// Opens what [`Keyring::seal_named`] made under the same name.
    ///
    /// # Errors
    /// When the value was made under another root, under another name, or was changed.
    pub fn open_named(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        envelope::open(&self.issuer, self.id, name.as_bytes(), sealed)
    }

    /// The hash under which a gateway API key is stored: a stolen database alone cannot be used to
    /// test guesses.
    #[must_use]
    pub fn key_hash(&self, token: &str) -> [u8; 32] {
        hmac_sha256(&self.key_hash, token.as_bytes())
    }

    /// A hash of what signs someone in, for one of its uses: what is stored in its place, or the token
    /// that stands beside it. One tells nothing of another.
    #[must_use]
    pub fn session_hash(&self, purpose: &str, token: &str) -> [u8; 32] {
        hmac_sha256(&self.session, &[purpose.as_bytes(), b"\0", token.as_bytes()].concat())
    }

    /// Compares two key hashes in constant time.
    #[must_use]
    pub fn same_hash(a: &[u8], b: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(a, b).is_ok()
    }

    /// Public name of the root; stands in every sealed value.
    #[must_use]
    pub const fn key_id(&self) -> [u8; 8] {
        self.id
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring([redacted])")
    }
}

/// Why a value could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The cipher or the source of random numbers failed.
    #[error("the cipher is not usable in this process")]
    Cipher,
    /// The bytes are no sealed value of a known version.
    #[error("not a sealed value of a known version")]
    Malformed,
    /// Sealed under another root secret.
    #[error("sealed by another installation than the one in use")]
    OtherRoot,
    /// Changed, or copied here from another organization, record or field.
    #[error("the sealed value was changed or does not belong to this record")]
    Tampered,
    /// Opened, but what was inside is not what this version writes there.
    #[error("the sealed value holds something else than expected")]
    Content,
}

/// Fixed-length parts first: no two (organization, record, field) share an encoding.
fn context(org: OrgId, record: Uuid, field: &str) -> Vec<u8> {
    [org.0.as_bytes(), record.as_bytes(), field.as_bytes()].concat()
}

/// HKDF-Extract (RFC 5869, 2.2).
pub(super) fn extract(secret: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(hmac_sha256(&hmac::Key::new(hmac::HMAC_SHA256, SALT), secret))
}

/// The first block of HKDF-Expand (RFC 5869, 2.3), which is all that 32 bytes of SHA-256 need.
/// Written with HMAC because it cannot fail, unlike an interface that checks lengths at run time.
pub(super) fn derive(root: &[u8; 32], label: &[u8]) -> Zeroizing<[u8; 32]> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, root);
    Zeroizing::new(hmac_sha256(&key, &[label, &[1]].concat()))
}

fn hmac_sha256(key: &hmac::Key, data: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(key, data);
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hkdf;

    use super::*;

    fn place() -> (OrgId, Uuid) {
        (OrgId::random(), Uuid::new_v4())
    }

    #[test]
    fn what_was_sealed_opens_at_the_same_place() {
        let ring = Keyring::new([7; 32]);
        let (org, record) = place();
        let sealed = ring.seal(org, record, "credentials", b"sk-secret").unwrap();
        let opened = ring.open(org, record, "credentials", &sealed).unwrap();
        assert_eq!(&opened[..], b"sk-secret");
        assert!(!sealed.windows(9).any(|part| part == b"sk-secret"));
    }

    #[test]
    fn an_empty_secret_can_be_sealed() {
        let ring = Keyring::new([7; 32]);
        let (org, record) = place();
        let sealed = ring.seal(org, record, "credentials", b"").unwrap();
        assert!(ring.open(org, record, "credentials", &sealed).unwrap().is_empty());
    }

    #[test]
    fn a_value_moved_to_another_place_does_not_open() {
        let ring = Keyring::new([7; 32]);
        let (org, record) = place();
        let sealed = ring.seal(org, record, "credentials", b"sk-secret").unwrap();
        let refused = Some(SealError::Tampered);
        assert_eq!(ring.open(OrgId::random(), record, "credentials", &sealed).err(), refused);
        assert_eq!(ring.open(org, Uuid::new_v4(), "credentials", &sealed).err(), refused);
        assert_eq!(ring.open(org, record, "settings", &sealed).err(), refused);
        assert_eq!(ring.open_named("credentials", &sealed).err(), refused);
    }

    #[test]
    fn a_value_with_any_bit_changed_does_not_open() {
        let ring = Keyring::new([7; 32]);
        let (org, record) = place();
        let sealed = ring.seal(org, record, "credentials", b"sk-secret").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 0x10;
            assert!(ring.open(org, record, "credentials", &changed).is_err(), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert!(
                ring.open(org, record, "credentials", &sealed[..length]).is_err(),
                "cut at {length}"
            );
        }
    }

    #[test]
    fn another_root_is_told_from_a_changed_value() {
        let (org, record) = place();
        let sealed = Keyring::new([7; 32]).seal(org, record, "f", b"x").unwrap();
        let other = Keyring::new([8; 32]);
        assert_eq!(other.open(org, record, "f", &sealed).err(), Some(SealError::OtherRoot));
    }

    #[test]
    fn two_seals_of_one_value_differ() {
        let ring = Keyring::new([7; 32]);
        let (org, record) = place();
        let seal = || ring.seal(org, record, "f", b"x").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn the_derivation_is_hkdf_sha256() {
        let master = [7; 32];
        let root = hmac_sha256(&hmac::Key::new(hmac::HMAC_SHA256, SALT), &master);
        for label in [CREDENTIAL, KEY_HASH, ISSUER, SESSION, KEY_ID] {
            let mut expected = [0; 32];
            hkdf::Salt::new(hkdf::HKDF_SHA256, SALT)
                .extract(&master)
                .expand(&[label], hkdf::HKDF_SHA256)
                .unwrap()
                .fill(&mut expected)
                .unwrap();
            assert_eq!(*derive(&root, label), expected);
        }
    }

    #[test]
    fn a_key_hash_depends_on_the_root() {
        let one = Keyring::new([1; 32]);
        assert_eq!(one.key_hash("bd-a"), one.key_hash("bd-a"));
        assert_ne!(one.key_hash("bd-a"), one.key_hash("bd-b"));
        assert_ne!(one.key_hash("bd-a"), Keyring::new([2; 32]).key_hash("bd-a"));
    }

    #[test]
    fn a_keyring_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", Keyring::new([7; 32])), "Keyring([redacted])");
    }
}

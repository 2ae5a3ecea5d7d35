//! AES-256-GCM envelopes: a fresh data key per value, wrapped by the key-encryption key.
//!
//! ```text
//! version (1) ‖ key id (8) ‖ nonce (12) ‖ wrapped data key (32+16) ‖ nonce (12) ‖ text+16
//! ```
//!
//! Both ciphers are bound to the context (where the value belongs); only the wrapping is bound to
//! the id of the wrapping key too.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey},
    rand,
};
use zeroize::Zeroizing;

use super::keyring::SealError;

const VERSION: u8 = 1;
const DATA_KEY_LEN: usize = 32;
const WRAPPED_LEN: usize = DATA_KEY_LEN + MAX_TAG_LEN;

/// Seals `plain` for one context under `kek`, whose public name is `key_id`.
pub(super) fn seal(
    kek: &[u8; 32],
    key_id: [u8; 8],
    context: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, SealError> {
    let mut data_key = Zeroizing::new([0; DATA_KEY_LEN]);
    rand::fill(&mut data_key[..]).map_err(|_| SealError::Cipher)?;
    let (key_nonce, wrapped) = encrypt(kek, &wrapping_context(key_id, context), &data_key[..])?;
    let (text_nonce, text) = encrypt(&data_key, &text_context(context), plain)?;
    Ok([&[VERSION][..], &key_id, key_nonce.as_ref(), &wrapped, text_nonce.as_ref(), &text].concat())
}

/// Opens what [`seal`] made with the same arguments.
pub(super) fn open(
    kek: &[u8; 32],
    key_id: [u8; 8],
    context: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let parts = Parts::split(sealed).ok_or(SealError::Malformed)?;
    if *parts.key_id != key_id {
        return Err(SealError::OtherRoot);
    }
    let data_key =
        decrypt(kek, &wrapping_context(key_id, context), *parts.key_nonce, parts.wrapped)?;
    let data_key = data_key.first_chunk::<DATA_KEY_LEN>().ok_or(SealError::Tampered)?;
    decrypt(data_key, &text_context(context), *parts.text_nonce, parts.text)
}

/// A sealed value taken apart, nothing verified yet.
struct Parts<'a> {
    key_id: &'a [u8; 8],
    key_nonce: &'a [u8; NONCE_LEN],
    wrapped: &'a [u8; WRAPPED_LEN],
    text_nonce: &'a [u8; NONCE_LEN],
    text: &'a [u8],
}

impl<'a> Parts<'a> {
    fn split(sealed: &'a [u8]) -> Option<Self> {
        let ([version], rest) = sealed.split_first_chunk()?;
        if *version != VERSION {
            return None;
        }
        let (key_id, rest) = rest.split_first_chunk()?;
        let (key_nonce, rest) = rest.split_first_chunk()?;
        let (wrapped, rest) = rest.split_first_chunk()?;
        let (text_nonce, text) = rest.split_first_chunk()?;
        (text.len() >= MAX_TAG_LEN).then_some(Self { key_id, key_nonce, wrapped, text_nonce, text })
    }
}

/// The two ciphers never share a context, so neither part can stand in for the other.
fn wrapping_context(key_id: [u8; 8], context: &[u8]) -> Vec<u8> {
    [&[VERSION, b'k'][..], &key_id, context].concat()
}

fn text_context(context: &[u8]) -> Vec<u8> {
    [&[VERSION, b't'][..], context].concat()
}

fn encrypt(key: &[u8; 32], context: &[u8], plain: &[u8]) -> Result<(Nonce, Vec<u8>), SealError> {
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| SealError::Cipher)?;
    // Room for the tag, so that no copy of the plain text is left behind by a reallocation.
    let mut text = Vec::with_capacity(plain.len() + MAX_TAG_LEN);
    text.extend_from_slice(plain);
    let nonce = cipher
        .seal_in_place_append_tag(Aad::from(context), &mut text)
        .map_err(|_| SealError::Cipher)?;
    Ok((nonce, text))
}

fn decrypt(
    key: &[u8; 32],
    context: &[u8],
    nonce: [u8; NONCE_LEN],
    text: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| SealError::Cipher)?;
    let mut plain = Zeroizing::new(text.to_vec());
    let length = cipher
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut plain)
        .map_err(|_| SealError::Tampered)?
        .len();
    plain.truncate(length);
    Ok(plain)
}

//! The form of a gateway API key: `bd-`, 32 random base62 characters, 6 of checksum.
//!
//! The checksum lets anyone (the gateway, a secret scanner) tell a key from other text without a
//! lookup; it is no protection. 32 characters of 62 are 190 bits.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::secrets::{Keyring, SealError, Secret};

/// What every key begins with. It is in clients' configurations and scanners' rules: it stays.
const PREFIX: &str = "bd-";
const RANDOM_LEN: usize = 32;
const CHECKSUM_LEN: usize = 6;
/// How much of a key is stored and shown, in characters.
const SHOWN_LEN: usize = 8;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key that was just made. The only moment at which its text exists here.
pub struct MintedKey {
    /// The key itself, shown once.
    pub plain: Secret,
    /// What is stored in its place.
    pub hash: [u8; 32],
    /// Its first eight characters, by which people recognize it.
    pub prefix: String,
}

impl MintedKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new(keyring: &Keyring) -> Result<Self, SealError> {
        let mut text = String::with_capacity(PREFIX.len() + RANDOM_LEN + CHECKSUM_LEN);
        text.push_str(PREFIX);
        push_random(&mut text, RANDOM_LEN)?;
        let checksum = checksum(&text);
        text.extend(checksum.map(char::from));
        let hash = keyring.key_hash(&text);
        let prefix = text.chars().take(SHOWN_LEN).collect();
        Ok(Self { plain: Secret::new(text), hash, prefix })
    }
}

/// Whether the text has the form of a key, checksum included. Says nothing about its validity.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    let Some(body) = text.strip_prefix(PREFIX) else { return false };
    if body.len() != RANDOM_LEN + CHECKSUM_LEN || !body.bytes().all(|c| c.is_ascii_alphanumeric()) {
        return false;
    }
    text.split_at_checked(PREFIX.len() + RANDOM_LEN)
        .is_some_and(|(signed, given)| given.as_bytes() == checksum(signed))
}

/// Appends so many characters, each of the 62 equally likely: bytes of 248 and more, which would
/// favour the first eight, are drawn again.
pub(super) fn push_random(text: &mut String, count: usize) -> Result<(), SealError> {
    let full = text.len() + count;
    let mut drawn = Zeroizing::new([0; RANDOM_LEN]);
    while text.len() < full {
        rand::fill(&mut drawn[..]).map_err(|_| SealError::Cipher)?;
        let room = full - text.len();
        text.extend(
            drawn.iter().filter(|byte| **byte < 248).map(|byte| digit(u32::from(*byte))).take(room),
        );
    }
    Ok(())
}

/// CRC-32 of what stands before it, most significant digit first.
fn checksum(signed: &str) -> [u8; CHECKSUM_LEN] {
    let mut rest = crc32fast::hash(signed.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LEN];
    for place in digits.iter_mut().rev() {
        *place = u8::try_from(digit(rest)).unwrap_or(b'0');
        rest /= 62;
    }
    digits
}

/// The digit for `value` modulo 62.
fn digit(value: u32) -> char {
    ALPHABET.get((value % 62) as usize).copied().map_or('0', char::from)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn minted() -> String {
        MintedKey::new(&Keyring::new([1; 32])).unwrap().plain.expose().to_owned()
    }

    #[test]
    fn a_minted_key_has_the_documented_form() {
        let keyring = Keyring::new([1; 32]);
        let key = MintedKey::new(&keyring).unwrap();
        let text = key.plain.expose();
        assert_eq!(text.len(), 41);
        assert!(text.starts_with("bd-"));
        assert!(is_well_formed(text));
        assert_eq!(key.prefix, text[..8]);
        assert_eq!(key.hash, keyring.key_hash(text));
    }

    #[test]
    fn no_two_keys_are_alike_and_every_digit_occurs() {
        let keys: HashSet<String> = (0..500).map(|_| minted()).collect();
        assert_eq!(keys.len(), 500);
        let digits: HashSet<u8> =
            keys.iter().flat_map(|key| key.bytes().skip(3).take(32)).collect();
        assert_eq!(digits, ALPHABET.iter().copied().collect());
    }

    #[test]
    fn the_digits_are_evenly_spread() {
        let mut seen = [0_u32; 256];
        for key in (0..2_000).map(|_| minted()) {
            key.bytes().skip(3).take(32).for_each(|byte| seen[usize::from(byte)] += 1);
        }
        // 64,000 draws, 1,032 expected each, standard deviation 32: seven of them either way. A plain
        // modulo would give the first eight digits 1,250.
        for digit in ALPHABET {
            let count = seen[usize::from(*digit)];
            assert!((808..1_256).contains(&count), "{} came {count} times", char::from(*digit));
        }
        let first_eight: u32 = ALPHABET[..8].iter().map(|digit| seen[usize::from(*digit)]).sum();
        assert!((7_650..8_900).contains(&first_eight), "{first_eight}");
    }

    #[test]
    fn a_mistyped_key_is_told_by_its_checksum() {
        let key = minted();
        for at in 3..key.len() {
            let mut typo = key.clone().into_bytes();
            typo[at] = if typo[at] == b'x' { b'y' } else { b'x' };
            assert!(!is_well_formed(std::str::from_utf8(&typo).unwrap()), "place {at}");
        }
    }

    #[test]
    fn other_text_is_no_key() {
        let key = minted();
        let longer = format!("{key}0");
        let other_prefix = key.replacen("bd-", "sk-", 1);
        let accented = format!("bd-{}", "é".repeat(19));
        let jwt = "eyJhbGciOiJub25lIn0.e30.";
        for text in ["", "bd-", &key[..40], &longer, &other_prefix, &accented, jwt] {
            assert!(!is_well_formed(text), "{text}");
        }
    }
}

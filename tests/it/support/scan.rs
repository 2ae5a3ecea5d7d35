//! Searching for secrets in every spelling that a leak could have.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// A secret in the spellings to look for.
pub struct Canary {
    name: String,
    spellings: Vec<(String, Vec<u8>)>,
}

impl Canary {
    pub fn new(name: &str, secret: &[u8]) -> Self {
        assert!(secret.len() >= 12, "a canary is long enough not to occur by chance");
        let hex = hex(secret);
        let reversed: Vec<u8> = secret.iter().rev().copied().collect();
        let mut spellings = vec![
            ("as it is".to_owned(), secret.to_vec()),
            ("in upper-case hex".to_owned(), hex.to_uppercase().into_bytes()),
            ("in hex".to_owned(), hex.into_bytes()),
            ("reversed".to_owned(), reversed),
        ];
        for shift in 0..3 {
            for (kind, text) in base64_inside(secret, shift) {
                spellings.push((kind, text.into_bytes()));
            }
        }
        Self { name: name.to_owned(), spellings }
    }

    /// Panics if `haystack` holds the secret.
    #[track_caller]
    pub fn is_not_in(&self, place: &str, haystack: &[u8]) {
        for (kind, spelling) in &self.spellings {
            let found = memchr::memmem::find(haystack, spelling);
            assert!(
                found.is_none(),
                "{} is in {place} {kind}: …{}…",
                self.name,
                around(haystack, found.unwrap_or_default())
            );
        }
    }

    /// Panics if a file below `folder` holds the secret; `except` names files that may.
    #[track_caller]
    pub fn is_not_below(&self, folder: &Path, except: &[&str]) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                self.is_not_below(&path, except);
            } else if !except.iter().any(|name| entry.file_name() == *name) {
                let bytes = std::fs::read(&path).unwrap_or_default();
                self.is_not_in(&path.display().to_string(), &bytes);
            }
        }
    }
}

/// The base64 of `secret` as it looks when `shift` bytes stand before it: without the characters
/// at either end that the neighbours decide.
fn base64_inside(secret: &[u8], shift: usize) -> Vec<(String, String)> {
    let mut padded = vec![0; shift];
    padded.extend_from_slice(secret);
    let text = STANDARD_NO_PAD.encode(&padded);
    let start = (shift * 8).div_ceil(6);
    let inside = text[start..padded.len() * 8 / 6].to_owned();
    let url = inside.replace('+', "-").replace('/', "_");
    vec![(format!("in base64 at {shift}"), inside), (format!("in base64url at {shift}"), url)]
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).expect("a nibble");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn around(haystack: &[u8], at: usize) -> String {
    let from = at.saturating_sub(60);
    let to = (at + 60).min(haystack.len());
    String::from_utf8_lossy(&haystack[from..to]).into_owned()
}

//! The client's name for its user, for vendors that bound its length.

use std::{borrow::Cow, fmt::Write};

use aws_lc_rs::digest::{SHA256, digest};

/// The longest that `OpenAI` takes: what is longer is answered with 400 (`string_above_max_length`).
/// <https://platform.openai.com/docs/api-reference/chat/create> (`safety_identifier`, which replaces `user`)
const LONGEST: usize = 64;

/// The name as `OpenAI` takes it. A longer one, such as Claude Code's, becomes a hash that is always the
/// same: it is there to tell users apart, which the hash does as well.
pub(super) fn openai_user(user: &str) -> Cow<'_, str> {
    if user.chars().nth(LONGEST).is_none() {
        return Cow::Borrowed(user);
    }
    let mut hash = String::with_capacity(LONGEST);
    for byte in digest(&SHA256, user.as_bytes()).as_ref() {
        // Into a string it always succeeds.
        let _ = write!(hash, "{byte:02x}");
    }
    Cow::Owned(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_becomes_its_hash() {
        let longest = "é".repeat(64);
        assert_eq!(openai_user(&longest), longest);
        let hash =
            openai_user("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!(hash.len(), 64);
        assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(hash, openai_user(&"a".repeat(68)));
        assert_ne!(hash, openai_user(&"a".repeat(69)));
    }
}

//! Ids of calls, as Bedrock takes them.

use std::borrow::Cow;

/// The longest id, bytes.
const MOST: usize = 64;

/// `id` as a `toolUseId`: letters, digits, `_` and `-`, at most 64, which every model takes. The same id
/// always becomes the same, so that a result finds its call; ids that differ stay different.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html>
pub(super) fn tool_use_id(id: &str) -> Cow<'_, str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !id.is_empty() && id.len() <= MOST && id.chars().all(fits) {
        return Cow::Borrowed(id);
    }
    // What is replaced or cut is told apart by a hash of the whole: 16 digits and a line before them.
    let kept = id.chars().take(MOST - 17).map(|letter| if fits(letter) { letter } else { '_' });
    Cow::Owned(format!("{}_{:016x}", kept.collect::<String>(), fnv1a(id.as_bytes())))
}

/// FNV-1a of 64 bits: the same in every process, unlike the standard library's hasher.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::tool_use_id;

    #[test]
    fn ids_that_fit_stay_as_they_are() {
        for id in ["tooluse_v40", "call_A-9", &"x".repeat(64)] {
            assert_eq!(tool_use_id(id), *id);
        }
    }

    #[test]
    fn ids_that_do_not_fit_stay_different() {
        let ids =
            ["", "a|b", "a.b", "a/b", &"x".repeat(65), &"x".repeat(66), "aé", "functions.f:0"];
        let mapped: std::collections::BTreeSet<_> = ids.iter().map(|id| tool_use_id(id)).collect();
        assert_eq!(mapped.len(), ids.len());
    }

    proptest! {
        #[test]
        fn every_id_becomes_one_that_bedrock_takes(id in ".{0,100}") {
            let mapped = tool_use_id(&id);
            prop_assert!((1..=64).contains(&mapped.len()));
            prop_assert!(mapped.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            prop_assert_eq!(&mapped, &tool_use_id(&id));
        }
    }
}

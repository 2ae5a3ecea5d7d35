//! Marks of the prompt cache.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>: at most four in a request.

use serde::Serialize;

use crate::translate::form::CacheMark;

/// The most marks of a request.
const MOST: usize = 4;

/// `cache_control` of a block.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct CacheControl {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

/// The vendor's form of a mark.
pub(super) fn control(mark: Option<CacheMark>) -> Option<CacheControl> {
    let ttl = match mark? {
        CacheMark::Short => None,
        CacheMark::Hour => Some("1h"),
    };
    Some(CacheControl { kind: "ephemeral", ttl })
}

/// Takes marks away until four are left: the first, behind what all conversations share, and the last
/// three, which cover all before them. `marks` are in the order of the prompt.
pub(super) fn limit_marks(marks: Vec<&mut Option<CacheControl>>) {
    let mut marks: Vec<_> = marks.into_iter().filter(|mark| mark.is_some()).collect();
    let surplus = marks.len().saturating_sub(MOST);
    for mark in marks.iter_mut().skip(1).take(surplus) {
        **mark = None;
    }
}

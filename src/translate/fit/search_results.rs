//! What searches of a client found: blocks of Claude's API and of Claude's on Bedrock, words elsewhere.

use crate::translate::{
    Target, VendorApi, converse,
    form::{Part, PartKind, Request},
    messages::found,
};

/// The type of such a block: <https://platform.claude.com/docs/en/build-with-claude/search-results>.
const KIND: &str = "search_result";

/// Tells them in words where the vendor has no blocks for them.
pub(super) fn tell(request: &mut Request<'_>, vendor: VendorApi, target: &Target<'_>) {
    if vendor == VendorApi::Converse && converse::takes_search_results(target.model) {
        return;
    }
    request.turns.iter_mut().flat_map(|turn| &mut turn.parts).for_each(in_words);
}

fn in_words(part: &mut Part<'_>) {
    match &mut part.kind {
        PartKind::ToolResult(result) => result.parts.iter_mut().for_each(in_words),
        PartKind::Other { name, raw } if *name == KIND => {
            if let Some(words) = found(raw) {
                part.kind = PartKind::Text(words.into());
            }
        }
        _ => {}
    }
}

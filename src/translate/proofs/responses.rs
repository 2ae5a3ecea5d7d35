//! Reasoning items of Responses.

use super::{Cuts, Place, holds, is_sealed, list};
use crate::translate::responses::is_made;

/// What is part of every proof and every id of reasoning that the gateway has made.
const MARK: &str = "turnpike";

/// Cuts out what the gateway has told.
pub(super) fn cut(body: &[u8], cuts: &mut Cuts) {
    if holds(body, MARK) {
        let items = list(body, "input");
        cuts.take(items.iter().map(|item| (item.span(), is_the_gateways(item))));
    }
}

/// Whether an item is reasoning that the gateway has told, with a proof that it named or without one.
fn is_the_gateways(item: &Place<'_>) -> bool {
    let string = |member| item.member(member).and_then(|value| value.string());
    string("type").is_some_and(|kind| kind == "reasoning")
        && (is_sealed(item, "encrypted_content") || string("id").is_some_and(|id| is_made(&id)))
}

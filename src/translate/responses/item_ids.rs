//! Ids of the items that the gateway makes: each begins as the API's own of its type do, which its servers
//! demand (`Invalid 'input[15].id': 'reasoning_15'. Expected an ID that begins with 'rs'.`):
//! <https://github.com/diegosouzapw/OmniRoute/issues/224>.
//!
//! Messages and calls are taken with ids that the servers have not made, if none is there twice
//! (<https://github.com/earendil-works/pi/issues/5151>). Reasoning is looked up by its id
//! (<https://github.com/farion1231/cc-switch/issues/5825>), and the id belongs to the proof
//! (<https://github.com/maximhq/bifrost/issues/5186>): what the gateway made is known by its id, and
//! does not go there.

use super::super::{
    Answering,
    form::{Origin, Thinking},
};

/// What ids of reasoning begin with that no vendor has made.
pub const REASONING: &str = "rs_turnpike";

/// The id of the item at `index`.
pub fn item_id(prefix: &str, context: &Answering, index: usize) -> String {
    format!("{prefix}_{}_{index}", context.seed)
}

/// Whether the gateway has made this id of reasoning.
#[must_use]
pub fn is_made(id: &str) -> bool {
    id.starts_with(REASONING)
}

/// The vendor's id of its thinking, where it is one that `OpenAI` has made.
pub fn vendors_id<'t>(thinking: &'t Thinking<'_>) -> Option<&'t str> {
    let signature = thinking.signature.as_ref()?;
    let own = signature.origin == Origin::OpenAi;
    thinking.id.as_deref().filter(|id| own && id.starts_with("rs_") && !is_made(id))
}

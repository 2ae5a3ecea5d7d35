//! Proofs of thinking that only the gateway can read, taken out of a client's own body.
//!
//! In answers that it translates the gateway puts another vendor's proofs into the client's carriers
//! (docs/dialects.md). They come back with the next request, and where that passes untranslated (the
//! client has changed the model, or the alias has failed over) its vendor would refuse what it did not
//! sign: <https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks>.
//! In chat completions the carriers themselves are unknown to most vendors, and the strict ones refuse
//! messages that have them: <https://github.com/agentjido/req_llm/issues/772> (Groq),
//! <https://github.com/co-l/openfox/issues/220> (Mistral, `reasoning`).

//!
//! Bodies that pass keep every other byte: what goes is cut out of them.

use std::borrow::Cow;

use super::form::SEAL;
use crate::{
    domain::{Endpoint, Quirks},
    wire::cuts::{Cuts, Place},
};

mod chat;
mod messages;
mod responses;
#[cfg(test)]
mod tests;

/// A client's body without the thinking whose proof no vendor of its own dialect has made; as it is where
/// there is none.
#[must_use]
pub fn without_sealed<'b>(body: &'b [u8], endpoint: Endpoint, quirks: &Quirks) -> Cow<'b, [u8]> {
    let mut cuts = Cuts::default();
    match endpoint {
        Endpoint::Messages | Endpoint::CountTokens => messages::cut(body, quirks, &mut cuts),
        Endpoint::Responses => responses::cut(body, &mut cuts),
        Endpoint::ChatCompletions => chat::cut(body, quirks, &mut cuts),
        _ => {}
    }
    if cuts.is_empty() { body.into() } else { cuts.apply(body).into() }
}

/// Whether a body has a word anywhere: most have none, and are not read.
fn holds(body: &[u8], word: &str) -> bool {
    memchr::memmem::find(body, word.as_bytes()).is_some()
}

/// The elements of one of the body's lists.
fn list<'b>(body: &'b [u8], name: &str) -> Vec<Place<'b>> {
    Place::whole(body).member(name).map(|list| list.elements()).unwrap_or_default()
}

/// Whether a member holds a proof with its maker's name.
fn is_sealed(holder: &Place<'_>, member: &str) -> bool {
    let proof = holder.member(member).and_then(|proof| proof.string());
    proof.is_some_and(|proof| proof.starts_with(SEAL))
}

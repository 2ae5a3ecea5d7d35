//! Thinking blocks of messages.

use super::{Cuts, Place, SEAL, holds, is_sealed, list};
use crate::domain::Quirks;

/// Cuts out the blocks that the vendor would refuse, and messages of which nothing is left.
pub(super) fn cut(body: &[u8], quirks: &Quirks, cuts: &mut Cuts) {
    let found = holds(body, SEAL) || (quirks.signed_thinking && holds_unsigned(body));
    if !found {
        return;
    }
    let messages = list(body, "messages");
    let mut whole = Vec::with_capacity(messages.len());
    for message in messages {
        let content = message.member("content");
        let blocks = content.map(|content| content.elements()).unwrap_or_default();
        let goes: Vec<bool> = blocks.iter().map(|block| is_refused(block, quirks)).collect();
        let nothing_is_left = !goes.is_empty() && goes.iter().all(|goes| *goes);
        if !nothing_is_left {
            cuts.take(blocks.iter().map(Place::span).zip(goes));
        }
        whole.push((message.span(), nothing_is_left));
    }
    cuts.take(whole);
}

/// Whether there may be thinking with an empty signature, however the client spaces its JSON. It looks at
/// each place of the name alone: most bodies have none.
fn holds_unsigned(body: &[u8]) -> bool {
    const NAME: &[u8] = br#""signature""#;
    memchr::memmem::find_iter(body, NAME).any(|at| {
        let behind = body.get(at + NAME.len()..).unwrap_or_default().trim_ascii_start();
        let value = behind.strip_prefix(b":").unwrap_or_default();
        value.trim_ascii_start().starts_with(br#""""#)
    })
}

fn is_refused(block: &Place<'_>, quirks: &Quirks) -> bool {
    let string = |member| block.member(member).and_then(|value| value.string());
    match string("type").as_deref() {
        Some("thinking") => {
            let unsigned = || string("signature").is_some_and(|signature| signature.is_empty());
            is_sealed(block, "signature") || (quirks.signed_thinking && unsigned())
        }
        Some("redacted_thinking") => is_sealed(block, "data"),
        _ => false,
    }
}

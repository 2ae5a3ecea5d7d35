//! Thinking of chat completions, in carriers that most vendors do not know.

use super::{Cuts, Place, holds, list};
use crate::{
    domain::{Quirks, ReasoningHistory},
    translate::gemini::{SERVER_PART as MARK, is_server_part},
};

/// The carrier of thinking and its proofs.
const DETAILS: &str = "reasoning_details";

/// Cuts the carriers out of messages for a vendor that does not know them: it has not made what they carry.
pub(super) fn cut(body: &[u8], quirks: &Quirks, cuts: &mut Cuts) {
    if !quirks.lacks(DETAILS) {
        return without_server_parts(body, cuts);
    }
    if !(holds(body, DETAILS) || holds(body, "thought_signature")) {
        return;
    }
    for message in list(body, "messages") {
        without_details(&message, quirks, cuts);
        if !quirks.extra_content {
            without_signatures(&message, cuts);
        }
    }
}

/// Cuts out what Google's own tools did, which is carried as if it were a signature.
fn without_server_parts(body: &[u8], cuts: &mut Cuts) {
    if !holds(body, MARK) {
        return;
    }
    for message in list(body, "messages") {
        let details = message.member(DETAILS).map(|details| details.elements()).unwrap_or_default();
        let is_part = |detail: &Place<'_>| {
            let data = detail.member("data").and_then(|data| data.string());
            data.is_some_and(|data| is_server_part(&data))
        };
        cuts.take(details.iter().map(|detail| (detail.span(), is_part(detail))));
    }
}

/// Cuts thinking out of a message, signed or not.
fn without_details(message: &Place<'_>, quirks: &Quirks, cuts: &mut Cuts) {
    let Some(details) = message.member(DETAILS) else { return };
    // The words stand beside them, where answers of the gateway have them.
    let told = !details.elements().is_empty();
    if told && quirks.reasoning_history != ReasoningHistory::Reasoning {
        cuts.take_members(message, &[DETAILS, "reasoning"]);
    } else {
        cuts.take_members(message, &[DETAILS]);
    }
}

/// Cuts Gemini's signatures off a message's calls.
fn without_signatures(message: &Place<'_>, cuts: &mut Cuts) {
    let calls = message.member("tool_calls").map(|calls| calls.elements()).unwrap_or_default();
    for call in calls {
        let google = call.member("extra_content").and_then(|extra| extra.member("google"));
        if google.is_some_and(|google| google.member("thought_signature").is_some()) {
            cuts.take_members(&call, &["extra_content"]);
        }
    }
}

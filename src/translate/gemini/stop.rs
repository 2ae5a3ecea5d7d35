//! Why an answer ended
//! (<https://ai.google.dev/api/generate-content#FinishReason>; Vertex adds `MODEL_ARMOR`; more are in
//! <https://github.com/googleapis/python-genai/blob/main/google/genai/types.py>).

use crate::translate::form::StopReason;

/// What had come when the answer ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Calls of tools.
    pub(super) calls: bool,
    /// Words or pictures for the user.
    pub(super) content: bool,
}

/// The reason in the middle form. None where the model failed at a call, or ended for a reason that nobody
/// knows, and said nothing else: that is no answer, and asking again may help.
pub(super) fn reason(word: &str, seen: Seen) -> Option<StopReason> {
    Some(match word {
        "MAX_TOKENS" | "CONTINUATION" => StopReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "OTHER"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "IMAGE_OTHER"
        | "NO_IMAGE"
        | "MODEL_ARMOR"
        | "ESCALATION"
        | "PUP_LIMITED_DISABLED" => StopReason::ContentFilter,
        // `STOP` stands for calls as well.
        _ if seen.calls => StopReason::ToolCalls,
        "STOP" | "" => StopReason::End,
        // A call that failed, a malformed answer, and what nobody knows yet.
        _ if seen.content => StopReason::End,
        _ => return None,
    })
}

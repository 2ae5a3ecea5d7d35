//! A streamed answer, event by event, in the words of no vendor.

use super::{Citation, Media, Signature, StopReason, Text};
use crate::{dialect::StreamError, domain::TokenUsage};

/// One step of a streamed answer. Readers emit them in the order of the content; writers may rely on:
///
/// * [`Start`](Self::Start) comes before everything but [`Ping`](Self::Ping) and
///   [`Failed`](Self::Failed), at most once;
/// * calls are numbered from 0 without gaps, and [`ToolCall`](Self::ToolCall) comes before the call's
///   [`Arguments`](Self::Arguments); arguments of several calls may be interleaved;
/// * [`Usage`](Self::Usage) figures are running totals: the last one counts;
/// * nothing follows [`Done`](Self::Done) or [`Failed`](Self::Failed).
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The answer has begun.
    Start {
        /// The vendor's id of it.
        id: Option<Text<'a>>,
        /// The model that the vendor names.
        model: Option<Text<'a>>,
    },
    /// More text.
    Text(Text<'a>),
    /// More thinking.
    Thinking(Text<'a>),
    /// What proves the thinking before it, or (Gemini) the text before it.
    Signature(Signature<'a>),
    /// A whole block of thinking that is not for reading.
    Redacted(Signature<'a>),
    /// The block of text or thinking before it is complete: what follows begins another.
    BlockEnd,
    /// A call begins.
    ToolCall {
        /// Its number, from 0.
        call: usize,
        /// The vendor's id, made up by the reader where there is none, unique in the world.
        id: Text<'a>,
        /// The tool.
        name: Text<'a>,
        /// What proves the thinking behind it (Gemini).
        signature: Option<Signature<'a>>,
        /// The arguments are free text for a custom tool.
        custom: bool,
    },
    /// More of a call's arguments. Readers that know where a call ends say `{}` there if it has none; else a
    /// call without any has none of these events, and writers say `{}` at the end.
    Arguments {
        /// The call's number.
        call: usize,
        /// A fragment of JSON text.
        fragment: Text<'a>,
    },
    /// A source of the text so far.
    Citation(Citation<'a>),
    /// More words of the model's refusal.
    Refusal(Text<'a>),
    /// A picture that the model made. Only for writers that
    /// [carry](crate::translate::StreamWriter::carries_pictures) them.
    Image(Media<'a>),
    /// Why the answer ended.
    Stop {
        /// The reason.
        reason: StopReason,
        /// The stop text that was met.
        sequence: Option<Text<'a>>,
    },
    /// What was used so far.
    Usage(TokenUsage),
    /// The vendor is still there.
    Ping,
    /// The vendor reports an error in its stream.
    Failed(StreamError),
    /// The vendor's terminal event: the answer is complete.
    Done,
}

/// Takes events as they are read.
pub type Events<'t> = dyn FnMut(Event<'_>) + 't;

//! What a stream that did not come to its end is taken to have used. The vendor tells the whole use at the
//! end, and bills what it has made by then: to record nothing would let whoever hangs up in time go by every
//! budget.

use super::ctx::{Call, Meter, Stage};
use crate::{
    domain::{IMAGE_TOKENS, TEXT_BYTES_PER_TOKEN, TokenUsage},
    wire::extent::extent,
};

/// A guess of a request's tokens, by its text alone.
pub fn input(body: &[u8]) -> u64 {
    let extent = extent(body);
    extent.text.div_ceil(TEXT_BYTES_PER_TOKEN) + extent.files * IMAGE_TOKENS
}

/// What a stream without its end has used: what the vendor has told of it, and a guess of the rest by what
/// was said since. None where there is no such stream, or nothing came of it. `left`: the client is the one
/// that ended it, while the vendor was at work.
pub fn usage(call: &Call, told: Option<TokenUsage>, left: bool) -> Option<TokenUsage> {
    let Meter::Stream(stream) = &call.attempt.meter else { return None };
    let nothing_came = call.attempt.stage == Stage::Held && !left;
    let ended = stream.finished() && stream.failed().is_none();
    // A choice may have come to its end before the use is told, and before the others.
    let ended = ended || (stream.complete() && told.is_some());
    if nothing_came || ended {
        return None;
    }
    let mut usage = told.unwrap_or_default();
    if [usage.input, usage.cache_read, usage.cache_write] == [0; 3] {
        let body = call.inbound.as_ref().map(|inbound| input(&inbound.body));
        usage.input = call.input_guess.max(body.unwrap_or_default());
    }
    let more = stream.said().div_ceil(TEXT_BYTES_PER_TOKEN);
    usage.output = usage.output.saturating_add(more);
    Some(usage)
}

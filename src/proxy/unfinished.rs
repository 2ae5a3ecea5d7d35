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

/// What a stream without its end has used: what the vendor has told of it, a guess of the rest by what
/// was said. None where there is no such stream, or nothing has come of it.
pub fn usage(call: &Call, told: Option<TokenUsage>) -> Option<TokenUsage> {
    let Meter::Stream(stream) = &call.attempt.meter else { return None };
    if stream.complete() || call.attempt.stage == Stage::Held {
        return None;
    }
    let said = stream.said().div_ceil(TEXT_BYTES_PER_TOKEN);
    let told = told.unwrap_or(TokenUsage { input: call.input_guess, ..TokenUsage::default() });
    Some(TokenUsage { output: told.output.max(said), ..told })
}

//! What a request is taken to have used whose vendor does not tell: a stream that did not come to its end, an
//! answer without its usage, and one that nobody waited for. Vendors bill what they have made by then: to record
//! nothing would let whoever hangs up in time, or finds a vendor that is silent, go by every budget.

use super::{
    bound,
    ctx::{Call, Meter, Stage},
};
use crate::{
    dialect::AnswerFacts,
    domain::{Endpoint, IMAGE_TOKENS, TEXT_BYTES_PER_TOKEN, Timestamp, TokenUsage},
    wire::extent::extent,
};

/// What is known of an answer when its request is settled.
#[derive(Default)]
pub struct Learnt {
    /// What the vendor has told.
    pub facts: AnswerFacts,
    /// About how many bytes the model has said in an answer that is no stream; none where there was none.
    pub said: Option<u64>,
}

/// A guess of a request's tokens, by its text alone.
pub fn input(body: &[u8]) -> u64 {
    let extent = extent(body);
    extent.text.div_ceil(TEXT_BYTES_PER_TOKEN) + extent.files * IMAGE_TOKENS
}

/// What the request has used where its vendor has not told all of it: what the vendor has told, and a guess
/// of the rest by what was said since. None where the vendor has told it, or where nothing came of it.
/// `left`: the client is the one that ended it, while the vendor was at work.
pub fn usage(call: &Call, learnt: &Learnt, left: bool) -> Option<TokenUsage> {
    if !makes_tokens(call.endpoint) {
        return None;
    }
    let told = learnt.facts.usage;
    let nothing_came = call.attempt.stage == Stage::Held;
    let (said, ended) = match &call.attempt.meter {
        Meter::Stream(stream) => {
            let ended = stream.finished() && stream.failed().is_none();
            // A choice may have come to its end before the use is told, and before the others.
            (stream.said(), (ended || stream.complete()) && told.is_some())
        }
        _ => (learnt.said?, told.is_some() || nothing_came),
    };
    if ended || (nothing_came && !left) {
        return None;
    }
    let mut usage = told.unwrap_or_default();
    if [usage.input, usage.cache_read, usage.cache_write] == [0; 3] {
        let body = call.inbound.as_ref().map(|inbound| input(&inbound.body));
        usage.input = call.input_guess.max(body.unwrap_or_default());
    }
    let more = said.div_ceil(TEXT_BYTES_PER_TOKEN);
    usage.output = usage.output.saturating_add(more);
    Some(usage)
}

/// What a request counts whose client left while the vendor was at work, and before anything of the answer
/// came that tells of its use: all that its strict budgets have reserved, for nobody will ever know.
pub fn reserved(call: &Call, at: Timestamp) -> Option<TokenUsage> {
    let attempt = &call.attempt;
    let unknown = match &attempt.meter {
        Meter::Stream(_) => attempt.stage == Stage::Held,
        _ => true,
    };
    let at_work = attempt.sent.is_some() && attempt.status.is_none_or(|status| status < 400);
    let held = call.reservation.as_ref().filter(|held| held.is_strict)?;
    if unknown && at_work && makes_tokens(call.endpoint) {
        bound::reserved(call, held, at)
    } else {
        None
    }
}

/// Whether using the endpoint costs tokens.
const fn makes_tokens(endpoint: Option<Endpoint>) -> bool {
    !matches!(endpoint, None | Some(Endpoint::Models | Endpoint::CountTokens))
}

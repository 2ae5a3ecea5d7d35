//! The most that a request may use on a route: what strict budgets reserve.

use serde::Deserialize;

use super::ctx::{Call, Inbound};
use crate::{
    domain::{Endpoint, Money, Timestamp, TokenUsage},
    govern::{Amount, Bound},
    snapshot::Route,
    wire::Words,
};

/// The output that is asked of a model of which no limit is known, where the client names none.
const USUAL_OUTPUT: u64 = 8192;
/// What completions answer where the client names no limit:
/// <https://platform.openai.com/docs/api-reference/completions/create>.
const COMPLETION_OUTPUT: u64 = 16;
/// What vendors add to the input of a request that offers tools, at most:
/// <https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview#pricing>.
const TOOLS_INPUT: u64 = 1024;

/// The most that a request may use on `route`.
///
/// A token is at least a byte of text in every vocabulary, and what is said of a file is longer than the
/// tokens that it becomes: so the body's bytes bound the input.
pub fn of(call: &Call, route: &Route, at: Timestamp) -> Option<Bound> {
    let (inbound, endpoint) = (call.inbound.as_ref()?, call.endpoint?);
    let rates = route.prices.at(at).map(|price| price.rates);
    let output_price = rates.map(|rates| rates.output).unwrap_or_default();
    if matches!(endpoint, Endpoint::CountTokens | Endpoint::Models) {
        return Some(Bound { input: Amount::ZERO, wanted: Some(0), most: 0, output_price });
    }
    let tokens = input(inbound);
    let cost = rates.map_or(Money(0), |rates| {
        // Whether it is read from a cache or written to one is the vendor's choice.
        let fresh = TokenUsage { input: tokens, ..TokenUsage::default() };
        let cached = TokenUsage { cache_write: tokens, ..TokenUsage::default() };
        rates.cost(&fresh).total().max(rates.cost(&cached).total()).plus(Money(1))
    });
    let choices = choices(inbound);
    let (wanted, most) = match endpoint {
        Endpoint::Embeddings => (Some(0), 0),
        Endpoint::Completions => (inbound.head.output_limit, COMPLETION_OUTPUT),
        _ => (inbound.head.output_limit, route.facts.max_output_tokens.unwrap_or(USUAL_OUTPUT)),
    };
    let wanted = wanted.map(|wanted| wanted.saturating_mul(choices));
    // The limit that is set is one for each choice.
    let wanted = if choices > 1 { wanted.or(Some(most.saturating_mul(choices))) } else { wanted };
    Some(Bound { input: Amount { tokens, cost }, wanted, most, output_price })
}

fn input(inbound: &Inbound) -> u64 {
    let bytes = u64::try_from(inbound.body.len()).unwrap_or(u64::MAX);
    let tools = if inbound.head.words.has(Words::TOOLS) { TOOLS_INPUT } else { 0 };
    bytes.saturating_add(tools)
}

/// How many answers the request asks for.
fn choices(inbound: &Inbound) -> u64 {
    #[derive(Deserialize)]
    struct Choices {
        n: Option<u64>,
        best_of: Option<u64>,
    }
    let read: Option<Choices> = serde_json::from_slice(&inbound.body).ok();
    read.map_or(1, |read| read.n.unwrap_or(1).max(read.best_of.unwrap_or(1)).max(1))
}

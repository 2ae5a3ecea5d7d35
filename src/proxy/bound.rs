//! The most that a request may use on a route: what strict budgets reserve.

use serde_json::value::RawValue;

use super::{
    ctx::{Call, Inbound},
    limits::Reservation,
};
use crate::{
    domain::{Endpoint, Money, Timestamp, TokenUsage},
    govern::{Amount, Bound},
    route::Plan,
    snapshot::Route,
    wire::{
        Words,
        members::{Member, members},
        number,
    },
};

/// The output that is asked of a model of which no limit is known, where the client names none.
const USUAL_OUTPUT: u64 = 8192;
/// What completions answer where the client names no limit:
/// <https://platform.openai.com/docs/api-reference/completions/create>.
const COMPLETION_OUTPUT: u64 = 16;
/// What vendors add to the input of a request that offers tools, at most:
/// <https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview#pricing>.
const TOOLS_INPUT: u64 = 1024;

/// The input that a model of which nothing is known can read, at most.
const USUAL_WINDOW: u64 = 1_000_000;
/// The most that a picture counts anywhere:
/// <https://developers.openai.com/api/docs/guides/images-vision#calculating-costs> (48 tiles and their base).
const PICTURE: u64 = 40_000;

/// The most that a request may use on `route`.
///
/// A token is at least a byte of text in every vocabulary, so the body's bytes bound its texts. Pictures
/// are counted by their size on the screen, which their bytes do not tell, and what the request only
/// names (an address, a file, an earlier answer), documents and videos are as long as the model can read.
pub fn of(call: &Call, route: &Route, at: Timestamp) -> Option<Bound> {
    let (inbound, endpoint) = (call.inbound.as_ref()?, call.endpoint?);
    let rates = route.prices.at(at).map(|price| price.rates);
    let output_price = rates.map(|rates| rates.output).unwrap_or_default();
    if matches!(endpoint, Endpoint::CountTokens | Endpoint::Models) {
        let input = Amount::ZERO;
        return Some(Bound {
            input,
            wanted: Some(0),
            most: 0,
            answers: 1,
            output_price,
            for_an_hour: false,
        });
    }
    let window = route.facts.context_tokens.unwrap_or(USUAL_WINDOW);
    let tokens = input(inbound, endpoint, window);
    let for_an_hour = speaks_of_an_hour(&inbound.body);
    let cost = rates.map_or(Money(0), |rates| {
        let ways = inputs(tokens, for_an_hour).map(|input| rates.cost(&input).total());
        ways.into_iter().fold(Money(0), Money::max).plus(Money(1))
    });
    let answers = choices(inbound);
    let limit = inbound.head.output_limit;
    let (limit, most) = match endpoint {
        Endpoint::Embeddings => (Some(0), 0),
        Endpoint::Completions => (limit, limit.unwrap_or(COMPLETION_OUTPUT)),
        // What is only guessed bounds nothing that the client asks for.
        _ => (limit, route.facts.max_output_tokens.or(limit).unwrap_or(USUAL_OUTPUT)),
    };
    let most = most.saturating_mul(answers);
    let wanted = limit.map(|limit| limit.saturating_mul(answers));
    let input = Amount { tokens, cost }.plus(lost(call, at));
    Some(Bound { input, wanted, most, answers, output_price, for_an_hour })
}

/// What calls on other routes have used that came to nothing.
fn lost(call: &Call, at: Timestamp) -> Amount {
    call.lost.iter().fold(Amount::ZERO, |sum, lost| {
        let rates = lost.route.prices.at(at).map(|price| price.rates);
        let cost = rates.map(|rates| rates.cost(&lost.usage()).total()).unwrap_or_default();
        sum.plus(Amount { tokens: lost.tokens, cost })
    })
}

/// The limit that a body needs which is sent on for a strict budget, by the `name` that its reader has for
/// it: what the budget affords where the client names none, else the client's own, if it has no member of
/// that name. Readers of `max_completion_tokens` know the older name, too, and would refuse both.
pub fn limit<'n>(
    inbound: &Inbound,
    held: Option<&Reservation>,
    name: &'n str,
) -> Option<(&'n str, u64)> {
    let held = held.filter(|held| held.is_strict)?;
    let head = &inbound.head;
    let misses = name == "max_tokens" && !head.output_limits.has(name);
    let own = head.output_limit.filter(|_| misses);
    held.output_cap.or(own).map(|limit| (name, limit))
}

/// What strict budgets have reserved of a request, as the use that costs the most.
pub fn reserved(call: &Call, held: &Reservation, at: Timestamp) -> Option<TokenUsage> {
    let route = call.plan.as_deref().and_then(Plan::last)?;
    let bound = held.bound?;
    let output = match held.output_cap {
        Some(each) => each.saturating_mul(bound.answers),
        None => bound.wanted.unwrap_or(bound.most).min(bound.most),
    };
    // What is lost is in the bound, and in the record already.
    let lost = call.lost.iter().map(|lost| lost.tokens).fold(0, u64::saturating_add);
    let input = bound.input.tokens.saturating_sub(lost);
    let ways = inputs(input, bound.for_an_hour).map(|input| TokenUsage { output, ..input });
    let rates = route.prices.at(at).map(|price| price.rates);
    // The first of those that cost the same: nothing is said of a cache without need.
    let cost = |usage: &TokenUsage| rates.map(|rates| rates.cost(usage).total());
    ways.into_iter().rev().max_by_key(cost)
}

/// The same input, read anew, written to a cache, or to one for an hour: which it is, is the vendor's choice.
fn inputs(tokens: u64, for_an_hour: bool) -> [TokenUsage; 3] {
    let fresh = TokenUsage { input: tokens, ..TokenUsage::default() };
    let cached = TokenUsage { cache_write: tokens, ..TokenUsage::default() };
    let cache_write_hour = if for_an_hour { tokens } else { 0 };
    [fresh, cached, TokenUsage { cache_write_hour, ..cached }]
}

/// Whether the request may ask to be kept in a cache for an hour, in whatever spelling.
fn speaks_of_an_hour(body: &[u8]) -> bool {
    occurrences(body, "\"1h\"") > 0 || occurrences(body, "\\u00") > 0
}

fn input(inbound: &Inbound, endpoint: Endpoint, window: u64) -> u64 {
    let bytes = u64::try_from(inbound.body.len()).unwrap_or(u64::MAX);
    let words = inbound.head.words;
    let tools = if words.has(Words::TOOLS) { TOOLS_INPUT } else { 0 };
    let seen = bytes.saturating_add(tools);
    let files = || occurrences(&inbound.body, "base64");
    let is_endless = words.has(Words::DOCUMENT) || words.has(Words::VIDEO) && files() > 0;
    if is_endless || is_elsewhere(inbound, endpoint) {
        return seen.max(window);
    }
    let pictures = if words.has(Words::IMAGE) { files() } else { 0 };
    seen.saturating_add(pictures.saturating_mul(PICTURE))
}

/// Whether the model reads something that does not stand in the request.
fn is_elsewhere(inbound: &Inbound, endpoint: Endpoint) -> bool {
    let body = &inbound.body;
    if endpoint == Endpoint::Responses && continues(body) {
        return true;
    }
    let has = |name: &str| memchr::memmem::find(body, name.as_bytes()).is_some();
    // What is spelled with escapes, or has an address anywhere, is taken to name one.
    inbound.head.words.has(Words::IMAGE.or(Words::AUDIO).or(Words::VIDEO))
        && (has("\\u") || has("\"file_id\"") || has_address(body))
}

/// Whether a request of Responses goes on with what the vendor has kept.
/// <https://platform.openai.com/docs/api-reference/responses/create>
fn continues(body: &[u8]) -> bool {
    let value = |member: &Member| body.get(member.value.clone()).unwrap_or_default();
    let is_kept = |member: &Member| {
        let names = ["previous_response_id", "conversation", "prompt"];
        names.iter().any(|name| member.is_named(body, name)) && value(member) != b"null"
            || member.is_named(body, "input")
                && memchr::memmem::find(value(member), b"item_reference").is_some()
    };
    members(body).is_some_and(|members| members.iter().any(is_kept))
}

/// An address of the web, or of a vendor's store (`gs://`, `s3://`), slashes escaped or not.
fn has_address(body: &[u8]) -> bool {
    memchr::memchr2_iter(b'h', b'H', body)
        .any(|at| body.get(at..at + 4).is_some_and(|word| word.eq_ignore_ascii_case(b"http")))
        || [&b":/"[..], b":\\/"].iter().any(|sign| memchr::memmem::find(body, sign).is_some())
}

fn occurrences(body: &[u8], word: &str) -> u64 {
    let found = memchr::memmem::find_iter(body, word.as_bytes()).count();
    u64::try_from(found).unwrap_or(u64::MAX)
}

/// How many answers the request asks for: so many of each of its prompts.
fn choices(inbound: &Inbound) -> u64 {
    let body = &inbound.body;
    let members = members(body).unwrap_or_default();
    // Of a member that is given twice the vendor may read either: the larger counts.
    let most = |name: &str, count: fn(&[u8]) -> u64| {
        let named = members.iter().filter(|member| member.is_named(body, name));
        let counts = named.map(|member| count(body.get(member.value.clone()).unwrap_or_default()));
        counts.max().unwrap_or(1)
    };
    most("prompt", prompt_count).saturating_mul(most("n", count).max(most("best_of", count)))
}

/// A number of answers, however it is written. What is no number is refused upstream.
fn count(text: &[u8]) -> u64 {
    number(text).unwrap_or(1).max(1)
}

/// How many prompts a completion is asked for: texts or lists of tokens, in a list.
fn prompt_count(text: &[u8]) -> u64 {
    let prompts: Vec<&RawValue> = serde_json::from_slice(text).unwrap_or_default();
    let is_token =
        |prompt: &&RawValue| prompt.get().starts_with(|first: char| first.is_ascii_digit());
    if prompts.first().is_some_and(is_token) {
        return 1;
    }
    u64::try_from(prompts.len()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_in_a_cache_is_seen_in_every_spelling() {
        for (body, speaks) in [
            (r#"{"cache_control":{"type":"ephemeral","ttl":"1h"}}"#, true),
            (r#"{"ttl":"1\u0068"}"#, true),
            (r#"{"ttl":"5m","text":"1h"}"#, true),
            (r#"{"ttl":"5m"}"#, false),
        ] {
            assert_eq!(speaks_of_an_hour(body.as_bytes()), speaks, "{body}");
        }
        let [fresh, cached, hour] = inputs(9, true);
        assert_eq!((fresh.cache_write, cached.cache_write_hour, hour.cache_write_hour), (0, 0, 9));
        assert_eq!(inputs(9, false)[2], cached);
    }

    #[test]
    fn answers_are_counted_however_their_number_is_written() {
        for (text, answers) in [
            ("9", 9),
            ("9.0", 9),
            ("9e0", 9),
            ("0", 1),
            ("-3", 1),
            ("null", 1),
            ("\"9\"", 9),
            ("1e99", u64::MAX),
        ] {
            assert_eq!(count(text.as_bytes()), answers, "{text}");
        }
    }

    #[test]
    fn prompts_are_texts_or_lists_of_tokens() {
        for (text, prompts) in [
            (r#""one""#, 1),
            (r#"["a","b","c"]"#, 3),
            ("[1,2,3]", 1),
            ("[[1,2],[3]]", 2),
            ("[]", 1),
            ("null", 1),
        ] {
            assert_eq!(prompt_count(text.as_bytes()), prompts, "{text}");
        }
    }
}

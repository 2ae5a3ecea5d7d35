//! Sampling and stop texts of a request for Claude.
//!
//! <https://platform.claude.com/docs/en/api/messages>: `temperature` and `top_p` are 0 to 1, newer
//! models take only one of them; <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>:
//! with thinking `temperature` and `top_k` cannot be set and `top_p` is at least 0.95. The newest take
//! none of them ([`Claude::samples`]): they are hints, and are left out.

use serde::Serialize;

use super::thinking_write::Plan;
use crate::translate::{
    claude::Claude,
    form::{Refusal, Request},
};

/// The members that draw tokens.
#[derive(Default, Serialize)]
pub(super) struct SamplingOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
}

/// Refuses what Claude has no counterpart of and whose loss would be noticed.
pub(super) fn refuse_sampling(request: &Request<'_>) -> Result<(), Refusal> {
    let sampling = &request.sampling;
    let set = |penalty: Option<f64>| penalty.is_some_and(|penalty| penalty != 0.0);
    let wanted = [
        ("frequency_penalty", set(sampling.frequency_penalty), "leave it out or set it to 0"),
        ("presence_penalty", set(sampling.presence_penalty), "leave it out or set it to 0"),
        ("n", sampling.n.is_some_and(|n| n > 1), "leave it out and ask several times"),
        ("logprobs", sampling.logprobs, "leave it out"),
        ("top_logprobs", sampling.top_logprobs.is_some_and(|count| count > 0), "leave it out"),
        ("logit_bias", sampling.logit_bias.is_some(), "leave it out"),
    ];
    match wanted.into_iter().find(|(_, wanted, _)| *wanted) {
        None => Ok(()),
        Some((name, _, remedy)) => {
            Err(Refusal::unsupported(name, format!("Claude has no `{name}`; {remedy}")))
        }
    }
}

/// What Claude takes of the sampling.
pub(super) fn sampling(request: &Request<'_>, model: Claude, plan: &Plan) -> SamplingOut {
    if !model.samples() {
        return SamplingOut::default();
    }
    let sampling = &request.sampling;
    let top_p = sampling.top_p.map(|top_p| top_p.clamp(0.0, 1.0));
    if plan.thinking.is_some() {
        return SamplingOut {
            temperature: None,
            top_p: top_p.filter(|top_p| *top_p >= 0.95),
            top_k: None,
        };
    }
    let temperature = sampling.temperature.map(|temperature| temperature.clamp(0.0, 1.0));
    SamplingOut {
        temperature,
        top_p: top_p.filter(|_| temperature.is_none()),
        top_k: sampling.top_k.filter(|top_k| *top_k > 0),
    }
}

/// `stop_sequences`.
///
/// # Errors
/// For a text of white space alone, which the vendor refuses.
pub(super) fn stop_sequences<'a>(request: &'a Request<'_>) -> Result<Vec<&'a str>, Refusal> {
    let texts = request.stop.iter().map(|text| &**text).filter(|text| !text.is_empty());
    let texts: Vec<&str> = texts.collect();
    if texts.iter().any(|text| text.trim().is_empty()) {
        let message =
            "Claude does not stop at white space alone; name a text with other characters";
        return Err(Refusal::unsupported("stop", message));
    }
    Ok(texts)
}

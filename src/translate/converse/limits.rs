//! What Converse cannot do, told before any call.

use super::super::form::{Refusal, Request};

/// Refuses what neither Converse nor a model behind it has a member for.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html>
pub(super) fn check(request: &Request<'_>) -> Result<(), Refusal> {
    let sampling = &request.sampling;
    let penalty = |value: Option<f64>| value.is_some_and(|value| value != 0.0);
    let lacking = [
        (sampling.n.is_some_and(|n| n > 1), "n", "ask again for each further answer"),
        (sampling.logprobs, "logprobs", "leave it out"),
        (sampling.top_logprobs.is_some_and(|n| n > 0), "top_logprobs", "leave it out"),
        (sampling.logit_bias.is_some(), "logit_bias", "leave it out"),
        (penalty(sampling.frequency_penalty), "frequency_penalty", "leave it out or set it to 0"),
        (penalty(sampling.presence_penalty), "presence_penalty", "leave it out or set it to 0"),
    ];
    match lacking.into_iter().find(|(asked, ..)| *asked) {
        None => Ok(()),
        Some((_, param, remedy)) => Err(unsupported(param, remedy)),
    }
}

/// Bedrock has no `param`.
pub(super) fn unsupported(param: &str, remedy: &str) -> Refusal {
    Refusal::unsupported(
        param,
        format!("`{param}` is not supported by Amazon Bedrock's Converse API: {remedy}"),
    )
}

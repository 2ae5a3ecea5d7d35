//! Penalties of frequency and presence, at models that refuse any: Grok's that think, and Gemini from 3.5
//! Flash-Lite on ("Setting a custom value for these parameters will throw an error",
//! <https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/gemini/3-5-flash-lite>).

use crate::translate::{
    Target,
    form::{Refusal, Request},
};

/// Refuses them by name where the model would, unless they are what no penalty is.
pub(super) fn check(request: &Request<'_>, target: &Target<'_>) -> Result<(), Refusal> {
    let sampling = &request.sampling;
    let penalties = [
        ("frequency_penalty", sampling.frequency_penalty),
        ("presence_penalty", sampling.presence_penalty),
    ];
    let asked = |(_, value): &(_, Option<f64>)| value.is_some_and(|value| value != 0.0);
    match penalties.into_iter().find(asked) {
        Some((name, _)) if target.facts.lacks_penalties => {
            let message = format!("this model takes no `{name}`; leave it out");
            Err(Refusal::unsupported(name, message))
        }
        _ => Ok(()),
    }
}

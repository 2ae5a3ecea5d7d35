//! What the gateway says beside an answer (the unified API: contract 4.8).

use std::sync::Arc;

use serde::Serialize;

use crate::domain::{Attempt, BilledRates, TokenUsage};

/// What an answer's writer needs to know that is not in the answer.
#[derive(Clone, Debug, Default)]
pub struct Answering {
    /// Makes ids where the vendor gave none: `chatcmpl-` and such stand before it.
    pub seed: String,
    /// Unix seconds, where the vendor gave none.
    pub created: i64,
    /// The vendor's id of the model: told where the vendor named none.
    pub model: Arc<str>,
    /// Told even where the vendor named another (Claude on Bedrock and Vertex: contract 4.7).
    pub force_model: bool,
    /// For chat completions; none for the other APIs, which have no place for it.
    pub additions: Option<Additions>,
}

/// `metadata` and the costs in `usage`.
#[derive(Clone, Debug)]
pub struct Additions {
    /// The client's string.
    pub requested_model: String,
    /// The provider that it was pinned to.
    pub requested_provider: Option<Arc<str>>,
    /// The provider that answered.
    pub used_provider: Arc<str>,
    /// What was sent upstream.
    pub underlying_used_model: Arc<str>,
    /// The attempts that failed, in order.
    pub failed: Vec<Attempt>,
    /// What tokens cost; none where that is not known.
    pub rates: Option<BilledRates>,
}

/// `metadata` of the unified API.
#[derive(Serialize)]
pub struct Metadata<'a> {
    requested_model: &'a str,
    requested_provider: Option<&'a str>,
    used_model: &'a str,
    used_provider: &'a str,
    underlying_used_model: &'a str,
    routing: Vec<Routing<'a>>,
}

/// One attempt, as the unified API shows it.
#[derive(Serialize)]
struct Routing<'a> {
    provider: &'a str,
    model: &'a str,
    status_code: u16,
    error_type: &'a str,
}

/// `usage.cost_usd_*`.
#[derive(Serialize)]
pub struct Costs {
    /// Input and output.
    pub cost_usd_total: crate::domain::Money,
    /// Input, cached tokens included.
    pub cost_usd_input: crate::domain::Money,
    /// Output.
    pub cost_usd_output: crate::domain::Money,
}

impl Additions {
    /// The `metadata` of an answer in which the vendor named `used_model`.
    #[must_use]
    pub fn metadata<'a>(&'a self, used_model: Option<&'a str>) -> Metadata<'a> {
        let underlying = &*self.underlying_used_model;
        let failed = self.failed.iter().map(|attempt| Routing {
            provider: &attempt.provider,
            model: &attempt.upstream_model,
            status_code: attempt.status.unwrap_or(0),
            error_type: &attempt.error_type,
        });
        let good = Routing {
            provider: &self.used_provider,
            model: underlying,
            status_code: 200,
            error_type: "",
        };
        Metadata {
            requested_model: &self.requested_model,
            requested_provider: self.requested_provider.as_deref(),
            used_model: used_model.unwrap_or(underlying),
            used_provider: &self.used_provider,
            underlying_used_model: underlying,
            routing: failed.chain([good]).collect(),
        }
    }

    /// What the tokens cost; none where no price is known, never 0 for unknown.
    #[must_use]
    pub fn costs(&self, usage: &TokenUsage) -> Option<Costs> {
        let cost = self.rates.as_ref()?.cost(usage);
        Some(Costs {
            cost_usd_total: cost.total(),
            cost_usd_input: cost.input,
            cost_usd_output: cost.output,
        })
    }
}

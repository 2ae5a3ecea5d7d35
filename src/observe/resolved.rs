//! What names resolve to: the counters of a request and of a route, made when first needed.

use std::sync::OnceLock;

use prometheus::{Counter, Histogram, IntCounter};

use super::{families::Families, metrics::RequestSample};
use crate::domain::{AttemptOutcome, Money, TokenUsage};

/// Units of [`Money`] in a dollar.
const NANODOLLARS: f64 = 1e9;

/// What a finished request adds to.
pub(super) struct RequestSeries {
    requests: IntCounter,
    duration: Histogram,
    first_byte: Histogram,
    tokens: [OnceLock<IntCounter>; 5],
    cost: OnceLock<Counter>,
}

/// What attempts on a route add to.
#[derive(Default)]
pub(super) struct RouteSeries {
    attempts: [OnceLock<IntCounter>; 9],
    pub failovers: OnceLock<IntCounter>,
    pub retries: OnceLock<IntCounter>,
}

impl RouteSeries {
    /// The counter of attempts that ended so.
    pub fn attempts(&self, outcome: AttemptOutcome) -> Option<&OnceLock<IntCounter>> {
        self.attempts.get(position(outcome))
    }
}

impl RequestSeries {
    pub fn new(families: &Families, names: [&str; 4], status: u16) -> Self {
        let [endpoint, alias, provider, upstream_model] = names;
        let place = [endpoint, provider, upstream_model];
        let status = status.to_string();
        let labels = [endpoint, alias, provider, upstream_model, status.as_str()];
        Self {
            requests: families.requests.with_label_values(&labels),
            duration: families.duration.with_label_values(&place),
            first_byte: families.first_byte.with_label_values(&place),
            tokens: Default::default(),
            cost: OnceLock::new(),
        }
    }

    pub fn add(&self, families: &Families, sample: &RequestSample<'_>) {
        self.requests.inc();
        self.duration.observe(sample.seconds);
        if let Some(seconds) = sample.ttfb_seconds {
            self.first_byte.observe(seconds);
        }
        let route = [sample.provider, sample.upstream_model];
        for ((kind, count), counter) in kinds(&sample.tokens).into_iter().zip(&self.tokens) {
            if count > 0 {
                let labels = [sample.provider, sample.upstream_model, kind];
                counter.get_or_init(|| families.tokens.with_label_values(&labels)).inc_by(count);
            }
        }
        if let Some(cost) = sample.cost_total.filter(|cost| cost.0 > 0) {
            let counter = self.cost.get_or_init(|| families.cost.with_label_values(&route));
            counter.inc_by(dollars(cost));
        }
    }
}

const fn kinds(tokens: &TokenUsage) -> [(&'static str, u64); 5] {
    [
        ("input", tokens.input),
        ("output", tokens.output),
        ("cache_read", tokens.cache_read),
        ("cache_write", tokens.cache_write),
        ("reasoning", tokens.reasoning),
    ]
}

const fn position(outcome: AttemptOutcome) -> usize {
    match outcome {
        AttemptOutcome::Ok => 0,
        AttemptOutcome::ClientError => 1,
        AttemptOutcome::RateLimited => 2,
        AttemptOutcome::AuthFailed => 3,
        AttemptOutcome::UpstreamError => 4,
        AttemptOutcome::NetworkError => 5,
        AttemptOutcome::TlsError => 6,
        AttemptOutcome::Timeout => 7,
        AttemptOutcome::ClientGone => 8,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure to look at; bills come from records")]
fn dollars(cost: Money) -> f64 {
    cost.0 as f64 / NANODOLLARS
}

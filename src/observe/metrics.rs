//! The figures of this process.
//!
//! Labels are names from the configuration or `other`, never a key, a user or what a client wrote.
//! Names that are no longer used (a provider that was renamed) stay until a restart; beyond
//! [`MOST_SERIES`] combinations new ones count as `other`, so memory is bounded whatever happens.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use prometheus::{IntCounter, IntGauge, Registry, TextEncoder};

use super::{
    families::Families,
    resolved::{RequestSeries, RouteSeries},
    series::Table,
};
use crate::domain::{AlertEvent, AttemptOutcome, DeliveryOutcome, Money, TokenUsage};

/// What a name that resolves to nothing is called.
const OTHER: &str = "other";

/// Most combinations of names of one kind.
const MOST_SERIES: usize = 4096;

/// Every figure, in a registry of its own.
pub struct Metrics {
    registry: Registry,
    families: Families,
    per_request: Table<4, RequestSeries>,
    per_route: Table<2, RouteSeries>,
    before_scrape: Mutex<Vec<Hook>>,
}

type Hook = Box<dyn Fn(&Metrics) + Send + Sync>;

/// What a finished request adds. Names are configured ones or `other`.
#[derive(Clone, Copy, Debug)]
pub struct RequestSample<'a> {
    /// [`crate::domain::Endpoint::as_str`], or `other` for a path that is none.
    pub endpoint: &'a str,
    /// The alias that the model resolved to.
    pub alias: &'a str,
    /// Name of the provider that answered, or was tried last.
    pub provider: &'a str,
    /// The model sent to it.
    pub upstream_model: &'a str,
    /// Status sent to the client; 499 when it left first.
    pub status: u16,
    /// Whole time.
    pub seconds: f64,
    /// Time to the first byte of the answer, where one was sent.
    pub ttfb_seconds: Option<f64>,
    /// Tokens used.
    pub tokens: TokenUsage,
    /// What it cost, where that is known.
    pub cost_total: Option<Money>,
}

impl Metrics {
    /// Registers every family.
    ///
    /// # Errors
    /// None in practice: the names are constants, and a test registers them.
    pub fn new() -> Result<Self, prometheus::Error> {
        Self::bounded(MOST_SERIES)
    }

    fn bounded(most: usize) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let families = Families::register(&registry)?;
        Ok(Self {
            registry,
            families,
            per_request: Table::new(most),
            per_route: Table::new(most),
            before_scrape: Mutex::default(),
        })
    }

    /// Counts a request as being served as long as the guard lives.
    pub fn in_flight(&self) -> InFlight {
        self.families.in_flight.inc();
        InFlight(self.families.in_flight.clone())
    }

    /// Counts a finished request: its status, times, tokens and cost.
    pub fn request(&self, sample: &RequestSample<'_>) {
        let names = [sample.endpoint, sample.alias, sample.provider, sample.upstream_model];
        let make = || RequestSeries::new(&self.families, names, sample.status);
        let add = |series: &RequestSeries| series.add(&self.families, sample);
        if self.per_request.with(names, sample.status, make, add).is_none() {
            let sample =
                RequestSample { alias: OTHER, provider: OTHER, upstream_model: OTHER, ..*sample };
            let names = [sample.endpoint, OTHER, OTHER, OTHER];
            RequestSeries::new(&self.families, names, sample.status).add(&self.families, &sample);
        }
    }

    /// Counts an attempt on a route.
    pub fn attempt(&self, provider: &str, upstream_model: &str, outcome: AttemptOutcome) {
        self.route([provider, upstream_model], |series, [provider, upstream_model]| {
            let make = || {
                let labels = [provider, upstream_model, outcome.as_str()];
                self.families.attempts.with_label_values(&labels)
            };
            if let Some(counter) = series.attempts(outcome) {
                counter.get_or_init(make).inc();
            }
        });
    }

    /// Shows whether routes, by provider and model, are healthy, and no others. Of those that share these
    /// names, being organizations' own, the worst is shown.
    pub fn upstream_states<'a>(&self, routes: impl Iterator<Item = ([&'a str; 2], bool)>) {
        let mut worst: BTreeMap<[&str; 2], bool> = BTreeMap::new();
        for (names, healthy) in routes {
            let known = self.per_route.with(names, 0, RouteSeries::default, |_| ()).is_some();
            let names = if known { names } else { [OTHER, OTHER] };
            *worst.entry(names).or_insert(true) &= healthy;
        }
        let family = &self.families.upstream_state;
        family.reset();
        for (names, healthy) in worst {
            family.with_label_values(&names).set(i64::from(healthy));
        }
    }

    /// Counts an attempt that failed and was followed by another route.
    pub fn failover(&self, provider: &str, upstream_model: &str) {
        self.route([provider, upstream_model], |series, labels| {
            let make = || self.families.failovers.with_label_values(&labels);
            series.failovers.get_or_init(make).inc();
        });
    }

    /// Counts a retry in place after a 429.
    pub fn retry(&self, provider: &str, upstream_model: &str) {
        self.route([provider, upstream_model], |series, labels| {
            series.retries.get_or_init(|| self.families.retries.with_label_values(&labels)).inc();
        });
    }

    fn route(&self, names: [&str; 2], then: impl Fn(&RouteSeries, [&str; 2])) {
        if self
            .per_route
            .with(names, 0, RouteSeries::default, |series| then(series, names))
            .is_none()
        {
            then(&RouteSeries::default(), [OTHER, OTHER]);
        }
    }

    /// Counts a request that was denied before any attempt.
    pub fn denied(&self, reason: &'static str) {
        self.families.denied.with_label_values(&[reason]).inc();
    }

    /// Counts a slot that was chosen for a request of a smart model.
    pub fn smart_choice(&self, reason: &'static str) {
        self.families.smart_choices.with_label_values(&[reason]).inc();
    }

    /// Counts an alert that was raised.
    pub fn alert(&self, event: AlertEvent) {
        self.families.alerts.with_label_values(&[event.as_str()]).inc();
    }

    /// Counts an attempt to deliver one.
    pub fn delivery(&self, outcome: DeliveryOutcome) {
        self.families.deliveries.with_label_values(&[outcome.as_str()]).inc();
    }

    /// Sets how many bytes of request bodies are in memory.
    pub fn buffered_bytes(&self, bytes: u64) {
        self.families.buffered_bytes.set(signed(bytes));
    }

    /// Sets how many usage records, and bytes of them, wait to be stored.
    pub fn ledger_backlog(&self, records: u64, bytes: u64) {
        self.families.ledger_backlog.set(signed(records));
        self.families.ledger_backlog_bytes.set(signed(bytes));
    }

    /// Sets whether something that the gateway depends on answers.
    pub fn dependency(&self, name: &'static str, up: bool) {
        self.families.dependency_up.with_label_values(&[name]).set(i64::from(up));
    }

    /// Sets how many replicas there are.
    pub fn replicas(&self, count: u32) {
        self.families.replicas.set(count.into());
    }

    /// Sets whether limits are counted in that way now.
    pub fn limiter_state(&self, name: &'static str, is_so: bool) {
        self.families.limiter_state.with_label_values(&[name]).set(i64::from(is_so));
    }

    /// Sets how many usage records were lost for a reason since this process began.
    pub fn ledger_lost(&self, reason: &'static str, total: u64) {
        raise(&self.families.ledger_lost.with_label_values(&[reason]), total);
    }

    /// Sets how many log lines were dropped since this process began.
    pub fn log_dropped(&self, total: u64) {
        raise(&self.families.log_dropped, total);
    }

    /// Sets how many spans no collector got since this process began.
    pub fn spans_lost(&self, total: u64) {
        raise(&self.families.spans_lost, total);
    }

    /// Has `read` called before every scrape, for figures that are kept elsewhere. It must not
    /// call back into [`Metrics::encode`].
    pub fn before_scrape(&self, read: impl Fn(&Self) + Send + Sync + 'static) {
        self.hooks().push(Box::new(read));
    }

    fn hooks(&self) -> MutexGuard<'_, Vec<Hook>> {
        self.before_scrape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything, in Prometheus' text format (version 0.0.4):
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/>.
    #[must_use]
    pub fn encode(&self) -> String {
        // Held to the end: of two scrapes at once neither sees what the other has but half written.
        let hooks = self.hooks();
        hooks.iter().for_each(|read| read(self));
        let mut text = String::new();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "some metrics cannot be shown");
        }
        text
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Brings a counter to a total that is kept elsewhere.
fn raise(counter: &IntCounter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

/// A request being served; dropping it takes it off the figure.
#[must_use]
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> RequestSample<'static> {
        RequestSample {
            endpoint: "chat_completions",
            alias: "fast",
            provider: "openai",
            upstream_model: "gpt-4o",
            status: 200,
            seconds: 0.7,
            ttfb_seconds: Some(0.03),
            tokens: TokenUsage { input: 10, output: 20, reasoning: 5, ..TokenUsage::default() },
            cost_total: Some(Money(2_500_000)),
        }
    }

    fn shows(metrics: &Metrics, lines: &[&str]) {
        let text = metrics.encode();
        for line in lines {
            assert!(text.lines().any(|found| found == *line), "no line {line} in\n{text}");
        }
    }

    #[test]
    fn a_request_adds_to_every_figure_it_has_a_value_for() {
        let metrics = Metrics::new().unwrap();
        metrics.request(&sample());
        metrics.request(&sample());
        metrics.request(&RequestSample { status: 502, ttfb_seconds: None, ..sample() });
        let place = r#"endpoint="chat_completions",provider="openai",upstream_model="gpt-4o""#;
        let route = r#"provider="openai",upstream_model="gpt-4o""#;
        shows(
            &metrics,
            &[
                r#"turnpike_requests_total{alias="fast",endpoint="chat_completions",provider="openai",status="200",upstream_model="gpt-4o"} 2"#,
                r#"turnpike_requests_total{alias="fast",endpoint="chat_completions",provider="openai",status="502",upstream_model="gpt-4o"} 1"#,
                &format!(r#"turnpike_request_duration_seconds_bucket{{{place},le="0.5"}} 0"#),
                &format!(r#"turnpike_request_duration_seconds_bucket{{{place},le="1"}} 3"#),
                &format!("turnpike_request_duration_seconds_count{{{place}}} 3"),
                &format!("turnpike_time_to_first_byte_seconds_count{{{place}}} 2"),
                r#"turnpike_tokens_total{kind="input",provider="openai",upstream_model="gpt-4o"} 30"#,
                r#"turnpike_tokens_total{kind="output",provider="openai",upstream_model="gpt-4o"} 60"#,
                r#"turnpike_tokens_total{kind="reasoning",provider="openai",upstream_model="gpt-4o"} 15"#,
                &format!("turnpike_cost_total{{{route}}} 0.0075"),
            ],
        );
        assert!(!metrics.encode().contains("cache_read"));
    }

    #[test]
    fn attempts_failovers_and_retries_are_kept_by_route() {
        let metrics = Metrics::new().unwrap();
        for _ in 0..2 {
            metrics.attempt("a", "m", AttemptOutcome::Timeout);
            metrics.failover("a", "m");
            metrics.retry("a", "m");
        }
        metrics.attempt("b", "m", AttemptOutcome::Ok);
        metrics.attempt("b", "m", AttemptOutcome::ClientGone);
        shows(
            &metrics,
            &[
                r#"turnpike_attempts_total{outcome="timeout",provider="a",upstream_model="m"} 2"#,
                r#"turnpike_attempts_total{outcome="ok",provider="b",upstream_model="m"} 1"#,
                r#"turnpike_failovers_total{provider="a",upstream_model="m"} 2"#,
                r#"turnpike_retries_total{provider="a",upstream_model="m"} 2"#,
            ],
        );
    }

    #[test]
    fn of_routes_with_the_same_names_the_worst_is_shown() {
        let metrics = Metrics::new().unwrap();
        let (a, b) = (["a", "m"], ["b", "m"]);
        metrics.upstream_states([(a, true), (a, false), (b, true), (a, true)].into_iter());
        shows(
            &metrics,
            &[
                r#"turnpike_upstream_state{provider="a",upstream_model="m"} 0"#,
                r#"turnpike_upstream_state{provider="b",upstream_model="m"} 1"#,
            ],
        );
        metrics.upstream_states([(a, true)].into_iter());
        shows(&metrics, &[r#"turnpike_upstream_state{provider="a",upstream_model="m"} 1"#]);
        assert!(!metrics.encode().contains(r#"upstream_state{provider="b""#), "it is gone");
    }

    #[test]
    fn every_outcome_has_a_counter_of_its_own() {
        let outcomes = [
            AttemptOutcome::Ok,
            AttemptOutcome::ClientError,
            AttemptOutcome::RateLimited,
            AttemptOutcome::AuthFailed,
            AttemptOutcome::UpstreamError,
            AttemptOutcome::NetworkError,
            AttemptOutcome::TlsError,
            AttemptOutcome::Timeout,
            AttemptOutcome::ClientGone,
        ];
        let metrics = Metrics::new().unwrap();
        for outcome in outcomes {
            metrics.attempt("a", "m", outcome);
        }
        for outcome in outcomes {
            let outcome = outcome.as_str();
            let line = format!(
                r#"turnpike_attempts_total{{outcome="{outcome}",provider="a",upstream_model="m"}} 1"#
            );
            shows(&metrics, &[&line]);
        }
    }

    #[test]
    fn a_guard_counts_a_request_while_it_lives() {
        let metrics = Metrics::new().unwrap();
        let (first, second) = (metrics.in_flight(), metrics.in_flight());
        shows(&metrics, &["turnpike_in_flight 2"]);
        drop((first, second));
        shows(&metrics, &["turnpike_in_flight 0"]);
    }

    #[test]
    fn figures_kept_elsewhere_are_read_at_every_scrape() {
        let metrics = Metrics::new().unwrap();
        let lost = std::sync::atomic::AtomicU64::new(7);
        metrics.before_scrape(move |metrics| {
            metrics.ledger_backlog(3, 900);
            let total = lost.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            metrics.ledger_lost("dropped", total);
            metrics.log_dropped(total);
            metrics.buffered_bytes(64);
            metrics.dependency("store", total == 7);
        });
        shows(&metrics, &["turnpike_ledger_lost_total{reason=\"dropped\"} 7"]);
        metrics.dependency("store", true);
        shows(
            &metrics,
            &[
                "turnpike_ledger_lost_total{reason=\"dropped\"} 8",
                "turnpike_log_lines_dropped_total 8",
                "turnpike_ledger_backlog 3",
                "turnpike_ledger_backlog_bytes 900",
                "turnpike_buffered_bytes 64",
                "turnpike_dependency_up{dependency=\"store\"} 0",
            ],
        );
    }

    #[test]
    fn names_without_bound_become_other() {
        let metrics = Metrics::bounded(100).unwrap();
        for n in 0..150 {
            let alias = format!("alias-{n}");
            metrics.request(&RequestSample { alias: &alias, provider: &alias, ..sample() });
            metrics.retry(&alias, "m");
        }
        let text = metrics.encode();
        let series = text.lines().filter(|line| line.starts_with("turnpike_requests_total{"));
        assert_eq!(series.count(), 101);
        shows(
            &metrics,
            &[
                r#"turnpike_requests_total{alias="other",endpoint="chat_completions",provider="other",status="200",upstream_model="other"} 50"#,
                r#"turnpike_retries_total{provider="other",upstream_model="other"} 50"#,
            ],
        );
    }

    #[test]
    fn the_build_is_named() {
        let version = env!("CARGO_PKG_VERSION");
        let line = format!("turnpike_build_info{{version=\"{version}\"}} 1");
        shows(&Metrics::new().unwrap(), &[&line]);
    }
}

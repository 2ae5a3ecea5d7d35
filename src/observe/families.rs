//! The metric families: names, labels and buckets (contract.md 3).

use prometheus::{
    CounterVec, Error, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, core::Collector,
};

use crate::domain::{AlertEvent, DeliveryOutcome};

/// Before every name.
const PREFIX: &str = "turnpike";

/// Seconds: from an answer out of a vendor's cache to a long reasoning run.
const SECONDS: [f64; 18] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 240.0,
    360.0, 600.0,
];

const ROUTE: [&str; 2] = ["provider", "upstream_model"];

/// Every family, registered.
pub(super) struct Families {
    pub requests: IntCounterVec,
    pub duration: HistogramVec,
    pub first_byte: HistogramVec,
    pub tokens: IntCounterVec,
    pub cost: CounterVec,
    pub attempts: IntCounterVec,
    pub failovers: IntCounterVec,
    pub retries: IntCounterVec,
    pub upstream_state: IntGaugeVec,
    pub denied: IntCounterVec,
    pub smart_choices: IntCounterVec,
    pub alerts: IntCounterVec,
    pub deliveries: IntCounterVec,
    pub in_flight: IntGauge,
    pub buffered_bytes: IntGauge,
    pub ledger_backlog: IntGauge,
    pub ledger_backlog_bytes: IntGauge,
    pub ledger_lost: IntCounterVec,
    pub log_dropped: IntCounter,
    pub spans_lost: IntCounter,
    pub dependency_up: IntGaugeVec,
    pub limiter_state: IntGaugeVec,
    pub replicas: IntGauge,
}

impl Families {
    /// Registers every family; an error is a mistake in this file.
    pub fn register(to: &Registry) -> Result<Self, Error> {
        build_info(to)?;
        Ok(Self {
            requests: counters(
                to,
                "requests_total",
                "Requests, by the status sent to the client",
                &["endpoint", "alias", "provider", "upstream_model", "status"],
            )?,
            duration: histograms(
                to,
                "request_duration_seconds",
                "Time from a request's arrival to the last byte of its answer",
            )?,
            first_byte: histograms(
                to,
                "time_to_first_byte_seconds",
                "Time from a request's arrival to the first byte of its answer",
            )?,
            tokens: counters(
                to,
                "tokens_total",
                "Tokens, each counted once; reasoning is part of output",
                &["provider", "upstream_model", "kind"],
            )?,
            cost: add(to, CounterVec::new(opts("cost_total", "Cost in US dollars"), &ROUTE)?)?,
            attempts: counters(
                to,
                "attempts_total",
                "Attempts on routes, by how they ended",
                &["provider", "upstream_model", "outcome"],
            )?,
            failovers: counters(
                to,
                "failovers_total",
                "Attempts that failed and were followed by another route",
                &ROUTE,
            )?,
            retries: counters(to, "retries_total", "Retries in place after a 429", &ROUTE)?,
            upstream_state: add(
                to,
                IntGaugeVec::new(
                    opts(
                        "upstream_state",
                        "1 while every route of these names is used as usual, 0 while one is ejected or probed",
                    ),
                    &ROUTE,
                )?,
            )?,
            denied: counters(
                to,
                "denied_total",
                "Requests denied before any attempt",
                &["reason"],
            )?,
            smart_choices: counters(
                to,
                "smart_model_choices_total",
                "Slots of smart models that were chosen, by what spoke for them",
                &["reason"],
            )?,
            alerts: alerts(to)?,
            deliveries: deliveries(to)?,
            limiter_state: limiter_state(to)?,
            in_flight: gauge(to, "in_flight", "Requests being served")?,
            buffered_bytes: gauge(to, "buffered_bytes", "Bytes of request bodies held in memory")?,
            ledger_backlog: gauge(to, "ledger_backlog", "Usage records waiting to be stored")?,
            ledger_backlog_bytes: gauge(to, "ledger_backlog_bytes", "Their size in bytes")?,
            ledger_lost: counters(
                to,
                "ledger_lost_total",
                "Usage records that will not be stored",
                &["reason"],
            )?,
            log_dropped: counter(
                to,
                "log_lines_dropped_total",
                "Log lines dropped because stderr was not read fast enough",
            )?,
            spans_lost: counter(
                to,
                "spans_lost_total",
                "Spans that the collector of traces did not get",
            )?,
            replicas: gauge(to, "replicas", "Replicas that share Redis, this one counted")?,
            dependency_up: add(
                to,
                IntGaugeVec::new(
                    opts("dependency_up", "1 while what the gateway depends on answers, else 0"),
                    &["dependency"],
                )?,
            )?,
        })
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace(PREFIX)
}

fn add<C: Collector + Clone + 'static>(to: &Registry, family: C) -> Result<C, Error> {
    to.register(Box::new(family.clone()))?;
    Ok(family)
}

fn counters(
    to: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, Error> {
    add(to, IntCounterVec::new(opts(name, help), labels)?)
}

/// Counters of one label whose values are known: there from the start, so that the first of a kind is seen as an
/// increase.
fn from_zero(family: IntCounterVec, labels: impl Iterator<Item = &'static str>) -> IntCounterVec {
    labels.for_each(|label| drop(family.with_label_values(&[label])));
    family
}

fn counter(to: &Registry, name: &str, help: &str) -> Result<IntCounter, Error> {
    add(to, IntCounter::with_opts(opts(name, help))?)
}

fn gauge(to: &Registry, name: &str, help: &str) -> Result<IntGauge, Error> {
    add(to, IntGauge::with_opts(opts(name, help))?)
}

fn histograms(to: &Registry, name: &str, help: &str) -> Result<HistogramVec, Error> {
    let opts = HistogramOpts::from(opts(name, help)).buckets(SECONDS.to_vec());
    add(to, HistogramVec::new(opts, &["endpoint", "provider", "upstream_model"])?)
}

fn alerts(to: &Registry) -> Result<IntCounterVec, Error> {
    let help = "Alerts that were raised, by what they tell of";
    let family = counters(to, "alerts_total", help, &["kind"])?;
    Ok(from_zero(family, AlertEvent::ALL.iter().map(|kind| kind.as_str())))
}

fn deliveries(to: &Registry) -> Result<IntCounterVec, Error> {
    let help = "Attempts to deliver alerts to webhooks, by how they ended";
    let family = counters(to, "alert_deliveries_total", help, &["outcome"])?;
    Ok(from_zero(family, DeliveryOutcome::ALL.iter().map(|outcome| outcome.as_str())))
}

fn limiter_state(to: &Registry) -> Result<IntGaugeVec, Error> {
    let help =
        "1 for where limits are counted: in_process, shared, or degraded while Redis is away";
    add(to, IntGaugeVec::new(opts("limiter_state", help), &["state"])?)
}

fn build_info(to: &Registry) -> Result<(), Error> {
    let info = opts("build_info", "1, with the version as label")
        .const_label("version", env!("CARGO_PKG_VERSION"));
    add(to, IntGauge::with_opts(info)?)?.set(1);
    Ok(())
}

//! The targets that the gateway is built to, and whether a run meets them.

use serde::{Deserialize, Serialize};

use crate::results::{Readings, Results};
use crate::samples::median;

/// One target and its figure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// What is compared.
    pub what: String,
    /// The figure: the median over rounds, or a single reading for memory.
    pub figure: f64,
    /// What it may be at most.
    pub at_most: f64,
    /// Unit of both.
    pub unit: String,
}

impl Verdict {
    /// Whether the figure is within its bound.
    pub fn met(&self) -> bool {
        self.figure <= self.at_most
    }
}

/// All targets that a run has figures for, in the order in which they are told.
pub fn all(results: &Results) -> Vec<Verdict> {
    let mut verdicts = speed(results);
    verdicts.extend(streams(results));
    verdicts.extend(memory(results));
    verdicts.retain(|verdict| verdict.figure.is_finite());
    verdicts
}

fn speed(results: &Results) -> Vec<Verdict> {
    let small = |readings: &Readings| readings.small.cpu_micros_per_request;
    let large = |readings: &Readings| readings.large.cpu_micros_per_request;
    let single = |readings: &Readings| f64::from(readings.single.load.latency.p50);
    let over = |left: f64, right: f64| left / right;
    let bare = ("turnpike", "bare");
    vec![
        verdict(
            "CPU, 1 KB on 32 connections, to bare Pingora",
            &results.paired(bare, small, over),
            1.25,
            "x",
        ),
        verdict(
            "CPU, 1 KB on 32 connections, to nginx (aim)",
            &results.paired(("turnpike", "nginx"), small, over),
            2.4,
            "x",
        ),
        verdict(
            "one connection, added to bare Pingora's median",
            &results.paired(bare, single, |left, right| left - right),
            40.0,
            "µs",
        ),
        verdict(
            "CPU, 120 KB on 8 connections, to bare Pingora",
            &results.paired(bare, large, over),
            1.25,
            "x",
        ),
        verdict(
            "20 MB through three failed routes, to four passes",
            &results.each_round("turnpike", failover),
            1.2,
            "x",
        ),
    ]
}

fn streams(results: &Results) -> Vec<Verdict> {
    let nginx = ("turnpike", "nginx");
    let later = |left: f64, right: f64| left - right;
    let first = results.paired(nginx, |readings| f64::from(readings.streams.first_byte.p50), later);
    let event =
        results.paired(nginx, |readings| f64::from(readings.streams.event_delay.p50), later);
    vec![
        verdict("streams: first byte later than through nginx", &first, 200.0, "µs"),
        verdict("streams: each event later than through nginx", &event, 50.0, "µs"),
    ]
}

fn memory(results: &Results) -> Vec<Verdict> {
    let Some(memory) = results.memory.get("turnpike") else { return Vec::new() };
    vec![
        verdict("memory, idle", &[memory.idle.mib()], 45.0, "MiB"),
        verdict(
            "memory of an idle stream (aim)",
            &[memory.idle_streams.kib_per_stream],
            40.0,
            "KiB",
        ),
    ]
}

fn failover(readings: &Readings) -> f64 {
    readings.failover_ms.unwrap_or(f64::NAN) / (4.0 * readings.pass_ms)
}

fn verdict(what: &str, figures: &[f64], at_most: f64, unit: &str) -> Verdict {
    Verdict { what: what.to_owned(), figure: median(figures), at_most, unit: unit.to_owned() }
}

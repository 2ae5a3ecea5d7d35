//! What a run leaves behind: every round's readings, and what they say about the targets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::idle::Idle;
use crate::load::Load;
use crate::process::Memory;
use crate::streams::StreamLoad;
use crate::verdict::Verdict;

/// Readings by the target's name.
pub type ByTarget<T> = BTreeMap<String, T>;

/// A load and what it cost the target.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Costed {
    /// User and system time of the whole process for each request.
    pub cpu_micros_per_request: f64,
    /// What the load generator saw.
    pub load: Load,
}

/// One target in one round.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Readings {
    /// 1 KB calls on 32 connections.
    pub small: Costed,
    /// 1 KB calls on one connection.
    pub single: Costed,
    /// 120 KB calls on 8 connections.
    pub large: Costed,
    /// Streams, one at a time.
    pub streams: StreamLoad,
    /// 20 MB to a vendor that answers, milliseconds.
    pub pass_ms: f64,
    /// 20 MB through three vendors that fail, milliseconds; only the gateway has it.
    pub failover_ms: Option<f64>,
}

/// A target's memory over the run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MemoryReadings {
    /// Started and provisioned, nothing served.
    pub idle: Memory,
    /// After all rounds.
    pub loaded: Memory,
    /// Idle streams, in a fresh process.
    pub idle_streams: Idle,
}

/// A whole run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// Machine, versions, commit.
    pub environment: Environment,
    /// How each process was started.
    pub commands: Vec<String>,
    /// Interleaved rounds.
    pub rounds: Vec<ByTarget<Readings>>,
    /// Memory.
    pub memory: ByTarget<MemoryReadings>,
    /// The targets and what became of them.
    pub verdicts: Vec<Verdict>,
}

impl Results {
    /// One figure of one target, round by round; rounds without the target are left out.
    pub fn each_round(&self, target: &str, figure: impl Fn(&Readings) -> f64) -> Vec<f64> {
        self.rounds.iter().filter_map(|round| round.get(target)).map(figure).collect()
    }

    /// Two targets' figure put together round by round, so that a slow minute of the machine
    /// falls on both.
    pub fn paired(
        &self,
        (left, right): (&str, &str),
        figure: impl Fn(&Readings) -> f64,
        combine: impl Fn(f64, f64) -> f64,
    ) -> Vec<f64> {
        let pairs =
            self.rounds.iter().filter_map(|round| Some((round.get(left)?, round.get(right)?)));
        pairs.map(|(left, right)| combine(figure(left), figure(right))).collect()
    }
}

//! One measurement of one target: the load in a process of its own, the target's CPU around it,
//! and the mock's counters to prove that what was counted is what happened.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde::de::DeserializeOwned;

use crate::fault::Outcome;
use crate::http1;
use crate::load::Load;
use crate::mock_counters::Counters;
use crate::prompt::Prompt;
use crate::results::Costed;
use crate::streams::StreamLoad;
use crate::targets::{Target, Way};

/// The parts that every measurement needs.
pub struct Meter<'a> {
    /// This program, which is also the load generator.
    pub bench: &'a Path,
    /// The mock vendor.
    pub mock: SocketAddr,
}

impl Meter<'_> {
    /// Closed-loop load of plain requests for `seconds`, and the target's CPU for each.
    pub async fn load(
        &self,
        target: &Target,
        body_bytes: usize,
        connections: usize,
        seconds: f64,
    ) -> Outcome<Costed> {
        let prompt = target.prompt(Way::Good, body_bytes, false);
        let extra = ["--connections", &connections.to_string(), "--seconds", &seconds.to_string()];
        let counted = self.counters().await?;
        let before = target.process.cpu_micros()?;
        let load: Load = self.part("load", &prompt, &extra)?;
        target.settle().await?;
        let cpu = target.process.cpu_micros()? - before;
        let seen = self.counters().await?.since(&counted);
        check(target, load.bad, load.first_fault.as_deref(), &seen)?;
        if seen.plain != load.good {
            return Err(format!(
                "{}: {} answers, {} asked of the vendor",
                target.name, load.good, seen.plain
            )
            .into());
        }
        let cpu_micros_per_request = cpu as f64 / load.good as f64;
        Ok(Costed { cpu_micros_per_request, load })
    }

    /// `count` streams, one after the other.
    pub async fn streams(&self, target: &Target, count: usize) -> Outcome<StreamLoad> {
        let prompt = target.prompt(Way::Good, 966, true);
        let counted = self.counters().await?;
        let streams: StreamLoad =
            self.part("stream-load", &prompt, &["--count", &count.to_string()])?;
        let seen = self.counters().await?.since(&counted);
        check(target, streams.bad, streams.first_fault.as_deref(), &seen)?;
        if seen.streams_finished != streams.good {
            return Err(format!(
                "{}: {} streams of {}",
                target.name, streams.good, seen.streams_finished
            )
            .into());
        }
        Ok(streams)
    }

    /// The median time of `count` large bodies, one after the other, in milliseconds.
    pub async fn pass(
        &self,
        target: &Target,
        way: Way,
        body_bytes: usize,
        count: u64,
    ) -> Outcome<f64> {
        let prompt = target.prompt(way, body_bytes, false);
        let extra = ["--connections", "1", "--seconds", "60", "--requests", &count.to_string()];
        let counted = self.counters().await?;
        let load: Load = self.part("load", &prompt, &extra)?;
        let seen = self.counters().await?.since(&counted);
        check(target, load.bad, load.first_fault.as_deref(), &seen)?;
        let failed = if way == Way::Failover { 3 * count } else { 0 };
        if (seen.plain, seen.failed) != (count, failed) {
            return Err(
                format!("{}: {count} bodies met {} failures", target.name, seen.failed).into()
            );
        }
        Ok(f64::from(load.latency.p50) / 1000.0)
    }

    /// Runs another part of this program and reads the JSON that it prints.
    pub fn part<T: DeserializeOwned>(
        &self,
        name: &str,
        prompt: &Prompt,
        extra: &[&str],
    ) -> Outcome<T> {
        let mut command = Command::new(self.bench);
        command.arg(name).args(["--target", &prompt.addr.to_string(), "--path", &prompt.path]);
        command.args(["--bearer", &prompt.bearer, "--model", &prompt.model]);
        command.args(["--body-bytes", &prompt.body_bytes.to_string()]).args(extra);
        let out = command.output()?;
        if !out.status.success() {
            return Err(format!("{name}: {}", String::from_utf8_lossy(&out.stderr)).into());
        }
        Ok(serde_json::from_slice(&out.stdout)?)
    }

    async fn counters(&self) -> Outcome<Counters> {
        let (_, body) = http1::call(self.mock, "GET", "/counters", "", None).await?;
        Ok(serde_json::from_slice(&body)?)
    }
}

/// One wrong answer makes every figure worthless; so does a caller's key that went upstream.
fn check(target: &Target, bad: u64, fault: Option<&str>, seen: &Counters) -> Outcome<()> {
    if bad > 0 || seen.unreadable > 0 {
        let fault = fault.unwrap_or("a request that the mock cannot read");
        return Err(
            format!("{}: {bad} requests failed, the first with: {fault}", target.name).into()
        );
    }
    if seen.caller_keys + seen.aliases > 0 {
        return Err(
            format!("{}: a caller's key or alias went upstream: {seen:?}", target.name).into()
        );
    }
    Ok(())
}

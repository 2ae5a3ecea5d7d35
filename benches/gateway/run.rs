//! The bench: all targets, in interleaved rounds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::environment::Environment;
use crate::fault::Outcome;
use crate::idle::Idle;
use crate::measure::Meter;
use crate::report::{complain, keep, print, say};
use crate::results::{ByTarget, MemoryReadings, Readings, Results};
use crate::targets::{Target, Way};
use crate::turnpike::{Admin, metric};
use crate::verdict;

/// Body sizes in bytes.
const SMALL: usize = 966;
const LARGE: usize = 120 * 1024;
const HUGE: usize = 20 * 1024 * 1024;
/// Seconds of small requests that are not counted, before those that are: between its turns a target
/// idles for half a minute, in which others have filled the caches and the kernel may have reclaimed
/// its pages. What it costs to wake is not what a request costs.
const WARM_UP: f64 = 1.0;
/// Streams of one target in one round.
const STREAMS: usize = 8;
/// 20 MB bodies of one target in one round.
const PASSES: u64 = 4;

/// What the user may choose.
#[derive(Debug)]
pub struct Plan {
    /// Rounds to take the median of.
    pub rounds: usize,
    /// Seconds of the longest load of a round.
    pub seconds: f64,
    /// Idle streams to open.
    pub idle_streams: usize,
    /// The gateway; without it only the yardsticks are measured.
    pub turnpike: Option<PathBuf>,
    /// Where results are kept; nowhere if not given.
    pub results: Option<PathBuf>,
}

/// Runs the plan, prints it and keeps it.
pub async fn run(plan: Plan) -> Outcome<()> {
    if cfg!(debug_assertions) && plan.results.is_some() {
        return Err(
            "bare Pingora is part of this program: build it with --release to keep results".into(),
        );
    }
    let environment = Environment::now(plan.turnpike.as_deref());
    if environment.busy() > 0.3 {
        complain(&format!("the machine is not idle (load average {})", environment.load_average));
    }
    let bench = std::env::current_exe()?;
    let dir = tempfile::tempdir()?;
    let mut targets = start(&plan, &bench, dir.path()).await?;
    let commands = targets.iter().map(|target| target.command().to_owned()).collect();
    let mock = targets.first().map(|direct| direct.addr).ok_or("no mock")?;
    let meter = Meter { bench: &bench, mock };

    let mut memory = ByTarget::<MemoryReadings>::new();
    tokio::time::sleep(Duration::from_secs(2)).await;
    for target in &targets {
        memory.entry(target.name.to_owned()).or_default().idle = target.process.memory()?;
    }
    for target in &targets {
        target.prove().await?;
        meter.load(target, SMALL, 32, WARM_UP).await?;
    }
    let mut rounds = Vec::new();
    for number in 1..=plan.rounds {
        complain(&format!("round {number} of {}", plan.rounds));
        rounds.push(round(&meter, &targets, plan.seconds).await?);
        targets.rotate_left(1);
    }
    for target in &targets {
        memory.entry(target.name.to_owned()).or_default().loaded = target.process.memory()?;
        check_books(target, &meter).await?;
    }
    measure_idle_streams(&plan, &meter, targets, dir.path(), &mut memory).await?;

    let mut results = Results { environment, commands, rounds, memory, verdicts: Vec::new() };
    results.verdicts = verdict::all(&results);
    print(&results);
    if let Some(folder) = plan.results {
        say(&format!("\nkept in {}", keep(&results, &folder)?.display()));
    }
    Ok(())
}

/// Starts all targets, the mock first.
async fn start(plan: &Plan, bench: &Path, dir: &Path) -> Outcome<Vec<Target>> {
    let direct = Target::direct(bench, dir)?;
    let mock = direct.addr;
    let mut targets = vec![direct, Target::nginx(dir, mock)?, Target::bare(bench, dir, mock)?];
    if let Some(binary) = &plan.turnpike {
        targets.push(Target::turnpike(binary.clone(), dir, mock).await?);
    }
    Ok(targets)
}

/// Every measurement goes over all targets before the next begins: the closer two figures are in
/// time, the less the machine's mood parts them.
async fn round(meter: &Meter<'_>, targets: &[Target], seconds: f64) -> Outcome<ByTarget<Readings>> {
    let mut readings: ByTarget<Readings> =
        targets.iter().map(|target| (target.name.to_owned(), Readings::default())).collect();
    let mut of = |target: &Target, set: &mut dyn FnMut(&mut Readings)| {
        if let Some(readings) = readings.get_mut(target.name) {
            set(readings);
        }
    };
    for target in targets {
        meter.load(target, SMALL, 32, WARM_UP).await?;
        let small = meter.load(target, SMALL, 32, seconds).await?;
        of(target, &mut |readings| readings.small = small.clone());
    }
    for target in targets {
        let single = meter.load(target, SMALL, 1, seconds / 2.0).await?;
        of(target, &mut |readings| readings.single = single.clone());
    }
    for target in targets {
        let large = meter.load(target, LARGE, 8, seconds / 2.0).await?;
        of(target, &mut |readings| readings.large = large.clone());
    }
    for target in targets {
        let streams = meter.streams(target, STREAMS).await?;
        of(target, &mut |readings| readings.streams = streams.clone());
    }
    for target in targets {
        let pass = meter.pass(target, Way::Good, HUGE, PASSES).await?;
        of(target, &mut |readings| readings.pass_ms = pass);
        if target.gateway().is_some() {
            let failover = meter.pass(target, Way::Failover, HUGE, PASSES).await?;
            of(target, &mut |readings| readings.failover_ms = Some(failover));
        }
    }
    Ok(readings)
}

/// Nothing may have been switched off: metrics, ledger and log must all have seen the load.
async fn check_books(target: &Target, meter: &Meter<'_>) -> Outcome<()> {
    let Some(home) = target.gateway() else { return Ok(()) };
    let before = metric(home.metrics, "turnpike_requests_total").await?;
    meter.streams(target, 1).await?;
    target.settle().await?;
    let after = metric(home.metrics, "turnpike_requests_total").await?;
    if before < 1000.0 || (after - before - 1.0).abs() > 0.5 {
        return Err(format!("one request took the metrics from {before} to {after}").into());
    }
    let record = Admin::of(home)?.newest_usage().await?;
    if record.get("input_tokens").and_then(serde_json::Value::as_u64) != Some(212) {
        return Err(format!("the newest usage record is not the last request's: {record}").into());
    }
    if std::fs::metadata(home.log())?.len() < 100_000 {
        return Err("the log did not see the load".into());
    }
    Ok(())
}

/// In fresh processes: what earlier load has left free would hide what streams need.
async fn measure_idle_streams(
    plan: &Plan,
    meter: &Meter<'_>,
    targets: Vec<Target>,
    dir: &Path,
    memory: &mut BTreeMap<String, MemoryReadings>,
) -> Outcome<()> {
    // The mock is kept until all others are through: it is their vendor.
    let (mocks, proxies): (Vec<_>, Vec<_>) =
        targets.into_iter().partition(|target| target.name == "direct");
    for target in proxies {
        complain(&format!("{} idle streams through {}", plan.idle_streams, target.name));
        let target = target.restart(meter.bench, dir).await?;
        target.prove().await?;
        let prompt = target.prompt(Way::Idle, SMALL, true);
        let extra = ["--count", &plan.idle_streams.to_string(), "--pid", &target.pid().to_string()];
        let idle: Idle = meter.part("idle-streams", &prompt, &extra)?;
        target.nothing_in_flight().await?;
        memory.entry(target.name.to_owned()).or_default().idle_streams = idle;
    }
    drop(mocks);
    Ok(())
}

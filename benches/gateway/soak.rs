//! The soak: does memory come back after minutes of mixed load?

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::LocalSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::environment::Environment;
use crate::fault::Outcome;
use crate::mix;
use crate::process::Memory;
use crate::report::say;
use crate::samples::median;
use crate::targets::{Target, Way};
use crate::turnpike::metric;

/// Time between two readings of memory.
const SAMPLE_GAP: Duration = Duration::from_secs(10);
/// What the end may stand above or below the end of the first minute.
const TOLERANCE: f64 = 0.20;
/// Time after the load before the last reading.
const SETTLE: Duration = Duration::from_secs(10);

/// One reading, `at` so many seconds after the start.
struct Reading {
    at: u64,
    memory: Memory,
}

/// Puts mixed load on a fresh gateway for `time` and judges its memory.
pub async fn run(turnpike: PathBuf, time: Duration) -> Outcome<()> {
    if time < Duration::from_secs(120) {
        return Err(
            "a soak compares its end with its first minute: give it 2 minutes or more".into()
        );
    }
    let environment = Environment::now(Some(&turnpike));
    say(&format!(
        "{} | {} | {} | {}",
        environment.date, environment.commit, environment.kernel, environment.cpu
    ));
    let bench = std::env::current_exe()?;
    let dir = tempfile::tempdir()?;
    let direct = Target::direct(&bench, dir.path())?;
    let target = Target::turnpike(turnpike, dir.path(), direct.addr).await?;
    target.prove().await?;
    let readings = LocalSet::new().run_until(under_load(&target, time)).await?;
    sleep(SETTLE).await;
    target.settle().await?;
    judge(&readings, target.process.memory()?)
}

async fn under_load(target: &Target, time: Duration) -> Outcome<Vec<Reading>> {
    let start = Instant::now();
    let (tally, clients) = mix::start(&target.prompt(Way::Good, 966, false), start + time);
    let mut readings = Vec::new();
    let mut ticks = interval(SAMPLE_GAP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    while start.elapsed() < time {
        ticks.tick().await;
        let reading = Reading { at: start.elapsed().as_secs(), memory: target.process.memory()? };
        let seen = tally.borrow().clone();
        say(&tell(target, &reading, &seen).await?);
        readings.push(reading);
    }
    for client in clients {
        client.await?;
    }
    let seen = tally.borrow().clone();
    match seen.first_fault {
        None => Ok(readings),
        Some(fault) => Err(format!(
            "{} of {} requests ended wrongly, the first: {fault}",
            seen.bad,
            seen.good + seen.bad
        )
        .into()),
    }
}

async fn tell(target: &Target, reading: &Reading, seen: &mix::Tally) -> Outcome<String> {
    let (in_flight, backlog) = match target.gateway() {
        Some(home) => (
            metric(home.metrics, "turnpike_in_flight").await?,
            metric(home.metrics, "turnpike_ledger_backlog").await?,
        ),
        None => (0.0, 0.0),
    };
    Ok(format!(
        "{:>4} s  memory {:>6.1} MiB (allocated {:.1}, files {:.1})  requests {} ({} wrong)  in flight {in_flight}  ledger backlog {backlog}",
        reading.at,
        reading.memory.mib(),
        reading.memory.anon as f64 / 1024.0,
        reading.memory.file as f64 / 1024.0,
        seen.good + seen.bad,
        seen.bad
    ))
}

/// The first minute's end (50 to 70 s) against the last half minute under the same load.
fn judge(readings: &[Reading], settled: Memory) -> Outcome<()> {
    let within = |from: u64, to: u64| {
        let inside = readings.iter().filter(|reading| (from..=to).contains(&reading.at));
        median(&inside.map(|reading| reading.memory.mib()).collect::<Vec<_>>())
    };
    let last = readings.last().map_or(0, |reading| reading.at);
    let (first, end) = (within(45, 75), within(last.saturating_sub(25), last));
    let change = end / first - 1.0;
    say(&format!(
        "after the first minute {first:.1} MiB, at the end {end:.1} MiB ({:+.1} %), {:.1} MiB {} s after the load",
        change * 100.0,
        settled.mib(),
        SETTLE.as_secs()
    ));
    if change.abs() <= TOLERANCE {
        say("memory is within 20 % of where it stood after the first minute");
        Ok(())
    } else {
        Err("memory is not within 20 % of where it stood after the first minute".into())
    }
}

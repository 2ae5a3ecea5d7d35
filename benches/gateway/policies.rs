//! What governing costs: the gateway without a policy, with five limits, three budgets and two access
//! lists, and the same with its counters in Redis; beside bare Pingora, before the same vendor. And what callers
//! notice when that Redis goes away.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::away::{self, Away};
use crate::environment::Environment;
use crate::fault::Outcome;
use crate::measure::Meter;
use crate::redis::Redis;
use crate::report::{complain, say};
use crate::samples::median;
use crate::targets::Target;
use crate::turnpike::{Admin, metric};

/// What is promised: CPU of a governed request, to bare Pingora.
const GOVERNED: f64 = 1.35;
/// Throughput with Redis, to that without.
const SHARED: f64 = 0.6;
/// What Redis adds to the median of a request on one connection, microseconds.
const ADDED: f64 = 400.0;

/// What the user may choose.
pub struct Plan {
    /// The gateway's binary.
    pub turnpike: PathBuf,
    /// Interleaved rounds of load.
    pub rounds: usize,
    /// File to keep the table in.
    pub results: Option<PathBuf>,
}

/// One target's figures, a round each.
#[derive(Default)]
struct Figures {
    cpu: Vec<f64>,
    rps: Vec<f64>,
    single: Vec<f64>,
}

/// Runs the plan, prints and keeps the figures, and judges them.
pub async fn run(plan: Plan) -> Outcome<()> {
    let environment = Environment::now(Some(&plan.turnpike));
    let bench = std::env::current_exe()?;
    let dir = tempfile::tempdir()?;
    let direct = Target::direct(&bench, dir.path())?;
    let mock = direct.addr;
    let mut redis = Redis::start(dir.path())?;
    let bare = Target::bare(&bench, dir.path(), mock)?;
    let plain = Target::turnpike(plan.turnpike.clone(), &dir.path().join("plain"), mock).await?;
    let own_dir = dir.path().join("governed");
    let governed = governed_with(&plan.turnpike, &own_dir, mock, None).await?;
    let shared_dir = dir.path().join("shared");
    let shared = governed_with(&plan.turnpike, &shared_dir, mock, Some(redis.addr)).await?;
    let targets = [bare, plain, governed, shared];

    let meter = Meter { bench: &bench, mock };
    let mut figures: [Figures; 4] = std::array::from_fn(|_| Figures::default());
    for target in &targets {
        target.prove().await?;
        meter.load(target, 966, 32, 1.0).await?;
    }
    for number in 0..plan.rounds {
        complain(&format!("round {} of {}", number + 1, plan.rounds));
        for place in 0..targets.len() {
            let place = (place + number) % targets.len();
            let full = meter.load(&targets[place], 966, 32, 3.0).await?;
            let single = meter.load(&targets[place], 966, 1, 1.0).await?;
            figures[place].cpu.push(full.cpu_micros_per_request);
            figures[place].rps.push(full.load.rps);
            figures[place].single.push(f64::from(single.load.latency.p50));
        }
    }
    for (target, state) in [(&targets[2], "in_process"), (&targets[3], "shared")] {
        counts_everything(target, state).await?;
    }
    let away = away::measure(&meter, [&targets[2], &targets[3]], &mut redis).await?;
    let [bare, plain, governed, shared] = &figures;
    let to_bare = median(&ratios(&governed.cpu, &bare.cpu));
    let to_own = median(&ratios(&shared.rps, &governed.rps));
    let added = median(&shared.single) - median(&governed.single);
    let row = |what: &str, of: &dyn Fn(&Figures) -> &Vec<f64>| {
        let cells = figures.iter().map(|figures| format!(" {:.1} |", median(of(figures))));
        format!("| {what} |{}\n", cells.collect::<String>())
    };
    let table = format!(
        "# Policies\n\nMade by `make bench-policies`: five limits, three budgets, two access lists.\n\n\
         {} | {} | {} | {} | load average {}\n\n\
         | | bare Pingora | no policy | policies in process | policies over Redis |\n\
         |---|---:|---:|---:|---:|\n{}{}{}\n\
         | | |\n|---|---:|\n\
         | CPU with policies, to bare Pingora (≤ {GOVERNED}) | {to_bare:.2} |\n\
         | CPU with policies, to none | {:.3} |\n\
         | throughput over Redis, to that in process (≥ {SHARED}) | {to_own:.2} |\n\
         | added to the median by Redis, µs (≤ {ADDED}) | {added:.0} |\n\n{}",
        environment.date,
        environment.commit,
        environment.rustc,
        environment.cpu,
        environment.load_average,
        row("CPU of a request, 32 connections, µs", &|figures| &figures.cpu),
        row("requests a second, 32 connections", &|figures| &figures.rps),
        row("median of a request, one connection, µs", &|figures| &figures.single),
        median(&ratios(&governed.cpu, &plain.cpu)),
        Away::table(&away),
    );
    say(&table);
    if let Some(file) = plan.results {
        std::fs::write(file, &table)?;
    }
    if to_bare > GOVERNED || to_own < SHARED || added > ADDED || !away.iter().all(Away::is_kept) {
        return Err("a promised figure was missed".into());
    }
    Ok(())
}

/// Whether every policy has counted what was measured, and where it was to be counted.
async fn counts_everything(target: &Target, state: &str) -> Outcome<()> {
    let home = target.gateway().ok_or("no gateway")?;
    Admin::of(home)?.has_counted(5, 3).await?;
    let gauge = format!("turnpike_limiter_state{{state=\"{state}\"}}");
    if metric(home.metrics, &gauge).await? < 1.0 {
        return Err(format!("its limits are not enforced {state}").into());
    }
    Ok(())
}

fn ratios(of: &[f64], to: &[f64]) -> Vec<f64> {
    of.iter().zip(to).map(|(of, to)| of / to).collect()
}

async fn governed_with(
    binary: &Path,
    dir: &Path,
    mock: SocketAddr,
    redis: Option<SocketAddr>,
) -> Outcome<Target> {
    let target = Target::sharing(binary.to_owned(), dir, mock, redis).await?;
    let home = target.gateway().ok_or("no gateway")?;
    Admin::of(home)?.govern().await?;
    Ok(target)
}

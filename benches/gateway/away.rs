//! What callers notice of a Redis that freezes or dies, and comes back.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::fault::Outcome;
use crate::measure::Meter;
use crate::redis::Redis;
use crate::report::complain;
use crate::samples::median;
use crate::targets::Target;
use crate::turnpike::metric;

/// What is promised: what the slowest request takes that meets it, beyond the median with counters in process,
/// milliseconds.
const ONCE: f64 = 50.0;
/// What 99 of 100 requests take longer while it is away than with counters in process, milliseconds.
const MEANWHILE: f64 = 1.0;
/// Until it is asked again, milliseconds.
const BACK: f64 = 2000.0;

/// How often it goes, each way.
const TIMES: usize = 5;
/// How long requests are measured before it goes, beside that, and behind it.
const SECONDS: f64 = 1.5;
/// Longest that its return is waited for.
const BACK_LIMIT: Duration = Duration::from_secs(30);

/// What was seen of one way, over all goes.
pub struct Away {
    way: &'static str,
    /// Of the worst go: the one wait is a promise for each.
    once: f64,
    /// The median.
    meanwhile: f64,
    /// Of the worst go: the slowest request while it was away.
    slowest: f64,
    /// Of the worst go.
    back: f64,
}

/// Has Redis freeze, and die, under one connection that always asks `shared`, and compares that with `alone`, whose
/// counters are in process. A single answer that is not right is an error.
pub async fn measure(
    meter: &Meter<'_>,
    [alone, shared]: [&Target; 2],
    redis: &mut Redis,
) -> Outcome<[Away; 2]> {
    let mut goes =
        [("frozen (SIGSTOP)", "STOP"), ("killed (SIGKILL)", "KILL")].map(|(way, signal)| {
            (signal, Away { way, once: 0.0, meanwhile: 0.0, slowest: 0.0, back: 0.0 })
        });
    for (signal, seen) in &mut goes {
        let mut meanwhile = Vec::new();
        for number in 1..=TIMES {
            complain(&format!("redis {}, {number} of {TIMES}", seen.way));
            meanwhile.push(go(meter, [alone, shared], redis, signal, seen).await?);
        }
        seen.meanwhile = median(&meanwhile);
    }
    Ok(goes.map(|(_, seen)| seen))
}

/// Once. Answers what 99 of 100 requests took longer while it was away, and keeps the worst of the rest.
async fn go(
    meter: &Meter<'_>,
    [alone, shared]: [&Target; 2],
    redis: &mut Redis,
    signal: &str,
    seen: &mut Away,
) -> Outcome<f64> {
    let metrics = shared.gateway().ok_or("no gateway")?.metrics;
    let usual = meter.load(alone, 966, 1, SECONDS).await?.load.latency;
    let mut sending = redis.signal_in(SECONDS / 2.0, signal)?;
    let going = meter.load(shared, 966, 1, SECONDS).await;
    sending.wait()?;
    let going = going?.load.latency;
    is_asked(metrics, false).await?;
    let without = meter.load(shared, 966, 1, SECONDS).await?.load.latency;
    redis.come_back()?;
    let came = Instant::now();
    is_asked(metrics, true).await?;
    let back = came.elapsed().as_secs_f64() * 1000.0;
    let millis = |micros: u32| f64::from(micros) / 1000.0;
    seen.once = seen.once.max(millis(going.max) - millis(usual.p50));
    seen.slowest = seen.slowest.max(millis(without.max));
    seen.back = seen.back.max(back);
    Ok(millis(without.p99) - millis(usual.p99))
}

/// Waits until Redis is asked about limits, or no longer is.
async fn is_asked(metrics: SocketAddr, expected: bool) -> Outcome<()> {
    let deadline = Instant::now() + BACK_LIMIT;
    while (metric(metrics, "turnpike_limiter_state{state=\"shared\"}").await? > 0.0) != expected {
        if Instant::now() > deadline {
            return Err(format!("redis is asked: {}, long after", !expected).into());
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

impl Away {
    /// What is told of it.
    pub fn table(all: &[Self]) -> String {
        let mut table = format!(
            "| Redis goes {TIMES} times | slowest request when it goes, worst, ms (≤ {ONCE}) \
             | p99 while it is away, to that in process, median, ms (≤ {MEANWHILE}) \
             | slowest meanwhile, worst, ms | asked again after, worst, ms (≤ {BACK}) |\n\
             |---|---:|---:|---:|---:|\n"
        );
        for Self { way, once, meanwhile, slowest, back } in all {
            let _ = writeln!(
                table,
                "| {way} | {once:.1} | {meanwhile:+.3} | {slowest:.1} | {back:.0} |"
            );
        }
        table
    }

    /// Whether what is promised was kept.
    pub fn is_kept(&self) -> bool {
        self.once <= ONCE && self.meanwhile <= MEANWHILE && self.back <= BACK
    }
}

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

/// What is promised: the wait of the request that meets it, milliseconds.
const ONCE: f64 = 50.0;
/// What 99 of 100 requests wait longer while it is away, milliseconds.
const MEANWHILE: f64 = 1.0;
/// Until limits are shared again, milliseconds.
const BACK: f64 = 2000.0;

/// How often it goes, each way.
const TIMES: usize = 5;
/// How long requests are measured before it goes, beside that, and behind it.
const SECONDS: f64 = 1.5;
/// Longest that its return is waited for.
const BACK_LIMIT: Duration = Duration::from_secs(30);

/// Medians of all goes of one way.
pub struct Away {
    way: &'static str,
    once: f64,
    meanwhile: f64,
    back: f64,
}

/// Has Redis freeze, and die, under one connection that always asks. A single answer that is not right is an error.
pub async fn measure(meter: &Meter<'_>, target: &Target, redis: &mut Redis) -> Outcome<[Away; 2]> {
    let frozen = goes(meter, target, redis, "frozen (SIGSTOP)", "STOP").await?;
    Ok([frozen, goes(meter, target, redis, "killed (SIGKILL)", "KILL").await?])
}

async fn goes(
    meter: &Meter<'_>,
    target: &Target,
    redis: &mut Redis,
    way: &'static str,
    signal: &str,
) -> Outcome<Away> {
    let metrics = target.gateway().ok_or("no gateway")?.metrics;
    let (mut once, mut meanwhile, mut back) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=TIMES {
        complain(&format!("redis {way}, {number} of {TIMES}"));
        let with = meter.load(target, 966, 1, SECONDS).await?.load.latency;
        redis.signal_in(SECONDS / 2.0, signal)?;
        let going = meter.load(target, 966, 1, SECONDS).await?.load.latency;
        is_shared(metrics, false).await?;
        let without = meter.load(target, 966, 1, SECONDS).await?.load.latency;
        redis.come_back()?;
        let came = Instant::now();
        is_shared(metrics, true).await?;
        back.push(came.elapsed().as_secs_f64() * 1000.0);
        once.push(f64::from(going.max - going.p50) / 1000.0);
        meanwhile.push((f64::from(without.p99) - f64::from(with.p99)) / 1000.0);
    }
    Ok(Away { way, once: median(&once), meanwhile: median(&meanwhile), back: median(&back) })
}

/// Waits until limits are shared, or no longer are.
async fn is_shared(metrics: SocketAddr, expected: bool) -> Outcome<()> {
    let deadline = Instant::now() + BACK_LIMIT;
    while (metric(metrics, "turnpike_limiter_state{state=\"shared\"}").await? > 0.0) != expected {
        if Instant::now() > deadline {
            return Err(format!("limits are not shared: {}, long after", !expected).into());
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

impl Away {
    /// What is told of it.
    pub fn table(all: &[Self]) -> String {
        let mut table = format!(
            "| Redis | longest wait when it goes (≤ {ONCE}), ms | added to the p99 while it is away (≤ {MEANWHILE}), ms \
             | shared again after (≤ {BACK}), ms |\n|---|---:|---:|---:|\n"
        );
        for Self { way, once, meanwhile, back } in all {
            let _ = writeln!(table, "| {way} | {once:.1} | {meanwhile:.3} | {back:.0} |");
        }
        table
    }

    /// Whether what is promised was kept.
    pub fn is_kept(&self) -> bool {
        self.once <= ONCE && self.meanwhile <= MEANWHILE && self.back <= BACK
    }
}

//! How fast usage is written and reported: a million records over a month, through the writer that
//! the gateway uses, into a PostgreSQL server of the bench's own (or `--url postgres://…`, a new
//! database), then the first page and the month's summary as the admin API asks for them.
//!
//! `make bench-reports` runs it and keeps the table in benches/results/reports.md.

#![allow(clippy::cast_precision_loss, reason = "figures are told to three digits")]
#![allow(clippy::disallowed_methods, reason = "the bench is no part of the gateway")]

#[path = "../../tests/it/support/postgres_server.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod postgres_server;
mod records;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use turnpike::domain::{KeyId, ProviderId, Timestamp, UserId};
use turnpike::ledger::UsageSink as _;
use turnpike::store::{Dimension, RecordFilter, Store, UsageFilter};

use records::{DAY, World};

/// How often each question is asked.
const TIMES: usize = 11;
/// What the two promised figures may be at most, milliseconds.
const PROMISED: f64 = 300.0;

/// Measures writing and reporting of usage.
#[derive(Parser)]
struct Args {
    /// Records to write to PostgreSQL.
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Records to write to SQLite.
    #[arg(long, default_value_t = 50_000)]
    sqlite_records: u64,
    /// An empty PostgreSQL database; without it a server of the bench's own.
    #[arg(long)]
    url: Option<String>,
    /// File to keep the table in.
    #[arg(long)]
    results: Option<PathBuf>,
    /// What `cargo bench` adds; without meaning here.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let mut told = heading(&args);
    let dir = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}/turnpike.db", dir.path().display());
    let store = Store::open(&url).await.expect("SQLite opens");
    tell(&mut told, &fill(&store, args.sqlite_records, "SQLite").await.1);
    store.close().await;

    let url = match args.url {
        Some(url) => url,
        None => {
            tokio::task::spawn_blocking(|| postgres_server::PostgresServer::shared().database())
                .await
                .expect("a server")
        }
    };
    let store = Store::open(&url).await.expect("PostgreSQL opens");
    let (world, line) = fill(&store, args.records, "PostgreSQL").await;
    analyze(&url);
    tell(&mut told, &line);
    tell(
        &mut told,
        "\n| question | rows | first, ms | median, ms | slowest, ms |\n|---|---:|---:|---:|---:|",
    );
    let mut missed = pages(&store, &world, &mut told).await;
    missed |= summaries(&store, &world, &mut told).await;
    if let Some(file) = args.results {
        std::fs::write(file, told).expect("the table is written");
    }
    assert!(!missed, "a promised figure was missed");
}

/// What the server's own housekeeping does within a minute or so of such a load.
fn analyze(url: &str) {
    let command = ["-X", "-q", "-d", url, "-c", "ANALYZE"];
    let done = std::process::Command::new("psql").args(command).status();
    assert!(done.is_ok_and(|status| status.success()), "psql must be there, for ANALYZE");
}

fn tell(told: &mut String, line: &str) {
    println!("{line}");
    let _written = writeln!(told, "{line}");
}

fn heading(args: &Args) -> String {
    let build = if cfg!(debug_assertions) { "unoptimized" } else { "optimized" };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let mut told = String::new();
    tell(&mut told, "# Writing and reporting usage\n\nMade by `make bench-reports`.\n");
    let now = Timestamp::now();
    let line = format!(
        "{now}, {build} build, load average {load}; {} records over 30 days of 40 keys, 25 users, \
         12 models, 6 groups.\n",
        args.records
    );
    tell(&mut told, &line);
    told
}

/// Writes them as the ledger delivers them: in batches of 500, one after the other.
async fn fill(store: &Store, records: u64, engine: &str) -> (World, String) {
    let org = store.ensure_org("bench").await.expect("an organization").id;
    let mut world = World::new(org, Timestamp::now());
    store.make_usage_months(Timestamp(world.start), Timestamp::now()).await.expect("months");
    let mut busy = Duration::ZERO;
    for from in (0..records).step_by(500) {
        let batch = world.batch(from, records);
        let begun = Instant::now();
        store.store_usage(&batch).await.expect("the batch is stored");
        busy += begun.elapsed();
    }
    store.make_usage_months(Timestamp(world.start), Timestamp::now()).await.expect("months");
    let each = busy.as_secs_f64() * 1e6 / records as f64;
    (world, format!("{engine}: {records} records written, {each:.1} µs each with their sums."))
}

/// Asks for the first page with no filter and with every single one, common, rare and absent.
async fn pages(store: &Store, world: &World, told: &mut String) -> bool {
    let none = UsageFilter::default();
    let name = |text: &str| Some(text.to_owned());
    let provider = ProviderId(world.provider);
    let mut missed = false;
    for (what, filter) in [
        ("first page", none.clone()),
        ("first page of a user", UsageFilter { user: Some(world.user()), ..none.clone() }),
        ("of a user without records", UsageFilter { user: Some(UserId::random()), ..none.clone() }),
        ("of a key", UsageFilter { api_key: Some(world.key()), ..none.clone() }),
        (
            "of a key without records",
            UsageFilter { api_key: Some(KeyId::random()), ..none.clone() },
        ),
        ("of a provider", UsageFilter { provider: Some(provider), ..none.clone() }),
        (
            "of a provider by name",
            UsageFilter { provider_name: name("provider-1"), ..none.clone() },
        ),
        ("of a model", UsageFilter { model: name("model-3"), ..none.clone() }),
        ("of a model that is rare", UsageFilter { model: name("model-rare"), ..none.clone() }),
        ("of an alias", UsageFilter { alias: name("alias-3"), ..none.clone() }),
        ("of an alias that is rare", UsageFilter { alias: name("alias-rare"), ..none.clone() }),
        ("of status 200", UsageFilter { status: Some(200), ..none.clone() }),
        (
            "of status 418, of which there is none",
            UsageFilter { status: Some(418), ..none.clone() },
        ),
        ("of status 502", UsageFilter { status: Some(502), ..none.clone() }),
        ("of a group", UsageFilter { group: name("group-2"), ..none.clone() }),
        ("of a group that is rare", UsageFilter { group: name("group-rare"), ..none.clone() }),
        ("of a group that is none", UsageFilter { group: name("group-none"), ..none.clone() }),
        (
            "of a day three weeks ago",
            UsageFilter { to: Some(Timestamp(world.start + 9 * DAY)), ..none },
        ),
    ] {
        let filter = RecordFilter::from(filter);
        let times = Times::of(async || {
            store.usage(world.org, &filter, None, 50).await.expect("a page").records.len()
        });
        missed |= times.await.tell(what, told);
    }
    missed
}

async fn summaries(store: &Store, world: &World, told: &mut String) -> bool {
    use Dimension::{Alias, ApiKey, Day, Group, Hour, Status, UpstreamModel, User};
    let all = UsageFilter::default();
    // Neither end on an hour.
    let (from, to) = (world.start + DAY / 3 + 1, world.start + 29 * DAY + DAY / 7);
    let ragged =
        UsageFilter { from: Some(Timestamp(from)), to: Some(Timestamp(to)), ..all.clone() };
    let of_user = UsageFilter { user: Some(world.user()), ..all.clone() };
    let mut missed = false;
    for (what, filter, by) in [
        ("the month by day and model", &all, &[Day, UpstreamModel][..]),
        ("the same from and to within hours", &ragged, &[Day, UpstreamModel]),
        ("the same of a user", &of_user, &[Day, UpstreamModel]),
        ("the month by day, user and key", &all, &[Day, User, ApiKey]),
        ("the month by group and status", &all, &[Group, Status]),
        ("the month by hour and alias", &all, &[Hour, Alias]),
        ("the month", &all, &[]),
    ] {
        let times = Times::of(async || {
            store.usage_summary(world.org, filter, by).await.expect("a summary").len()
        });
        missed |= times.await.tell(what, told);
    }
    missed
}

/// One question, asked several times.
struct Times {
    rows: usize,
    first: f64,
    all: Vec<f64>,
}

impl Times {
    async fn of(ask: impl AsyncFn() -> usize) -> Self {
        let mut all = Vec::new();
        let mut rows = 0;
        for _ in 0..TIMES {
            let begun = Instant::now();
            rows = ask().await;
            all.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let first = all[0];
        all.sort_by(f64::total_cmp);
        Self { rows, first, all }
    }

    /// Whether a promise was missed.
    fn tell(&self, what: &str, told: &mut String) -> bool {
        let (median, slowest) = (self.all[TIMES / 2], self.all[TIMES - 1]);
        let line =
            format!("| {what} | {} | {:.1} | {median:.1} | {slowest:.1} |", self.rows, self.first);
        tell(told, &line);
        ["first page", "the month by day and model"].contains(&what) && median > PROMISED
    }
}

//! The bench's own command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use serde::Serialize;

use crate::fault::Outcome;
use crate::load::Amount;
use crate::prompt::Prompt;
use crate::{bare, idle, load, mock, policies, report, run, scale, soak, streams};

/// Measures the gateway beside nginx and a bare Pingora proxy.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    part: Part,
    /// What `cargo bench` adds; without meaning here.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Part {
    /// Everything, in interleaved rounds.
    Run {
        /// Rounds to take medians of.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Seconds of the longest load of a round.
        #[arg(long, default_value_t = 4.0)]
        seconds: f64,
        /// Idle streams to open.
        #[arg(long, default_value_t = 5000)]
        idle_streams: usize,
        /// The gateway's binary; without it only nginx and bare Pingora are measured.
        #[arg(long)]
        turnpike: Option<PathBuf>,
        /// Folder to keep the results in.
        #[arg(long)]
        results: Option<PathBuf>,
    },
    /// Mixed load for minutes: does memory come back?
    Soak {
        /// Minutes of load.
        #[arg(long, default_value_t = 10)]
        minutes: u64,
        /// The gateway's binary.
        #[arg(long)]
        turnpike: PathBuf,
    },
    /// Many keys and routes, beside few.
    Scale {
        /// The gateway's binary.
        #[arg(long)]
        turnpike: PathBuf,
        #[arg(long, default_value_t = 100_000)]
        keys: usize,
        #[arg(long, default_value_t = 2_000)]
        routes: usize,
        /// Rounds to take medians of.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// File to keep the table in.
        #[arg(long)]
        results: Option<PathBuf>,
    },
    /// Compares a gateway with limits, budgets and access lists with one without, and with Redis, which
    /// then goes away.
    Policies {
        /// The gateway's release binary.
        #[arg(long)]
        turnpike: PathBuf,
        /// Rounds to take medians of: a round's ratios scatter by more than what policies cost.
        #[arg(long, default_value_t = 15)]
        rounds: usize,
        /// File to keep the table in.
        #[arg(long)]
        results: Option<PathBuf>,
    },
    /// The mock vendor.
    Mock {
        #[arg(long)]
        listen: SocketAddr,
    },
    /// A bare Pingora proxy.
    Bare {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        upstream: SocketAddr,
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Closed-loop load of plain requests.
    Load {
        #[command(flatten)]
        aim: Aim,
        #[arg(long, default_value_t = 32)]
        connections: usize,
        #[arg(long, default_value_t = 4.0)]
        seconds: f64,
        /// The most requests of one connection.
        #[arg(long, default_value_t = u64::MAX)]
        requests: u64,
    },
    /// Streams, one at a time.
    StreamLoad {
        #[command(flatten)]
        aim: Aim,
        #[arg(long, default_value_t = 8)]
        count: usize,
    },
    /// Thousands of open streams that say nothing.
    IdleStreams {
        #[command(flatten)]
        aim: Aim,
        #[arg(long, default_value_t = 5000)]
        count: usize,
        /// The process that carries them.
        #[arg(long)]
        pid: u32,
    },
}

/// Where requests go and what they are.
#[derive(Args)]
struct Aim {
    #[arg(long)]
    target: SocketAddr,
    #[arg(long, default_value = "/v1/chat/completions")]
    path: String,
    #[arg(long)]
    bearer: String,
    #[arg(long)]
    model: String,
    #[arg(long, default_value_t = 966)]
    body_bytes: usize,
}

impl Aim {
    fn prompt(self, stream: bool) -> Prompt {
        let Self { target: addr, path, bearer, model, body_bytes } = self;
        Prompt { addr, path, bearer, model, body_bytes, stream }
    }
}

/// Reads the command line and plays the part it names.
pub fn dispatch() -> Outcome<()> {
    match Cli::parse().part {
        Part::Run { rounds, seconds, idle_streams, turnpike, results } => {
            let turnpike = turnpike.map(std::fs::canonicalize).transpose()?;
            let plan = run::Plan { rounds, seconds, idle_streams, turnpike, results };
            runtime()?.block_on(run::run(plan))
        }
        Part::Soak { minutes, turnpike } => {
            let turnpike = std::fs::canonicalize(turnpike)?;
            runtime()?.block_on(soak::run(turnpike, Duration::from_secs(60 * minutes)))
        }
        Part::Scale { turnpike, keys, routes, rounds, results } => {
            let turnpike = std::fs::canonicalize(turnpike)?;
            runtime()?.block_on(scale::run(scale::Plan { turnpike, keys, routes, rounds, results }))
        }
        Part::Policies { turnpike, rounds, results } => {
            let turnpike = std::fs::canonicalize(turnpike)?;
            runtime()?.block_on(policies::run(policies::Plan { turnpike, rounds, results }))
        }
        Part::Mock { listen } => mock::serve(listen),
        Part::Bare { listen, upstream, threads } => bare::serve(listen, upstream, threads),
        Part::Load { aim, connections, seconds, requests } => {
            let amount = Amount { connections, requests, time: Duration::from_secs_f64(seconds) };
            tell(&runtime()?.block_on(load::apply(&aim.prompt(false), amount))?)
        }
        Part::StreamLoad { aim, count } => {
            tell(&runtime()?.block_on(streams::apply(&aim.prompt(true), count))?)
        }
        Part::IdleStreams { aim, count, pid } => {
            tell(&runtime()?.block_on(idle::measure(&aim.prompt(true), count, pid))?)
        }
    }
}

/// One thread: a load generator must not take more of the machine than it needs.
fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn tell(report: &impl Serialize) -> Outcome<()> {
    report::say(&serde_json::to_string(report)?);
    Ok(())
}

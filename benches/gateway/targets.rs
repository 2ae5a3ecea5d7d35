//! What is measured: the mock itself, nginx, bare Pingora and the gateway, all before the same
//! mock vendor and with the same requests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::child::Running;
use crate::fault::Outcome;
use crate::free;
use crate::mock_wire::UPSTREAM_MODEL;
use crate::process::Process;
use crate::prompt::Prompt;
use crate::turnpike::{Admin, FAILOVER, GOOD, Home, IDLE};
use crate::{http1, nginx, turnpike};

/// Worker threads (processes, in nginx) of each proxy.
pub const THREADS: usize = 2;

/// One thing to measure.
pub struct Target {
    /// `direct`, `nginx`, `bare` or `turnpike`.
    pub name: &'static str,
    /// Where it serves.
    pub addr: SocketAddr,
    /// What it costs; for `direct` the mock itself.
    pub process: Process,
    running: Running,
    bearer: String,
    gateway: Option<Home>,
    mock: SocketAddr,
    /// Seconds until the gateway was ready.
    pub start_seconds: f64,
}

/// What a request is to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A vendor that answers.
    Good,
    /// A vendor that opens a stream and falls silent.
    Idle,
    /// Three vendors that fail and one that answers; only the gateway has it.
    Failover,
}

impl Target {
    /// The mock vendor, in a process of its own.
    pub fn direct(bench: &Path, dir: &Path) -> Outcome<Self> {
        let addr = free::address()?;
        let mut command = Command::new(bench);
        command.args(["mock", "--listen", &addr.to_string()]);
        let running = Running::start(command, addr, &dir.join("mock.log"))?;
        Self::plain("direct", addr, running, addr)
    }

    /// nginx before `mock`.
    pub fn nginx(dir: &Path, mock: SocketAddr) -> Outcome<Self> {
        let addr = free::address()?;
        let running = nginx::start(&dir.join("nginx"), addr, mock, THREADS)?;
        Self::plain("nginx", addr, running, mock)
    }

    /// Bare Pingora before `mock`.
    pub fn bare(bench: &Path, dir: &Path, mock: SocketAddr) -> Outcome<Self> {
        let addr = free::address()?;
        let mut command = Command::new(bench);
        command.args(["bare", "--listen", &addr.to_string(), "--upstream", &mock.to_string()]);
        command.args(["--threads", &THREADS.to_string()]);
        let running = Running::start(command, addr, &dir.join("bare.log"))?;
        Self::plain("bare", addr, running, mock)
    }

    /// The gateway before `mock`, provisioned.
    pub async fn turnpike(binary: PathBuf, dir: &Path, mock: SocketAddr) -> Outcome<Self> {
        Self::sharing(binary, dir, mock, None).await
    }

    /// The same, with its counters in Redis.
    pub async fn sharing(
        binary: PathBuf,
        dir: &Path,
        mock: SocketAddr,
        redis: Option<SocketAddr>,
    ) -> Outcome<Self> {
        let home = Home {
            binary,
            dir: dir.join("turnpike"),
            listen: free::address()?,
            metrics: free::address()?,
            threads: THREADS,
            redis,
        };
        let begun = Instant::now();
        let running = home.start().await?;
        let start_seconds = begun.elapsed().as_secs_f64();
        let bearer = Admin::of(&home)?.provision(mock).await?;
        let process = Process::new(running.pid())?;
        let addr = home.listen;
        Ok(Self {
            name: "turnpike",
            addr,
            process,
            running,
            bearer,
            gateway: Some(home),
            mock,
            start_seconds,
        })
    }

    fn plain(
        name: &'static str,
        addr: SocketAddr,
        running: Running,
        mock: SocketAddr,
    ) -> Outcome<Self> {
        let process = Process::new(running.pid())?;
        // As long as a gateway's key, so that all requests are equally long.
        let bearer = "sk-bench0000000000000000000000000000000000".chars().take(41).collect();
        Ok(Self { name, addr, process, running, bearer, gateway: None, mock, start_seconds: 0.0 })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// The command line it was started with.
    pub fn command(&self) -> &str {
        &self.running.command
    }

    /// The gateway's home, if this is the gateway.
    pub fn gateway(&self) -> Option<&Home> {
        self.gateway.as_ref()
    }

    /// A request that goes the wanted way.
    pub fn prompt(&self, way: Way, body_bytes: usize, stream: bool) -> Prompt {
        let (path, model) = match (&self.gateway, way) {
            (Some(_), Way::Good) => ("/v1/chat/completions", GOOD),
            (Some(_), Way::Idle) => ("/v1/chat/completions", IDLE),
            (Some(_), Way::Failover) => ("/v1/chat/completions", FAILOVER),
            (None, Way::Idle) => ("/idle/v1/chat/completions", UPSTREAM_MODEL),
            (None, Way::Good | Way::Failover) => ("/v1/chat/completions", UPSTREAM_MODEL),
        };
        Prompt {
            addr: self.addr,
            path: path.to_owned(),
            bearer: self.bearer.clone(),
            model: model.to_owned(),
            body_bytes,
            stream,
        }
    }

    /// Waits until work that the last load left behind is done.
    pub async fn settle(&self) -> Outcome<()> {
        match &self.gateway {
            Some(home) => turnpike::until_zero(home.metrics, "turnpike_ledger_backlog").await,
            None => Ok(()),
        }
    }

    /// Clients that have left must have left the gateway too.
    pub async fn nothing_in_flight(&self) -> Outcome<()> {
        match &self.gateway {
            Some(home) => turnpike::until_zero(home.metrics, "turnpike_in_flight").await,
            None => Ok(()),
        }
    }

    /// Ends the process and starts it anew, on the same address and data.
    pub async fn restart(self, bench: &Path, dir: &Path) -> Outcome<Self> {
        let Self { name, gateway, bearer, mock, running, addr, .. } = self;
        drop(running);
        match (name, gateway) {
            ("turnpike", Some(home)) => {
                let begun = Instant::now();
                let running = home.start().await?;
                let start_seconds = begun.elapsed().as_secs_f64();
                let process = Process::new(running.pid())?;
                Ok(Self {
                    name: "turnpike",
                    addr,
                    process,
                    running,
                    bearer,
                    gateway: Some(home),
                    mock,
                    start_seconds,
                })
            }
            ("nginx", _) => Self::nginx(dir, mock),
            _ => Self::bare(bench, dir, mock),
        }
    }

    /// The answer to one plain request must be the vendor's; what a gateway adds is told.
    pub async fn prove(&self) -> Outcome<()> {
        let mut connection = http1::Connection::open(self.addr).await?;
        connection.send(&self.prompt(Way::Good, 966, false).bytes()).await?;
        let head = connection.head().await?;
        let body = String::from_utf8_lossy(&connection.body().await?).into_owned();
        if head.status == 200 && body.contains("\"usage\"") {
            Ok(())
        } else {
            Err(format!("{} answers {}: {body}", self.name, head.status).into())
        }
    }
}

//! A Redis of the bench's own, which keeps nothing on disk and goes away when it is told to.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::child::Running;
use crate::fault::Outcome;
use crate::free;

/// The server; dropping it ends it.
pub struct Redis {
    /// Where it listens.
    pub addr: SocketAddr,
    log: PathBuf,
    running: Running,
}

impl Redis {
    /// Starts one that logs below `dir`.
    pub fn start(dir: &Path) -> Outcome<Self> {
        let addr = free::address()?;
        let log = dir.join("redis.log");
        Ok(Self { addr, running: serve(addr, &log)?, log })
    }

    /// Sends it a signal (`STOP`, `KILL`) when so much time has passed. To be waited for.
    pub fn signal_in(&self, seconds: f64, name: &str) -> Outcome<Child> {
        let line = format!("sleep {seconds}; kill -{name} {}", self.running.pid());
        Ok(Command::new("sh").args(["-c", &line]).spawn()?)
    }

    /// Has it answer again, be it frozen or killed.
    pub fn come_back(&mut self) -> Outcome<()> {
        if self.running.alive() {
            self.signal_in(0.0, "CONT")?.wait()?;
        } else {
            self.running = serve(self.addr, &self.log)?;
        }
        Ok(())
    }
}

fn serve(addr: SocketAddr, log: &Path) -> Outcome<Running> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &addr.port().to_string(), "--save", ""]);
    Running::start(command, addr, log)
}

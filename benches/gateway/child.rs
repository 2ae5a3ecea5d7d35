//! Processes that the bench starts: they end with it, even when it is killed.

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::fault::Outcome;

/// How long a started server may take until it accepts connections.
const START_LIMIT: Duration = Duration::from_secs(15);
/// How long a server may take to end after it was asked to.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A server in a process of its own; dropping it ends it.
pub struct Running {
    child: Child,
    /// Its command line, for the report.
    pub command: String,
}

impl Running {
    /// Starts `command` with its output in `log`, and waits until `addr` accepts connections.
    pub fn start(mut command: Command, addr: SocketAddr, log: &Path) -> Outcome<Self> {
        let output = File::create(log)?;
        let errors = output.try_clone()?;
        command.stdin(Stdio::piped()).stdout(output).stderr(errors);
        let words = format!("{command:?}").replace('"', "");
        let child = command.spawn().map_err(|error| format!("{words}: {error}"))?;
        let mut running = Self { child, command: words };
        running.wait_until_up(addr, log)?;
        Ok(running)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process is still there.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn wait_until_up(&mut self, addr: SocketAddr, log: &Path) -> Outcome<()> {
        let deadline = Instant::now() + START_LIMIT;
        while std::net::TcpStream::connect(addr).is_err() {
            if !self.alive() || Instant::now() > deadline {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                return Err(format!("{} does not serve {addr}:\n{said}", self.command).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Running {
    /// Asks first (our own parts by the end of their input, the others by SIGTERM, which also ends
    /// nginx's workers), then kills.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if self.alive() {
            let line = format!("kill -TERM {}", self.pid());
            let _ = Command::new("sh").args(["-c", &line]).status();
        }
        let deadline = Instant::now() + STOP_LIMIT;
        while self.alive() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends when standard input does, which the parent holds open as long as it lives.
pub async fn parent_gone() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        wait_for_end_of_input();
        let _ = sender.send(());
    });
    let _ = receiver.await;
}

/// Ends this process when standard input ends.
pub fn exit_with_parent() {
    std::thread::spawn(|| {
        wait_for_end_of_input();
        std::process::exit(0);
    });
}

fn wait_for_end_of_input() {
    let mut byte = [0];
    while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
}

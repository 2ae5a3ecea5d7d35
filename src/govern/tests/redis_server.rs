//! A Redis of the tests' own: a real one, in a temporary folder, that ends with its handle.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::sync::watch;

use crate::govern::redis::Link;

/// Long enough for a busy machine, where a test is not about waiting.
pub const PATIENT: Duration = Duration::from_secs(5);

pub struct RedisServer {
    pub folder: TempDir,
    pub port: u16,
    arguments: Vec<String>,
    child: Mutex<Option<Child>>,
}

impl RedisServer {
    pub fn start() -> Self {
        Self::start_with(|port, _| vec!["--port".to_owned(), port.to_string()])
    }

    /// One with arguments of its own, made of its port and folder.
    pub fn start_with(arguments: impl FnOnce(u16, &std::path::Path) -> Vec<String>) -> Self {
        let folder = tempfile::Builder::new().prefix("redis").tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let arguments = arguments(port, folder.path());
        let server = Self { folder, port, arguments, child: Mutex::new(None) };
        server.start_again();
        server
    }

    pub fn start_again(&self) {
        // The system's, or another version or kin that the tests are to be run with.
        let program = std::env::var_os("TURNPIKE_TEST_REDIS");
        let child = Command::new(program.unwrap_or_else(|| "redis-server".into()))
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .args(&self.arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        *self.child.lock().unwrap() = Some(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "redis-server does not listen");
            std::thread::yield_now();
        }
    }

    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.lock().unwrap().as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Runs a command; answers what `redis-cli` prints.
    pub fn run(&self, command: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(command)
            .output()
            .expect("redis-cli is installed");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A link that is up.
    pub async fn link(&self, deadline: Duration) -> (Arc<Link>, watch::Sender<bool>) {
        linked(&self.url(), deadline).await
    }
}

/// A link that is up, until the sender is dropped.
pub async fn linked(url: &str, deadline: Duration) -> (Arc<Link>, watch::Sender<bool>) {
    let link = Link::new(url, deadline).unwrap();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(Arc::clone(&link).run(stopped));
    link.changes().wait_for(|up| *up).await.unwrap();
    (link, stop)
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

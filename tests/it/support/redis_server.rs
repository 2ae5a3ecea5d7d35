//! A Redis of a test's own.

use std::{
    ffi::OsString,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::{Island, until};

/// A running `redis-server`, gone with the test.
pub struct RedisServer {
    child: Child,
    host: String,
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
}

impl RedisServer {
    /// Starts one that keeps nothing on disk.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts one in a network of its own; none where the machine grants none.
    pub async fn on_an_island() -> Option<(Self, Island)> {
        let folder = TempDir::new().expect("a temporary folder");
        let port = free_port();
        let mut command = Island::command(program());
        command.args(["--bind", "0.0.0.0", "--protected-mode", "no"]);
        let mut child = spawn(command, &folder, port);
        let Some(island) = Island::of(child.id(), port).await else {
            gone(&mut child);
            return None;
        };
        let host = island.address().to_string();
        let server = Self { child, host, port, folder, arguments: Vec::new() };
        server.is_up().await;
        Some((server, island))
    }

    /// Starts one that has whatever another one has, as soon as it has it.
    pub async fn copy_of(first: &Self) -> Self {
        let copy = Self::with(&["--replicaof", "127.0.0.1", &first.port.to_string()]).await;
        copy.has_all_of(first).await;
        copy
    }

    /// Starts three that share their keys as a cluster.
    pub async fn cluster() -> [Self; 3] {
        let node = || Self::with(&["--cluster-enabled", "yes"]);
        let (one, two, three) = tokio::join!(node(), node(), node());
        let nodes = [one, two, three];
        let addresses = nodes.each_ref().map(|node| format!("127.0.0.1:{}", node.port));
        let [one, two, three] = addresses.each_ref().map(String::as_str);
        let made = nodes[0].cli(&["--cluster", "create", one, two, three, "--cluster-yes"]);
        assert!(made.contains("All 16384 slots covered"), "{made}");
        for node in &nodes {
            until("the node knows the cluster", async || {
                node.cli(&["cluster", "info"]).contains("cluster_state:ok").then_some(())
            })
            .await;
        }
        nodes
    }

    async fn with(arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let port = free_port();
        let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
        let child = spawn(here(&arguments), &folder, port);
        let server = Self { child, host: "127.0.0.1".into(), port, folder, arguments };
        server.is_up().await;
        server
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("redis://{}:{}", self.host, self.port)
    }

    /// Waits until a copy has what the first one had when this was asked.
    pub async fn has_all_of(&self, first: &Self) {
        let offset = |server: &Self| {
            let told = server.cli(&["info", "replication"]);
            let line = told.lines().find_map(|line| line.strip_prefix("master_repl_offset:"));
            line.and_then(|offset| offset.trim().parse::<u64>().ok()).unwrap_or_default()
        };
        let wanted = offset(first);
        until("the copy has all of it", async || {
            let is_linked = self.cli(&["info", "replication"]).contains("master_link_status:up");
            (is_linked && offset(self) >= wanted).then_some(())
        })
        .await;
    }

    /// Makes a copy the one that is written to.
    pub fn promote(&self) {
        assert_eq!(self.cli(&["replicaof", "no", "one"]), "OK");
    }

    /// Forgets everything.
    pub fn flush(&self) {
        assert_eq!(self.cli(&["flushall"]), "OK");
    }

    /// Stops it in its tracks: its connections stay and nothing is answered.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, empty, at the same place.
    pub async fn again(&mut self) {
        self.child = spawn(here(&self.arguments), &self.folder, self.port);
        self.is_up().await;
    }

    async fn is_up(&self) {
        until("redis answers", async || (self.cli(&["ping"]) == "PONG").then_some(())).await;
    }

    fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-h", &self.host, "-p", &self.port.to_string()]).args(arguments);
        let output = command.output().expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn signal(&self, name: &str) {
        let order = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &order]).status().unwrap().success());
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn here(more: &[String]) -> Command {
    let mut command = Command::new(program());
    command.args(["--bind", "127.0.0.1"]).args(more);
    command
}

fn spawn(mut command: Command, folder: &TempDir, port: u16) -> Child {
    command.args(["--port", &port.to_string(), "--save", ""]);
    command.current_dir(folder.path()).stdout(Stdio::null()).spawn().expect("redis-server")
}

/// The system's, or another version or kin that the tests are to be run with.
fn program() -> OsString {
    std::env::var_os("TURNPIKE_TEST_REDIS").unwrap_or_else(|| "redis-server".into())
}

fn gone(child: &mut Child) {
    child.kill().ok();
    child.wait().ok();
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        gone(&mut self.child);
    }
}

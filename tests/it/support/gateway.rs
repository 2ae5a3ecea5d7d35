//! The gateway as users run it: the binary, a data folder, an environment.

use std::{
    collections::BTreeMap,
    fmt::Display,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{Admin, Answer, Caller, Metrics, Org, PostgresServer, tls, until};

/// The master key of replicas.
const MASTER_KEY: &str = "dGhlLWtleS1vZi1hbGwtcmVwbGljYXMtb2YtdGVzdHM=";

/// Lines as a process writes them.
type Lines = Arc<Mutex<Vec<String>>>;

/// How a gateway is to be started.
#[derive(Clone)]
pub struct GatewayBuilder {
    settings: BTreeMap<String, String>,
    folder: Arc<TempDir>,
}

/// A running gateway; dropped, it is killed.
pub struct Gateway {
    builder: GatewayBuilder,
    child: Child,
    address: SocketAddr,
    metrics: SocketAddr,
    log: Lines,
}

impl GatewayBuilder {
    fn new() -> Self {
        let folder = Arc::new(TempDir::new().expect("a temporary folder"));
        let authority = folder.path().join("authority.pem");
        std::fs::write(&authority, tls::TRUSTED.pem()).unwrap();
        let new = Self { settings: BTreeMap::new(), folder };
        let new = match std::env::var("TURNPIKE_TEST_ENGINE").as_deref() {
            Ok("postgres") => new.on_postgres(&PostgresServer::shared().database()),
            Ok("sqlite") | Err(_) => new,
            Ok(other) => panic!("TURNPIKE_TEST_ENGINE is sqlite or postgres, not {other}"),
        };
        new.set("server.listen", "127.0.0.1:0")
            .set("server.threads", 2)
            .set("server.drain_delay_ms", 0)
            .set("metrics.listen", "127.0.0.1:0")
            .set("upstream.ca_file", authority.display())
            .set("log.format", "json")
    }

    /// Sets a configuration key, by its environment variable.
    pub fn set(mut self, key: &str, value: impl Display) -> Self {
        let name = format!("TURNPIKE_{}", key.replacen('.', "__", 1).to_uppercase());
        self.settings.insert(name, value.to_string());
        self
    }

    /// Routes are used whatever happened to them: for tests that fail the same ones over and over.
    pub fn never_ejects(self) -> Self {
        self.set("ejection.failures", 0)
    }

    /// Sets a variable of its environment that is no configuration key.
    pub fn env(mut self, name: &str, value: impl Display) -> Self {
        self.settings.insert(name.to_owned(), value.to_string());
        self
    }

    /// Keeps its state in a PostgreSQL database of its own.
    pub fn on_postgresql(self) -> Self {
        self.on_postgres(&PostgresServer::shared().database())
    }

    /// On this database, which it may share with others.
    pub fn on_postgres(self, url: &str) -> Self {
        self.set("storage.url", url).set("secrets.master_key", MASTER_KEY)
    }

    /// On a file in its own data folder, whatever the tests run on.
    pub fn on_sqlite(mut self) -> Self {
        self.settings.remove("TURNPIKE_STORAGE__URL");
        self.settings.remove("TURNPIKE_SECRETS__MASTER_KEY");
        self
    }

    /// Serves HTTPS with a certificate by the authority that the tests trust.
    pub fn with_tls(self) -> Self {
        let (certificate, key) = tls::TRUSTED.server_pem();
        let (cert_file, key_file) = (self.file("server.pem"), self.file("server.key"));
        std::fs::write(&cert_file, certificate).unwrap();
        std::fs::write(&key_file, key).unwrap();
        self.set("server.tls_cert", cert_file.display()).set("server.tls_key", key_file.display())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data_dir(&self) -> PathBuf {
        self.file("data")
    }

    /// The binary with nothing of this process's environment but what it is told.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_turnpike"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name == "PATH" || name.starts_with("LLVM_")))
            .env("TURNPIKE_STORAGE__DATA_DIR", self.data_dir())
            .envs(&self.settings)
            .stdin(Stdio::null());
        command
    }

    /// Starts it and waits until it says where it listens.
    pub async fn start(self) -> Gateway {
        self.run("serve").await.0
    }

    /// Starts it as a newcomer does; gives what it printed, too.
    pub async fn quickstart(self) -> (Gateway, String) {
        let (gateway, printed) = self.run("quickstart").await;
        let whole = |lines: &[String]| lines.iter().any(|line| line.contains("Admin API"));
        let banner = until("the banner is printed", async || {
            let lines = printed.lock().unwrap();
            whole(&lines).then(|| lines.join("\n"))
        })
        .await;
        (gateway, banner)
    }

    async fn run(self, command: &str) -> (Gateway, Lines) {
        let mut child = self
            .command()
            .arg(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (printed, log) = (collect(child.stdout.take()), collect(child.stderr.take()));
        let address = spoken_address(&mut child, &log, "listening").await;
        let metrics = spoken_address(&mut child, &log, "metrics listening").await;
        (Gateway { builder: self, child, address, metrics, log }, printed)
    }
}

impl Gateway {
    /// Starts one with the tests' defaults.
    pub async fn start() -> Self {
        GatewayBuilder::new().start().await
    }

    /// One that is yet to be configured and started.
    pub fn configured() -> GatewayBuilder {
        GatewayBuilder::new()
    }

    /// The database's URL, unless it is the file in the data folder.
    pub fn database_url(&self) -> Option<&str> {
        self.builder.settings.get("TURNPIKE_STORAGE__URL").map(String::as_str)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn data_dir(&self) -> PathBuf {
        self.builder.data_dir()
    }

    /// Everything in its database on the server, as text; none where that is a file.
    pub fn database_dump(&self) -> Option<String> {
        let name = self.database_url()?.rsplit('/').next()?;
        Some(PostgresServer::shared().dump(name))
    }

    /// Someone without a key.
    pub fn stranger(&self) -> Caller {
        Caller::nobody(self.address)
    }

    /// Someone with this key.
    pub fn caller(&self, key: &str) -> Caller {
        Caller::bearer(self.address, key)
    }

    /// What the binary prints for these arguments, which it must carry out.
    pub fn run_command(&self, arguments: &[&str]) -> String {
        let output = self.builder.command().args(arguments).output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the binary says about arguments that it must not carry out.
    pub fn refused_command(&self, arguments: &[&str]) -> String {
        let output = self.builder.command().args(arguments).output().expect("the binary runs");
        assert!(!output.status.success() && output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    }

    /// A JWT made by `turnpike token`.
    pub fn token(&self, org: &str, user: &str, role: &str, more: &[&str]) -> String {
        let mut command = self.builder.command();
        command.args(["token", "--org", org, "--user", user, "--role", role]).args(more);
        let output = command.output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).unwrap();
        let token = printed.strip_suffix('\n').expect("a newline after the token");
        assert!(!token.contains(char::is_whitespace), "more than a token: {printed:?}");
        token.to_owned()
    }

    /// An administrator of the organization, which is made if it does not exist.
    pub fn admin(&self, org: &str) -> Admin {
        let token = self.token(org, &format!("admin@{org}.test"), "admin", &[]);
        Admin::new(Caller::bearer(self.address, &token))
    }

    /// A user of the organization without rights to administer.
    pub fn user(&self, org: &str, name: &str) -> Admin {
        Admin::new(Caller::bearer(self.address, &self.token(org, name, "user", &[])))
    }

    /// The organization, administered by its first administrator.
    pub fn org(&self, name: &str) -> Org {
        Org::new(self.admin(name))
    }

    /// The same over TLS.
    pub fn org_over_tls(&self, name: &str) -> Org {
        Org::new(Admin::new(self.admin(name).caller.over_tls()))
    }

    /// What `/metrics` shows now.
    pub async fn metrics(&self) -> Metrics {
        let answer = Caller::nobody(self.metrics).get("/metrics").await.has_status(200);
        Metrics::read(answer.text())
    }

    /// Everything that it has written to stderr so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The log line of the request with this id.
    pub async fn log_line(&self, request_id: &str) -> Value {
        let what = format!("the request {request_id} is logged");
        until(&what, async || self.log_lines(request_id).into_iter().next()).await
    }

    /// All request lines with this id.
    pub fn log_lines(&self, request_id: &str) -> Vec<Value> {
        let lines = self.log();
        let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        parsed
            .filter(|line| line["message"] == "request" && line["request_id"] == request_id)
            .collect()
    }

    /// How many lines of its log say this.
    pub fn times_logged(&self, message: &str) -> usize {
        let log = self.log();
        let lines = log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["message"] == message || line["fields"]["message"] == message)
            .count()
    }

    /// What `/readyz` says.
    pub async fn readiness(&self) -> Answer {
        self.stranger().get("/readyz").await
    }

    /// Kills it as the kernel would (SIGKILL).
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end (SIGTERM).
    pub fn ask_to_end(&self) {
        self.signal("TERM");
    }

    /// Sends the process a signal.
    pub fn signal(&self, name: &str) {
        let order = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &order]).status().unwrap().success());
    }

    /// Waits until the process has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        until("the gateway has ended", async || self.child.try_wait().unwrap()).await
    }

    /// Whether the process is still there.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Starts it again on the same folder, after an orderly end.
    pub async fn restarted(mut self) -> Self {
        self.ask_to_end();
        self.ended().await;
        self.again().await
    }

    /// Starts it again on the same folder with another value of a setting.
    pub async fn reconfigured(mut self, key: &str, value: impl Display) -> Self {
        self.ask_to_end();
        self.ended().await;
        self.builder.clone().set(key, value).start().await
    }

    /// Ends it and runs quickstart again on the same folder.
    pub async fn quickstart_again(mut self) -> (Self, String) {
        self.ask_to_end();
        self.ended().await;
        self.builder.clone().quickstart().await
    }

    /// Kills it and starts it again on the same folder.
    pub async fn killed_and_restarted(mut self) -> Self {
        self.kill();
        self.again().await
    }

    async fn again(&self) -> Self {
        self.builder.clone().start().await
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            let log = self.log();
            let tail = log.len().saturating_sub(40);
            eprintln!("the gateway's last words:\n{}", log[tail..].join("\n"));
        }
    }
}

/// Reads a process's output to its end.
fn collect(output: Option<impl Read + Send + 'static>) -> Lines {
    let lines = Lines::default();
    let (output, written) = (output.expect("it is piped"), Arc::clone(&lines));
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            written.lock().unwrap().push(String::from_utf8_lossy(&line).into_owned());
        }
    });
    lines
}

/// Waits for the log line that tells where it listens.
async fn spoken_address(child: &mut Child, log: &Mutex<Vec<String>>, message: &str) -> SocketAddr {
    until(&format!("the gateway logs {message:?}"), async || {
        let lines = log.lock().unwrap().clone();
        if let Some(status) = child.try_wait().unwrap() {
            panic!("the gateway ended with {status}:\n{}", lines.join("\n"));
        }
        lines.iter().find_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let fields = if line["message"].is_string() { &line } else { &line["fields"] };
            (fields["message"] == message).then(|| fields["address"].as_str()?.parse().ok())?
        })
    })
    .await
}

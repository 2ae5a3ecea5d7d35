//! The gateway itself: the release binary as users run it, provisioned through its own API, with
//! everything on (keys, aliases, ledger and its database, metrics, log).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::child::Running;
use crate::fault::Outcome;
use crate::http1;
use crate::mock_wire::UPSTREAM_MODEL;

/// How long a started gateway may take until it is ready.
const READY_LIMIT: Duration = Duration::from_secs(15);
/// How long the gateway may take to finish what a load left behind: a million records, with their reports.
const SETTLE_LIMIT: Duration = Duration::from_secs(300);

/// Alias with one good route.
pub const GOOD: &str = "chat";
/// Alias whose vendor opens a stream and then says nothing.
pub const IDLE: &str = "chat-idle";
/// Alias with three failing routes before a good one.
pub const FAILOVER: &str = "chat-failover";
/// Alias whose routes all fail.
pub const DOWN: &str = "chat-down";

/// Where a gateway lives: what survives its restart.
#[derive(Clone, Debug)]
pub struct Home {
    /// The binary.
    pub binary: PathBuf,
    /// Folder of its data and its log.
    pub dir: PathBuf,
    /// Public address.
    pub listen: SocketAddr,
    /// Address of the metrics.
    pub metrics: SocketAddr,
    /// Worker threads.
    pub threads: usize,
    /// Redis, where it has one.
    pub redis: Option<SocketAddr>,
}

impl Home {
    /// Starts the gateway and waits until it is ready.
    pub async fn start(&self) -> Outcome<Running> {
        std::fs::create_dir_all(&self.dir)?;
        let mut command = self.command();
        command.arg("serve");
        let running = Running::start(command, self.listen, &self.log())?;
        let deadline = Instant::now() + READY_LIMIT;
        while http1::call(self.listen, "GET", "/readyz", "", None).await?.0 != 200 {
            if Instant::now() > deadline {
                return Err("the gateway does not become ready".into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(running)
    }

    /// The file that its log goes to.
    pub fn log(&self) -> PathBuf {
        self.dir.join("turnpike.log")
    }

    /// A JWT of an administrator, made by the gateway's own command.
    pub fn token(&self) -> Outcome<String> {
        let mut command = self.command();
        command.args(["token", "--org", "bench", "--user", "bench@example.com", "--role", "admin"]);
        let out = command.output()?;
        if !out.status.success() {
            return Err(format!("turnpike token: {}", String::from_utf8_lossy(&out.stderr)).into());
        }
        Ok(String::from_utf8(out.stdout)?.trim().to_owned())
    }

    /// Set by environment alone; it starts in its own folder, so no configuration file is read.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.dir);
        for (key, value) in self.settings() {
            command.env(key, value);
        }
        command
    }

    /// The settings that differ from the defaults.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let redis = self.redis.map(|at| ("TURNPIKE_REDIS__URL", format!("redis://{at}")));
        let own = [
            ("TURNPIKE_SERVER__LISTEN", self.listen.to_string()),
            ("TURNPIKE_SERVER__THREADS", self.threads.to_string()),
            ("TURNPIKE_METRICS__LISTEN", self.metrics.to_string()),
            ("TURNPIKE_STORAGE__DATA_DIR", self.dir.join("data").display().to_string()),
        ];
        own.into_iter().chain(redis).collect()
    }
}

/// The admin API of a running gateway.
pub struct Admin {
    addr: SocketAddr,
    token: String,
}

impl Admin {
    /// Speaks as an administrator of the bench's organization.
    pub fn of(home: &Home) -> Outcome<Self> {
        Ok(Self { addr: home.listen, token: home.token()? })
    }

    /// Makes providers, routes and one key; answers the key.
    pub async fn provision(&self, mock: SocketAddr) -> Outcome<String> {
        let good = self.provider("good", &format!("http://{mock}/v1")).await?;
        let idle = self.provider("idle", &format!("http://{mock}/idle/v1")).await?;
        self.route(&good, GOOD, 0).await?;
        self.route(&idle, IDLE, 0).await?;
        for (priority, name) in ["failing-1", "failing-2", "failing-3"].into_iter().enumerate() {
            let failing = self.provider(name, &format!("http://{mock}/fail/v1")).await?;
            self.route(&failing, FAILOVER, priority).await?;
            self.route(&failing, DOWN, priority).await?;
        }
        self.route(&good, FAILOVER, 9).await?;
        let key = self.send("POST", "api-keys", Some(json!({"name": "bench"}))).await?;
        text(&key, "key")
    }

    /// Makes five limits, three budgets and two access lists, all of which hold for the bench's requests
    /// and deny none of them.
    pub async fn govern(&self) -> Outcome<()> {
        for (name, scope, value) in [
            ("organization", "org", None),
            ("each key", "api_key", None),
            ("provider", "llm_provider", Some("good")),
            ("alias", "model_alias", Some(GOOD)),
            ("model", "model", Some(UPSTREAM_MODEL)),
        ] {
            let limit = json!({
                "name": name, "scope_type": scope, "scope_value": value,
                "requests_per_minute": 100_000_000, "tokens_per_minute": 2_000_000_000,
            });
            self.send("POST", "rate-limits", Some(limit)).await?;
        }
        for (name, scope, value, period) in [
            ("organization", "org", None, "monthly"),
            ("each key", "api_key", None, "daily"),
            ("alias", "model_alias", Some(GOOD), "weekly"),
        ] {
            let budget = json!({
                "name": name, "scope_type": scope, "scope_value": value, "period": period,
                "token_limit": 1_000_000_000_000_u64, "cost_limit": 1_000_000,
                "action_on_exhaust": "block",
            });
            self.send("POST", "budgets", Some(budget)).await?;
        }
        for (kind, model) in [("allowlist", UPSTREAM_MODEL), ("denylist", "another-*")] {
            let list = json!({
                "name": kind, "policy_type": kind, "scope_type": "org",
                "targets": [{"kind": "model", "model": model}],
            });
            self.send("POST", "model-access", Some(list)).await?;
        }
        Ok(())
    }

    /// Whether so many limits and budgets have counted something.
    ///
    /// # Errors
    /// When one of them has not.
    pub async fn has_counted(&self, limits: usize, budgets: usize) -> Outcome<()> {
        for (path, field, expected) in
            [("rate-limits/status", "rpm_used", limits), ("budgets/status", "tokens_used", budgets)]
        {
            let status = self.send("GET", path, None).await?;
            let rows = status.as_array().ok_or_else(|| format!("no list: {status}"))?;
            let used = |row: &&Value| row.get(field).and_then(Value::as_u64).is_some_and(|n| n > 0);
            let counted = rows.iter().filter(used).count();
            if counted != expected {
                return Err(format!("{path}: {counted} of {expected} have counted").into());
            }
        }
        Ok(())
    }

    /// The newest usage record.
    pub async fn newest_usage(&self) -> Outcome<Value> {
        let page = self.send("GET", "usage?limit=1", None).await?;
        page.pointer("/data/0").cloned().ok_or_else(|| format!("no usage record in {page}").into())
    }

    async fn provider(&self, name: &str, base_url: &str) -> Outcome<String> {
        let made = self
            .send(
                "POST",
                "providers",
                Some(json!({
                    "name": name, "model_provider": "openai", "base_url": base_url,
                    "api_key": "sk-bench", "models": [UPSTREAM_MODEL], "enforce_health_check": false,
                })),
            )
            .await?;
        text(&made, "id")
    }

    async fn route(&self, provider: &str, alias: &str, priority: usize) -> Outcome<()> {
        let route = json!({
            "provider_id": provider, "model_alias": alias, "upstream_model": UPSTREAM_MODEL,
            "priority": priority,
        });
        self.send("POST", "model-mappings", Some(route)).await.map(|_| ())
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Outcome<Value> {
        let path = format!("/api/llm-gateway/admin/{path}");
        let (status, answer) =
            http1::call(self.addr, method, &path, &self.token, body.as_ref()).await?;
        if !(200..300).contains(&status) {
            return Err(
                format!("{method} {path}: {status} {}", String::from_utf8_lossy(&answer)).into()
            );
        }
        Ok(serde_json::from_slice(&answer)?)
    }
}

fn text(object: &Value, field: &str) -> Outcome<String> {
    let value = object.get(field).and_then(Value::as_str);
    value.map(str::to_owned).ok_or_else(|| format!("no {field} in {object}").into())
}

/// Sum of a metric over its labels; 0 when it is not there yet.
pub async fn metric(addr: SocketAddr, name: &str) -> Outcome<f64> {
    let (_, body) = http1::call(addr, "GET", "/metrics", "", None).await?;
    let text = String::from_utf8(body)?;
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let is_it = rest.starts_with('{') || rest.starts_with(' ');
        is_it.then(|| rest.rsplit(' ').next()?.parse::<f64>().ok()).flatten()
    });
    Ok(values.sum())
}

/// Waits until a gauge stands at zero. For the ledger's backlog: its delivery is work that belongs
/// to the requests measured.
pub async fn until_zero(metrics: SocketAddr, gauge: &str) -> Outcome<()> {
    let deadline = Instant::now() + SETTLE_LIMIT;
    loop {
        match metric(metrics, gauge).await? {
            value if value <= 0.0 => return Ok(()),
            value if Instant::now() > deadline => {
                return Err(format!("{gauge} is still {value} long after the load").into());
            }
            _ => sleep(Duration::from_millis(100)).await,
        }
    }
}

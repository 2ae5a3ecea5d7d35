//! The configuration as the rest of the program sees it: typed, complete, valid.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use crate::{
    domain::{IpRange, Role},
    secrets::Secret,
};

/// Everything that can be set. `Config::default()` is what an empty file means.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The public listener.
    pub server: Server,
    /// A listener of its own for the admin and user API.
    pub admin: Admin,
    /// The Prometheus listener.
    pub metrics: MetricsCfg,
    /// Where state is kept.
    pub storage: Storage,
    /// What replicas share.
    pub redis: Redis,
    /// The key that seals credentials.
    pub secrets: Secrets,
    /// Whose tokens are accepted.
    pub auth: Auth,
    /// How vendors are reached.
    pub upstream: Upstream,
    /// How routes are chosen and failures answered.
    pub routing: Routing,
    /// When routes are skipped for having failed.
    pub ejection: Ejection,
    /// `[media]`
    pub media: Media,
    /// Amazon Web Services.
    pub aws: Aws,
    /// Google Cloud.
    pub google: Google,
    /// Usage records.
    pub ledger: LedgerCfg,
    /// Logs on stderr.
    pub log: Log,
}

/// `[server]`
#[derive(Clone, Debug)]
pub struct Server {
    /// Address of the runtime API, and of the admin and user API unless [`Admin::listen`] is set.
    pub listen: SocketAddr,
    /// Threads that serve requests.
    pub threads: usize,
    /// The URL that users see, without trailing slash; none: the request's `Host`.
    pub public_url: Option<String>,
    /// PEM file with the certificate chain; set together with `tls_key`.
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the private key.
    pub tls_key: Option<PathBuf>,
    /// Largest request body, MiB; larger is 413.
    pub max_body_mb: u64,
    /// Request bodies held at once, all requests together, MiB; beyond it is 503.
    pub max_buffered_mb: u64,
    /// Longest time in which a request body must have arrived, seconds.
    pub body_timeout_secs: u64,
    /// Longest time in which a request's head must have arrived, seconds.
    pub header_timeout_secs: u64,
    /// How long requests may finish after SIGTERM, seconds.
    pub shutdown_grace_secs: u64,
    /// How long readiness says 503 while requests are still taken, milliseconds.
    pub drain_delay_ms: u64,
}

/// `[admin]`
#[derive(Clone, Debug, Default)]
pub struct Admin {
    /// If set, the admin and user API and the console leave the public listener for this one.
    pub listen: Option<SocketAddr>,
    /// The URL under which the console is then reached, without trailing slash; none: the request's
    /// `Host`.
    pub public_url: Option<String>,
}

/// `[metrics]`
#[derive(Clone, Debug)]
pub struct MetricsCfg {
    /// Address of `/metrics`; none: off.
    pub listen: Option<SocketAddr>,
}

/// `[storage]`
#[derive(Clone, Debug)]
pub struct Storage {
    /// Folder of the database, the spool and the master key; made at start.
    pub data_dir: PathBuf,
    /// `sqlite://<path>` or `postgres://…`; none: SQLite, `turnpike.db` in the data folder.
    pub url: Option<Secret>,
    /// Connections to PostgreSQL at most, not counting the one on which changes are announced.
    pub max_connections: u32,
}

/// `[secrets]`. Its `Debug` shows whether a key is set, never which.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Base64 of 32 bytes, `file:<path>` or `env:<name>`; none: `master.key` in the data folder.
    pub master_key: Option<Secret>,
    /// What wraps the root secret.
    pub wrap: WrapWith,
    /// Vault's URL, without trailing slash.
    pub vault_address: Option<String>,
    /// Where its transit engine is mounted.
    pub vault_mount: String,
    /// The transit key's name.
    pub vault_key: Option<String>,
    /// A token, `file:<path>` or `env:<name>`.
    pub vault_token: Option<Secret>,
}

/// `secrets.wrap`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WrapWith {
    /// The master key.
    #[default]
    Local,
    /// A key of Vault's transit engine.
    Vault,
}

/// `[auth]`
#[derive(Clone, Debug, Default)]
pub struct Auth {
    /// Identity providers beside the gateway's own issuer.
    pub issuers: Vec<Issuer>,
}

/// One of `auth.issuers`. Its `Debug` shows whether there is a secret, never which.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// `iss` of its tokens, without trailing slashes.
    pub issuer: String,
    /// What `aud` of a token must name.
    pub audience: String,
    /// Where its keys are; none: its discovery document says.
    pub jwks_url: Option<String>,
    /// Dotted path of the organization; none: where identity providers usually put it.
    pub org_claim: Option<String>,
    /// Dotted path of the roles; none: the usual places.
    pub roles_claim: Option<String>,
    /// Dotted path of the groups; none: `groups`.
    pub groups_claim: Option<String>,
    /// Dotted path of the e-mail address; none: `email`.
    pub email_claim: Option<String>,
    /// Names or UUIDs of the organizations that it may speak for; `*`: any.
    pub organizations: Vec<String>,
    /// The strongest role that it can give.
    pub max_role: Role,
    /// As which client the console signs its users in.
    pub client_id: Option<String>,
    /// That client's secret.
    pub client_secret: Option<Secret>,
    /// What the console asks for.
    pub scopes: Vec<String>,
}

/// `[upstream]`
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Addresses that are never connected to, whatever name led there.
    pub deny_addresses: Vec<IpRange>,
    /// Exceptions to `deny_addresses`.
    pub allow_addresses: Vec<IpRange>,
    /// Limit of a TCP connection and of a TLS handshake, milliseconds.
    pub connect_timeout_ms: u64,
    /// PEM file with the certificate authorities that are trusted for vendors, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// Further hosts, as `host` or `host:port`, that tokens may go to which are not the
    /// organization's own.
    pub trusted_hosts: Vec<String>,
}

/// `[media]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// Whether files that clients name by URL are fetched for vendors that take no URLs.
    pub fetch: MediaFetch,
}

/// `media.fetch`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaFetch {
    /// Over HTTPS, from public addresses.
    #[default]
    Public,
    /// Never: such requests are refused.
    Off,
}

/// `[routing]`
#[derive(Clone, Debug)]
pub struct Routing {
    /// The status when every attempt ended in 429: 502 or 429.
    pub all_rate_limited_status: u16,
    /// How often a provider's health is looked at, seconds; 0: only when it changes.
    pub health_check_secs: u32,
    /// How long a smart model's determiner may take, milliseconds.
    pub determiner_timeout_ms: u64,
}

/// `[ejection]`
#[derive(Clone, Debug)]
pub struct Ejection {
    /// Failures within the window that eject a route; 0: no route is ever ejected.
    pub failures: u32,
    /// The window, milliseconds.
    pub window_ms: u64,
    /// The first cool-down, milliseconds.
    pub base_ms: u64,
    /// The longest cool-down, milliseconds.
    pub max_ms: u64,
    /// The first cool-down after a 429 without Retry-After, milliseconds.
    pub rate_limited_ms: u64,
    /// The first cool-down after a 529, milliseconds.
    pub overloaded_ms: u64,
}

/// `[aws]`
#[derive(Clone, Debug, Default)]
pub struct Aws {
    /// The principal that trust policies name; none: asked of STS.
    pub principal_arn: Option<String>,
}

/// `[google]`
#[derive(Clone, Debug)]
pub struct Google {
    /// Base of the IAM credentials API, without trailing slash.
    pub iam_credentials_url: String,
}

/// `[redis]`
#[derive(Clone, Debug)]
pub struct Redis {
    /// Where counters and cool-downs are shared; none: in this process alone.
    pub url: Option<Secret>,
    /// What is done about requests while it is away.
    pub on_failure: OnFailure,
    /// Longest wait for an answer of it, milliseconds; then it is taken to be away. With what timers round up, and with
    /// the decision behind it, 45 hold no request up for more than 50.
    pub timeout_ms: u64,
}

impl Default for Redis {
    fn default() -> Self {
        Self { url: None, on_failure: OnFailure::default(), timeout_ms: 45 }
    }
}

/// `redis.on_failure`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Each replica enforces its share of the limits.
    #[default]
    Local,
    /// Limited requests are refused.
    Deny,
    /// Limited requests are admitted and counted.
    Allow,
}

/// `[ledger]`
#[derive(Clone, Debug)]
pub struct LedgerCfg {
    /// Age at which usage records are removed, days.
    pub retention_days: u32,
    /// What happens when the spool is at its bound.
    pub on_full: OnFull,
    /// The spool's bound, MiB.
    pub max_spool_mb: u64,
}

/// `ledger.on_full`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// Requests are refused until there is room: no record is lost.
    Block,
    /// The oldest records give way: no request is refused.
    DropOldest,
}

/// `[log]`
#[derive(Clone, Debug)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// Levels by target, as `tracing-subscriber`'s `EnvFilter` reads them.
    pub filter: String,
}

/// `log.format`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            public_url: None,
            tls_cert: None,
            tls_key: None,
            max_body_mb: 64,
            max_buffered_mb: 1024,
            body_timeout_secs: 60,
            header_timeout_secs: 15,
            shutdown_grace_secs: 30,
            drain_delay_ms: 500,
        }
    }
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            master_key: None,
            wrap: WrapWith::Local,
            vault_address: None,
            vault_mount: "transit".to_owned(),
            vault_key: None,
            vault_token: None,
        }
    }
}

impl Default for Google {
    fn default() -> Self {
        Self { iam_credentials_url: "https://iamcredentials.googleapis.com".to_owned() }
    }
}

impl Default for MetricsCfg {
    fn default() -> Self {
        Self { listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9090))) }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self { data_dir: PathBuf::from("./data"), url: None, max_connections: 16 }
    }
}

impl Storage {
    /// The database's URL, the default filled in.
    #[must_use]
    pub fn database_url(&self) -> Secret {
        let default = || format!("sqlite://{}", self.data_dir.join("turnpike.db").display());
        self.url.clone().unwrap_or_else(|| Secret::new(default()))
    }

    /// Whether several replicas may share the database.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.url.as_ref().is_some_and(|url| url.expose().starts_with("postgres"))
    }
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            deny_addresses: metadata_addresses().to_vec(),
            allow_addresses: Vec::new(),
            connect_timeout_ms: 5000,
            ca_file: None,
            trusted_hosts: Vec::new(),
        }
    }
}

/// Link-local ranges and the clouds' metadata services, which hand credentials to whoever asks.
const fn metadata_addresses() -> [IpRange; 9] {
    [
        // Link-local: the metadata service of AWS, Google, Azure, Oracle, DigitalOcean …
        IpRange::v4(Ipv4Addr::new(169, 254, 0, 0), 16),
        IpRange::v6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
        // The same IPv4 range behind a NAT64 gateway (RFC 6052).
        IpRange::v6(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0xa9fe, 0), 112),
        // AWS over IPv6, Google over IPv6.
        IpRange::v6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32),
        IpRange::v6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128),
        // Alibaba, Azure's host, Oracle's older service, Scaleway over IPv6.
        IpRange::v4(Ipv4Addr::new(100, 100, 100, 200), 32),
        IpRange::v4(Ipv4Addr::new(168, 63, 129, 16), 32),
        IpRange::v4(Ipv4Addr::new(192, 0, 0, 192), 32),
        IpRange::v6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42), 128),
    ]
}

impl Default for Routing {
    fn default() -> Self {
        Self { all_rate_limited_status: 502, health_check_secs: 300, determiner_timeout_ms: 5_000 }
    }
}

impl Default for Ejection {
    fn default() -> Self {
        Self {
            failures: 10,
            window_ms: 60_000,
            base_ms: 30_000,
            max_ms: 300_000,
            rate_limited_ms: 30_000,
            overloaded_ms: 10_000,
        }
    }
}

impl Default for LedgerCfg {
    fn default() -> Self {
        Self { retention_days: 90, on_full: OnFull::Block, max_spool_mb: 1024 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Auto, filter: "info".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_services_are_denied_by_default() {
        let denied = Upstream::default().deny_addresses;
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::a9fe:a9fe",
            "100.100.100.200",
        ] {
            let address = address.parse().unwrap();
            assert!(denied.iter().any(|range| range.contains(address)), "{address}");
        }
        for address in ["127.0.0.1", "10.1.2.3", "192.168.1.1", "fd00::1", "8.8.8.8"] {
            let address = address.parse().unwrap();
            assert!(!denied.iter().any(|range| range.contains(address)), "{address}");
        }
    }

    #[test]
    fn the_master_key_is_not_in_the_debug_output() {
        let mut config = Config::default();
        config.secrets.master_key = Some(Secret::new("canary-5f1c".to_owned()));
        assert!(!format!("{config:?}").contains("canary-5f1c"));
    }
}

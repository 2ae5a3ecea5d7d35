//! Every key, once: its name, its reader, its range. Whatever is left over is unknown.

use std::collections::{BTreeMap, HashMap};

use super::{
    env,
    fault::{Fault, Objection, Place, Source},
    file::Setting,
    issuers,
    schema::{
        Admin, Auth, Aws, Config, Ejection, Google, LedgerCfg, Log, LogFormat, Media, MediaFetch,
        MetricsCfg, OnFailure, OnFull, Redis, Routing, Secrets, Server, Storage, Upstream,
        WrapWith,
    },
    value::{self, Given, choice, integer, one_of, optional},
};
use crate::secrets::Secret;

const LOG_FORMATS: &[(&str, LogFormat)] =
    &[("auto", LogFormat::Auto), ("json", LogFormat::Json), ("text", LogFormat::Text)];
const WRAPS: &[(&str, WrapWith)] = &[("local", WrapWith::Local), ("vault", WrapWith::Vault)];
const FETCH: &[(&str, MediaFetch)] = &[("public", MediaFetch::Public), ("off", MediaFetch::Off)];
const ON_FAILURE: &[(&str, OnFailure)] =
    &[("local", OnFailure::Local), ("deny", OnFailure::Deny), ("allow", OnFailure::Allow)];
const ON_FULL: &[(&str, OnFull)] = &[("block", OnFull::Block), ("drop_oldest", OnFull::DropOldest)];

/// The outcome of reading: what is valid, the default elsewhere; and where each value came from.
pub(super) struct Reading {
    /// Complete, whatever the faults.
    pub(super) config: Config,
    /// In no order.
    pub(super) faults: Vec<Fault>,
    places: HashMap<String, Place>,
}

impl Reading {
    /// Adds a fault about a key, at the place where it was set.
    pub(super) fn blame(&mut self, key: &str, message: String) {
        let place = self.places.get(key).cloned().unwrap_or(Place::Default);
        self.faults.push(Fault { place, key: Some(key.to_owned()), message });
    }

    /// Whether something was given for the key.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    /// Adds what another part has against it, unless there is a fault of the same key already.
    pub(super) fn object(&mut self, objection: Objection) {
        match objection.to {
            Source::Key(key) if self.faults.iter().any(|it| it.key.as_deref() == Some(key)) => {}
            Source::Key(key) => self.blame(key, objection.message),
            Source::Variable(name) => {
                let place = Place::Environment(name.to_owned());
                self.faults.push(Fault { place, key: None, message: objection.message });
            }
        }
    }
}

/// Reads the settings; of two for one key the later one counts.
pub(super) fn read(settings: Vec<Setting>) -> Reading {
    let mut reader = Reader::over(settings);
    let config = config(&mut reader);
    reader.blame_the_rest();
    Reading { config, faults: reader.faults, places: reader.places }
}

fn config(reader: &mut Reader) -> Config {
    let default = Config::default();
    Config {
        server: server(&mut reader.section("server"), default.server),
        admin: admin(&mut reader.section("admin"), default.admin),
        metrics: metrics(&mut reader.section("metrics"), &default.metrics),
        storage: storage(&mut reader.section("storage"), default.storage),
        redis: redis(&mut reader.section("redis"), default.redis),
        secrets: secrets(&mut reader.section("secrets"), default.secrets),
        auth: auth(&mut reader.section("auth")),
        upstream: upstream(&mut reader.section("upstream"), default.upstream),
        routing: routing(&mut reader.section("routing"), &default.routing),
        ejection: ejection(&mut reader.section("ejection"), &default.ejection),
        media: media(&mut reader.section("media"), &default.media),
        aws: aws(&mut reader.section("aws"), default.aws),
        google: google(&mut reader.section("google"), default.google),
        ledger: ledger(&mut reader.section("ledger"), &default.ledger),
        log: log(&mut reader.section("log"), default.log),
    }
}

fn server(section: &mut Section<'_>, default: Server) -> Server {
    let cores = default.threads;
    let threads = move |given: &Given| {
        integer(0..=1024)(given).map(|count| if count == 0 { cores } else { count })
    };
    Server {
        listen: section.read("listen", default.listen, value::address),
        threads: section.read("threads", default.threads, threads),
        public_url: section.read("public_url", default.public_url, optional(value::web_url)),
        tls_cert: section.read("tls_cert", default.tls_cert, optional(value::path)),
        tls_key: section.read("tls_key", default.tls_key, optional(value::path)),
        max_body_mb: section.read("max_body_mb", default.max_body_mb, integer(1..=4096)),
        max_buffered_mb: section.read(
            "max_buffered_mb",
            default.max_buffered_mb,
            integer(1..=1_048_576),
        ),
        body_timeout_secs: section.read(
            "body_timeout_secs",
            default.body_timeout_secs,
            integer(1..=3600),
        ),
        header_timeout_secs: section.read(
            "header_timeout_secs",
            default.header_timeout_secs,
            integer(1..=600),
        ),
        shutdown_grace_secs: section.read(
            "shutdown_grace_secs",
            default.shutdown_grace_secs,
            integer(0..=3600),
        ),
        drain_delay_ms: section.read("drain_delay_ms", default.drain_delay_ms, integer(0..=60_000)),
    }
}

fn admin(section: &mut Section<'_>, default: Admin) -> Admin {
    Admin {
        listen: section.read("listen", default.listen, optional(value::address)),
        public_url: section.read("public_url", default.public_url, optional(value::web_url)),
    }
}

fn metrics(section: &mut Section<'_>, default: &MetricsCfg) -> MetricsCfg {
    MetricsCfg { listen: section.read("listen", default.listen, value::address_or_off) }
}

fn storage(section: &mut Section<'_>, default: Storage) -> Storage {
    Storage {
        data_dir: section.read("data_dir", default.data_dir, value::path),
        url: section.read("url", default.url, optional(value::database_url)),
        max_connections: section.read(
            "max_connections",
            default.max_connections,
            integer(4..=10_000),
        ),
    }
}

fn redis(section: &mut Section<'_>, default: Redis) -> Redis {
    Redis {
        url: section.read("url", default.url, optional(value::redis_url)),
        on_failure: section.read("on_failure", default.on_failure, choice(ON_FAILURE)),
        timeout_ms: section.read("timeout_ms", default.timeout_ms, integer(1..=10_000)),
    }
}

fn secrets(section: &mut Section<'_>, default: Secrets) -> Secrets {
    let secret = |given: &Given| value::text(given).map(Secret::new);
    Secrets {
        master_key: section.read("master_key", default.master_key, optional(secret)),
        wrap: section.read("wrap", default.wrap, choice(WRAPS)),
        vault_address: section.read(
            "vault_address",
            default.vault_address,
            optional(value::web_url),
        ),
        vault_mount: section.read("vault_mount", default.vault_mount, value::url_path),
        vault_key: section.read("vault_key", default.vault_key, optional(value::url_path)),
        vault_token: section.read("vault_token", default.vault_token, optional(secret)),
    }
}

fn auth(section: &mut Section<'_>) -> Auth {
    let given = section.take("issuers");
    let read = given.map(|setting| issuers::read(&setting, &mut section.reader.faults));
    Auth { issuers: read.unwrap_or_default() }
}

fn upstream(section: &mut Section<'_>, default: Upstream) -> Upstream {
    Upstream {
        deny_addresses: section.read("deny_addresses", default.deny_addresses, value::ranges),
        allow_addresses: section.read("allow_addresses", default.allow_addresses, value::ranges),
        connect_timeout_ms: section.read(
            "connect_timeout_ms",
            default.connect_timeout_ms,
            integer(1..=120_000),
        ),
        ca_file: section.read("ca_file", default.ca_file, optional(value::path)),
        trusted_hosts: section.read("trusted_hosts", default.trusted_hosts, value::hosts),
    }
}

fn routing(section: &mut Section<'_>, default: &Routing) -> Routing {
    Routing {
        all_rate_limited_status: section.read(
            "all_rate_limited_status",
            default.all_rate_limited_status,
            one_of(&[502, 429]),
        ),
        health_check_secs: section.read(
            "health_check_secs",
            default.health_check_secs,
            integer(0..=86_400),
        ),
        determiner_timeout_ms: section.read(
            "determiner_timeout_ms",
            default.determiner_timeout_ms,
            integer(1..=120_000),
        ),
    }
}

fn ejection(section: &mut Section<'_>, default: &Ejection) -> Ejection {
    let time = || integer(1..=86_400_000);
    Ejection {
        failures: section.read("failures", default.failures, integer(0..=10_000)),
        window_ms: section.read("window_ms", default.window_ms, time()),
        base_ms: section.read("base_ms", default.base_ms, time()),
        max_ms: section.read("max_ms", default.max_ms, time()),
        rate_limited_ms: section.read("rate_limited_ms", default.rate_limited_ms, time()),
        overloaded_ms: section.read("overloaded_ms", default.overloaded_ms, time()),
    }
}

fn media(section: &mut Section<'_>, default: &Media) -> Media {
    Media { fetch: section.read("fetch", default.fetch, choice(FETCH)) }
}

fn aws(section: &mut Section<'_>, default: Aws) -> Aws {
    let principal = section.read("principal_arn", default.principal_arn, optional(value::arn));
    Aws { principal_arn: principal }
}

fn google(section: &mut Section<'_>, default: Google) -> Google {
    let url = default.iam_credentials_url;
    Google { iam_credentials_url: section.read("iam_credentials_url", url, value::web_url) }
}

fn ledger(section: &mut Section<'_>, default: &LedgerCfg) -> LedgerCfg {
    LedgerCfg {
        retention_days: section.read("retention_days", default.retention_days, integer(1..=36_500)),
        on_full: section.read("on_full", default.on_full, choice(ON_FULL)),
        max_spool_mb: section.read("max_spool_mb", default.max_spool_mb, integer(1..=1_048_576)),
    }
}

fn log(section: &mut Section<'_>, default: Log) -> Log {
    Log {
        format: section.read("format", default.format, choice(LOG_FORMATS)),
        filter: section.read("filter", default.filter, value::log_filter),
    }
}

struct Reader {
    given: BTreeMap<(String, String), Setting>,
    places: HashMap<String, Place>,
    /// Every key that was asked for, as `section.key`.
    known: Vec<String>,
    faults: Vec<Fault>,
}

struct Section<'r> {
    reader: &'r mut Reader,
    name: &'static str,
}

impl Section<'_> {
    fn read<T>(
        &mut self,
        key: &'static str,
        default: T,
        reader: impl Fn(&Given) -> Result<T, String>,
    ) -> T {
        let Some(setting) = self.take(key) else { return default };
        match reader(&setting.given) {
            Ok(value) => value,
            Err(message) => {
                let full = format!("{}.{key}", self.name);
                self.reader.faults.push(Fault { place: setting.place, key: Some(full), message });
                default
            }
        }
    }

    /// What was given for the key, which is thereby a known one.
    fn take(&mut self, key: &'static str) -> Option<Setting> {
        let full = format!("{}.{key}", self.name);
        self.reader.known.push(full.clone());
        let setting = self.reader.given.remove(&(self.name.to_owned(), key.to_owned()))?;
        self.reader.places.insert(full, setting.place.clone());
        Some(setting)
    }
}

impl Reader {
    fn over(settings: Vec<Setting>) -> Self {
        Self {
            given: settings.into_iter().map(|s| ((s.section.clone(), s.key.clone()), s)).collect(),
            places: HashMap::new(),
            known: Vec::new(),
            faults: Vec::new(),
        }
    }

    const fn section(&mut self, name: &'static str) -> Section<'_> {
        Section { reader: self, name }
    }

    /// What no section asked for.
    fn blame_the_rest(&mut self) {
        for ((section, key), setting) in std::mem::take(&mut self.given) {
            let no_section = section.is_empty().then(|| self.no_section(&key, &setting)).flatten();
            let full = if section.is_empty() { key } else { format!("{section}.{key}") };
            let message = no_section.unwrap_or_else(|| self.unknown(&full, &setting));
            self.faults.push(Fault { place: setting.place, key: Some(full), message });
        }
    }

    /// What is said of a section's name that was given a value of its own.
    fn no_section(&self, name: &str, setting: &Setting) -> Option<String> {
        let keys = self.keys_of(name);
        let first = keys.first()?;
        Some(match (&setting.place, &setting.given) {
            (Place::Environment(_), _) => {
                let example = env::name_of(name, first);
                format!("is a section: set its keys one by one, such as {example}")
            }
            (_, Given::List(items)) if items.iter().all(|item| matches!(item, Given::Table(_))) => {
                format!("is a section, which there is once: write [{name}] in place of [[{name}]]")
            }
            (_, given) => format!(
                "is a section: its keys ({}) belong below a line [{name}]; found {}",
                keys.join(", "),
                given.kind()
            ),
        })
    }

    /// The keys of a section, in their order; none where there is no such section.
    fn keys_of(&self, section: &str) -> Vec<&str> {
        let known = self.known.iter().filter_map(|known| known.split_once('.'));
        known.filter(|(of, _)| *of == section).map(|(_, key)| key).collect()
    }

    fn unknown(&self, full: &str, setting: &Setting) -> String {
        let Some(meant) = self.nearest(full) else {
            return format!("unknown key; {}", self.choices(&setting.section));
        };
        match (&setting.place, meant.split_once('.')) {
            (Place::Environment(_), Some((section, key))) => {
                format!("unknown key; did you mean {}?", env::name_of(section, key))
            }
            _ => format!("unknown key; did you mean {meant}?"),
        }
    }

    /// What there is instead of a key like no other: the keys of its section, or the sections.
    fn choices(&self, section: &str) -> String {
        let keys = self.keys_of(section);
        if !keys.is_empty() {
            return format!("[{section}] has {}", keys.join(", "));
        }
        let known = self.known.iter().filter_map(|known| known.split_once('.'));
        let mut sections: Vec<_> = known.map(|(section, _)| section).collect();
        sections.dedup();
        format!("the sections are {}", sections.join(", "))
    }

    /// The key that looks most like it: as a whole, or its last part in another section.
    fn nearest(&self, full: &str) -> Option<&str> {
        let (_, given_key) = full.split_once('.').unwrap_or(("", full));
        self.known
            .iter()
            .map(|known| {
                let (_, key) = known.split_once('.').unwrap_or(("", known));
                let whole = strsim::normalized_damerau_levenshtein(
                    &known.replace('.', "_"),
                    &full.replace('.', "_"),
                );
                let elsewhere = strsim::normalized_damerau_levenshtein(key, given_key) - 0.1;
                (known, whole.max(elsewhere))
            })
            .filter(|(_, likeness)| *likeness >= 0.65)
            .rev() // of equals the first
            .max_by(|(_, one), (_, other)| one.total_cmp(other))
            .map(|(known, _)| known.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_documents_every_key_and_no_other() {
        let mut reader = Reader::over(Vec::new());
        config(&mut reader);
        let mut section = "";
        let mut documented = Vec::new();
        for line in include_str!("../../conf/turnpike.toml").lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']');
            } else if let Some((key, _)) = line.strip_prefix('#').and_then(|l| l.split_once(" = "))
                && !key.contains(' ')
            {
                documented.push(format!("{section}.{key}"));
            }
        }
        assert_eq!(documented, reader.known);
    }
}

//! File, then environment, then the whole.

use std::path::Path;

use super::{
    env,
    fault::{Faults, Objection},
    file,
    schema::Config,
    settings::{self, Reading},
    validate,
};

/// The file that is read where none is named, if it exists.
pub const DEFAULT_FILE: &str = "conf/turnpike.toml";

/// Reads the file (none: an empty one) and the variables over it.
///
/// # Errors
/// Every fault at once: unreadable file, syntax, unknown keys, wrong types, values out of range,
/// and keys that do not fit together.
pub fn load(file: Option<&Path>, variables: &[(String, String)]) -> Result<Config, Faults> {
    let Reading { config, faults, .. } = read(file, variables);
    Faults::collect(faults).map(|()| config)
}

/// [`load`] with this process's environment, and [`DEFAULT_FILE`] where no file is named.
///
/// # Errors
/// As [`load`].
pub fn load_for_process(file: Option<&Path>) -> Result<Config, Faults> {
    load(default_file(file), &variables())
}

/// [`load_for_process`], and what `further` knows to be wrong with what was read.
///
/// # Errors
/// As [`load`], and for every objection.
pub fn load_to_serve(
    file: Option<&Path>,
    further: impl Fn(&Config) -> Vec<Objection>,
) -> Result<Config, Faults> {
    let mut reading = read(default_file(file), &variables());
    for objection in further(&reading.config) {
        reading.object(objection);
    }
    Faults::collect(reading.faults).map(|()| reading.config)
}

fn default_file(file: Option<&Path>) -> Option<&Path> {
    let default = Path::new(DEFAULT_FILE);
    file.or_else(|| default.exists().then_some(default))
}

fn read(file: Option<&Path>, variables: &[(String, String)]) -> Reading {
    let (mut settings, faults) = file.map(file::read).unwrap_or_default();
    settings.extend(env::read(variables));
    let mut reading = settings::read(settings);
    reading.faults.extend(faults);
    validate::validate(&mut reading, variables);
    reading
}

/// The environment. Bytes that are no UTF-8 become U+FFFD, which no key accepts silently.
fn variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, fs, path::PathBuf};

    use proptest::prelude::*;

    use super::*;

    /// The folder lives as long as the test that holds it.
    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turnpike.toml");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn loaded(text: &str) -> Config {
        let (_folder, path) = file(text);
        load(Some(&path), &[]).unwrap()
    }

    /// `line: key: message` of every fault of a file.
    fn faults(text: &str) -> Vec<String> {
        let (_folder, path) = file(text);
        let faults = load(Some(&path), &[]).unwrap_err();
        let prefix = format!("{}:", path.display());
        faults.iter().map(|fault| fault.to_string().replace(&prefix, "")).collect()
    }

    fn with_variables(variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let variables: Vec<_> =
            variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        load(None, &variables).map_err(|all| all.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_shipped_file_means_the_defaults_as_it_is_and_with_every_key_uncommented() {
        let shipped = include_str!("../../conf/turnpike.toml");
        let default = format!("{:?}", Config::default());
        assert_eq!(format!("{:?}", loaded(shipped)), default);
        let uncommented: String = shipped.lines().fold(String::new(), |mut text, line| {
            let key = line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '#']));
            let _ = writeln!(text, "{}", key.unwrap_or(line));
            text
        });
        assert_ne!(uncommented, shipped);
        assert_eq!(format!("{:?}", loaded(&uncommented)), default);
    }

    #[test]
    fn a_missing_file_is_a_fault_that_names_it() {
        let fault = load(Some(Path::new("/nowhere/turnpike.toml")), &[]).unwrap_err();
        assert!(fault.to_string().contains("/nowhere/turnpike.toml: cannot read: "), "{fault}");
    }

    #[test]
    fn every_fault_is_reported_at_once_with_line_and_key() {
        assert_eq!(
            faults(
                "[server]\nlisen = \"127.0.0.1:1\"\nmax_body_mb = 0\nthreads = \"four\"\n\n\
                 [ledger]\non_full = \"drop\"\n[storrage]\ndata_dir = \"x\"\n"
            ),
            [
                "2: server.lisen: unknown key; did you mean server.listen?",
                "3: server.max_body_mb: expected an integer from 1 to 4096, found 0",
                "4: server.threads: expected an integer from 0 to 1024, found a string",
                "7: ledger.on_full: expected \"block\" or \"drop_oldest\", found \"drop\"",
                "9: storrage.data_dir: unknown key; did you mean storage.data_dir?",
            ]
        );
    }

    #[test]
    fn a_key_in_the_wrong_section_or_in_none_is_shown_its_place() {
        assert_eq!(
            faults("listen = \"127.0.0.1:1\"\n[server]\ndata_dir = \"x\"\n"),
            [
                "1: listen: unknown key; did you mean server.listen?",
                "3: server.data_dir: unknown key; did you mean storage.data_dir?",
            ]
        );
    }

    #[test]
    fn a_key_like_no_other_is_shown_what_there_is() {
        let faults = faults("[admin]\nzzz = 1\n[unheard]\nof = 1\n");
        assert_eq!(faults[0], "2: admin.zzz: unknown key; [admin] has listen, public_url");
        let sections = "4: unheard.of: unknown key; the sections are server, admin, metrics, ";
        assert!(faults[1].starts_with(sections), "{}", faults[1]);
    }

    #[test]
    fn a_syntax_error_does_not_hide_the_faults_of_other_lines() {
        let faults = faults("[server]\nlisten = 127.0.0.1:8080\nmax_body_mb = \"x\"\n");
        assert!(faults.iter().any(|fault| fault.starts_with("2: ")), "{faults:?}");
        assert!(
            faults.iter().any(|fault| fault.starts_with("3: server.max_body_mb:")),
            "{faults:?}"
        );
    }

    #[test]
    fn a_key_given_twice_is_a_fault() {
        assert!(faults("[server]\nthreads = 1\nthreads = 2\n")[0].starts_with("3: "));
    }

    #[test]
    fn addresses_of_stores_are_checked_and_their_passwords_are_not_told() {
        assert_eq!(
            faults("[redis]\nurl = \"http://u:canary-1@redis\"\non_failure = \"panic\"\n"),
            [
                "2: redis.url: expected \"redis://user:password@host:6379/0\"; rediss:// for TLS, redis+cluster:// or rediss+cluster:// for a cluster",
                "3: redis.on_failure: expected \"local\" or \"deny\" or \"allow\", found \"panic\"",
            ]
        );
        assert_eq!(
            faults("[storage]\nurl = \"postgres://u:canary-1@db/x\"\n"),
            [
                "default: secrets.master_key: must be given where storage.url is PostgreSQL: every replica needs the same key (make one with: openssl rand -base64 32)"
            ]
        );
        assert_eq!(
            faults("[storage]\nurl = \"mysql://u:canary-1@db/x\"\n"),
            [
                "2: storage.url: expected \"sqlite://<path>\" or \"postgres://user:password@host:5432/database\""
            ]
        );
    }

    #[test]
    fn values_of_every_type_are_read_from_the_file() {
        let config = loaded(
            "[server]\nlisten = \"[::]:8443\"\nthreads = 3\npublic_url = \"https://llm.example.com/\"\n\
             [metrics]\nlisten = \"off\"\n[upstream]\nallow_addresses = [\"169.254.1.0/24\"]\n\
             [ledger]\non_full = \"drop_oldest\"\n[routing]\nall_rate_limited_status = 429\n",
        );
        assert_eq!(config.server.listen, "[::]:8443".parse().unwrap());
        assert_eq!(config.server.threads, 3);
        assert_eq!(config.server.public_url.as_deref(), Some("https://llm.example.com"));
        assert_eq!(config.metrics.listen, None);
        assert_eq!(config.upstream.allow_addresses, ["169.254.1.0/24".parse().unwrap()]);
        assert_eq!(config.ledger.on_full, crate::config::OnFull::DropOldest);
        assert_eq!(config.routing.all_rate_limited_status, 429);
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let (_folder, path) = file("[server]\nthreads = 3\nmax_body_mb = 7\n");
        let variables = [("TURNPIKE_SERVER__THREADS".to_owned(), "5".to_owned())];
        let config = load(Some(&path), &variables).unwrap();
        assert_eq!((config.server.threads, config.server.max_body_mb), (5, 7));
    }

    #[test]
    fn lists_are_json_in_the_environment() {
        let config =
            with_variables(&[("TURNPIKE_UPSTREAM__DENY_ADDRESSES", r#"["10.0.0.0/8","::1"]"#)])
                .unwrap();
        assert_eq!(
            config.upstream.deny_addresses,
            ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]
        );
        let faults =
            with_variables(&[("TURNPIKE_UPSTREAM__DENY_ADDRESSES", "10.0.0.0/8")]).unwrap_err();
        assert!(faults[0].contains("as JSON"), "{faults:?}");
    }

    #[test]
    fn a_bad_range_is_named_with_its_remedy() {
        assert_eq!(
            faults("[upstream]\ndeny_addresses = [\"10.0.0.1/8\"]\n"),
            ["2: upstream.deny_addresses: \"10.0.0.1/8\": the address has bits set beyond its \
              prefix; did you mean 10.0.0.0/8?"]
        );
    }

    #[test]
    fn unknown_variables_are_faults_with_a_suggestion() {
        assert_eq!(
            with_variables(&[
                ("TURNPIKE_SERVER_LISTEN", "127.0.0.1:1"),
                ("TURNPIKE_SERVER__LISEN", "127.0.0.1:1"),
                ("TURNPIKE_SERVER__THREADS", "many"),
            ])
            .unwrap_err(),
            [
                "environment TURNPIKE_SERVER_LISTEN: server_listen: unknown key; did you mean TURNPIKE_SERVER__LISTEN?",
                "environment TURNPIKE_SERVER__LISEN: server.lisen: unknown key; did you mean TURNPIKE_SERVER__LISTEN?",
                "environment TURNPIKE_SERVER__THREADS: server.threads: expected an integer from 0 to 1024, found \"many\"",
            ]
        );
    }

    #[test]
    fn an_empty_variable_leaves_an_optional_key_unset() {
        assert!(with_variables(&[("TURNPIKE_SERVER__PUBLIC_URL", "")]).is_ok());
        assert!(with_variables(&[("TURNPIKE_STORAGE__DATA_DIR", "")]).is_err());
    }

    #[test]
    fn addresses_that_people_write_are_shown_what_was_meant() {
        for (given, meant) in [
            ("localhost:8080", "127.0.0.1:8080"),
            (":8080", "0.0.0.0:8080"),
            ("8080", "127.0.0.1:8080"),
        ] {
            let faults = with_variables(&[("TURNPIKE_SERVER__LISTEN", given)]).unwrap_err();
            assert!(faults[0].ends_with(&format!("did you mean \"{meant}\"?")), "{faults:?}");
        }
    }

    #[test]
    fn tls_needs_both_files_and_both_readable() {
        assert_eq!(
            faults("[server]\ntls_cert = \"/nowhere/cert.pem\"\n"),
            ["2: server.tls_cert: needs server.tls_key beside it"]
        );
        let both =
            faults("[server]\ntls_cert = \"/nowhere/c.pem\"\ntls_key = \"/nowhere/k.pem\"\n");
        assert!(
            both[0].starts_with("2: server.tls_cert: cannot read /nowhere/c.pem: "),
            "{both:?}"
        );
        assert!(both[1].starts_with("3: server.tls_key: cannot read /nowhere/k.pem: "), "{both:?}");
    }

    #[test]
    fn a_certificate_serves_only_with_its_own_key() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let one = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let cert = write("cert.pem", one.cert.pem());
        let key = write("key.pem", one.signing_key.serialize_pem());
        let foreign = write("foreign.pem", other.signing_key.serialize_pem());
        let with = |cert: &str, key: &str| {
            with_variables(&[
                ("TURNPIKE_SERVER__TLS_CERT", cert),
                ("TURNPIKE_SERVER__TLS_KEY", key),
            ])
        };
        assert!(with(&cert, &key).is_ok());
        assert!(with(&cert, &foreign).unwrap_err()[0].contains("cannot serve with this pair"));
        assert!(with(&key, &key).unwrap_err()[0].contains("holds no certificate"));
        assert!(with(&cert, &cert).unwrap_err()[0].contains("holds no private key"));
    }

    #[test]
    fn listeners_must_not_share_an_address() {
        let faults = with_variables(&[
            ("TURNPIKE_METRICS__LISTEN", "127.0.0.1:8080"),
            ("TURNPIKE_ADMIN__LISTEN", "127.0.0.1:8080"),
        ])
        .unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(
            with_variables(&[
                ("TURNPIKE_SERVER__LISTEN", "127.0.0.1:0"),
                ("TURNPIKE_METRICS__LISTEN", "127.0.0.1:0"),
            ])
            .is_ok()
        );
    }

    #[test]
    fn the_delay_is_part_of_the_grace_and_cannot_be_longer() {
        assert_eq!(
            faults("[server]\nshutdown_grace_secs = 1\ndrain_delay_ms = 5000\n"),
            [
                "3: server.drain_delay_ms: 5000 ms is more than server.shutdown_grace_secs, which is 1: \
              the delay is part of the grace; shorten it or lengthen the grace"
            ]
        );
        // Who gives no grace wants no delay.
        assert_eq!(loaded("[server]\nshutdown_grace_secs = 0\n").server.shutdown_grace_secs, 0);
        let equal = loaded("[server]\nshutdown_grace_secs = 5\ndrain_delay_ms = 5000\n");
        assert_eq!(equal.server.drain_delay_ms, 5000);
    }

    #[test]
    fn what_should_be_a_section_and_is_none_is_told_so() {
        assert_eq!(
            faults("log = \"info\"\n[[server]]\nthreads = 1\n"),
            [
                "1: log: is a section: its keys (format, filter) belong below a line [log]; found a string",
                "2: server: is a section, which there is once: write [server] in place of [[server]]",
            ]
        );
        assert_eq!(
            with_variables(&[("TURNPIKE_LOG", "info")]).unwrap_err(),
            ["environment TURNPIKE_LOG: log: is a section: set its keys one by one, such as \
              TURNPIKE_LOG__FORMAT"]
        );
    }

    #[test]
    fn a_master_keys_file_must_hold_one() {
        let (_folder, path) = file("canary");
        let setting = format!("file:{}", path.display());
        let faults = with_variables(&[("TURNPIKE_SECRETS__MASTER_KEY", &setting)]).unwrap_err();
        assert!(faults[0].contains("does not hold 32 bytes in base64"), "{faults:?}");
        assert!(!faults[0].contains("canary"), "{faults:?}");
    }

    #[test]
    fn the_buffer_must_hold_one_body() {
        assert_eq!(
            faults("[server]\nmax_buffered_mb = 32\n"),
            ["2: server.max_buffered_mb: 32 is less than twice server.max_body_mb, which is 64"]
        );
    }

    #[test]
    fn a_wrong_master_key_is_a_fault_that_does_not_repeat_it() {
        for given in ["canary-77", "Y2FuYXJ5", "env:NO_SUCH_VARIABLE", "file:/nowhere/master.key"] {
            let faults = with_variables(&[("TURNPIKE_SECRETS__MASTER_KEY", given)]).unwrap_err();
            assert_eq!(faults.len(), 1);
            assert!(!faults[0].contains("canary") && !faults[0].contains("Y2FuYXJ5"), "{faults:?}");
        }
    }

    #[test]
    fn a_master_key_is_taken_in_each_of_its_forms() {
        let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
        let (_folder, path) = file(key);
        for given in [key.to_owned(), "env:KEY".to_owned(), format!("file:{}", path.display())] {
            let variables = [("TURNPIKE_SECRETS__MASTER_KEY", given.as_str()), ("KEY", key)];
            assert!(with_variables(&variables).is_ok(), "{given}");
        }
    }

    #[test]
    fn vault_needs_its_address_key_and_token() {
        assert_eq!(
            faults("[secrets]\nwrap = \"vault\"\nvault_key = \"turnpike\"\n"),
            [
                "2: secrets.wrap: \"vault\" needs secrets.vault_address, secrets.vault_token beside it"
            ]
        );
        assert_eq!(
            faults("[secrets]\nvault_key = \"../sys\"\n"),
            [
                "2: secrets.vault_key: expected a name of letters, digits, '.', '_' and '-', found \"../sys\""
            ]
        );
    }

    #[test]
    fn replicas_need_one_master_key_unless_vault_has_the_key() {
        let shared = "[storage]\nurl = \"postgres://u@db/x\"\n[secrets]\n";
        assert!(faults(shared)[0].contains("secrets.master_key"));
        let vault = "wrap = \"vault\"\nvault_address = \"http://vault:8200\"\nvault_key = \"t\"\nvault_token = \"x\"\n";
        assert_eq!(loaded(&format!("{shared}{vault}")).secrets.vault_key.as_deref(), Some("t"));
    }

    #[test]
    fn trusted_hosts_are_hosts() {
        let config = loaded("[upstream]\ntrusted_hosts = [\"LLM.example.com\", \"[::1]:8443\"]\n");
        assert_eq!(config.upstream.trusted_hosts, ["llm.example.com", "[::1]:8443"]);
        for wrong in ["https://a.example", "a.example/", "a b", "u@a.example", ""] {
            let faults = faults(&format!("[upstream]\ntrusted_hosts = [\"{wrong}\"]\n"));
            assert!(faults[0].contains("is no host"), "{wrong}: {faults:?}");
        }
    }

    #[test]
    fn a_principal_is_an_arn() {
        let arn = "arn:aws:iam::123456789012:role/turnpike";
        assert_eq!(
            loaded(&format!("[aws]\nprincipal_arn = \"{arn}\"\n")).aws.principal_arn.as_deref(),
            Some(arn)
        );
        assert!(faults("[aws]\nprincipal_arn = \"turnpike\"\n")[0].contains("expected an ARN"));
    }

    proptest! {
        #[test]
        fn no_file_makes_the_loader_panic(text in "(\\PC|\n){0,200}") {
            let (_folder, path) = file(&text);
            let _ = load(Some(&path), &[]);
        }
    }
}

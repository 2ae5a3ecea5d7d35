//! `turnpike check` as an operator runs it.

use std::{
    path::Path,
    process::{Command, Output},
};

/// `turnpike check` in an empty folder, with these variables and no others of Turnpike's.
fn check(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    turnpike("check", folder, arguments, variables)
}

fn turnpike(command: &str, folder: &Path, more: &[&str], variables: &[(&str, &str)]) -> Output {
    let asked = command;
    let inherited = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("TURNPIKE_"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_turnpike"));
    inherited.fold(&mut command, |command, name| command.env_remove(name));
    command
        .arg(asked)
        .args(more)
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap()
}

fn all_output(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn no_file_at_all_is_valid() {
    let folder = folder();
    let output = check(folder.path(), &[], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", all_output(&output));
    assert!(all_output(&output).contains("configuration is valid"));
    let made = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(made, 0, "check must not make anything");
}

#[test]
fn the_shipped_file_is_valid() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/turnpike.toml");
    let output = check(folder().path(), &["--config", shipped.to_str().unwrap()], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", all_output(&output));
}

#[test]
fn every_fault_is_reported_with_file_line_key_and_suggestion_and_the_exit_code_is_78() {
    let folder = folder();
    let text = "[server]\nlisen = \"127.0.0.1:1\"\nmax_body_mb = 0\ntls_cert = \"c.pem\"\n\
                [ledger]\non_full = \"never\"\n";
    std::fs::write(folder.path().join("t.toml"), text).unwrap();
    let output = check(
        folder.path(),
        &["--config", "t.toml"],
        &[("TURNPIKE_SERVER__THREDS", "2"), ("TURNPIKE_METRICS__LISTEN", "nowhere")],
    );
    let said = all_output(&output);
    assert_eq!(output.status.code(), Some(78), "{said}");
    for part in [
        "t.toml:2: server.lisen: unknown key; did you mean server.listen?",
        "t.toml:3: server.max_body_mb: expected an integer from 1 to 4096, found 0",
        "t.toml:4: server.tls_cert: needs server.tls_key beside it",
        "t.toml:6: ledger.on_full: expected \"block\" or \"drop_oldest\", found \"never\"",
        "environment TURNPIKE_SERVER__THREDS: server.threds: unknown key; did you mean TURNPIKE_SERVER__THREADS?",
        "environment TURNPIKE_METRICS__LISTEN: metrics.listen: expected \"off\" or an address",
        "the configuration has 6 faults",
    ] {
        assert!(said.contains(part), "no {part:?} in:\n{said}");
    }
}

#[test]
fn the_default_file_is_read_from_conf() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("conf")).unwrap();
    std::fs::write(folder.path().join("conf/turnpike.toml"), "[server]\nthreads = -1\n").unwrap();
    let output = check(folder.path(), &[], &[]);
    assert_eq!(output.status.code(), Some(78));
    assert!(all_output(&output).contains("conf/turnpike.toml:2: server.threads:"));
}

#[test]
fn the_environment_mends_what_the_file_has_wrong() {
    let folder = folder();
    std::fs::write(folder.path().join("t.toml"), "[server]\nthreads = 5000\n").unwrap();
    let output =
        check(folder.path(), &["--config", "t.toml"], &[("TURNPIKE_SERVER__THREADS", "2")]);
    assert_eq!(output.status.code(), Some(0), "{}", all_output(&output));
}

#[test]
fn a_faulty_configuration_starts_nothing() {
    let folder = folder();
    let output = Command::new(env!("CARGO_BIN_EXE_turnpike"))
        .arg("serve")
        .env("TURNPIKE_SERVER__LISTEN", "nowhere")
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78), "{}", all_output(&output));
    assert!(output.stdout.is_empty(), "faults belong on stderr");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A configuration that is well formed and cannot be served with, and what is said of it.
const UNSERVABLE: &[(&str, &str, &str)] = &[
    (
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "grpc",
        "environment OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf is spoken",
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "collector",
        "environment OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: expected a URL",
    ),
    ("TURNPIKE_REDIS__URL", "redis://:canary-1@localhost/first", "REDIS__URL: redis.url: "),
    ("TURNPIKE_STORAGE__URL", "postgres://u:canary-1@db/x?canary=1", "STORAGE__URL: storage.url: "),
    ("TURNPIKE_STORAGE__URL", "sqlite://x.db?mode=often", "STORAGE__URL: storage.url: "),
    ("TURNPIKE_UPSTREAM__CA_FILE", "empty.pem", "CA_FILE: upstream.ca_file: "),
    ("TURNPIKE_UPSTREAM__CA_FILE", "odd.pem", "CA_FILE: upstream.ca_file: "),
    ("TURNPIKE_STORAGE__DATA_DIR", "spoilt", "secrets.master_key: the file spoilt/master.key"),
];

#[test]
fn what_cannot_be_served_with_is_found_by_check_and_by_serve_with_the_same_words_and_code() {
    for (name, value, said) in UNSERVABLE {
        let folder = folder();
        let odd = "-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n";
        std::fs::write(folder.path().join("empty.pem"), "").unwrap();
        std::fs::write(folder.path().join("odd.pem"), odd).unwrap();
        std::fs::create_dir(folder.path().join("spoilt")).unwrap();
        std::fs::write(folder.path().join("spoilt/master.key"), "canary-1").unwrap();
        let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
        let mut variables = vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
            ("TURNPIKE_SERVER__LISTEN", "127.0.0.1:0"),
            (name, value),
        ];
        if *value != "spoilt" {
            variables.push(("TURNPIKE_SECRETS__MASTER_KEY", key));
        }
        for command in ["check", "serve"] {
            let output = turnpike(command, folder.path(), &[], &variables);
            let all = all_output(&output);
            assert_eq!(output.status.code(), Some(78), "{command} with {name}={value}: {all}");
            assert!(all.contains(said), "{command} with {name}={value}: {all}");
            assert!(!all.contains("canary-1"), "{all}");
        }
        let made = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(made, 3, "nothing was made for {name}");
    }
}

#[test]
fn the_master_key_never_appears_in_a_report() {
    let output = check(folder().path(), &[], &[("TURNPIKE_SECRETS__MASTER_KEY", "canary-a81f33")]);
    assert_eq!(output.status.code(), Some(78));
    assert!(!all_output(&output).contains("canary-a81f33"));
}

#[test]
fn replicas_must_be_given_their_master_key_and_passwords_are_not_repeated() {
    let url = ("TURNPIKE_STORAGE__URL", "postgres://turnpike:canary-77fe12@db:5432/turnpike");
    let output = check(folder().path(), &[], &[url]);
    assert_eq!(output.status.code(), Some(78));
    let said = all_output(&output);
    assert!(said.contains("secrets.master_key: must be given where storage.url is PostgreSQL"));
    assert!(!said.contains("canary-77fe12"), "{said}");
}

#[test]
fn the_version_is_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_turnpike")).arg("--version").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with(concat!("turnpike ", env!("CARGO_PKG_VERSION"))), "{said}");
}

#[test]
fn a_gateway_that_is_not_there_is_unhealthy() {
    let folder = folder();
    let output = Command::new(env!("CARGO_BIN_EXE_turnpike"))
        .arg("healthcheck")
        // A port that nothing can listen on.
        .env("TURNPIKE_SERVER__LISTEN", "127.0.0.1:1")
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", all_output(&output));
}

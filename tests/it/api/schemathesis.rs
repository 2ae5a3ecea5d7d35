//! A fuzzer reads the served description and asks every operation what it allows and what it forbids:
//! no answer is a fault of the gateway, undocumented, or of another shape than documented.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Gateway, GatewayBuilder};

/// How long it may go on finding new requests, seconds.
const AT_MOST: &str = "40";

/// Where `scripts/install-test-needs.sh` put it: beside the build's output.
fn fuzzer() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let program = target.join("test-needs/api/bin/schemathesis");
    assert!(
        program.is_file(),
        "no fuzzer in {}: run scripts/install-test-needs.sh (`make test` does)",
        program.display()
    );
    program
}

async fn nothing_is_found(builder: GatewayBuilder) {
    let gateway = builder.start().await;
    let token = gateway.token("acme", "root@acme.test", "superadmin", &[]);
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/schemathesis.toml");
    let folder = tempfile::TempDir::new().unwrap();
    let mut command = Command::new(fuzzer());
    command
        .current_dir(folder.path())
        .arg("--config-file")
        .arg(config)
        .arg("run")
        .arg(format!("http://{}/api/llm-gateway/openapi.json", gateway.address()))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"])
        .args(["--mode", "all", "--generation-deterministic", "--max-time", AT_MOST])
        .args(["--continue-on-failure", "--no-color"])
        .env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.expect("the fuzzer starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let passed = said.lines().find(|line| line.contains("generated,")).unwrap_or_default();
    let generated = passed.split_whitespace().next().and_then(|count| count.parse::<u32>().ok());
    assert!(generated.is_some_and(|count| count >= 200), "it asked too little: {said}");
    assert!(said.contains("Fuzzing (in"), "it came no further than its fixed cases: {said}");
}

#[tokio::test]
async fn the_api_is_as_described_on_sqlite() {
    nothing_is_found(Gateway::configured()).await;
}

#[tokio::test]
async fn the_api_is_as_described_on_postgresql() {
    nothing_is_found(Gateway::configured().on_postgresql()).await;
}

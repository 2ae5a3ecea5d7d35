//! The vendors' official clients against a quickstart: `tests/sdk/{python,node}`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::quickstart::Quickstart;

/// Where `scripts/install-test-needs.sh` put the clients: beside the build's output.
fn needs(language: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join("test-needs").join(language);
    assert!(
        folder.is_dir(),
        "no official clients in {}: run scripts/install-test-needs.sh (`make test` does)",
        folder.display()
    );
    folder
}

fn tests(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(language)
}

/// Runs a command that finds the gateway in `BASE_URL` and `KEY`; it must succeed, and its closing
/// lines must say that it ran tests.
async fn passes(mut command: Command, ran: &str) {
    let gateway = Quickstart::first().await;
    command
        .env("BASE_URL", &gateway.url)
        .env("KEY", gateway.key().await)
        .env_remove("ANTHROPIC_API_KEY")
        .env_remove("ANTHROPIC_AUTH_TOKEN")
        .env_remove("ANTHROPIC_BASE_URL")
        .env_remove("OPENAI_API_KEY")
        .env_remove("OPENAI_BASE_URL")
        .env_remove("OPENAI_ORG_ID")
        .env("NO_PROXY", "127.0.0.1");
    // Every call of a client has a limit of its own.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.expect("the command starts");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(ran), "it ran no test:\n{said}");
}

#[tokio::test]
async fn the_official_python_clients_work() {
    let python = needs("python").join("bin/python");
    let mut command = Command::new(python);
    // Without -B the sources' folder would be written to.
    command.args(["-B", "-m", "unittest", "discover", "--verbose"]).current_dir(tests("python"));
    passes(command, "\nOK").await;
}

#[tokio::test]
async fn the_official_node_clients_work() {
    let modules = needs("node").join("node_modules");
    let mut command = Command::new("node");
    command
        .args(["--test", "--test-reporter=tap"])
        .args(["openai.test.cjs", "anthropic.test.cjs"])
        .env("NODE_PATH", modules)
        .current_dir(tests("node"));
    passes(command, "\n# fail 0").await;
}

//! The vendors' official clients, and the frameworks that people build on: `tests/sdk`.

mod oracles;
mod quickstart;
mod vendors;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

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

fn tests(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(folder)
}

/// The Python tests of a folder of `tests/sdk` that match, with the packages of `needs`.
fn python(packages: &str, folder: &str, pattern: &str) -> Command {
    let mut command = Command::new(needs(packages).join("bin/python"));
    // Without -B the sources' folder would be written to.
    command
        .args(["-B", "-m", "unittest", "discover", "--verbose", "--pattern", pattern])
        .current_dir(tests(folder));
    command
}

/// What ends the output of Python tests that ran.
const PYTHON_RAN: &str = "\nOK";

/// These Node tests of a folder of `tests/sdk`.
fn node(folder: &str, files: &[&str]) -> Command {
    let mut command = Command::new("node");
    command
        .args(["--test", "--test-reporter=tap"])
        .args(files)
        .env("NODE_PATH", needs("node").join("node_modules"))
        .current_dir(tests(folder));
    command
}

/// What ends the output of Node tests that ran.
const NODE_RAN: &str = "\n# fail 0";

/// Runs a command, with nothing of this environment that the clients would listen to; it must
/// succeed, and its closing lines must say that it ran tests.
async fn passes(mut command: Command, ran: &str) {
    for name in std::env::vars().map(|(name, _)| name) {
        let listened_to =
            ["ANTHROPIC_", "OPENAI_", "AWS_", "GOOGLE_", "GEMINI_", "LANGCHAIN_", "LANGSMITH_"];
        if listened_to.iter().any(|start| name.starts_with(start)) {
            command.env_remove(name);
        }
    }
    command.env("NO_PROXY", "127.0.0.1").env("AWS_EC2_METADATA_DISABLED", "true");
    // Every call of a client has a limit of its own.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.expect("the command starts");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(ran), "it ran no test:\n{said}");
}

//! The tools, where `scripts/install-test-needs.sh` put them, and what they say.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A file or folder below `deploy/`.
pub fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)
}

/// What `deploy/` holds there, as text.
pub fn text(path: &str) -> String {
    let path = deploy(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One of the installed tools: `deploy/bin/hadolint`, `helm/helm`, `prometheus/promtool`.
pub fn tool(path: &str) -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let program = target.join("test-needs").join(path);
    assert!(
        program.is_file(),
        "no {}: run scripts/install-test-needs.sh (`make test` does)",
        program.display()
    );
    Command::new(program)
}

/// Runs it; it must be content.
pub fn passes(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", said(&output));
    output
}

/// Everything that it wrote.
pub fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// All documents of a YAML file.
pub fn yaml(path: impl AsRef<OsStr>) -> Vec<Value> {
    let program = "import json, sys, yaml\n\
                   print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let output = passes(tool("deploy/bin/python").arg("-c").arg(program).arg(path));
    serde_json::from_slice(&output.stdout).unwrap()
}

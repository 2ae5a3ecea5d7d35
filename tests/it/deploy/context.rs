//! What the image is built from: the sources without what `Dockerfile.dockerignore` names.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::tools::{passes, said, text};

/// Whether a line of the ignore file names this path. Of its language only what is in use: `/a`,
/// `/a/*` and `**/a`, where a name may begin with a star.
fn names(line: &str, path: &str) -> bool {
    if let Some(anywhere) = line.strip_prefix("**/") {
        let one = |part: &str| match anywhere.strip_prefix('*') {
            Some(ending) => part.ends_with(ending),
            None => part == anywhere,
        };
        return path.split('/').any(one);
    }
    let line = line.trim_start_matches('/');
    let folder = line.strip_suffix("/*").unwrap_or(line);
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.starts_with('/') || (rest.is_empty() && folder == line))
}

fn is_ignored(rules: &str, path: &str) -> bool {
    let lines = rules.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.fold(false, |ignored, line| match line.strip_prefix('!') {
        Some(kept) => ignored && !names(kept, path),
        None => ignored || names(line, path),
    })
}

/// The files of the repository that the build gets to see.
fn context() -> TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = text("Dockerfile.dockerignore");
    let listed = said(&passes(Command::new("git").args(["ls-files"]).current_dir(root)));
    let context = tempfile::tempdir().unwrap();
    for path in listed.lines().filter(|path| !is_ignored(&rules, path)) {
        let to = context.path().join(path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(root.join(path), to).unwrap();
    }
    context
}

/// An `npm` that installs and builds nothing: what it is given to build is not in question here.
fn npm() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let script: PathBuf = folder.path().join("npm");
    fs::write(&script, "#!/bin/sh\nmkdir -p node_modules dist\necho built >dist/index.html\n")
        .unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    (folder, path)
}

#[test]
fn the_image_is_built_from_all_that_its_stages_read() {
    let context = context();
    let (_npm, path) = npm();
    passes(
        Command::new("scripts/build-console.sh")
            .current_dir(context.path())
            .env_remove("CARGO_TARGET_DIR")
            .env("PATH", path),
    );
    assert!(context.path().join("target/console/index.html").exists());
    for read in ["scripts/build-release.sh", "profile/turnpike.profdata.gz"] {
        assert!(context.path().join(read).exists(), "{read}");
    }
    passes(
        Command::new("cargo")
            .args(["metadata", "--offline", "--no-deps", "--format-version", "1"])
            .current_dir(context.path())
            .stdout(std::process::Stdio::null()),
    );
}

#[test]
fn secrets_and_what_was_built_stay_out_of_the_image() {
    let rules = text("Dockerfile.dockerignore");
    for path in
        [".git/config", "target/debug/turnpike", "data/turnpike.db", "a/b.key", "deploy/.env"]
    {
        assert!(is_ignored(&rules, path), "{path}");
    }
    for path in ["docs/openapi.json", "src/main.rs", "build/console.rs", "conf/models.json"] {
        assert!(!is_ignored(&rules, path), "{path}");
    }
}

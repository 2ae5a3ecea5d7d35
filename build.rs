//! Stamps the binary with its version and, in a git checkout of its own, the commit; and puts the
//! console's files into it.

#[path = "build/console.rs"]
mod console;

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let commit = commit();
    let stamp = commit.as_ref().map_or_else(|| version.clone(), |at| format!("{version} ({at})"));
    println!("cargo:rustc-env=BUILD_VERSION={stamp}");
    println!("cargo:rustc-env=BUILD_COMMIT={}", commit.unwrap_or_default());
    console::embed();
}

/// None for a tarball, also one that was unpacked inside another project's checkout.
fn commit() -> Option<String> {
    let here = env::var("CARGO_MANIFEST_DIR").ok()?;
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != Path::new(&here).canonicalize().ok()? {
        return None;
    }
    let folder = git(&["rev-parse", "--absolute-git-dir"])?;
    // HEAD changes with the branch, its log with every commit.
    for file in ["HEAD", "logs/HEAD"] {
        let path = Path::new(&folder).join(file);
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    git(&["describe", "--always", "--abbrev=12", "--match=v*"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

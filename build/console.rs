//! The console's files, as a table of Rust with their bytes beside it.
//!
//! `scripts/build-console.sh` builds them into the folder `console` of the build's output, from where
//! they are taken, unless `TURNPIKE_CONSOLE_DIST` names another. Where there are none the binary gets
//! one page that says so: it works without them.

use std::{
    collections::hash_map::DefaultHasher,
    env, fs,
    hash::{Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

const FOLDER: &str = "TURNPIKE_CONSOLE_DIST";

/// Writes `console.rs` for `src/console/embedded.rs`.
pub fn embed() {
    println!("cargo:rerun-if-changed=build/console.rs");
    println!("cargo:rerun-if-env-changed={FOLDER}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names the folder"));
    let dist = dist().unwrap_or_else(|| notice(&out));
    let mut files = Vec::new();
    collect(&dist, &dist, &mut files);
    files.sort();
    let rows: String = files.iter().map(|path| row(&dist, path)).collect();
    let table = format!("pub(super) static ASSETS: &[Asset] = &[\n{rows}];\n");
    fs::write(out.join("console.rs"), table).expect("cargo's folder can be written");
}

/// The folder of the console that was built.
fn dist() -> Option<PathBuf> {
    env::var_os("CARGO_FEATURE_CONSOLE")?;
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    let given = env::var_os(FOLDER).filter(|folder| !folder.is_empty());
    let dist = match &given {
        Some(folder) => here.join(folder),
        None => output(&here).join("console"),
    };
    if given.is_none() {
        // Where it is not there yet: a path that is not there would have everything built anew each
        // time, and one that is not looked at would never be taken.
        fs::create_dir_all(&dist).expect("the build's output can be written");
    }
    println!("cargo:rerun-if-changed={}", dist.display());
    if dist.join("index.html").is_file() {
        return Some(dist);
    }
    assert!(given.is_none(), "{FOLDER} is {}, which has no index.html", dist.display());
    println!(
        "cargo:warning=built without the console; scripts/build-console.sh builds it, with Node.js"
    );
    None
}

/// Where the build's output goes, as `scripts/build-console.sh` takes it.
fn output(here: &Path) -> PathBuf {
    println!("cargo:rerun-if-env-changed=CARGO_TARGET_DIR");
    let named = env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    here.join(named.unwrap_or_else(|| "target".into()))
}

/// A console that says that there is none.
fn notice(out: &Path) -> PathBuf {
    let folder = out.join("no-console");
    fs::create_dir_all(&folder).expect("cargo's folder can be written");
    let page = include_str!("no-console.html");
    fs::write(folder.join("index.html"), page).expect("cargo's folder can be written");
    folder
}

/// Every file below `folder`, by its path below `dist`; compressed ones go with the others.
fn collect(dist: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the console can be read").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.');
        if path.is_dir() {
            collect(dist, &path, files);
        } else if !hidden && path.extension().is_none_or(|kind| kind != "br") {
            let below = path.strip_prefix(dist).expect("a file of the folder");
            files.push(below.to_str().expect("names are UTF-8").replace('\\', "/"));
        }
    }
}

fn row(dist: &Path, path: &str) -> String {
    let file = dist.join(path);
    let bytes = fs::read(&file).expect("the console can be read");
    let compressed = dist.join(format!("{path}.br"));
    let brotli = if compressed.is_file() {
        format!("Some(include_bytes!({:?}))", compressed.display().to_string())
    } else {
        "None".to_owned()
    };
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let etag = format!("\"{:016x}\"", hasher.finish());
    format!(
        "    Asset {{ path: {:?}, kind: {:?}, bytes: include_bytes!({:?}), brotli: {brotli}, \
         etag: {etag:?}, immutable: {} }},\n",
        format!("/{path}"),
        kind(path),
        file.display().to_string(),
        // Vite puts the hash of its content into the name of whatever it puts there.
        path.starts_with("assets/"),
    )
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

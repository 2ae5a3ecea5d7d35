//! Holds the sources to the dependency table at the top of `src/lib.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Whom a module may use; none for a module that may use everything.
type Table = BTreeMap<String, Option<BTreeSet<String>>>;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The rows of the first `text` block of the crate's documentation: `left → right right`. Remarks
/// stand in parentheses.
fn table(lib: &str) -> Table {
    let block = lib
        .lines()
        .skip_while(|line| *line != "//! ```text")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!"))
        .collect::<Vec<_>>()
        .join("\n");
    let words = without_parentheses(&block);
    let words: Vec<&str> = words.split_whitespace().collect();
    let starts: Vec<usize> = (1..words.len()).filter(|at| words[*at] == "→").collect();
    starts
        .iter()
        .enumerate()
        .map(|(row, at)| {
            let end = starts.get(row + 1).map_or(words.len(), |next| next - 1);
            let right: BTreeSet<String> =
                words[at + 1..end].iter().map(|word| (*word).to_owned()).collect();
            let right = match right.first().map(String::as_str) {
                Some("everything") => None,
                Some("nothing") => Some(BTreeSet::new()),
                _ => Some(right),
            };
            (words[at - 1].to_owned(), right)
        })
        .collect()
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0;
    text.chars()
        .filter(|letter| {
            depth += i32::from(*letter == '(');
            let keep = depth == 0;
            depth -= i32::from(*letter == ')');
            keep
        })
        .collect()
}

fn modules(lib: &str) -> BTreeSet<String> {
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .map(|name| name.trim_end_matches(';').to_owned())
        .collect()
}

/// Files that are compiled for tests only may use what they like.
fn is_test(file: &Path) -> bool {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    stem == "tests" || stem == "testing" || stem.ends_with("_tests") || stem.ends_with("_testing")
}

/// Every Rust file of a module, be it a folder or a file; tests left out.
fn files(module: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![sources().join(module)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.extend((!is_test(&path)).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test(&path)
            {
                found.push(path);
            }
        }
    }
    let file = sources().join(format!("{module}.rs"));
    found.extend(file.exists().then_some(file));
    found
}

/// The code of a file: without comments, and without its tests, which stand last.
fn code(source: &str) -> String {
    let end = source.find("\n#[cfg(test)]\nmod ").unwrap_or(source.len());
    source[..end]
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The modules that a source names: `crate::store::…`, `crate::{auth, store::{…}}`.
fn used(source: &str) -> BTreeSet<String> {
    let code = code(source);
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => used.extend(group_heads(group)),
            None => used.extend(identifier(rest)),
        }
    }
    used
}

/// The first name of each item of a group, nested groups left out.
fn group_heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut heads = Vec::new();
    let mut expect_head = true;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expect_head = true,
            letter if expect_head && !letter.is_whitespace() => {
                heads.extend(identifier(&group[at..]));
                expect_head = false;
            }
            _ => {}
        }
    }
    heads
}

fn identifier(text: &str) -> Option<String> {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let name = &text[..end.unwrap_or(text.len())];
    // A type or constant of the crate's root is no module.
    name.starts_with(|letter: char| letter.is_ascii_lowercase()).then(|| name.to_owned())
}

#[test]
fn every_module_has_a_row_and_every_row_a_module() {
    let lib = fs::read_to_string(sources().join("lib.rs")).unwrap();
    let rows: BTreeSet<String> = table(&lib).into_keys().collect();
    assert_eq!(rows, modules(&lib));
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let lib = fs::read_to_string(sources().join("lib.rs")).unwrap();
    let mut breaches = Vec::new();
    for (module, allowed) in table(&lib) {
        let Some(allowed) = allowed else { continue };
        for file in files(&module) {
            for used in used(&fs::read_to_string(&file).unwrap()) {
                if used != module && !allowed.contains(&used) {
                    breaches.push(format!("{} uses {used}", file.display()));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "against the table in src/lib.rs:\n{}", breaches.join("\n"));
}

#[test]
fn the_table_has_no_circle() {
    let lib = fs::read_to_string(sources().join("lib.rs")).unwrap();
    let mut open = table(&lib);
    loop {
        let settled: Vec<String> = open
            .iter()
            .filter(|(_, uses)| {
                uses.as_ref().is_some_and(|uses| uses.iter().all(|name| !open.contains_key(name)))
            })
            .map(|(module, _)| module.clone())
            .collect();
        if settled.is_empty() {
            break;
        }
        open.retain(|module, _| !settled.contains(module));
    }
    let circle: Vec<_> = open.iter().filter(|(_, uses)| uses.is_some()).collect();
    assert!(circle.is_empty(), "{circle:?}");
}

#[test]
fn the_scan_finds_every_way_of_naming_a_module() {
    let source = "use crate::store::Store;\nuse crate::{\n    auth::{Issuer, api::Keys}, // crate::proxy\n    domain,\n};\n\
                  fn f() { crate::wire::sse::g() }\n/// [`crate::admin`]\n\n#[cfg(test)]\nmod tests {\n    use crate::ledger;\n}\n";
    let expected = ["auth", "domain", "store", "wire"].map(str::to_owned);
    assert_eq!(used(source), BTreeSet::from(expected));
}

#[test]
fn the_table_is_read_with_two_rows_on_a_line_and_remarks() {
    let table = table(
        "//! ```text\n//! app → everything\n//! a → b c  (b is a trait)   b → nothing\n//! ```\n",
    );
    assert_eq!(table["app"], None);
    assert_eq!(table["a"], Some(BTreeSet::from(["b".to_owned(), "c".to_owned()])));
    assert_eq!(table["b"], Some(BTreeSet::new()));
}

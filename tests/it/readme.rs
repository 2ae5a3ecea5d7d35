//! What README and quickstart tell a newcomer to paste works as pasted.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use crate::{quickstart::Quickstart, support::within};

const README: &str = include_str!("../../README.md");

/// The fenced `sh` blocks with a curl line in them, in order.
fn blocks_with_curl(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in markdown.lines() {
        match (&mut open, line) {
            (None, "```sh") => open = Some(String::new()),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks.retain(|block| block.contains("curl "));
    blocks
}

/// Lines that begin with curl, with those that continue them.
fn curl_lines(printed: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut continued = false;
    for line in printed.lines() {
        if continued {
            let command = commands.last_mut().unwrap();
            command.push('\n');
            command.push_str(line);
        } else if line.trim_start().starts_with("curl ") {
            commands.push(line.to_owned());
        } else {
            continue;
        }
        continued = line.ends_with('\\');
    }
    commands
}

/// Pastes a script into bash. Any curl that is not answered with success ends it.
async fn paste(gateway: &Quickstart, script: &str) -> String {
    let strict = "set -euo pipefail\n\
                  curl() { command curl --fail-with-body -sS --max-time 15 \"$@\"; }\n";
    let script = format!("{strict}{script}\n");
    let mut bash = Command::new("bash");
    bash.arg("-s")
        .current_dir(gateway.command().get_current_dir().unwrap())
        .envs(gateway.command().get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let pasting = tokio::task::spawn_blocking(move || {
        let mut bash = bash.spawn().expect("bash starts");
        bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        (bash.wait_with_output().unwrap(), script)
    });
    let (output, script) = within("what was pasted", pasting).await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{script}\nprinted:\n{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}

#[tokio::test]
async fn every_block_of_readme_works_as_pasted() {
    let gateway = Quickstart::first().await;
    let key = gateway.key().await;
    let metrics = gateway.metrics_url().await;
    let blocks = blocks_with_curl(README);
    assert!(blocks.len() >= 5, "README lost its tour: {blocks:?}");
    // One shell for all, as a newcomer has; names and addresses are this gateway's.
    let script = blocks
        .join("\n")
        .replace("http://127.0.0.1:8080", &gateway.url)
        .replace("http://127.0.0.1:9090", &metrics)
        .replace("$(scripts/build-release.sh)", env!("CARGO_BIN_EXE_turnpike"))
        .replace("TURNPIKE_KEY=bd-…", &format!("TURNPIKE_KEY={key}"));
    assert!(!script.contains('…'), "a placeholder was left:\n{script}");
    let printed = paste(&gateway, &script).await;
    // The tour ends in a failover that can be seen.
    assert!(printed.contains("x-bd-provider-failover-count: 1"), "{printed}");
    assert!(printed.contains("turnpike_requests_total{"), "{printed}");
}

#[tokio::test]
async fn the_lines_that_quickstart_prints_work_as_pasted_and_still_do_when_it_runs_again() {
    let mut first = Quickstart::first().await;
    let key = first.key().await;
    let printed = first.end();
    let commands = curl_lines(&printed);
    assert!(commands[0].contains("/chat/completions"), "{printed}");
    let second = first.again().await;
    for command in &commands {
        paste(&second, command).await;
    }
    let mut second = second;
    let reprinted = second.end();
    assert!(!reprinted.contains(&key), "a second run must not know the key:\n{reprinted}");
    assert_eq!(curl_lines(&reprinted).len(), commands.len(), "{reprinted}");
}

#[test]
fn the_two_commands_stand_at_the_top() {
    let top: Vec<&str> = README.lines().take(6).collect();
    assert!(top.iter().any(|line| line.contains("make run")), "{top:?}");
    assert!(top.iter().any(|line| line.contains("make test")), "{top:?}");
}

//! The vendors' official clients against a quickstart: `tests/sdk/{python,node}`.

use std::process::Command;

use super::{NODE_RAN, PYTHON_RAN, node, passes, python};
use crate::quickstart::Quickstart;

/// Runs a command that finds the gateway in `BASE_URL` and `KEY`.
async fn against_quickstart(mut command: Command, ran: &str) {
    let gateway = Quickstart::first().await;
    command.env("BASE_URL", &gateway.url).env("KEY", gateway.key().await);
    passes(command, ran).await;
}

#[tokio::test]
async fn the_official_python_clients_work() {
    against_quickstart(python("python", "python", "test_*.py"), PYTHON_RAN).await;
}

#[tokio::test]
async fn the_official_node_clients_work() {
    let files = ["openai.test.cjs", "anthropic.test.cjs"];
    against_quickstart(node("node", &files), NODE_RAN).await;
}

//! The composition root: configuration → parts → a serving process. The only place that spawns
//! tasks which outlive a request.

mod alarms;
mod commands;
mod crossings;
mod deaf;
mod determiners;
mod ejections;
mod enforcement;
mod error;
mod follow;
mod history;
mod identity;
mod listen;
mod objections;
mod outside;
mod parts;
mod prices;
mod probes;
mod refresh;
mod refused_credentials;
mod retention;
mod rotate;
mod serve;
mod sharing;
mod shutdown;
mod site;
mod traces;

use std::process::ExitCode;

use crate::cli::Command;

pub use error::AppError;

/// Carries out a command.
#[must_use]
pub fn run(command: Command) -> ExitCode {
    // The first provider installed is the one that everything uses; Pingora would install ring.
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    commands::run(command)
}

//! The gateway's bench and soak: one program that plays every part of them.
//!
//! `run` and `soak` orchestrate; the other subcommands are the parts they start as processes of
//! their own (mock vendor, bare Pingora proxy, load generators), so that `/proc` tells each one's
//! CPU and memory apart. Everything talks over 127.0.0.1 and ends by itself.
//!
//! It uses the system allocator, so that `bare` is Pingora as it comes.

#![expect(clippy::cast_precision_loss, reason = "figures are told to three digits")]

mod away;
mod bare;
mod child;
mod chunked;
mod cli;
mod environment;
mod fault;
mod free;
mod http1;
mod idle;
mod load;
mod measure;
mod mix;
mod mock;
mod mock_counters;
mod mock_request;
mod mock_wire;
mod nginx;
mod policies;
mod process;
mod prompt;
mod redis;
mod report;
mod results;
mod run;
mod samples;
mod scale;
mod soak;
mod streams;
mod targets;
mod turnpike;
mod verdict;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            report::complain(&fault.to_string());
            ExitCode::FAILURE
        }
    }
}

//! What people read: the table on the terminal, the file of a run, the table of all runs.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::fault::Outcome;
use crate::results::{MemoryReadings, Readings, Results};
use crate::samples::median;

/// Prints a line. A closed terminal is no reason to stop measuring.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Prints a line of progress or of trouble.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Prints a whole run.
pub fn print(results: &Results) {
    let environment = &results.environment;
    say(&format!(
        "\n{} | {} | {} | {} | {} | {} | load average {}",
        environment.date,
        environment.commit,
        environment.rustc,
        environment.nginx,
        environment.kernel,
        environment.cpu,
        environment.load_average
    ));
    for command in &results.commands {
        say(&format!("  {command}"));
    }
    say(&format!("\nMedians of {} interleaved rounds:", results.rounds.len()));
    say(&speed_table(results));
    say(&memory_table(results));
    let cpu = |readings: &Readings| readings.small.cpu_micros_per_request;
    let floor = median(&results.paired(("bare", "nginx"), cpu, |bare, nginx| bare / nginx));
    say(&format!("  bare Pingora's CPU to nginx's, 1 KB on 32 connections: {floor:.2} x\n"));
    for verdict in &results.verdicts {
        let word = if verdict.met() { "met" } else { "MISSED" };
        say(&format!(
            "  {word:<7} {:<55} {:>8.2} {} (at most {})",
            verdict.what, verdict.figure, verdict.unit, verdict.at_most
        ));
    }
}

/// A figure's name, and where it is found.
type Row<T> = (&'static str, fn(&T) -> f64);

/// What is told of each target's rounds.
const FIGURES: [Row<Readings>; 14] = [
    ("1 KB, 32 conn.: CPU µs/request", |r| r.small.cpu_micros_per_request),
    ("1 KB, 32 conn.: requests/s", |r| r.small.load.rps),
    ("1 KB, 32 conn.: p50 µs", |r| f64::from(r.small.load.latency.p50)),
    ("1 KB, 32 conn.: p99 µs", |r| f64::from(r.small.load.latency.p99)),
    ("1 KB, 1 conn.: p50 µs", |r| f64::from(r.single.load.latency.p50)),
    ("1 KB, 1 conn.: p99 µs", |r| f64::from(r.single.load.latency.p99)),
    ("120 KB, 8 conn.: CPU µs/request", |r| r.large.cpu_micros_per_request),
    ("120 KB, 8 conn.: requests/s", |r| r.large.load.rps),
    ("streams: first byte p50 µs", |r| f64::from(r.streams.first_byte.p50)),
    ("streams: event delay p50 µs", |r| f64::from(r.streams.event_delay.p50)),
    ("streams: event delay p90 µs", |r| f64::from(r.streams.event_delay.p90)),
    ("streams: event delay p99 µs", |r| f64::from(r.streams.event_delay.p99)),
    ("20 MB, one pass, ms", |r| r.pass_ms),
    ("20 MB, three failures first, ms", |r| r.failover_ms.unwrap_or(f64::NAN)),
];

const TARGETS: [&str; 4] = ["direct", "nginx", "bare", "turnpike"];

fn speed_table(results: &Results) -> String {
    let mut table = heading();
    for (name, figure) in FIGURES {
        let _ = write!(table, "\n  {name:<34}");
        for target in TARGETS {
            table += &cell(median(&results.each_round(target, figure)));
        }
    }
    table
}

fn memory_table(results: &Results) -> String {
    let rows: [Row<MemoryReadings>; 5] = [
        ("memory idle, MiB", |m| m.idle.mib()),
        ("memory after the load, MiB", |m| m.loaded.mib()),
        ("an idle stream, KiB", |m| m.idle_streams.kib_per_stream),
        ("  of it allocated, KiB", |m| m.idle_streams.anon_kib_per_stream),
        ("memory after idle streams, MiB", |m| m.idle_streams.closed.mib()),
    ];
    let mut table = String::new();
    for (name, figure) in rows {
        let _ = write!(table, "  {name:<34}");
        for target in TARGETS {
            table += &cell(results.memory.get(target).map_or(f64::NAN, figure));
        }
        table.push('\n');
    }
    table
}

fn heading() -> String {
    let mut line = format!("  {:<34}", "");
    for target in TARGETS {
        let _ = write!(line, "{target:>12}");
    }
    line
}

fn cell(figure: f64) -> String {
    match figure {
        figure if figure.is_nan() => format!("{:>12}", "-"),
        figure if figure >= 1000.0 => format!("{figure:>12.0}"),
        figure => format!("{figure:>12.1}"),
    }
}

/// Writes the run's file and makes the table of all runs anew.
pub fn keep(results: &Results, folder: &Path) -> Outcome<PathBuf> {
    fs::create_dir_all(folder)?;
    let file = folder.join(results.environment.file_name());
    fs::write(&file, serde_json::to_string_pretty(results)? + "\n")?;
    fs::write(folder.join("README.md"), table_of_runs(folder)?)?;
    Ok(file)
}

/// One row for each file of the folder, oldest first. Files that this version cannot read are named.
fn table_of_runs(folder: &Path) -> Outcome<String> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut runs = Vec::new();
    for file in files {
        match serde_json::from_slice::<Results>(&fs::read(&file)?) {
            Ok(results) => runs.push(results),
            Err(error) => {
                complain(&format!("{} is left out of the table: {error}", file.display()));
            }
        }
    }
    runs.sort_by(|left, right| left.environment.date.cmp(&right.environment.date));
    let mut table = String::from(INTRODUCTION);
    if let Some(last) = runs.last() {
        table += &columns(last);
    }
    for run in &runs {
        table += &row(run);
    }
    Ok(table)
}

const INTRODUCTION: &str = "# Results of `make bench`

Made by `benches/run.sh`, which also writes this page; each row is a file of this folder with every
round's readings, versions and commands. All processes share one machine with two cores, so compare
within a row: figures are medians of interleaved rounds, ratios are taken round by round. A figure
in bold misses its bound.

";

fn columns(run: &Results) -> String {
    let mut head = String::from("| date | commit |");
    let mut line = String::from("|---|---|");
    for verdict in &run.verdicts {
        let _ = write!(head, " {} (≤ {} {}) |", verdict.what, verdict.at_most, verdict.unit);
        line += "---:|";
    }
    format!("{head} RPS nginx / bare / turnpike |\n{line}---|\n")
}

fn row(run: &Results) -> String {
    let mut row = format!("| {} | {} |", run.environment.date, run.environment.commit);
    for verdict in &run.verdicts {
        let mark = if verdict.met() { "" } else { "**" };
        let _ = write!(row, " {mark}{:.2}{mark} |", verdict.figure);
    }
    let rps = |target| median(&run.each_round(target, |readings| readings.small.load.rps));
    let _ = writeln!(row, " {:.0} / {:.0} / {:.0} |", rps("nginx"), rps("bare"), rps("turnpike"));
    row
}

//! Where log lines go and which are written: tracing's events, and records of the `log` crate
//! (Pingora's) as if they were events.

use std::{
    io::{self, IsTerminal as _, Write},
    sync::{Arc, OnceLock},
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::{
    json::JsonLine,
    lines::{Lines, Urgency},
};

/// What is written when the filter cannot be read.
const FALLBACK_FILTER: &str = "info";

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

impl LogFormat {
    /// Whether lines are JSON.
    pub(super) fn is_json(self) -> bool {
        match self {
            Self::Auto => !io::stderr().is_terminal(),
            Self::Json => true,
            Self::Text => false,
        }
    }
}

static FORMAT: OnceLock<LogFormat> = OnceLock::new();
static LINES: OnceLock<Arc<Lines>> = OnceLock::new();

/// Sends log lines to stderr: events of `tracing` and records of `log` that `filter` lets through
/// (`level` or `target=level,…`, see [`EnvFilter`]). To be called once; later calls do nothing.
pub fn init_logging(format: LogFormat, filter: &str) {
    let _ = FORMAT.set(format);
    let parsed = EnvFilter::builder().parse(filter);
    let fault = parsed.as_ref().err().map(ToString::to_string);
    let filter = parsed.unwrap_or_else(|_| EnvFilter::new(FALLBACK_FILTER));
    let filter = wire_silenced(filter);
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Stderr);
    // An error means that there is a subscriber already: a test's, or that of an earlier call.
    let _ = if format.is_json() {
        subscriber.with_ansi(false).event_format(JsonLine).try_init()
    } else {
        subscriber.with_ansi(io::stderr().is_terminal()).try_init()
    };
    if let Some(fault) = fault {
        tracing::warn!(fault, "log.filter cannot be read, using \"{FALLBACK_FILTER}\"");
    }
}

/// Libraries that speak on the wire log what they send below `info`, credentials and prompts
/// included: no filter can ask them for that.
fn wire_silenced(filter: EnvFilter) -> EnvFilter {
    const WIRE: [&str; 6] = ["h2", "hyper", "hyper_util", "reqwest", "rustls", "sqlx"];
    WIRE.iter()
        .filter_map(|target| format!("{target}=info").parse().ok())
        .fold(filter, EnvFilter::add_directive)
}

/// The format that was chosen.
pub(super) fn format() -> LogFormat {
    FORMAT.get().copied().unwrap_or_default()
}

/// The buffer of this process's stderr. Before the first call, lines are written as they come:
/// a command that ends at once needs no flush.
pub(super) fn lines() -> io::Result<Arc<Lines>> {
    if let Some(lines) = LINES.get() {
        return Ok(Arc::clone(lines));
    }
    let lines = Lines::start(io::stderr())?;
    Ok(Arc::clone(LINES.get_or_init(|| lines)))
}

/// Stderr, through the buffer if there is one. Every call of `write` is given whole lines.
struct Stderr;

impl MakeWriter<'_> for Stderr {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match LINES.get() {
            Some(lines) => lines.push(Urgency::Now, |buffer| buffer.extend_from_slice(line)),
            None => io::stderr().lock().write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! Where and with what a run was made: without it a figure cannot be repeated.

use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// Machine, versions, commit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Environment {
    /// Start of the run, UTC.
    pub date: String,
    /// Short commit, with `-dirty` when the work tree differs from it (results aside).
    pub commit: String,
    /// `rustc --version`.
    pub rustc: String,
    /// `nginx -v`.
    pub nginx: String,
    /// The gateway's own version.
    pub turnpike: String,
    /// Kernel.
    pub kernel: String,
    /// Processor and number of cores.
    pub cpu: String,
    /// Load average before the run: above about 0.3 the figures are another's too.
    pub load_average: String,
}

impl Environment {
    /// Asks the machine.
    #[expect(clippy::disallowed_methods, reason = "the bench is no part of the gateway")]
    pub fn now(turnpike: Option<&std::path::Path>) -> Self {
        let own = ":(exclude)benches/results";
        let dirty = said("git", &["status", "--porcelain", "--untracked-files=no", "--", ".", own]);
        let mark = if dirty.is_empty() { "" } else { "-dirty" };
        let version = turnpike.map(|binary| said(&binary.display().to_string(), &["--version"]));
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            commit: said("git", &["rev-parse", "--short=10", "HEAD"]) + mark,
            rustc: said("rustc", &["--version"]),
            nginx: said("nginx", &["-v"]),
            turnpike: version.unwrap_or_default(),
            kernel: said("uname", &["-sr"]),
            cpu: processor(),
            load_average: fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned(),
        }
    }

    /// Name of the results' file: day and commit.
    pub fn file_name(&self) -> String {
        let day = self.date.split('T').next().unwrap_or_default();
        format!("{day}-{}.json", self.commit)
    }

    /// The last minute's load average.
    pub fn busy(&self) -> f64 {
        let first = self.load_average.split(' ').next();
        first.and_then(|load| load.parse().ok()).unwrap_or(0.0)
    }
}

/// What a command prints, on either output; empty when it is not there.
fn said(program: &str, arguments: &[&str]) -> String {
    let Ok(out) = Command::new(program).args(arguments).output() else { return String::new() };
    let text = if out.stdout.is_empty() { out.stderr } else { out.stdout };
    String::from_utf8_lossy(&text).trim().to_owned()
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let names: Vec<&str> =
        info.lines().filter_map(|line| line.strip_prefix("model name")).collect();
    let name = names.first().map_or("unknown", |name| name.trim_start_matches([' ', '\t', ':']));
    format!("{} x {name}", names.len())
}

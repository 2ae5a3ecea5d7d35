//! What the kernel says a process costs: `/proc/<pid>/stat` and `/proc/<pid>/status`
//! (<https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>).

use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::fault::Outcome;

/// A process and its direct children (nginx's workers), measured as one.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    pid: u32,
    ticks_per_second: u64,
}

/// Resident memory in KiB; `anon` is what the process allocated, `file` what it mapped.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    /// All of it.
    pub rss: u64,
    /// Heap and stacks.
    pub anon: u64,
    /// Mapped files: the program's own text, the ledger's spool.
    pub file: u64,
}

impl Memory {
    /// Resident memory in MiB.
    pub fn mib(&self) -> f64 {
        self.rss as f64 / 1024.0
    }
}

impl Process {
    /// The process with this id.
    pub fn new(pid: u32) -> Outcome<Self> {
        let out = Command::new("getconf").arg("CLK_TCK").output()?;
        let ticks_per_second = String::from_utf8(out.stdout)?.trim().parse()?;
        Ok(Self { pid, ticks_per_second })
    }

    /// User and system time of all threads so far, in microseconds.
    pub fn cpu_micros(&self) -> Outcome<u64> {
        let mut ticks = 0;
        for pid in self.family()? {
            ticks += cpu_ticks(pid).ok_or_else(|| format!("process {pid} is gone"))?;
        }
        Ok(ticks * 1_000_000 / self.ticks_per_second)
    }

    /// Resident memory now. Pages that nginx's workers share are counted for each.
    pub fn memory(&self) -> Outcome<Memory> {
        let mut sum = Memory::default();
        for pid in self.family()? {
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            sum.rss += kib(&status, "VmRSS:");
            sum.anon += kib(&status, "RssAnon:");
            sum.file += kib(&status, "RssFile:") + kib(&status, "RssShmem:");
        }
        Ok(sum)
    }

    fn family(&self) -> Outcome<Vec<u32>> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid))?;
        let mut family = vec![self.pid];
        family.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        Ok(family)
    }
}

/// Fields 14 and 15 of `stat`, counted behind the command's name, which may hold spaces.
fn cpu_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn kib(status: &str, field: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

//! A fault in the configuration: where, which key, what, and what to do.

use std::{fmt, path::PathBuf};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of a file, from 1; 0 for the file as a whole.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(String),
    /// The built-in default.
    Default,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where it stands.
    pub place: Place,
    /// `section.key`; none where the fault is not about a key.
    pub key: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// What another part of the gateway has against a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Against what.
    pub to: Source,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// What a setting is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `section.key`.
    Key(&'static str),
    /// A variable of the environment that is not one of the gateway's own.
    Variable(&'static str),
}

/// Everything that is wrong, in the order in which it stands. Prints one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults in the order of their places, each once; none if there is nothing wrong.
    pub(super) fn collect(mut faults: Vec<Fault>) -> Result<(), Self> {
        faults.sort();
        faults.dedup();
        if faults.is_empty() { Ok(()) } else { Err(Self(faults)) }
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, 0) => write!(f, "{}", path.display()),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.0 {
            writeln!(f, "error: {fault}")?;
        }
        match self.0.len() {
            1 => f.write_str("the configuration has 1 fault"),
            count => write!(f, "the configuration has {count} faults"),
        }
    }
}

impl std::error::Error for Faults {}

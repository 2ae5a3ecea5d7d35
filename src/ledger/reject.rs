//! Where records go that no sink will ever take: a file beside the spool, one per line.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use bytes::Bytes;

use super::state::wide;

/// Its name in the spool's folder.
pub(super) const FILE: &str = "rejected.jsonl";

/// It grows to this size, bytes; later records are only counted.
const MAX_BYTES: u64 = 16 << 20;

/// Appends `records`. After a crash one may be there twice.
pub(super) fn keep(dir: &Path, records: &[Bytes]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(dir.join(FILE))?;
    let mut lines = Vec::new();
    for record in records {
        // A line stays a line, whatever the record is.
        lines.extend(record.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
        lines.push(b'\n');
    }
    let size = file.metadata()?.len().saturating_add(wide(lines.len()));
    if size > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "the file of rejected records is full",
        ));
    }
    file.write_all(&lines)
}

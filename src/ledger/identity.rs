//! Who a ledger is: a name that stays as long as records of it are left, so that the database can say
//! up to where it holds them.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use uuid::Uuid;

use crate::domain::{LedgerId, Position};

const FILE: &str = "ledger-id";

/// Bits of a position that tell where in its segment a record ends; the others number the segment.
/// Together they stay below 2^53 for 2^25 segments, so that a double holds them exactly.
const OFFSET_BITS: u32 = 28;

/// The name of the ledger in `dir`. Numbers of segments begin anew in an empty folder, so a ledger
/// that was left empty gets a new name.
pub(super) fn of(dir: &Path, has_records: bool) -> io::Result<LedgerId> {
    let known = fs::read_to_string(dir.join(FILE)).ok().filter(|_| has_records);
    if let Some(id) = known.and_then(|text| text.trim().parse().ok()) {
        return Ok(LedgerId(id));
    }
    let id = Uuid::new_v4();
    let made = dir.join("ledger-id.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&made)?.write_all(id.to_string().as_bytes())?;
    fs::rename(made, dir.join(FILE))?;
    Ok(LedgerId(id))
}

/// The position of the record that ends at `end` of a segment.
pub(super) fn position(segment: u64, end: usize) -> Position {
    let most = (1_u64 << OFFSET_BITS) - 1;
    let end = u64::try_from(end).unwrap_or(most).min(most);
    Position(segment.saturating_mul(1 << OFFSET_BITS).saturating_add(end))
}

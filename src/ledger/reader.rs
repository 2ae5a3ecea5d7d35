//! Reading records back for delivery: through the file, not the map, so that the lock is not held
//! and sealed segments need no memory. On Linux both see the same pages.

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    path::Path,
};

use bytes::{Bytes, BytesMut};

use super::{
    frame::{self, Found},
    segment,
    state::{Meta, wide},
};

/// Most records of a batch: more than a segment has of ordinary ones, for each batch brings up to date some ten
/// pages of sums, whatever it holds, and what remains of a segment is a batch of its own.
pub(super) const BATCH_RECORDS: usize = 2000;

/// Bytes read at once, unless a single record is larger.
pub(super) const BATCH_BYTES: usize = 1 << 20;

/// Records to deliver together, all of one segment.
pub(super) struct Batch {
    /// Their segment.
    pub segment: u64,
    /// Where they end in it.
    pub to: usize,
    /// Their payloads: slices of one buffer.
    pub records: Vec<Bytes>,
}

/// Keeps the file of the segment in delivery open, and the buffer of the last batch for the next:
/// a large allocation for each would leave the allocator with megabytes.
#[derive(Default)]
pub(super) struct Reader {
    open: Option<(u64, File)>,
    last: Bytes,
}

impl Reader {
    /// Reads the first undelivered records of a segment; none if the first of them is damaged.
    pub fn read(&mut self, dir: &Path, meta: &Meta) -> io::Result<Batch> {
        let pending = meta.end.saturating_sub(meta.delivered);
        let batch = self.read_at(dir, meta, pending.min(BATCH_BYTES))?;
        if batch.records.is_empty() && pending > BATCH_BYTES {
            return self.read_at(dir, meta, pending);
        }
        Ok(batch)
    }

    fn read_at(&mut self, dir: &Path, meta: &Meta, length: usize) -> io::Result<Batch> {
        let mut buffer = std::mem::take(&mut self.last)
            .try_into_mut()
            .unwrap_or_else(|_| BytesMut::with_capacity(BATCH_BYTES));
        let mut file = self.file(dir, meta.id)?;
        file.seek(SeekFrom::Start(wide(meta.delivered)))?;
        buffer.resize(length, 0);
        let read = fill(&mut file, &mut buffer)?;
        buffer.truncate(read);
        self.last = buffer.freeze();
        Ok(split(meta, &self.last))
    }

    fn file(&mut self, dir: &Path, id: u64) -> io::Result<&File> {
        if self.open.as_ref().is_some_and(|(open, _)| *open != id) {
            self.open = None;
        }
        let file = match self.open.take() {
            Some((_, file)) => file,
            None => File::open(segment::path(dir, id))?,
        };
        Ok(&self.open.insert((id, file)).1)
    }
}

/// Reads until `buffer` is full or the file ends; how much that is.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) {
        match file.read(space) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn split(meta: &Meta, bytes: &Bytes) -> Batch {
    let mut at = 0;
    let mut records = Vec::new();
    while records.len() < BATCH_RECORDS {
        let Found::Record(payload) = frame::read(bytes, at, meta.stamp) else { break };
        at = payload.end;
        records.push(bytes.slice(payload));
    }
    Batch { segment: meta.id, to: meta.delivered + at, records }
}

//! What the tests of this folder share: spools of small segments, and a sink in memory.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Ledger, OnFull, SinkError, SpoolLimits, UsageSink, reader::Reader, segment};
use crate::domain::{RecordId, seeded::Dice, testing::usage_record};

/// Limits that no test reaches by accident.
pub(super) fn roomy() -> SpoolLimits {
    SpoolLimits { max_bytes: 64 << 20, on_full: OnFull::Block }
}

pub(super) fn spool(dir: &Path, limits: SpoolLimits, segment_bytes: usize) -> Ledger {
    Ledger::open_with(dir, limits, segment_bytes).unwrap()
}

/// Takes everything that waits, as the delivery would.
pub(super) fn waiting(ledger: &Ledger) -> Vec<Vec<u8>> {
    let mut reader = Reader::default();
    let mut found = Vec::new();
    while let Some(batch) = ledger.spool.peek(&mut reader).unwrap() {
        found.extend(batch.records.iter().map(|record| record.to_vec()));
        ledger.spool.delivered(&batch);
    }
    found
}

/// Copies the files of `from`, as they are at this moment. Those that go meanwhile hold nothing that
/// waits for delivery.
pub(super) fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match std::fs::copy(entry.path(), to.join(entry.file_name())) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            copied => drop(copied.unwrap()),
        }
    }
}

/// Numbers of the segments in `dir`, in order.
pub(super) fn ids(dir: &Path) -> Vec<u64> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut ids: Vec<u64> = names.filter_map(|name| segment::id_of(name.to_str()?)).collect();
    ids.sort_unstable();
    ids
}

/// Bytes of the segments in `dir`.
pub(super) fn disk(dir: &Path) -> u64 {
    let sizes =
        ids(dir).into_iter().filter_map(|id| std::fs::metadata(segment::path(dir, id)).ok());
    sizes.map(|file| file.len()).sum()
}

/// Waits for another thread, ten seconds at most.
pub(super) fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "not in ten seconds");
        std::thread::yield_now();
    }
}

/// The JSON of a record with number `n` in its id.
pub(super) fn record(n: u32) -> Vec<u8> {
    let mut record = usage_record();
    record.id = RecordId(uuid::Uuid::from_u128(u128::from(n)));
    record.request_id = format!("req-{n}").into();
    let mut text = Vec::new();
    record.write(&mut text);
    text
}

/// Keeps what it is given, each record once; may fail or refuse one record.
#[derive(Default)]
pub(super) struct MemorySink {
    fail: u32,
    flap: Option<Mutex<Dice>>,
    refuse: Option<Vec<u8>>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    records: Vec<Vec<u8>>,
    batches: Vec<usize>,
    asked: u32,
}

impl MemorySink {
    /// Fails so many times first.
    pub fn failing(times: u32) -> Self {
        Self { fail: times, ..Self::default() }
    }

    /// Is away at about half of the calls, by no rule.
    pub fn flapping(seed: u64) -> Self {
        Self { flap: Some(Dice::of(seed).into()), ..Self::default() }
    }

    /// Refuses every batch with this record in it.
    pub fn refusing(record: &[u8]) -> Self {
        Self { refuse: Some(record.to_vec()), ..Self::default() }
    }

    pub fn stored(&self) -> Vec<Vec<u8>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).records.clone()
    }

    /// Sizes of the batches that were taken.
    pub fn batches(&self) -> Vec<usize> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).batches.clone()
    }

    /// How often it was called.
    pub fn asked(&self) -> u32 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).asked
    }
}

#[async_trait::async_trait]
impl UsageSink for MemorySink {
    async fn store_usage(&self, batch: &[Bytes]) -> Result<(), SinkError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.asked = kept.asked.saturating_add(1);
        let away = self
            .flap
            .as_ref()
            .is_some_and(|dice| dice.lock().unwrap_or_else(PoisonError::into_inner).percent(50));
        if away {
            return Err(SinkError::Away("gone for a moment".to_owned()));
        }
        let refused = batch.iter().any(|record| Some(&**record) == self.refuse.as_deref());
        if refused || kept.asked <= self.fail {
            return Err(SinkError::Refused("not this".to_owned()));
        }
        kept.batches.push(batch.len());
        for record in batch {
            if !kept.records.iter().any(|known| known == record) {
                kept.records.push(record.to_vec());
            }
        }
        Ok(())
    }
}

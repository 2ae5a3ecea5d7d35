//! The ledger as the rest of the crate sees it.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::Notify;

use super::{identity, keeper, recover, spool::Spool};
use crate::domain::{LedgerId, Position};

/// Bytes of an ordinary segment. Small, because the pages of the active one count as memory.
const SEGMENT_BYTES: usize = 1 << 20;

/// The spool's bound.
#[derive(Clone, Copy, Debug)]
pub struct SpoolLimits {
    /// Bytes on disk, at least four segments of 1 MiB; two to four segments more are made ahead.
    pub max_bytes: u64,
    /// What happens there.
    pub on_full: OnFull,
}

/// What happens when the spool is at its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// New requests are refused ([`Ledger::accepts`]); those in flight still find room.
    Block,
    /// The oldest records are given up, counted and logged.
    DropOldest,
}

/// Why a spool cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process has it.
    #[error(
        "the data folder is in use: another Turnpike process holds {}; stop it, or give this one \
         its own storage.data_dir",
        .0.display()
    )]
    Locked(PathBuf),
    /// The file system refuses.
    #[error("the usage spool in {} cannot be used: {source}", .dir.display())]
    Io {
        /// The spool's folder.
        dir: PathBuf,
        /// What the file system says.
        source: io::Error,
    },
}

/// A record was not kept: the spool is at its bound, or the disk refuses another segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the usage spool is full (ledger.max_spool_mb, or the disk)")]
pub struct SpoolFull;

/// What waits for delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Records.
    pub records: u64,
    /// Their bytes, framing included.
    pub bytes: u64,
}

/// Records that will not reach the sink, since this process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Given up at the bound under [`OnFull::DropOldest`].
    pub dropped: u64,
    /// Not kept at all ([`SpoolFull`]).
    pub refused: u64,
    /// Moved to the file `rejected.jsonl`: no sink can take them.
    pub rejected: u64,
    /// Lost to a disk that changed or lost a segment.
    pub unreadable: u64,
}

/// What an earlier process left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Records that will be delivered (again, if it was killed right after delivering them).
    pub records: u64,
    /// Segments whose last record was cut off by a crash, or whose last pages a power cut took back.
    pub torn: u64,
}

/// Keeps usage records until the sink has them. See the module's page.
pub struct Ledger {
    pub(super) spool: Arc<Spool>,
    /// Asks the delivery to run now instead of at its next tick.
    pub(super) hurry: Notify,
    /// Tells those in [`Ledger::wait_delivered`] that the backlog has shrunk.
    pub(super) shrunk: Notify,
    keeper: Option<JoinHandle<()>>,
    recovered: Recovered,
    id: LedgerId,
    /// Held as long as the ledger lives; the system releases it when the process dies.
    _lock: File,
}

impl Ledger {
    /// Opens the spool in `dir` (made if missing, for this user only) and finds what an earlier
    /// process left there.
    ///
    /// # Errors
    /// When another process has it, or the file system refuses.
    pub fn open(dir: &Path, limits: SpoolLimits) -> Result<Self, SpoolError> {
        Self::open_with(dir, limits, SEGMENT_BYTES)
    }

    pub(super) fn open_with(
        dir: &Path,
        limits: SpoolLimits,
        segment_bytes: usize,
    ) -> Result<Self, SpoolError> {
        let io = |source| SpoolError::Io { dir: dir.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io)?;
        let lock = lock(dir)?;
        let left = recover::recover(dir).map_err(io)?;
        let recovered = Recovered {
            records: left.sealed.iter().map(|meta| meta.records).sum(),
            torn: left.torn,
        };
        if recovered != Recovered::default() {
            tracing::info!(
                records = recovered.records,
                torn_segments = recovered.torn,
                "usage records of an earlier run will be delivered"
            );
        }
        let id = identity::of(dir, recovered.records > 0).map_err(io)?;
        let spool = Spool::new(dir, limits, segment_bytes, left.sealed.into(), left.next_id);
        let spool = Arc::new(spool.map_err(io)?);
        let keeper = start_keeper(&spool).map_err(io)?;
        Ok(Self {
            spool,
            hurry: Notify::new(),
            shrunk: Notify::new(),
            keeper: Some(keeper),
            recovered,
            id,
            _lock: lock,
        })
    }

    /// Keeps one serialized [`crate::domain::UsageRecord`]: when this returns, killing the process
    /// does not lose it. Takes no system call but at the end of a segment. Answers where it lies.
    ///
    /// # Errors
    /// At the bound under [`OnFull::Block`], when even the room kept for admitted requests is used
    /// up; or when the disk is full. The record is lost and counted.
    pub fn append(&self, json: &[u8]) -> Result<Position, SpoolFull> {
        self.spool.append(json)
    }

    /// Whether new requests may be admitted. `false` only at the bound (or on a full disk) under
    /// [`OnFull::Block`]; what is refused for that reason should not be appended.
    #[must_use]
    pub fn accepts(&self) -> bool {
        self.spool.accepts()
    }

    /// What waits for delivery.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        let (records, bytes) = self.spool.lock().pending();
        Backlog { records, bytes }
    }

    /// What will not be delivered.
    #[must_use]
    pub fn losses(&self) -> Losses {
        let tally = &self.spool.tally;
        Losses {
            dropped: tally.dropped.load(Ordering::Relaxed),
            refused: tally.refused.load(Ordering::Relaxed),
            rejected: tally.rejected.load(Ordering::Relaxed),
            unreadable: tally.unreadable.load(Ordering::Relaxed),
        }
    }

    /// Its name, under which the sink keeps up to where it holds the records.
    #[must_use]
    pub const fn id(&self) -> LedgerId {
        self.id
    }

    /// Up to where the sink is known to hold the records of this process.
    #[must_use]
    pub fn delivered(&self) -> Position {
        Position(self.spool.held.load(Ordering::Acquire))
    }

    /// What an earlier process left.
    #[must_use]
    pub const fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Has everything delivered now; `false` if records still wait after `within`.
    pub async fn wait_delivered(&self, within: Duration) -> bool {
        let empty = async {
            loop {
                let shrunk = self.shrunk.notified();
                if self.backlog().records == 0 {
                    return;
                }
                self.hurry.notify_one();
                shrunk.await;
            }
        };
        tokio::time::timeout(within, empty).await.is_ok()
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.spool.lock().keeper.stop = true;
        self.spool.wake.notify_one();
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}

fn start_keeper(spool: &Arc<Spool>) -> io::Result<JoinHandle<()>> {
    let spool = Arc::clone(spool);
    std::thread::Builder::new().name("ledger".to_owned()).spawn(move || keeper::run(&spool))
}

fn lock(dir: &Path) -> Result<File, SpoolError> {
    let path = dir.join("lock");
    let io = |source| SpoolError::Io { dir: dir.to_owned(), source };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SpoolError::Locked(path)),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{
        keeper::SPARES,
        testing::{copy, disk, ids, roomy, spool, until, waiting},
    };

    const SMALL: usize = 4096;

    fn tight(on_full: OnFull) -> SpoolLimits {
        SpoolLimits { max_bytes: 8 * SMALL as u64, on_full }
    }

    #[test]
    fn a_killed_process_loses_nothing_that_was_appended() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = spool(dir.path(), roomy(), SMALL);
        let records: Vec<Vec<u8>> =
            (0..500).map(|n| format!("{{\"n\":{n}}}").into_bytes()).collect();
        for record in &records {
            ledger.append(record).unwrap();
        }
        // A copy of the files is what a killed process leaves: nothing was flushed or closed.
        let left = tempfile::tempdir().unwrap();
        copy(dir.path(), left.path());
        let again = spool(left.path(), roomy(), SMALL);
        assert_eq!(again.recovered(), Recovered { records: 500, torn: 0 });
        assert_eq!(waiting(&again), records);
    }

    #[test]
    fn a_restart_finds_what_was_not_delivered_and_appends_behind_it() {
        let dir = tempfile::tempdir().unwrap();
        spool(dir.path(), roomy(), SMALL).append(b"first").unwrap();
        let again = spool(dir.path(), roomy(), SMALL);
        again.append(b"second").unwrap();
        assert_eq!(again.backlog(), Backlog { records: 2, bytes: 8 + 5 + 8 + 6 });
        assert_eq!(waiting(&again), [b"first".to_vec(), b"second".to_vec()]);
    }

    #[test]
    fn a_ledger_keeps_its_name_and_its_order_while_records_of_it_are_left() {
        let dir = tempfile::tempdir().unwrap();
        let first = spool(dir.path(), roomy(), SMALL);
        let (name, mut last) = (first.id(), Position(0));
        for number in 0..40 {
            // One needs a segment of its own, made after those that lie ready.
            let length = if number == 10 { 700_000 } else { 1000 };
            let position = first.append(&vec![b'x'; length]).unwrap();
            assert!(last < position);
            last = position;
        }
        drop(first);
        let second = spool(dir.path(), roomy(), SMALL);
        assert_eq!(second.id(), name);
        assert!(last < second.append(b"more").unwrap());
        waiting(&second);
        drop(second);
        assert_ne!(spool(dir.path(), roomy(), SMALL).id(), name);
    }

    #[test]
    fn an_unused_ledger_leaves_no_segment() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = spool(dir.path(), roomy(), SMALL);
        assert_ne!(ids(dir.path()), Vec::<u64>::new());
        drop(ledger);
        assert_eq!(ids(dir.path()), Vec::<u64>::new());
    }

    #[test]
    fn a_second_ledger_on_the_same_folder_is_refused_while_the_first_lives() {
        let dir = tempfile::tempdir().unwrap();
        let first = Ledger::open(dir.path(), roomy()).unwrap();
        let refusal = Ledger::open(dir.path(), roomy()).err().unwrap();
        assert!(matches!(refusal, SpoolError::Locked(_)));
        assert!(refusal.to_string().contains("storage.data_dir"), "{refusal}");
        drop(first);
        assert!(Ledger::open(dir.path(), roomy()).is_ok());
    }

    #[test]
    fn a_record_larger_than_a_segment_gets_one_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = spool(dir.path(), roomy(), SMALL);
        let records = vec![b"small".to_vec(), vec![b'x'; 700_000], b"after".to_vec()];
        for record in &records {
            ledger.append(record).unwrap();
        }
        assert_eq!(waiting(&ledger), records);
    }

    #[test]
    fn at_the_bound_block_refuses_new_requests_but_keeps_those_in_flight() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = spool(dir.path(), tight(OnFull::Block), SMALL);
        let mut kept = 0;
        while ledger.accepts() {
            ledger.append(&[b'x'; 1000]).unwrap();
            kept += 1;
        }
        ledger.append(&[b'y'; 1000]).unwrap();
        kept += 1;
        while ledger.append(&[b'z'; 1000]).is_ok() {
            kept += 1;
        }
        assert_eq!(ledger.backlog().records, kept);
        assert_eq!(ledger.losses(), Losses { refused: 1, ..Losses::default() });
        assert!(disk(dir.path()) <= 10 * SMALL as u64, "the bound and two segments made ahead");
    }

    #[test]
    fn delivering_makes_room_again() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = spool(dir.path(), tight(OnFull::Block), SMALL);
        while ledger.accepts() {
            ledger.append(&[b'x'; 1000]).unwrap();
        }
        waiting(&ledger);
        assert!(ledger.accepts());
        assert!(ledger.append(b"more").is_ok());
    }

    #[test]
    fn at_the_bound_drop_oldest_gives_up_the_oldest_and_counts_them() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = spool(dir.path(), tight(OnFull::DropOldest), SMALL);
        let records: Vec<Vec<u8>> = (0..100).map(|n| format!("{n:01000}").into_bytes()).collect();
        for record in &records {
            ledger.append(record).unwrap();
        }
        assert!(ledger.accepts());
        let dropped = ledger.losses().dropped;
        assert!(dropped > 0);
        assert_eq!(waiting(&ledger), records[usize::try_from(dropped).unwrap()..]);
        until(|| disk(dir.path()) <= 10 * SMALL as u64);
    }

    #[test]
    fn threads_append_side_by_side() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = spool(dir.path(), roomy(), SMALL);
        std::thread::scope(|scope| {
            for thread in 0..4_u32 {
                let ledger = &ledger;
                scope.spawn(move || {
                    for n in 0..250_u32 {
                        ledger.append(format!("{thread}-{n:03}").as_bytes()).unwrap();
                    }
                });
            }
        });
        let mut found = waiting(&ledger);
        found.sort();
        let mut expected: Vec<_> = (0..4_u32)
            .flat_map(|thread| (0..250_u32).map(move |n| format!("{thread}-{n:03}").into_bytes()))
            .collect();
        expected.sort();
        assert_eq!(found, expected);
    }

    /// A ledger in a folder that can be taken away: it takes no more files then, as a full disk.
    struct Disk {
        ledger: Ledger,
        folder: tempfile::TempDir,
        elsewhere: tempfile::TempDir,
    }

    impl Disk {
        fn new(segment_bytes: usize) -> Self {
            let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let ledger = spool(folder.path(), roomy(), segment_bytes);
            until(|| ledger.spool.lock().spares.len() == SPARES);
            Self { ledger, folder, elsewhere }
        }

        fn fills_up(&self) {
            std::fs::rename(self.folder.path(), self.elsewhere.path().join("spool")).unwrap();
        }

        fn has_room_again(&self) {
            std::fs::rename(self.elsewhere.path().join("spool"), self.folder.path()).unwrap();
        }
    }

    #[test]
    fn a_full_disk_is_back_pressure_and_not_a_crash() {
        let disk = Disk::new(SMALL);
        disk.fills_up();
        while disk.ledger.append(&[b'x'; 1000]).is_ok() {}
        assert!(!disk.ledger.accepts());
        assert_eq!(disk.ledger.losses().refused, 1);
        disk.has_room_again();
        until(|| disk.ledger.accepts());
        assert!(disk.ledger.append(b"more").is_ok());
    }

    #[test]
    fn a_disk_is_asked_again_also_while_records_go_on_coming() {
        let disk = Disk::new(1 << 16);
        disk.fills_up();
        // The first spare comes into use, and another cannot be made: the active one has room.
        while disk.ledger.accepts() {
            disk.ledger.append(&[b'x'; 1000]).unwrap();
            until(|| disk.ledger.spool.lock().is_flushed());
        }
        disk.has_room_again();
        // One record for each round of the keeper's.
        until(|| {
            if disk.ledger.spool.lock().is_flushed() {
                disk.ledger.append(b"x").unwrap();
            }
            disk.ledger.accepts()
        });
    }

    #[test]
    fn a_segment_that_an_append_could_make_shows_that_the_disk_has_room_again() {
        let disk = Disk::new(SMALL);
        disk.fills_up();
        while disk.ledger.append(&[b'x'; 1000]).is_ok() {}
        disk.has_room_again();
        disk.ledger.append(&[b'x'; 1000]).unwrap();
        assert!(disk.ledger.accepts());
    }
}

//! The spool: appending under a short lock, reading back what was not delivered.
//!
//! The lock is held for one copy. Whatever needs the file system (making the next segment,
//! flushing, removing) is left to the [`super::keeper`]; an append makes a system call only when it
//! moves on to the next segment, or wakes a keeper that had nothing to do for a second. Only where
//! the keeper has fallen behind does an append make a segment itself, and even then it flushes none.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use super::{
    frame::Frame,
    handle::{OnFull, SpoolFull, SpoolLimits},
    identity,
    reader::{Batch, Reader},
    segment::{self, BODY, Segment},
    state::{Meta, State, wide},
};
use crate::domain::Position;

/// At its bound under `block`, the spool keeps this much for requests that were already admitted.
const MAX_HEADROOM: u64 = 16 << 20;

/// The spool's smallest bound, in segments.
const FEWEST_SEGMENTS: u64 = 4;

/// A folder of segments, and how far they were delivered.
pub(super) struct Spool {
    /// The folder.
    pub dir: PathBuf,
    /// Bytes of an ordinary segment.
    pub segment_bytes: usize,
    /// Number of the first segment that this process has made.
    pub first_id: u64,
    /// Woken when the keeper is wanted.
    pub wake: Condvar,
    /// Records given up or refused since this process began.
    pub tally: Tally,
    /// Up to where the sink holds the records: a [`Position`].
    pub held: AtomicU64,
    /// Most bytes of segments that hold something.
    pub max_bytes: u64,
    headroom: u64,
    on_full: OnFull,
    state: Mutex<State>,
    refuses: AtomicBool,
}

/// Records that will not be stored, by reason.
#[derive(Default)]
pub(super) struct Tally {
    pub dropped: AtomicU64,
    pub refused: AtomicU64,
    pub rejected: AtomicU64,
    pub unreadable: AtomicU64,
}

impl Spool {
    /// Begins a new segment behind `sealed`.
    pub fn new(
        dir: &Path,
        limits: SpoolLimits,
        segment_bytes: usize,
        sealed: VecDeque<Meta>,
        next_id: u64,
    ) -> io::Result<Self> {
        let active = Segment::create(dir, next_id, segment_bytes)?;
        let max_bytes = limits.max_bytes.max(wide(segment_bytes) * FEWEST_SEGMENTS);
        let spool = Self {
            dir: dir.to_owned(),
            segment_bytes,
            first_id: next_id,
            wake: Condvar::new(),
            tally: Tally::default(),
            held: AtomicU64::new(0),
            max_bytes,
            headroom: (max_bytes / 8).clamp(wide(segment_bytes), MAX_HEADROOM),
            on_full: limits.on_full,
            state: Mutex::new(State::new(active, sealed, next_id + 1)),
            refuses: AtomicBool::new(false),
        };
        spool.judge(&spool.lock());
        Ok(spool)
    }

    /// What the lock guards; a panic elsewhere while it was held does not matter: every change is
    /// complete once its last line ran, and a half-copied frame is not yet counted.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps one record. See [`super::Ledger::append`].
    pub fn append(&self, json: &[u8]) -> Result<Position, SpoolFull> {
        // The checksum is computed before the lock is taken.
        let Some(frame) = Frame::new(json) else { return Err(self.refuse(SpoolFull)) };
        let mut state = self.lock();
        if !state.push(&frame) {
            self.roll(&mut state, &frame).map_err(|full| self.refuse(full))?;
            state.push(&frame);
        }
        if state.keeper.sleeps {
            self.wake.notify_one();
        }
        Ok(identity::position(state.meta.id, state.meta.end))
    }

    fn refuse(&self, full: SpoolFull) -> SpoolFull {
        self.tally.refused.fetch_add(1, Ordering::Relaxed);
        full
    }

    /// Whether there is room for the records of new requests.
    pub fn accepts(&self) -> bool {
        !self.refuses.load(Ordering::Relaxed)
    }

    /// Moves on to a segment with room for `frame`.
    fn roll(&self, state: &mut State, frame: &Frame<'_>) -> Result<(), SpoolFull> {
        let size = self.segment_bytes.max(BODY + frame.len());
        self.make_room(state, size)?;
        let fresh = match state.take_spare(size) {
            Some(spare) => spare,
            None => self.create_now(state, size)?,
        };
        state.seal_and_replace(fresh);
        self.judge(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Gives up the oldest segments, if that is the policy, until `size` more bytes fit the bound.
    fn make_room(&self, state: &mut State, size: usize) -> Result<(), SpoolFull> {
        while state.disk() + wide(size) > self.max_bytes {
            let id = self.give_up_oldest(state).ok_or(SpoolFull)?;
            state.keeper.garbage.push(id);
        }
        Ok(())
    }

    /// The slow way to a segment: the keeper was not quick enough, or the disk is full.
    fn create_now(&self, state: &mut State, size: usize) -> Result<Segment, SpoolFull> {
        let id = state.take_id();
        loop {
            match Segment::create(&self.dir, id, size) {
                Ok(fresh) => {
                    state.disk_refused = None;
                    state.keeper.named.push(id);
                    return Ok(fresh);
                }
                Err(error) => {
                    state.disk_refused = Some(Instant::now());
                    self.judge(state);
                    // It asks the disk again, also when nothing else calls it.
                    self.wake.notify_one();
                    let oldest = self.give_up_oldest(state).ok_or(SpoolFull)?;
                    tracing::error!(%error, "the disk refuses another segment of the usage spool");
                    let _ = fs::remove_file(segment::path(&self.dir, oldest));
                }
            }
        }
    }

    fn give_up_oldest(&self, state: &mut State) -> Option<u64> {
        if self.on_full == OnFull::Block {
            return None;
        }
        let (id, records) = state.drop_oldest()?;
        self.tally.dropped.fetch_add(records, Ordering::Relaxed);
        tracing::error!(records, "the usage spool is full: its oldest records were dropped");
        Some(id)
    }

    /// Decides whether new requests are admitted. To be called whenever the spool's size changes.
    pub fn judge(&self, state: &State) {
        let full = state.disk_refused.is_some() || state.disk() + self.headroom > self.max_bytes;
        let refuses = full && self.on_full == OnFull::Block;
        if self.refuses.swap(refuses, Ordering::Relaxed) != refuses {
            if refuses {
                tracing::error!("the usage spool is full: new requests are refused");
            } else {
                tracing::info!("the usage spool has room again");
            }
        }
    }

    /// The next records to deliver, oldest first; `None` when everything was delivered.
    pub fn peek(&self, reader: &mut Reader) -> io::Result<Option<Batch>> {
        loop {
            let Some(front) = self.lock().front() else { return Ok(None) };
            match reader.read(&self.dir, &front) {
                Ok(batch) if !batch.records.is_empty() => return Ok(Some(batch)),
                Ok(_) => self.skip(&front, "its bytes have changed"),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.skip(&front, "its file is gone");
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Goes on behind a segment that can't be read, unless it was given up in the meantime.
    fn skip(&self, front: &Meta, reason: &str) {
        let mut state = self.lock();
        if state.front().is_none_or(|now| now.id != front.id) {
            return;
        }
        state.delivered(front.id, front.end, front.records);
        self.judge(&state);
        drop(state);
        self.tally.unreadable.fetch_add(front.records, Ordering::Relaxed);
        tracing::error!(segment = front.id, records = front.records, reason, "usage records lost");
    }

    /// Notes that `batch` needs no more delivering.
    pub fn delivered(&self, batch: &Batch) {
        let mut state = self.lock();
        state.delivered(batch.segment, batch.to, wide(batch.records.len()));
        self.judge(&state);
    }
}

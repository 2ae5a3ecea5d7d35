//! The order of segments and their bound: what the spool's lock guards.
//!
//! Segments go spare → active → sealed → gone, or spare again. Only the active one is mapped and written; sealed
//! ones are files, so memory does not grow with the backlog.

use std::{collections::VecDeque, fs::File, sync::Arc, time::Instant};

use super::{
    frame::{Frame, Stamp},
    segment::{BODY, Segment},
};

/// What is known of a segment with records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meta {
    pub id: u64,
    /// What its frames are stamped with.
    pub stamp: Stamp,
    /// Bytes on disk.
    pub size: usize,
    /// Where its last frame ends.
    pub end: usize,
    /// Where the first frame that was not delivered begins.
    pub delivered: usize,
    /// Records that were not delivered.
    pub records: u64,
}

impl Meta {
    pub const fn new(id: u64, size: usize) -> Self {
        Self { id, stamp: Stamp::of(id), size, end: BODY, delivered: BODY, records: 0 }
    }

    pub const fn add(&mut self, frame: usize) {
        self.end += frame;
        self.records += 1;
    }

    pub const fn is_delivered(&self) -> bool {
        self.delivered >= self.end
    }

    const fn pending(&self) -> usize {
        self.end.saturating_sub(self.delivered)
    }
}

/// What the lock guards.
pub(super) struct State {
    /// The segment that is written to, and what is known of it.
    pub active: Segment,
    pub meta: Meta,
    /// The next ones, made ahead by the keeper.
    pub spares: VecDeque<Segment>,
    /// Older ones, oldest first; each has something to deliver.
    pub sealed: VecDeque<Meta>,
    /// Number of the next segment.
    pub next_id: u64,
    /// When the disk refused the last segment; none if it did not.
    pub disk_refused: Option<Instant>,
    /// What the keeper is to do.
    pub keeper: Desk,
}

/// Work left for the keeper.
#[derive(Default)]
pub(super) struct Desk {
    /// Segments to flush a last time and unmap.
    pub retired: Vec<Segment>,
    /// Segments whose files are no longer wanted: to be used again, or removed.
    pub garbage: Vec<u64>,
    /// Up to where the active segment was flushed.
    pub flushed: usize,
    /// Segments made since the folder was last flushed.
    pub named: Vec<u64>,
    /// The keeper waits to be woken instead of looking every 10 ms.
    pub sleeps: bool,
    /// The ledger is being dropped.
    pub stop: bool,
}

impl State {
    pub fn new(active: Segment, sealed: VecDeque<Meta>, next_id: u64) -> Self {
        let meta = Meta::new(active.id, active.size());
        let keeper = Desk { named: vec![active.id], flushed: BODY, ..Desk::default() };
        Self { active, meta, spares: VecDeque::new(), sealed, next_id, disk_refused: None, keeper }
    }

    /// Whether a flush was begun of all that was written.
    pub const fn is_flushed(&self) -> bool {
        self.keeper.flushed >= self.meta.end
    }

    /// The active segment's file, if there is something to flush, of which no page is mapped.
    pub fn take_unflushed(&mut self) -> Option<Arc<File>> {
        if self.is_flushed() {
            return None;
        }
        let written = self.keeper.flushed..self.meta.end;
        self.keeper.flushed = written.end;
        self.active.let_go(written);
        Some(Arc::clone(&self.active.file))
    }

    /// Copies `frame` behind the last; `false` if the active segment has no room.
    pub fn push(&mut self, frame: &Frame<'_>) -> bool {
        let fits = self.active.put(self.meta.end, frame);
        if fits {
            self.meta.add(frame.len());
        }
        fits
    }

    /// The oldest spare that has `size` bytes. Those that a segment made later has overtaken are
    /// given up: segments are written in the order of their numbers.
    pub fn take_spare(&mut self, size: usize) -> Option<Segment> {
        let active = self.active.id;
        let overtaken = self.spares.iter().map(|spare| spare.id).filter(|id| *id < active);
        self.keeper.garbage.extend(overtaken);
        self.spares.retain(|spare| spare.id > active);
        let fit = self.spares.iter().position(|spare| spare.size() >= size)?;
        self.spares.remove(fit)
    }

    /// A number for a new segment.
    pub const fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Bytes on disk of all segments with records, and of the active one.
    pub fn disk(&self) -> u64 {
        self.sealed.iter().map(|meta| wide(meta.size)).sum::<u64>() + wide(self.meta.size)
    }

    /// Records and bytes that were not delivered.
    pub fn pending(&self) -> (u64, u64) {
        self.sealed.iter().chain([&self.meta]).fold((0, 0), |(records, bytes), meta| {
            (records + meta.records, bytes + wide(meta.pending()))
        })
    }

    /// Makes `fresh` the active segment.
    pub fn seal_and_replace(&mut self, fresh: Segment) {
        let fresh_meta = Meta::new(fresh.id, fresh.size());
        let old = std::mem::replace(&mut self.meta, fresh_meta);
        self.keeper.retired.push(std::mem::replace(&mut self.active, fresh));
        self.keeper.flushed = BODY;
        if old.is_delivered() {
            self.keeper.garbage.push(old.id);
        } else {
            self.sealed.push_back(old);
        }
    }

    /// Gives up the oldest sealed segment; how many records that loses. `None` if there is none.
    pub fn drop_oldest(&mut self) -> Option<(u64, u64)> {
        let oldest = self.sealed.pop_front()?;
        Some((oldest.id, oldest.records))
    }

    /// The oldest segment that has something to deliver.
    pub fn front(&self) -> Option<Meta> {
        self.sealed.front().or(Some(&self.meta)).copied().filter(|meta| !meta.is_delivered())
    }

    /// Notes that `records` up to `to` of a segment were delivered (or can never be).
    pub fn delivered(&mut self, id: u64, to: usize, records: u64) {
        if self.meta.id == id {
            advance(&mut self.meta, to, records);
        } else if let Some(front) = self.sealed.front_mut().filter(|front| front.id == id) {
            advance(front, to, records);
            if front.is_delivered() {
                self.sealed.pop_front();
                self.keeper.garbage.push(id);
            }
        }
    }
}

fn advance(meta: &mut Meta, to: usize, records: u64) {
    meta.delivered = meta.delivered.max(to);
    meta.records = meta.records.saturating_sub(records);
}

/// A size in memory as a size on disk.
pub(super) const fn wide(size: usize) -> u64 {
    size as u64
}

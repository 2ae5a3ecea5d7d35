//! The keeper: the thread that does the spool's file work, away from requests.
//!
//! It makes the next segments ahead of need, of delivered ones where it can, flushes what was written
//! every 10 ms (which bounds what a power cut takes), unmaps sealed segments and removes delivered ones
//! that are too many.

use std::{
    fs::{self, File},
    io,
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    segment::{self, Segment},
    spool::Spool,
    state::{State, wide},
};

/// Time between flushes.
const ROUND: Duration = Duration::from_millis(10);

/// Rounds without work after which the keeper waits to be woken.
const QUIET_ROUNDS: u32 = 100;

/// Segments made ahead: at the highest rates one is full before the next is made.
pub(super) const SPARES: usize = 2;

/// Most spares where delivered segments become some: under load as many as come back together when the
/// database was busy with itself for a while.
pub(super) const KEPT_SPARES: usize = 12;

/// Most segments that are recycled in a round; each is flushed, which may take as long as a round does.
const RECYCLED_AT_ONCE: usize = 4;

/// Time after which a disk that refused a segment is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What is to be done, taken out of the lock.
struct Chores {
    retired: Vec<Segment>,
    /// Delivered segments, and the numbers of those that their files become.
    recycled: Vec<(u64, u64)>,
    /// Delivered ones that become some later.
    later: Vec<u64>,
    garbage: Vec<u64>,
    flush: Option<Arc<File>>,
    named: bool,
    spares: Vec<u64>,
}

/// Works until the ledger is dropped, then leaves nothing behind that needs no delivery.
pub(super) fn run(spool: &Spool) {
    let mut quiet = 0;
    let mut flushed = true;
    loop {
        let (mut chores, stop) = wait(spool, &mut quiet);
        if let Some(file) = &chores.flush {
            flushed = report_flush(flushed, &file.sync_data());
        }
        if chores.named {
            flush_names(spool);
        }
        retire(std::mem::take(&mut chores.retired), |id| chores.is_delivered(id));
        remove(spool, &chores.garbage);
        // Few at a time: those that wait for a spare need not wait for all.
        for part in chores.recycled.chunks(SPARES) {
            recycle(spool, part);
        }
        make_spares(spool, &chores.spares);
        if stop {
            return close(spool);
        }
    }
}

fn wait(spool: &Spool, quiet: &mut u32) -> (Chores, bool) {
    let mut state = spool.lock();
    loop {
        if !state.keeper.stop {
            state = pause(spool, state, *quiet);
        }
        let chores = take(&mut state, spool, Instant::now());
        *quiet = quiet.saturating_add(1);
        if state.keeper.stop || !chores.is_empty() {
            *quiet = 0;
            return (chores, state.keeper.stop);
        }
    }
}

fn pause<'a>(spool: &Spool, mut state: MutexGuard<'a, State>, quiet: u32) -> MutexGuard<'a, State> {
    // Nobody else would wake it for a disk that has room again.
    if quiet < QUIET_ROUNDS || state.disk_refused.is_some() {
        let woken = spool.wake.wait_timeout(state, ROUND);
        return woken.unwrap_or_else(PoisonError::into_inner).0;
    }
    state.keeper.sleeps = true;
    state = spool.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
    state.keeper.sleeps = false;
    state
}

/// How many spares are kept: few beside what the spool may hold.
fn kept_spares(spool: &Spool) -> usize {
    let segments = spool.max_bytes / wide(spool.segment_bytes.max(1));
    usize::try_from(segments / 4).unwrap_or(usize::MAX).clamp(SPARES, KEPT_SPARES)
}

fn take(state: &mut State, spool: &Spool, now: Instant) -> Chores {
    let refuses = state.disk_refused.is_some_and(|at| now.duration_since(at) < ASK_AGAIN);
    let stop = state.keeper.stop;
    let mut garbage = std::mem::take(&mut state.keeper.garbage);
    let room = if stop { 0 } else { kept_spares(spool).saturating_sub(state.spares.len()) };
    // Those that an earlier process made may have come from a backup, with holes.
    let own = garbage.extract_if(.., |id| *id >= spool.first_id).take(room);
    let mut own: Vec<u64> = own.collect();
    // The rest waits for the next round, so that what is appended meanwhile is flushed in time.
    let later = own.split_off(own.len().min(RECYCLED_AT_ONCE));
    state.keeper.garbage.extend(&later);
    let recycled: Vec<_> = own.into_iter().map(|old| (old, state.take_id())).collect();
    let wanted = if refuses || stop { 0 } else { SPARES };
    let there = state.spares.len() + recycled.len();
    // Behind the recycled ones: segments are written in the order of their numbers.
    let spares = (there..wanted).map(|_| state.take_id()).collect();
    let flush = state.take_unflushed();
    Chores {
        named: !std::mem::take(&mut state.keeper.named).is_empty(),
        retired: std::mem::take(&mut state.keeper.retired),
        recycled,
        later,
        garbage,
        flush,
        spares,
    }
}

impl Chores {
    fn is_empty(&self) -> bool {
        self.retired.is_empty()
            && self.recycled.is_empty()
            && self.garbage.is_empty()
            && self.flush.is_none()
            && !self.named
            && self.spares.is_empty()
    }

    fn is_delivered(&self, id: u64) -> bool {
        let becomes_one = self.recycled.iter().any(|(old, _)| *old == id);
        becomes_one || self.later.contains(&id) || self.garbage.contains(&id)
    }
}

/// Unmaps sealed segments, then flushes them.
fn retire(retired: Vec<Segment>, is_delivered: impl Fn(u64) -> bool) {
    for segment in retired {
        let (id, file) = segment.into_file();
        if !is_delivered(id) {
            report_flush(true, &file.sync_data());
        }
    }
}

/// Removes the files of delivered segments.
fn remove(spool: &Spool, garbage: &[u64]) {
    for id in garbage {
        if let Err(error) = fs::remove_file(segment::path(&spool.dir, *id)) {
            tracing::warn!(%error, segment = id, "cannot remove a delivered spool segment");
        }
    }
}

/// Logs a change for the worse or the better; tells whether flushing works.
fn report_flush(worked: bool, flush: &io::Result<()>) -> bool {
    match flush {
        Ok(()) if !worked => tracing::info!("the usage spool is flushed to disk again"),
        Err(error) if worked => tracing::error!(%error, "cannot flush the usage spool to disk"),
        _ => {}
    }
    flush.is_ok()
}

/// Flushes the folder: a file's name must survive a power cut as well.
fn flush_names(spool: &Spool) {
    let _ = File::open(&spool.dir).and_then(|dir| dir.sync_all());
}

/// Makes spares of the files of delivered segments.
fn recycle(spool: &Spool, recycled: &[(u64, u64)]) {
    let mut made = Vec::new();
    for (old, id) in recycled {
        match Segment::recycle(&spool.dir, *old, *id, spool.segment_bytes) {
            Ok(segment) => made.push(segment),
            // One that was larger than the others, for a large record.
            Err(_) => remove(spool, &[*old]),
        }
    }
    if made.is_empty() {
        return;
    }
    flush_names(spool);
    let mut state = spool.lock();
    state.spares.extend(made);
    // The disk was asked for nothing; but for now it need not be asked.
    if state.spares.len() >= SPARES {
        state.disk_refused = None;
    }
    spool.judge(&state);
}

/// Makes a segment for each number, up to the first that the disk refuses.
fn make_spares(spool: &Spool, ids: &[u64]) {
    for id in ids {
        let made = Segment::create(&spool.dir, *id, spool.segment_bytes).and_then(|segment| {
            // Flushed before it is in use, so that later only what was appended is.
            let flushed = segment.file.sync_all();
            flushed.inspect_err(|_| drop(fs::remove_file(segment::path(&spool.dir, *id))))?;
            Ok(segment)
        });
        flush_names(spool);
        if !keep_spare(spool, made) {
            return;
        }
    }
}

/// Notes how making a spare went; tells whether it went well.
fn keep_spare(spool: &Spool, made: io::Result<Segment>) -> bool {
    let mut state = spool.lock();
    if let Err(error) = &made
        && state.disk_refused.is_none()
    {
        tracing::error!(%error, "cannot make the next segment of the usage spool");
    }
    state.disk_refused = made.is_err().then(Instant::now);
    state.spares.extend(made.ok());
    spool.judge(&state);
    state.disk_refused.is_none()
}

/// Removes the segments that hold nothing, so that the next start has nothing to replay.
fn close(spool: &Spool) {
    let mut state = spool.lock();
    let empty = state.meta.is_delivered().then_some(state.active.id);
    for id in state.spares.drain(..).map(|spare| spare.id).chain(empty) {
        let _ = fs::remove_file(segment::path(&spool.dir, id));
    }
}

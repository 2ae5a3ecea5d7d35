//! The keeper: the thread that does the spool's file work, away from requests.
//!
//! It makes the next segments ahead of need, flushes what was written every 10 ms (which bounds what
//! a power cut takes), unmaps sealed segments and removes delivered ones.

use std::{
    fs::{self, File},
    io,
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    segment::{self, Segment},
    spool::Spool,
    state::State,
};

/// Time between flushes.
const ROUND: Duration = Duration::from_millis(10);

/// Rounds without work after which the keeper waits to be woken.
const QUIET_ROUNDS: u32 = 100;

/// Segments made ahead: at the highest rates one is full before the next is made.
pub(super) const SPARES: usize = 2;

/// Time after which a disk that refused a segment is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What is to be done, taken out of the lock.
struct Chores {
    retired: Vec<Segment>,
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
        let (chores, stop) = wait(spool, &mut quiet);
        if let Some(file) = &chores.flush {
            flushed = report_flush(flushed, &file.sync_data());
        }
        if chores.named {
            flush_names(spool);
        }
        tidy(spool, chores.retired, &chores.garbage);
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
        let chores = take(&mut state, Instant::now());
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

fn take(state: &mut State, now: Instant) -> Chores {
    let refuses = state.disk_refused.is_some_and(|at| now.duration_since(at) < ASK_AGAIN);
    let wanted = if refuses || state.keeper.stop { 0 } else { SPARES };
    let spares = (state.spares.len()..wanted).map(|_| state.take_id()).collect();
    let flush = state.take_unflushed();
    Chores {
        named: !std::mem::take(&mut state.keeper.named).is_empty(),
        retired: std::mem::take(&mut state.keeper.retired),
        garbage: std::mem::take(&mut state.keeper.garbage),
        flush,
        spares,
    }
}

impl Chores {
    fn is_empty(&self) -> bool {
        self.retired.is_empty()
            && self.garbage.is_empty()
            && self.flush.is_none()
            && !self.named
            && self.spares.is_empty()
    }
}

/// Unmaps sealed segments, then flushes them, and removes the files of delivered ones.
fn tidy(spool: &Spool, retired: Vec<Segment>, garbage: &[u64]) {
    for segment in retired {
        let (id, file) = segment.into_file();
        if !garbage.contains(&id) {
            report_flush(true, &file.sync_data());
        }
    }
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

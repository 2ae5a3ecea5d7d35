//! The keeper: the thread that does the spool's file work, away from requests.
//!
//! It makes the next segment ahead of need, flushes what was written every 10 ms (which bounds what
//! a power cut takes), unmaps sealed segments and removes delivered ones.

use std::{
    fs::{self, File},
    io,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
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

/// What is to be done, taken out of the lock.
struct Chores {
    retired: Vec<Segment>,
    garbage: Vec<u64>,
    flush: Option<Arc<File>>,
    spare: Option<u64>,
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
        tidy(spool, chores.retired, &chores.garbage);
        if let Some(id) = chores.spare {
            make_spare(spool, id);
        }
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
        let chores = take(&mut state, *quiet);
        *quiet = quiet.saturating_add(1);
        if state.keeper.stop || !chores.is_empty() {
            *quiet = 0;
            return (chores, state.keeper.stop);
        }
    }
}

fn pause<'a>(spool: &Spool, mut state: MutexGuard<'a, State>, quiet: u32) -> MutexGuard<'a, State> {
    if quiet < QUIET_ROUNDS {
        let woken = spool.wake.wait_timeout(state, ROUND);
        return woken.unwrap_or_else(PoisonError::into_inner).0;
    }
    state.keeper.sleeps = true;
    state = spool.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
    state.keeper.sleeps = false;
    state
}

fn take(state: &mut State, quiet: u32) -> Chores {
    // A disk that refused is asked again after a second without other work, before the long sleep.
    let ask_disk = !state.disk_refuses || quiet + 1 >= QUIET_ROUNDS;
    let spare = (state.spare.is_none() && ask_disk && !state.keeper.stop).then(|| state.take_id());
    let flush = state.keeper.dirty.then(|| Arc::clone(&state.active.file));
    state.keeper.dirty = false;
    Chores {
        retired: std::mem::take(&mut state.keeper.retired),
        garbage: std::mem::take(&mut state.keeper.garbage),
        flush,
        spare,
    }
}

impl Chores {
    const fn is_empty(&self) -> bool {
        self.retired.is_empty()
            && self.garbage.is_empty()
            && self.flush.is_none()
            && self.spare.is_none()
    }
}

/// Unmaps sealed segments, flushed, and removes the files of delivered ones.
fn tidy(spool: &Spool, retired: Vec<Segment>, garbage: &[u64]) {
    for segment in retired {
        if !garbage.contains(&segment.id) {
            report_flush(true, &segment.file.sync_data());
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

fn make_spare(spool: &Spool, id: u64) {
    let made = Segment::create(&spool.dir, id, spool.segment_bytes);
    // The file's name must survive a power cut as well.
    let _ = File::open(&spool.dir).and_then(|dir| dir.sync_all());
    let mut state = spool.lock();
    if let Err(error) = &made
        && !state.disk_refuses
    {
        tracing::error!(%error, "cannot make the next segment of the usage spool");
    }
    state.disk_refuses = made.is_err();
    state.spare = made.ok();
    spool.judge(&state);
}

/// Removes the segments that hold nothing, so that the next start has nothing to replay.
fn close(spool: &Spool) {
    let mut state = spool.lock();
    let empty = state.meta.is_delivered().then_some(state.active.id);
    for id in state.spare.take().map(|spare| spare.id).into_iter().chain(empty) {
        let _ = fs::remove_file(segment::path(&spool.dir, id));
    }
}

//! A ledger through made-up histories: records that are kept, batches that the sink takes, or takes and cannot say so,
//! or does not take now, processes that are killed at any point between, and pages that a power cut takes back of a
//! record that was about to be kept. (A sink that refuses a record for good has tests of its own.)
//!
//! `TURNPIKE_SEED=17` replays one: what is kept, what is delivered when, and what the sink says. The thread that keeps
//! the files works beside it as it does in a gateway, so what is delivered twice may differ.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use tempfile::TempDir;

use super::{
    Ledger, SinkError, UsageSink,
    deliver::Courier,
    frame::PREFIX,
    reader::Reader,
    segment,
    testing::{copy, ids, record, roomy, spool},
};
use crate::domain::{
    LedgerId, Mark, Position,
    seeded::{Dice, histories},
};

const STEPS: u32 = 50;

/// So that a history goes through many segments.
const SEGMENT: usize = 2048;

/// What the sink holds, each record once as the database does by its id, and up to where it says so.
#[derive(Default)]
struct Held {
    records: BTreeSet<Vec<u8>>,
    marks: HashMap<LedgerId, Position>,
}

/// A sink with moods.
struct Database {
    dice: Mutex<Dice>,
    held: Mutex<Held>,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait::async_trait]
impl UsageSink for Database {
    async fn store_usage(&self, _batch: &[Bytes]) -> Result<(), SinkError> {
        Err(SinkError::Away("only with a mark".to_owned()))
    }

    async fn store_usage_up_to(&self, batch: &[Bytes], mark: Mark) -> Result<(), SinkError> {
        let mood = lock(&self.dice).below(4);
        let away = || Err(SinkError::Away("gone".to_owned()));
        if mood == 0 {
            return away();
        }
        let mut held = lock(&self.held);
        held.records.extend(batch.iter().map(|record| record.to_vec()));
        // A batch that is delivered again takes back nothing.
        let known = held.marks.entry(mark.ledger).or_default();
        *known = mark.position.max(*known);
        // It was stored, and the answer is lost.
        if mood == 1 { away() } else { Ok(()) }
    }
}

/// In memory where that is to be had: thousands of files are flushed.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

struct World {
    dice: Dice,
    database: Database,
    /// It works in `dir`, so it goes first.
    ledger: Ledger,
    dir: TempDir,
    /// Those of the process's delivery.
    reader: Reader,
    failures: u32,
    /// Of every ledger there was, the records whose answers have left, by where they lie.
    answered: HashMap<LedgerId, BTreeMap<Position, Vec<u8>>>,
    /// How many records there were, of all processes.
    records: u32,
    kills: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let dir = folder();
        let ledger = spool(dir.path(), roomy(), SEGMENT);
        Self {
            dice: Dice::of(seed),
            database: Database { dice: Dice::of(seed).into(), held: Mutex::default() },
            ledger,
            dir,
            reader: Reader::default(),
            failures: 0,
            answered: HashMap::new(),
            records: 0,
            kills: 0,
        }
    }

    fn step(&mut self) {
        match self.dice.below(100) {
            0..60 => self.answer(),
            60..90 => self.deliver(),
            90..94 => self.is_killed(false),
            94..97 => self.is_killed(true),
            _ => self.ends(),
        }
        self.holds();
    }

    /// Requests are answered, a few at once.
    fn answer(&mut self) {
        for _ in 0..=self.dice.below(6) {
            self.records += 1;
            let kept = record(self.records);
            let position = self.ledger.append(&kept).unwrap();
            self.answered.entry(self.ledger.id()).or_default().insert(position, kept);
        }
    }

    fn deliver(&mut self) {
        let all = self.dice.percent(50);
        *lock(&self.database.dice) = Dice::of(self.dice.below(u64::MAX));
        let mut courier = Courier {
            ledger: &self.ledger,
            sink: &self.database,
            reader: std::mem::take(&mut self.reader),
            failures: self.failures,
        };
        // The database answers at once, so this never waits.
        let _ = courier.drain(all).now_or_never().unwrap();
        let Courier { reader, failures, .. } = courier;
        (self.reader, self.failures) = (reader, failures);
    }

    fn begin_in(&mut self, dir: &Path) {
        self.ledger = spool(dir, roomy(), SEGMENT);
        (self.reader, self.failures) = (Reader::default(), 0);
    }

    /// The process ends by a signal that it cannot catch; where the power goes with it, with half a record.
    fn is_killed(&mut self, with_power: bool) {
        if with_power {
            self.records += 1;
            self.ledger.append(&record(self.records)).unwrap();
        }
        let left = folder();
        copy(self.dir.path(), left.path());
        if with_power {
            self.lose_pages(left.path());
        }
        self.kills += 1;
        self.begin_in(left.path());
        self.dir = left;
    }

    /// Of the last record, which nobody was answered for, a part is lost.
    fn lose_pages(&mut self, dir: &Path) {
        let (id, end) = {
            let state = self.ledger.spool.lock();
            (state.meta.id, state.meta.end)
        };
        let length = PREFIX + record(self.records).len();
        let lost = 1 + self.dice.index(length);
        assert!(ids(dir).contains(&id));
        let path = segment::path(dir, id);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[end - lost..end].fill(0);
        std::fs::write(&path, bytes).unwrap();
    }

    /// The process ends in order, and another begins.
    fn ends(&mut self) {
        // One in another folder between them, so that this one is let go.
        let elsewhere = folder();
        self.begin_in(elsewhere.path());
        self.ledger = spool(self.dir.path(), roomy(), SEGMENT);
    }

    /// What must be true at any time.
    fn holds(&self) {
        let held = lock(&self.database.held);
        for (ledger, answered) in &self.answered {
            // Budgets are begun with what the database holds, and go on behind the mark.
            let mark = held.marks.get(ledger).copied().unwrap_or_default();
            for (position, record) in answered.range(..=mark) {
                assert!(
                    held.records.contains(record),
                    "{position:?} is not held, the mark is {mark:?}"
                );
            }
        }
        let all = self.answered.values().flat_map(BTreeMap::values);
        let waiting = all.filter(|record| !held.records.contains(*record)).count() as u64;
        let backlog = self.ledger.backlog().records;
        assert!(waiting <= backlog, "{waiting} are nowhere else, {backlog} wait");
    }

    fn everything_arrives(&mut self) {
        for _ in 0..1000 {
            if self.ledger.backlog().records == 0 {
                break;
            }
            self.deliver();
        }
        let held = std::mem::take(&mut *lock(&self.database.held));
        let answered: BTreeSet<_> =
            self.answered.values().flat_map(BTreeMap::values).cloned().collect();
        assert_eq!(held.records, answered, "all that was answered for, and nothing else");
    }
}

#[test]
fn every_answered_request_is_recorded_under_256_seeds() {
    let kills = histories(|seed| {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.everything_arrives();
        world.kills
    });
    assert!(kills.is_none_or(|count| count > 500), "the histories are too quiet: {kills:?} kills");
}

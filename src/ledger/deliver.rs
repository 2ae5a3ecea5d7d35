//! Delivery: batches from the spool to the sink, in order, until the sink has them.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::watch;

use super::{
    Backlog, Ledger, SinkError, UsageSink, identity,
    isolate::{self, Sorted},
    reader::{BATCH_BYTES, BATCH_RECORDS, Batch, Reader},
    reject,
    state::wide,
};
use crate::domain::Mark;

/// Longest wait of a record while the sink works.
const TICK: Duration = Duration::from_millis(200);

/// First pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Every so many failures in a row, the batch is searched for a record that spoils it, if one may.
const ISOLATE_EVERY: u32 = 4;

/// Every so many failures in a row, the log is told: about once a minute.
const SAY_EVERY: u32 = 12;

impl Ledger {
    /// Delivers until `stop` is true (or its sender gone), then once more what there is, and
    /// returns; what the sink does not take then is found by the next start. To be run once.
    pub async fn deliver(
        self: Arc<Self>,
        sink: Arc<dyn UsageSink>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut courier =
            Courier { ledger: &self, sink: &*sink, reader: Reader::default(), failures: 0 };
        loop {
            let last = *stop.borrow_and_update() || stop.has_changed().is_err();
            let pause = courier.drain(last).await;
            if last {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // A failing sink is given its pause, whoever is in a hurry.
                () = self.hurry.notified(), if courier.failures == 0 => {}
                _ = stop.changed() => {}
            }
        }
    }
}

/// Why a batch was not delivered.
#[derive(Debug, thiserror::Error)]
enum Undelivered {
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error("the spool cannot be read: {0}")]
    Spool(#[from] std::io::Error),
}

/// Brings what waits to the sink.
pub(super) struct Courier<'a> {
    pub ledger: &'a Ledger,
    pub sink: &'a dyn UsageSink,
    pub reader: Reader,
    /// In a row.
    pub failures: u32,
}

impl Courier<'_> {
    /// Delivers batch by batch until nothing is left or one fails; how long to pause then. What
    /// came meanwhile waits for the next time, unless it is a batch of its own or `all` is wanted:
    /// under load there is always something, and a transaction for a few records is dear.
    pub async fn drain(&mut self, all: bool) -> Duration {
        loop {
            match self.next().await {
                Ok(true) => self.recovered(),
                Ok(false) => return TICK,
                Err(error) => return self.failed(&error),
            }
            if !all && !is_batch(self.ledger.backlog()) {
                return TICK;
            }
        }
    }

    /// Delivers one batch; `false` if there is none.
    async fn next(&mut self) -> Result<bool, Undelivered> {
        let Some(batch) = self.ledger.spool.peek(&mut self.reader)? else { return Ok(false) };
        let position = identity::position(batch.segment, batch.to);
        let mark = Mark { ledger: self.ledger.id(), position };
        if let Err(error) = self.sink.store_usage_up_to(&batch.records, mark).await {
            self.isolate(&batch, error).await?;
            // Where this fails, the next batch says it.
            let _ = self.sink.store_usage_up_to(&[], mark).await;
        }
        self.ledger.spool.held.store(position.0, Ordering::Release);
        self.ledger.spool.delivered(&batch);
        self.ledger.shrunk.notify_waiters();
        Ok(true)
    }

    /// After repeated failures: stores what can be stored, sets aside what never can be.
    async fn isolate(&self, batch: &Batch, error: SinkError) -> Result<(), SinkError> {
        let failures = self.failures + 1;
        let may_be_a_record = matches!(error, SinkError::Refused(_));
        if !(may_be_a_record && failures.is_multiple_of(ISOLATE_EVERY)) {
            return Err(error);
        }
        // The longer this lasts, the more records it looks at before it blames the sink.
        let patience = usize::try_from(failures).unwrap_or(usize::MAX);
        match isolate::sort(self.sink, &batch.records, patience).await {
            Sorted::SinkFails => Err(error),
            Sorted::Rejected(rejected) => {
                self.reject(&rejected, &error);
                Ok(())
            }
        }
    }

    fn reject(&self, records: &[Bytes], error: &SinkError) {
        if records.is_empty() {
            return;
        }
        let spool = &self.ledger.spool;
        spool.tally.rejected.fetch_add(wide(records.len()), Ordering::Relaxed);
        let kept = reject::keep(&spool.dir, records);
        tracing::error!(
            records = records.len(),
            kept = kept.is_ok(),
            file = reject::FILE,
            %error,
            "usage records that the store cannot take were set aside"
        );
    }

    fn failed(&mut self, error: &Undelivered) -> Duration {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
        if self.failures.is_multiple_of(SAY_EVERY) {
            let waiting = self.ledger.backlog().records;
            tracing::warn!(%error, waiting, "usage records cannot be stored now; they are kept");
        }
        self.failures = self.failures.saturating_add(1);
        pause
    }

    fn recovered(&mut self) {
        if std::mem::take(&mut self.failures) > 0 {
            let waiting = self.ledger.backlog().records;
            tracing::info!(waiting, "usage records are stored again");
        }
    }
}

/// Whether so much waits that it is better not to wait for more.
const fn is_batch(backlog: Backlog) -> bool {
    backlog.records >= wide(BATCH_RECORDS) || backlog.bytes >= wide(BATCH_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{
        keeper, segment,
        testing::{MemorySink, copy, ids, record, roomy, spool, until, waiting},
    };

    struct Running {
        ledger: Arc<Ledger>,
        stop: watch::Sender<bool>,
        task: tokio::task::JoinHandle<()>,
    }

    fn deliver(ledger: Ledger, sink: &Arc<MemorySink>) -> Running {
        let ledger = Arc::new(ledger);
        let (stop, stopped) = watch::channel(false);
        let sink: Arc<dyn UsageSink> = sink.clone();
        let task = tokio::spawn(Arc::clone(&ledger).deliver(sink, stopped));
        Running { ledger, stop, task }
    }

    impl Running {
        async fn all_delivered(&self) {
            assert!(self.ledger.wait_delivered(Duration::from_secs(20)).await);
        }

        /// The same with the clock paused: ten minutes pass at once if need be.
        async fn ends(&self) {
            assert!(self.ledger.wait_delivered(Duration::from_secs(600)).await);
        }
    }

    #[tokio::test]
    async fn records_arrive_in_order_over_many_segments_which_are_then_gone() {
        let dir = tempfile::tempdir().unwrap();
        let sink = Arc::new(MemorySink::default());
        let run = deliver(spool(dir.path(), roomy(), 8192), &sink);
        let records: Vec<_> = (0..200).map(record).collect();
        for record in &records {
            run.ledger.append(record).unwrap();
        }
        run.all_delivered().await;
        assert_eq!(sink.stored(), records);
        run.stop.send(true).unwrap();
        run.task.await.unwrap();
        drop(run.ledger);
        assert_eq!(ids(dir.path()), Vec::<u64>::new());
    }

    /// Whether a segment that is made ahead has bytes of an earlier one behind its beginning.
    fn has_recycled(ledger: &Ledger) -> bool {
        let state = ledger.spool.lock();
        state.spares.iter().any(|spare| {
            let path = segment::path(&ledger.spool.dir, spare.id);
            std::fs::read(path).is_ok_and(|bytes| bytes[16..].iter().any(|byte| *byte != 0))
        })
    }

    #[tokio::test]
    async fn files_of_delivered_segments_hold_new_records_and_none_of_the_old() {
        let dir = tempfile::tempdir().unwrap();
        let sink = Arc::new(MemorySink::default());
        let run = deliver(spool(dir.path(), roomy(), 4096), &sink);
        let mut appended = 0;
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while !has_recycled(&run.ledger) {
            assert!(std::time::Instant::now() < deadline, "no file was used again");
            for _ in 0..50 {
                run.ledger.append(&record(appended)).unwrap();
                appended += 1;
            }
            run.all_delivered().await;
        }
        run.stop.send(true).unwrap();
        run.task.await.unwrap();
        // Enough of them to fill what was made ahead.
        let more: Vec<_> = (0..200).map(|n| record(appended + n)).collect();
        for record in &more {
            run.ledger.append(record).unwrap();
        }
        assert_eq!(sink.stored(), (0..appended).map(record).collect::<Vec<_>>());
        let left = tempfile::tempdir().unwrap();
        copy(dir.path(), left.path());
        let again = spool(left.path(), roomy(), 4096);
        assert_eq!(again.recovered().torn, 0);
        // Before them what was delivered a moment ago and lies in files that are still there.
        let found = waiting(&again);
        assert!(found.ends_with(&more));
        assert!(found.is_sorted_by(|one, next| one < next), "a record of an earlier segment");
    }

    #[tokio::test]
    async fn segments_that_are_delivered_together_become_spares_up_to_a_bound() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = spool(dir.path(), roomy(), 4096);
        for n in 0..600 {
            ledger.append(&record(n)).unwrap();
        }
        assert!(ids(dir.path()).len() > 2 * keeper::KEPT_SPARES);
        let run = deliver(ledger, &Arc::new(MemorySink::default()));
        run.all_delivered().await;
        until(|| run.ledger.spool.lock().spares.len() == keeper::KEPT_SPARES);
        until(|| ids(dir.path()).len() == keeper::KEPT_SPARES + 1);
    }

    #[tokio::test]
    async fn stopping_delivers_what_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let sink = Arc::new(MemorySink::default());
        let run = deliver(spool(dir.path(), roomy(), 8192), &sink);
        run.ledger.append(&record(1)).unwrap();
        run.stop.send(true).unwrap();
        run.task.await.unwrap();
        assert_eq!(sink.stored(), vec![record(1)]);
    }

    #[tokio::test]
    async fn no_batch_has_more_than_two_thousand_records() {
        let dir = tempfile::tempdir().unwrap();
        let sink = Arc::new(MemorySink::default());
        let ledger = spool(dir.path(), roomy(), 1 << 20);
        for n in 0..4100 {
            ledger.append(format!("{n}").as_bytes()).unwrap();
        }
        let run = deliver(ledger, &sink);
        run.all_delivered().await;
        assert_eq!(sink.batches(), vec![2000, 2000, 100]);
    }

    /// While it stores a batch, the next request is served.
    struct Busy {
        ledger: std::sync::Weak<Ledger>,
        batches: std::sync::atomic::AtomicU32,
    }

    #[async_trait::async_trait]
    impl UsageSink for Busy {
        async fn store_usage(&self, _batch: &[Bytes]) -> Result<(), SinkError> {
            if let Some(ledger) = self.ledger.upgrade() {
                ledger.append(&record(1)).unwrap();
            }
            self.batches.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_never_cease_are_stored_together() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Arc::new(spool(dir.path(), roomy(), 1 << 20));
        ledger.append(&record(0)).unwrap();
        let sink = Arc::new(Busy { ledger: Arc::downgrade(&ledger), batches: 0.into() });
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(Arc::clone(&ledger).deliver(sink.clone(), stopped));
        tokio::time::sleep(Duration::from_secs(10)).await;
        let batches = sink.batches.load(Ordering::Relaxed);
        assert!((40..=51).contains(&batches), "{batches} batches in ten seconds");
        task.abort();
        drop(stop);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sink_that_fails_for_a_while_loses_nothing_whenever_it_recovers() {
        for failures in 1..40 {
            recovers_after(failures).await;
        }
    }

    async fn recovers_after(failures: u32) {
        let dir = tempfile::tempdir().unwrap();
        let sink = Arc::new(MemorySink::failing(failures));
        let ledger = spool(dir.path(), roomy(), 1 << 16);
        let records: Vec<_> = (0..20).map(record).collect();
        for record in &records {
            ledger.append(record).unwrap();
        }
        let run = deliver(ledger, &sink);
        run.ends().await;
        assert_eq!(run.ledger.losses().rejected, 0);
        let mut stored = sink.stored();
        stored.sort();
        assert_eq!(stored, records);
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_sink_can_take_is_set_aside_and_the_rest_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let poisoned = record(7);
        let sink = Arc::new(MemorySink::refusing(&poisoned));
        let run = deliver(spool(dir.path(), roomy(), 1 << 20), &sink);
        for n in 0..20 {
            run.ledger.append(&record(n)).unwrap();
        }
        run.ledger.append(b"{\"id\":\nno record}").unwrap();
        run.ends().await;
        let expected: Vec<_> = (0..20).filter(|n| *n != 7).map(record).collect();
        assert_eq!(sink.stored(), expected);
        assert_eq!(run.ledger.losses().rejected, 2);
        let rejected = std::fs::read_to_string(dir.path().join(reject::FILE)).unwrap();
        let poisoned = String::from_utf8(poisoned).unwrap();
        let lines: Vec<_> = rejected.lines().collect();
        assert_eq!(lines, ["{\"id\": no record}", poisoned.as_str()]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sink_that_comes_and_goes_gets_every_record_in_the_end() {
        for seed in 0..40 {
            let dir = tempfile::tempdir().unwrap();
            let sink = Arc::new(MemorySink::flapping(seed));
            let ledger = spool(dir.path(), roomy(), 1 << 16);
            let records: Vec<_> = (0..30).map(record).collect();
            for record in &records {
                ledger.append(record).unwrap();
            }
            let run = deliver(ledger, &sink);
            run.ends().await;
            assert_eq!(run.ledger.losses().rejected, 0);
            assert_eq!(sink.stored(), records);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_is_not_blamed_while_the_sink_takes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let sink = Arc::new(MemorySink::failing(u32::MAX));
        let run = deliver(spool(dir.path(), roomy(), 8192), &sink);
        run.ledger.append(&record(1)).unwrap();
        run.ledger.append(&record(2)).unwrap();
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(run.ledger.backlog().records, 2);
        assert_eq!(run.ledger.losses().rejected, 0);
        assert!(sink.asked() > 100, "asked {} times in ten minutes", sink.asked());
    }
}

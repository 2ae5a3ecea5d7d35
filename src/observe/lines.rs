//! One bounded buffer and one writer for every line on stderr, so that lines never interleave and
//! a request never waits for whoever reads them.
//!
//! Lines are written together: one system call for what came in 20 ms, or sooner for 256 KiB or a
//! line that is wanted at once. When the reader is too slow, lines are dropped and counted.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Longest wait of a line.
const ROUND: Duration = Duration::from_millis(20);

/// Bytes that are written without waiting longer. A quarter of them at a time costs twice as much.
const BATCH_BYTES: usize = 256 << 10;

/// Bytes at which lines are dropped.
const MAX_BYTES: usize = 8 << 20;

/// Capacity that is kept after a burst.
const KEPT_BYTES: usize = 2 * BATCH_BYTES;

/// Rounds without a line after which the writer waits to be woken.
const QUIET_ROUNDS: u32 = 50;

/// Longest wait for a flush: a reader that is stuck must not stop the process from ending.
const FLUSH_WAIT: Duration = Duration::from_secs(2);

/// When a line is to be written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// With others.
    Soon,
    /// Without waiting for more.
    Now,
}

/// The buffer.
pub(super) struct Lines {
    pending: Mutex<Pending>,
    wake: Condvar,
    written: Condvar,
}

#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    dropped: u64,
    /// The writer is to write without waiting for more.
    due: bool,
    /// The writer waits to be woken.
    sleeps: bool,
    /// Flushes asked for, and done.
    asked: u64,
    done: u64,
}

impl Lines {
    /// Starts the thread that writes to `out` as long as the process lives.
    pub fn start(out: impl Write + Send + 'static) -> io::Result<Arc<Self>> {
        let lines = Arc::new(Self {
            pending: Mutex::default(),
            wake: Condvar::new(),
            written: Condvar::new(),
        });
        let writer = Arc::clone(&lines);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || writer.run(out))?;
        Ok(lines)
    }

    /// Adds what `line` writes: whole lines, each with its end.
    pub fn push(&self, urgency: Urgency, line: impl FnOnce(&mut Vec<u8>)) {
        let mut pending = self.lock();
        if pending.bytes.len() >= MAX_BYTES {
            pending.dropped += 1;
            return;
        }
        line(&mut pending.bytes);
        let due = urgency == Urgency::Now || pending.bytes.len() >= BATCH_BYTES;
        let wake = pending.sleeps || (due && !pending.due);
        pending.due |= due;
        drop(pending);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Waits until what was pushed so far is written, two seconds at most.
    pub fn flush(&self) {
        let mut pending = self.lock();
        pending.asked += 1;
        pending.due = true;
        let mine = pending.asked;
        self.wake.notify_one();
        let done = self.written.wait_timeout_while(pending, FLUSH_WAIT, |now| now.done < mine);
        drop(done);
    }

    /// Lines dropped so far.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, mut out: impl Write) {
        let mut batch = Vec::new();
        let mut quiet = 0;
        loop {
            let asked = self.collect(&mut batch, quiet);
            quiet = if batch.is_empty() { quiet + 1 } else { 0 };
            let lost = write(&mut out, &mut batch);
            let mut pending = self.lock();
            pending.dropped += lost;
            if pending.done < asked {
                pending.done = asked;
                self.written.notify_all();
            }
        }
    }

    /// Takes what is pending, after a round or when it is due; which flushes that answers.
    fn collect(&self, batch: &mut Vec<u8>, quiet: u32) -> u64 {
        let mut pending = self.lock();
        if quiet >= QUIET_ROUNDS && pending.bytes.is_empty() && !pending.due {
            pending.sleeps = true;
            pending = self.wake.wait(pending).unwrap_or_else(PoisonError::into_inner);
            pending.sleeps = false;
        }
        if !pending.due {
            let woken = self.wake.wait_timeout(pending, ROUND);
            pending = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        pending.due = false;
        std::mem::swap(&mut pending.bytes, batch);
        pending.asked
    }
}

/// Writes and empties `batch`; how many of its lines were lost.
fn write(out: &mut impl Write, batch: &mut Vec<u8>) -> u64 {
    let lost = match out.write_all(batch) {
        Ok(()) => 0,
        Err(_) => memchr::memchr_iter(b'\n', batch).fold(0, |lines, _| lines + 1),
    };
    batch.clear();
    batch.shrink_to(KEPT_BYTES);
    lost
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Instant};

    use super::*;

    /// Sends on every write that it gets; fails once the receiver is gone.
    struct Out(mpsc::Sender<Vec<u8>>);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let sent = self.0.send(bytes.to_vec());
            sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Gets stuck in its first write.
    struct Stuck(mpsc::SyncSender<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn push(lines: &Lines, line: &str) {
        lines.push(Urgency::Soon, |buffer| buffer.extend_from_slice(line.as_bytes()));
    }

    #[test]
    fn lines_of_many_threads_come_whole_and_few_writes_carry_them() {
        let (sender, writes) = mpsc::channel();
        let lines = Lines::start(Out(sender)).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let lines = &lines;
                scope.spawn(move || (0..250).for_each(|n| push(lines, &format!("{thread}-{n}\n"))));
            }
        });
        lines.flush();
        let writes: Vec<_> = writes.try_iter().collect();
        let text = String::from_utf8(writes.concat()).unwrap();
        let mut found: Vec<_> = text.lines().collect();
        found.sort_unstable();
        let mut expected: Vec<_> =
            (0..4).flat_map(|thread| (0..250).map(move |n| format!("{thread}-{n}"))).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert!(writes.len() < 250, "{} writes", writes.len());
    }

    #[test]
    fn a_line_comes_without_a_flush_also_after_a_long_silence() {
        let (sender, writes) = mpsc::channel();
        let lines = Lines::start(Out(sender)).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while !lines.lock().sleeps {
            assert!(Instant::now() < deadline, "the writer never rests");
            std::thread::yield_now();
        }
        push(&lines, "late\n");
        assert_eq!(writes.recv_timeout(Duration::from_secs(10)).unwrap(), b"late\n");
    }

    #[test]
    fn a_stuck_reader_costs_lines_and_not_time_or_memory() {
        let (sender, writes) = mpsc::sync_channel::<()>(0);
        let lines = Lines::start(Stuck(sender)).unwrap();
        let line = "x".repeat(1 << 20) + "\n";
        (0..30).for_each(|_| push(&lines, &line));
        let dropped = lines.dropped();
        assert!((10..=22).contains(&dropped), "{dropped} of 30 dropped");
        assert!(lines.lock().bytes.len() <= MAX_BYTES + line.len());
        drop(writes);
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted() {
        let (sender, writes) = mpsc::channel();
        drop(writes);
        let lines = Lines::start(Out(sender)).unwrap();
        push(&lines, "one\ntwo\n");
        lines.flush();
        assert_eq!(lines.dropped(), 2);
    }
}

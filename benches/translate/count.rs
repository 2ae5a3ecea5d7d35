//! CPU time and allocations of a piece of work, both of this thread alone.

#![allow(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, counting. The bench has one thread.
pub struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

fn note(size: usize) {
    BYTES.fetch_add(size, Relaxed);
    LARGEST.fetch_max(size, Relaxed);
}

// SAFETY: everything is the system's allocator's; only sizes are noted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        unsafe { System.realloc(at, layout, size) }
    }
}

/// Of one run.
pub struct Cost {
    /// CPU time, microseconds.
    pub micros: f64,
    /// Allocated, bytes; what was given back is not taken off.
    pub bytes: f64,
    /// The largest allocation, bytes.
    pub largest: usize,
}

/// What one of `times` runs costs.
pub fn cost(times: u32, run: &mut impl FnMut()) -> Cost {
    let (start, before) = (cpu_nanos(), BYTES.load(Relaxed));
    LARGEST.store(0, Relaxed);
    (0..times).for_each(|_| run());
    let (largest, bytes) = (LARGEST.load(Relaxed), BYTES.load(Relaxed) - before);
    let nanos = cpu_nanos() - start;
    let times = f64::from(times);
    Cost { micros: nanos as f64 / 1000.0 / times, bytes: bytes as f64 / times, largest }
}

/// CPU time of this thread so far, nanoseconds: the first figure of
/// <https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat>.
fn cpu_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let first = text.split(' ').next().and_then(|figure| figure.parse().ok());
    first.expect("nanoseconds come first")
}

//! What is counted of the process: allocations, clocks.

use rustix::time::{ClockId, clock_gettime};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// The system's allocator, as the baseline has it, with two counters.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

fn count(bytes: usize) {
    ALLOCATIONS.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes as u64, Relaxed);
}

// SAFETY: every call is passed on to the system's allocator as it came.
#[expect(
    unsafe_code,
    reason = "an allocator cannot be implemented without; a reallocation counts as the baseline counts it"
)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What the process has used so far, or between two moments.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub wall_s: f64,
    pub cpu_s: f64,
    pub allocations: u64,
    pub allocated_bytes: u64,
}

impl Usage {
    pub fn now() -> Self {
        Self {
            wall_s: seconds(ClockId::Monotonic),
            cpu_s: seconds(ClockId::ProcessCPUTime),
            allocations: ALLOCATIONS.load(Relaxed),
            allocated_bytes: BYTES.load(Relaxed),
        }
    }

    pub fn since(self, before: Self) -> Self {
        Self {
            wall_s: self.wall_s - before.wall_s,
            cpu_s: self.cpu_s - before.cpu_s,
            allocations: self.allocations - before.allocations,
            allocated_bytes: self.allocated_bytes - before.allocated_bytes,
        }
    }
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The sum of a metric over its labels, from the runtime's text. A name may lack the path of tasks before it.
pub fn metric(text: &str, name: &str) -> u64 {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let named = samples.filter(|line| {
        line.split(['{', ' '])
            .next()
            .is_some_and(|it| it.ends_with(name))
    });
    named
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

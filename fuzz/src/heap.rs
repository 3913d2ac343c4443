//! Counts what is allocated, so that a decoder that trusts a claimed length is found at once.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

thread_local! {
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator with a counter for each thread.
struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by its trait; this one only counts and passes on"
)]
// SAFETY: every call goes unchanged to the system's allocator, which keeps the contract. The counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends has no counter any more: what it still allocates does not count.
        let _ = ALLOCATED.try_with(|it| it.set(it.get() + layout.size() as u64));
        // SAFETY: the caller's obligations are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's obligations are passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

/// What `run` returns, and how many bytes it allocated, freed ones too.
pub fn allocated<R>(run: impl FnOnce() -> R) -> (R, u64) {
    let before = ALLOCATED.get();
    let result = run();
    (result, ALLOCATED.get() - before)
}

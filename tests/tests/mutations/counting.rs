//! Counts what a thread allocates: work and memory in numbers that are the same on every machine.
#![allow(unsafe_code, reason = "an allocator that counts is an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting.
pub(crate) struct Counting;

/// What a thread allocated while it did something, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allocated {
    /// Everything, whether it was given back or not.
    pub(crate) total: usize,
    /// The most at one time.
    pub(crate) peak: usize,
}

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static TOTAL: Cell<usize> = const { Cell::new(0) };
}

/// What this thread allocates meanwhile.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (T, Allocated) {
    let before = LIVE.get();
    PEAK.set(before);
    TOTAL.set(0);
    let answer = work();
    (answer, Allocated { total: TOTAL.get(), peak: PEAK.get().saturating_sub(before).unsigned_abs() })
}

fn took(bytes: usize) {
    LIVE.set(LIVE.get().wrapping_add_unsigned(bytes));
    PEAK.set(PEAK.get().max(LIVE.get()));
    TOTAL.set(TOTAL.get().wrapping_add(bytes));
}

fn gave_back(bytes: usize) {
    LIVE.set(LIVE.get().wrapping_sub_unsigned(bytes));
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        gave_back(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        gave_back(layout.size());
        took(size);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(place, layout, size) }
    }
}

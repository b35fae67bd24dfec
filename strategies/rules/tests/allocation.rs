//! A bar is worked through without a single allocation.
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use rules::language::{Expression, Program};
use tiltyard_sdk::prelude::*;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps what `alloc` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_bar_allocates_nothing() {
    let text = "sma(close, 20) > ema(close, 20)[5] or wma(close, 9) > vwap(24) or rsi(14) > stdev(close, 20) \
                or macd_hist(12, 26, 9) > zscore(close, 20) or crosses_above(close, bollinger_upper(20, 2)) \
                or atr(14) > adx(14) or plus_di(14) > stoch_d(14, 3, 3) or highest(high, 20) < lowest(low, 20) \
                or donchian_middle(20) > obv()";
    let mut program = Program::default();
    program.add(&Expression::parse(text).unwrap()).unwrap();
    let before = COUNT.get();
    for open_time in 0..1_000_i64 {
        let close = 100.0 + (open_time % 17) as f64;
        program.update(&Bar { open_time, open: close, high: close + 1.0, low: close - 1.0, close, volume: 5.0 });
    }
    assert_eq!(COUNT.get(), before);
}

//! What guests used is given back. A file of its own, because it measures the whole process.
#![allow(clippy::unwrap_used, reason = "a test may")]
#![cfg(target_os = "linux")]

use tiltyard_sandbox::{FaultKind, Limits};
use tiltyard_tests::{Ground, Played, Wat, bars, start};

const WORKER: &str = env!("CARGO_BIN_EXE_compile-worker");

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("the kernel tells");
    let pages: usize = statm.split(' ').nth(1).and_then(|field| field.parse().ok()).expect("pages");
    pages * 4096
}

#[test]
fn memory_is_given_back() {
    let ground = Ground::new(WORKER);
    // Each takes 60 MiB, and writes to 18 of them.
    let on_bar =
        "(drop (memory.grow (i32.const 958))) (memory.fill (i32.const 131072) (i32.const 7) (i32.const 19000000))
                  (unreachable)";
    let component = ground.load(&Wat { on_bar, ..Wat::default() }.component()).unwrap();
    let visit = || {
        let played = Played::run(&component, &start(&[]), &bars(1), &Limits::default()).unwrap();
        assert!(matches!(played.fault.unwrap().kind, FaultKind::Trap { .. }));
    };
    visit();
    let before = resident();
    for _ in 0..100 {
        visit();
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more after a hundred guests");
}

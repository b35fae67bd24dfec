//! Guests that misuse what they share with the host: values, imports, the desk.

use tiltyard_sandbox::{Fault, FaultKind, LoadError, Scope, StartError};

use super::{Case, Outcome, case, stopped};
use crate::files::{CLOSE, DROP, EQUITY, LOG, RANDOM, STDOUT, SUBMIT, TARGET, TIMER, with};
use crate::guest::Wat;

pub(super) const CASES: &[Case] = &[
    // The canonical ABI.
    case!(
        "realloc returns a place out of bounds",
        Wat { realloc: "(i32.const 0xfffffff0)", ..Wat::default() }.component(),
        Outcome::NotStarted(StartError::Fault(Fault { kind: FaultKind::Contract { .. }, .. }))
    ),
    case!(
        "realloc returns a place out of line",
        Wat { realloc: "(i32.const 65537)", ..Wat::default() }.component(),
        Outcome::NotStarted(StartError::Fault(Fault { kind: FaultKind::Contract { .. }, .. }))
    ),
    case!(
        "describes itself in 4 GiB",
        Wat { describe: "(i32.store (i32.const 20) (i32.const -1)) (i32.const 16)", ..Wat::default() }.component(),
        Outcome::NotLoaded(LoadError::Describe(StartError::Fault(Fault { during: "describe", .. })))
    ),
    case!(
        "logs what lies beyond memory",
        with(LOG, "", "(call $log (i32.const 0) (i32.const 131070) (i32.const 100))"),
        stopped!(FaultKind::Contract { .. })
    ),
    case!(
        "logs more than the host takes",
        Wat {
            imports: LOG,
            pages: "64",
            on_bar: "(call $log (i32.const 0) (i32.const 65536) (i32.const 1500000))",
            ..Wat::default()
        }
        .component(),
        stopped!(FaultKind::HostCallBytes { limit: 1_048_576 })
    ),
    case!(
        "logs what is no text",
        with(LOG, r#"(data (i32.const 2048) "\ff\fe\fd")"#, "(call $log (i32.const 0) (i32.const 2048) (i32.const 3))"),
        stopped!(FaultKind::Contract { .. })
    ),
    case!(
        "logs at a level that is none",
        with(LOG, "", "(call $log (i32.const 9) (i32.const 2048) (i32.const 0))"),
        stopped!(FaultKind::Contract { .. })
    ),
    case!(
        "calls the host while the host allocates",
        Wat { imports: EQUITY, realloc: "(drop (call $equity)) (unreachable)", ..Wat::default() }.component(),
        Outcome::NotStarted(StartError::Fault(Fault { kind: FaultKind::Trap { .. }, during: "init", .. }))
    ),
    case!(
        "calls the host when its answer is given back",
        with(
            EQUITY,
            "(func (export \"cabi_post_tiltyard:strategy/lifecycle@0.1.0#describe\") (param i32) (drop (call $equity)))",
            ""
        ),
        Outcome::NotLoaded(LoadError::Describe(StartError::Fault(Fault {
            kind: FaultKind::Trap { .. },
            during: "describe",
            ..
        })))
    ),
    case!(
        "answers `init` with a case that there is not",
        Wat { init: "(i32.store8 (i32.const 32) (i32.const 9)) (i32.const 32)", ..Wat::default() }.component(),
        Outcome::NotStarted(StartError::Fault(Fault { kind: FaultKind::Contract { .. }, during: "init", .. }))
    ),
    case!(
        "refuses to start in words that a terminal would obey",
        Wat {
            items: r#"(data (i32.const 2048) "\1b[2J\1b]0;owned\07")"#,
            init: "(i32.store8 (i32.const 32) (i32.const 1)) (i32.store8 (i32.const 36) (i32.const 2))
                (i32.store (i32.const 40) (i32.const 2048)) (i32.store (i32.const 44) (i32.const 14)) (i32.const 32)",
            ..Wat::default()
        }
        .component(),
        Outcome::NotStarted(StartError::Refused { why }) if !why.contains(char::is_control)
    ),
    case!(
        "gives back a handle that it does not have",
        with(DROP, "", "(call $drop (i32.const 7))"),
        stopped!(FaultKind::Contract { .. })
    ),
    // Floods.
    case!(
        "log flood",
        with(
            LOG,
            "(global $left (mut i32) (i32.const 0))",
            "(global.set $left (i32.const 20000)) (loop (call $log (i32.const 0) (i32.const 0) (i32.const 0))
             (global.set $left (i32.sub (global.get $left) (i32.const 1))) (br_if 0 (global.get $left)))"
        ),
        stopped!(FaultKind::Log { limit: 100_000, unit: "lines" })
    ),
    case!(
        "log flood in one call",
        with(LOG, "", "(loop (call $log (i32.const 0) (i32.const 0) (i32.const 0)) (br 0))"),
        stopped!(FaultKind::OutOfFuel { .. })
    ),
    case!(
        "logs terminal escapes",
        with(LOG, r#"(data (i32.const 2048) "\1b[2J\1b]0;owned\07\r\n")"#, "(call $log (i32.const 1) (i32.const 2048) (i32.const 16))"),
        Outcome::Finished(tape) if tape.lines().iter().all(|line| !line.contains(char::is_control))
    ),
    case!(
        "order flood",
        with(CLOSE, "", "(loop (call $close (i32.const 0) (i32.const 128)) (br 0))"),
        stopped!(FaultKind::Requests { scope: Scope::Call, limit: 1_000 })
    ),
    case!(
        "timer flood",
        with(TIMER, "", "(loop (call $set (i64.const 0x7000000000000000) (i32.const 128)) (br 0))"),
        stopped!(FaultKind::Requests { scope: Scope::Call, limit: 1_000 })
    ),
    case!(
        "sets more timers than may wait",
        with(
            TIMER,
            "(global $left (mut i32) (i32.const 0))",
            "(global.set $left (i32.const 500)) (loop (call $set (i64.const 0x7000000000000000) (i32.const 128))
             (global.set $left (i32.sub (global.get $left) (i32.const 1))) (br_if 0 (global.get $left)))",
        ),
        Outcome::Finished(tape) if tape.lines().len() == 1_000
    ),
    case!(
        "hoards handles",
        with(STDOUT, "", "(loop (drop (call $stdout)) (br 0))"),
        stopped!(FaultKind::Handles { limit: 1_000 })
    ),
    case!(
        "wants a world of random bytes",
        with(RANDOM, "", "(call $random (i64.const 0x4000000000000000) (i32.const 128))"),
        stopped!(FaultKind::HostCallBytes { .. })
    ),
    // Nonsense that is the desk's to judge.
    case!(
        "wants a target that is no number",
        with(TARGET, "", "(call $target (i32.const 0) (f64.const nan) (i32.const 0) (i32.const 0) (i64.const 0) (f64.const 0) (i32.const 128))"),
        Outcome::Finished(tape) if tape.lines()[0].contains("NaN")
    ),
    case!(
        "orders a quantity that is no number",
        with(SUBMIT, "", "(f64.store (i32.const 8240) (f64.const nan)) (call $submit (i32.const 8192) (i32.const 128))"),
        Outcome::Finished(tape) if tape.lines()[0].contains("quantity: NaN")
    ),
    case!(
        "labels an order with a novel",
        with(SUBMIT, "", "(i32.store (i32.const 8320) (i32.const 1024)) (i32.store (i32.const 8324) (i32.const 100)) (call $submit (i32.const 8192) (i32.const 128))"),
        Outcome::Finished(tape) if tape.requests() == 0
    ),
    case!(
        "trades what does not exist",
        with(CLOSE, "", "(call $close (i32.const 77) (i32.const 128))"),
        Outcome::Finished(tape) if tape.requests() == 0
    ),
    // At times when nothing may be asked for.
    case!(
        "orders while it describes itself",
        Wat {
            imports: CLOSE,
            describe: "(call $close (i32.const 0) (i32.const 128)) (i32.const 16)",
            ..Wat::default()
        }
        .component(),
        Outcome::NotLoaded(LoadError::Describe(StartError::Fault(Fault {
            kind: FaultKind::ImportRefused { import: "orders.close" },
            ..
        })))
    ),
    case!(
        "orders before the run",
        Wat { imports: CLOSE, init: "(call $close (i32.const 0) (i32.const 128)) (i32.const 32)", ..Wat::default() }
            .component(),
        Outcome::NotStarted(StartError::Fault(Fault { kind: FaultKind::ImportRefused { import: "orders.close" }, .. }))
    ),
];

//! Guests that compute, grow and give up.

use tiltyard_model::Value;
use tiltyard_sandbox::{Fault, FaultKind, LoadError, Refusal, StartError};

use super::{Case, Outcome, case, refused, stopped, text};
use crate::CURIOUS;
use crate::files::{EQUITY, HISTORY, call_tree, on_bar, with};
use crate::guest::Wat;

pub(super) const CASES: &[Case] = &[
    // Time.
    case!("infinite loop", on_bar("(loop (br 0))"), stopped!(FaultKind::OutOfFuel { .. })),
    case!("call bomb without a loop", with("", &call_tree(), "(call $level0)"), stopped!(FaultKind::OutOfFuel { .. })),
    case!(
        "fills memory over and over",
        on_bar("(loop (memory.fill (i32.const 65536) (i32.const 1) (i32.const 65536)) (br 0))"),
        stopped!(FaultKind::OutOfFuel { .. })
    ),
    case!(
        "copies memory over and over",
        on_bar("(loop (memory.copy (i32.const 0) (i32.const 65536) (i32.const 65536)) (br 0))"),
        stopped!(FaultKind::OutOfFuel { .. })
    ),
    case!(
        "import flood",
        with(EQUITY, "", "(loop (drop (call $equity)) (br 0))"),
        stopped!(FaultKind::OutOfFuel { .. })
    ),
    case!(
        "asks for history over and over",
        with(
            HISTORY,
            "",
            "(loop (global.set $next (i32.const 65536)) (call $history (i32.const 0) (i32.const 100) (i32.const 128)) (br 0))"
        ),
        stopped!(FaultKind::OutOfFuel { .. })
    ),
    case!(
        "loops in its start function",
        with("", "(func $spin (loop (br 0))) (start $spin)", ""),
        Outcome::NotLoaded(LoadError::Describe(StartError::Fault(Fault {
            kind: FaultKind::OutOfFuel { .. },
            during: "instantiate",
            ..
        })))
    ),
    case!(
        "loops in describe",
        Wat { describe: "(loop (br 0)) (i32.const 16)", ..Wat::default() }.component(),
        Outcome::NotLoaded(LoadError::Describe(StartError::Fault(Fault {
            kind: FaultKind::OutOfFuel { .. },
            during: "describe",
            ..
        })))
    ),
    case!(
        "loops in init",
        Wat { init: "(loop (br 0)) (i32.const 32)", ..Wat::default() }.component(),
        Outcome::NotStarted(StartError::Fault(Fault { kind: FaultKind::OutOfFuel { .. }, during: "init", .. }))
    ),
    case!("sleeps", CURIOUS.to_vec(); {"act" = text("sleep"), "bar" = Value::Integer(3)} stopped!(FaultKind::Sleep)),
    case!(
        "copies as much as it may have over and over",
        Wat {
            pages: "1024",
            on_bar: "(loop (memory.copy (i32.const 0) (i32.const 0x2000000) (i32.const 0x2000000)) (br 0))",
            ..Wat::default()
        }
        .component(),
        stopped!(FaultKind::OutOfFuel { .. })
    ),
    case!(
        "fills a table over and over",
        with(
            "",
            "(table $t 20000 funcref)",
            "(loop (table.fill $t (i32.const 0) (ref.null func) (i32.const 20000)) (br 0))"
        ),
        stopped!(FaultKind::OutOfFuel { .. })
    ),
    case!(
        "allocates without end",
        Wat { realloc: "(loop (br 0)) (unreachable)", ..Wat::default() }.component(),
        Outcome::NotStarted(StartError::Fault(Fault { kind: FaultKind::OutOfFuel { .. }, during: "init", .. }))
    ),
    case!(
        "loops when its answer is given back",
        with(
            "",
            "(func (export \"cabi_post_tiltyard:strategy/lifecycle@0.1.0#describe\") (param i32) (loop (br 0)))",
            ""
        ),
        Outcome::NotLoaded(LoadError::Describe(StartError::Fault(Fault {
            kind: FaultKind::OutOfFuel { .. },
            during: "describe",
            ..
        })))
    ),
    // Memory.
    case!(
        "grows to the limit",
        on_bar("(drop (memory.grow (i32.sub (i32.const 1024) (memory.size))))"),
        Outcome::Finished(_)
    ),
    case!(
        "grows past the limit",
        on_bar("(drop (memory.grow (i32.sub (i32.const 1025) (memory.size))))"),
        stopped!(FaultKind::Memory { wanted: 67_174_400, limit: 67_108_864 })
    ),
    case!(
        "growth storm",
        on_bar("(loop (drop (memory.grow (i32.const 1))) (br 0))"),
        stopped!(FaultKind::Memory { .. })
    ),
    case!(
        "grows by nothing, forever",
        on_bar("(loop (drop (memory.grow (i32.const 0))) (br 0))"),
        stopped!(FaultKind::OutOfFuel { .. })
    ),
    case!("hoards", CURIOUS.to_vec(); {"act" = text("hoard")} stopped!(FaultKind::Memory { .. })),
    case!(
        "grows past its own maximum and lives with it",
        Wat {
            pages: "2 3",
            on_bar: "(if (i32.ne (memory.grow (i32.const 5)) (i32.const -1)) (then (unreachable)))",
            ..Wat::default()
        }
        .component(),
        Outcome::Finished(_)
    ),
    case!(
        "grows a table past its own maximum and lives with it",
        with(
            "",
            "(table $t 1 2 funcref)",
            "(if (i32.ne (table.grow $t (ref.null func) (i32.const 10000)) (i32.const -1)) (then (unreachable)))"
        ),
        Outcome::Finished(_)
    ),
    case!(
        "starts with too much memory",
        Wat { pages: "1025", ..Wat::default() }.component(),
        refused!(Refusal::StaticLimit { what: "bytes of memory", .. })
    ),
    case!(
        "grows a table",
        with("", "(table $t 1 funcref)", "(drop (table.grow $t (ref.null func) (i32.const 20001)))"),
        stopped!(FaultKind::Table { .. })
    ),
    case!(
        "deep recursion",
        with(
            "",
            "(func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))",
            "(drop (call $deep (i32.const 0)))"
        ),
        stopped!(FaultKind::StackOverflow)
    ),
    case!(
        "allocates all that there is",
        Wat { realloc: "(loop (drop (memory.grow (i32.const 1))) (br 0)) (unreachable)", ..Wat::default() }.component(),
        Outcome::NotStarted(StartError::Fault(Fault { kind: FaultKind::Memory { .. }, during: "init", .. }))
    ),
    // Giving up.
    case!("exits", CURIOUS.to_vec(); {"act" = text("exit")} stopped!(FaultKind::Exit { code: 1 })),
    case!(
        "panics on bar 5",
        CURIOUS.to_vec(); {"act" = text("panic"), "bar" = Value::Integer(5)} stopped!(FaultKind::Panic { message }) if message.contains("the sky is falling at ")
    ),
    case!(
        "traps on bar 7",
        with(
            "",
            "(global $bar (mut i32) (i32.const 0))",
            "(global.set $bar (i32.add (global.get $bar) (i32.const 1))) (if (i32.eq (global.get $bar) (i32.const 7)) (then (unreachable)))"
        ),
        stopped!(FaultKind::Trap { .. })
    ),
    case!(
        "divides by zero",
        on_bar("(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
        stopped!(FaultKind::Trap { .. })
    ),
    case!(
        "reads what is not its own",
        on_bar("(drop (i32.load (i32.const 0xfffffff0)))"),
        stopped!(FaultKind::Trap { .. })
    ),
    case!(
        "traps before it begins",
        with("", "(func $fall (unreachable)) (start $fall)", ""),
        Outcome::NotLoaded(LoadError::Describe(StartError::Fault(Fault {
            kind: FaultKind::Trap { .. },
            during: "instantiate",
            ..
        })))
    ),
    case!(
        "brings data that has no room",
        with("", "(data (i32.const 0x7fffffff) \"x\")", ""),
        Outcome::NotLoaded(LoadError::Describe(StartError::Fault(Fault {
            kind: FaultKind::Trap { .. },
            during: "instantiate",
            ..
        })))
    ),
    case!(
        "traps in a function whose name a terminal would obey",
        with("", "(func $\"\\1b[2J\" (unreachable))", "(call $\"\\1b[2J\")"),
        Outcome::Stopped(fault) if fault.frames.iter().all(|frame| !frame.contains(char::is_control))
    ),
];

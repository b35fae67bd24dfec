//! More guests that attack, by ways that are seldom taken.

use tiltyard_sandbox::{Fault, FaultKind, LoadError, Refusal, StartError};

use crate::corpus::{Case, Outcome, case, refused, stopped};
use crate::files::{DROP, EQUITY, declared, in_component, with};
use crate::guest::{Wat, core_module};
use crate::manifest;

/// All of them.
pub(crate) const BYWAYS: &[Case] = &[
    // Ways to call that are seldom taken.
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
        "allocates all that there is",
        Wat { realloc: "(loop (drop (memory.grow (i32.const 1))) (br 0)) (unreachable)", ..Wat::default() }.component(),
        Outcome::NotStarted(StartError::Fault(Fault { kind: FaultKind::Memory { .. }, during: "init", .. }))
    ),
    case!(
        "calls the host while the host allocates",
        Wat { imports: EQUITY, realloc: "(drop (call $equity)) (unreachable)", ..Wat::default() }.component(),
        Outcome::NotStarted(StartError::Fault(Fault { kind: FaultKind::Trap { .. }, during: "init", .. }))
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
    case!(
        "gives back a handle that it does not have",
        with(DROP, "", "(call $drop (i32.const 7))"),
        stopped!(FaultKind::Contract { .. })
    ),
    // What can be said of it, too much.
    case!("has a manifest in a manifest in a manifest", declared(&"[".repeat(10_000)), refused!(Refusal::Manifest(_))),
    case!(
        "has a manifest of a megabyte",
        declared(&manifest("guest").replace("A guest.", &"guest ".repeat(200_000))),
        refused!(Refusal::StaticLimit { what: "bytes of manifest", .. })
    ),
    case!("has a memory of 64 bits", in_component("(memory i64 1)"), refused!(Refusal::Invalid { .. })),
    case!("throws", in_component("(tag) (func (throw 0))"), refused!(Refusal::Invalid { .. })),
    case!("collects garbage", in_component("(type (array i32))"), refused!(Refusal::Invalid { .. })),
    case!(
        "has numbers that processors round as they like",
        in_component(
            "(func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd)"
        ),
        refused!(Refusal::Invalid { .. })
    ),
    case!(
        "waits for what may come",
        core_module("(component (core func (canon waitable-set.new)))"),
        refused!(Refusal::Invalid { .. })
    ),
];

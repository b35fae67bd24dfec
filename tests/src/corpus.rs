//! Guests that attack: one table, one entry a guest.

use tiltyard_model::Value;
use tiltyard_sandbox::{Fault, FaultKind, LoadError, Refusal, Scope, StartError};

use crate::byways::BYWAYS;
use crate::tape::Tape;

use crate::files::{
    CLOSE, EQUITY, FILES, HISTORY, LOG, RANDOM, STDOUT, SUBMIT, TARGET, TIMER, call_tree, corrupt, declared, exports,
    half, in_component, nested_types, on_bar, patched, with,
};
use crate::guest::{Wat, core_module};
use crate::{CURIOUS, manifest};

/// How a guest's visit ended.
#[derive(Debug)]
pub enum Outcome {
    /// Not loaded.
    NotLoaded(LoadError),
    /// Loaded, not started.
    NotStarted(StartError),
    /// Stopped in the middle.
    Stopped(Fault),
    /// Came to the end of the bars; this is what it left behind.
    Finished(Tape),
}

/// A hostile guest and how its visit must end.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it tries.
    pub name: &'static str,
    /// The file it comes as.
    pub file: fn() -> Vec<u8>,
    /// Its parameters.
    pub parameters: fn() -> Vec<(&'static str, Value)>,
    /// Whether its visit ended as it must.
    pub ends: fn(&Outcome) -> bool,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Bars that the harness plays to a guest.
pub const BARS: usize = 10;

macro_rules! case {
    ($name:literal, $file:expr, $ends:pat $(if $guard:expr)?) => {
        case!($name, $file; {} $ends $(if $guard)?)
    };
    ($name:literal, $file:expr; {$($parameter:literal = $value:expr),*} $ends:pat $(if $guard:expr)?) => {
        Case {
            name: $name,
            file: || $file,
            parameters: || vec![$(($parameter, $value)),*],
            ends: |outcome| matches!(outcome, $ends $(if $guard)?),
        }
    };
}

/// Stopped by this kind of fault in this call.
macro_rules! stopped {
    ($kind:pat) => {
        Outcome::Stopped(Fault { kind: $kind, during: "on-bar", .. })
    };
}

/// Refused at admission.
macro_rules! refused {
    ($refusal:pat) => {
        Outcome::NotLoaded(LoadError::Refused($refusal))
    };
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) use {case, refused, stopped};

/// All of them.
pub fn corpus() -> impl Iterator<Item = &'static Case> {
    PLAIN.iter().chain(BYWAYS)
}

const PLAIN: &[Case] = &[
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
    // Floods.
    case!(
        "log flood",
        with(LOG, "", "(loop (call $log (i32.const 0) (i32.const 0) (i32.const 0)) (br 0))"),
        stopped!(FaultKind::Log { limit: 100_000, unit: "lines" })
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
    // What it may not even ask for.
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
    case!(
        "wants files",
        with(FILES, "", "(call $directories (i32.const 128))"),
        refused!(Refusal::ForbiddenImport { .. })
    ),
    case!(
        "wants a single function",
        with(r#"(import "$root" "single" (func $single))"#, "", "(call $single)"),
        refused!(Refusal::ForbiddenImport { .. })
    ),
    case!(
        "wants an interface that the contract does not have",
        patched(&with(EQUITY, "", "(drop (call $equity))"), "strategy/account", "strategy/secrets"),
        refused!(Refusal::ForbiddenImport { .. })
    ),
    case!(
        "offers an interface that the contract does not have",
        patched(&on_bar(""), "strategy/bar-events", "strategy/bar-magic1"),
        refused!(Refusal::UnknownExport { .. })
    ),
    case!(
        "answers with targets and orders too",
        Wat {
            world: "trading-signal",
            imports: CLOSE,
            on_bar: "(call $close (i32.const 0) (i32.const 128)) (f64.const 1)",
            ..Wat::default()
        }
        .component(),
        refused!(Refusal::SignalImport { .. })
    ),
    case!(
        "wants a capability",
        declared(&manifest("guest").replace('{', r#"{"capabilities":["llm"],"#)),
        refused!(Refusal::Capability(_))
    ),
    // What it is not.
    case!("is of another version", patched(&on_bar(""), "@0.1.0", "@0.2.0"), refused!(Refusal::ContractVersion { .. })),
    case!("has another signature", patched(&on_bar(""), "open-time", "open-date"), refused!(Refusal::Signature { .. })),
    case!("is a core module", core_module("(module)"), refused!(Refusal::CoreModule)),
    case!("is empty", Vec::new(), refused!(Refusal::NotWasm)),
    case!("is a picture", b"\x89PNG\r\n\x1a\n".to_vec(), refused!(Refusal::NotWasm)),
    case!("is cut short", half(&on_bar("")), refused!(Refusal::Truncated { .. })),
    case!("is the first eight bytes only", on_bar("")[..8].to_vec(), refused!(Refusal::NotAStrategy)),
    case!(
        "is corrupt",
        corrupt(on_bar("")),
        refused!(Refusal::Invalid { .. } | Refusal::Truncated { .. } | Refusal::StaticLimit { .. })
    ),
    case!("is no strategy", Wat { world: "other", ..Wat::default() }.component(), refused!(Refusal::NotAStrategy)),
    case!("offers nothing to call", Wat { world: "mute", ..Wat::default() }.component(), refused!(Refusal::NoEvents)),
    case!(
        "offers both ways to be called",
        Wat { world: "both", ..Wat::default() }.component(),
        refused!(Refusal::BothEvents)
    ),
    case!("has no manifest", declared(""), refused!(Refusal::NoManifest)),
    case!("has a manifest that is no JSON", declared("{"), refused!(Refusal::Manifest(_))),
    case!(
        "has a manifest of another contract",
        declared(&manifest("guest").replace("\"contract\":\"0.1.0\"", "\"contract\":\"9.9.9\"")),
        refused!(Refusal::ManifestContract { .. })
    ),
    case!(
        "has a manifest that a terminal would obey",
        declared(&manifest("guest").replace("A guest.", r"\u001b[2J")),
        refused!(Refusal::Manifest(_))
    ),
    case!(
        "says another name than its manifest",
        declared(&manifest("somebody-else")),
        Outcome::NotLoaded(LoadError::Disagrees { at, .. }) if at == "/name"
    ),
    case!(
        "takes a parameter it did not declare",
        on_bar(""); {"secret" = Value::Integer(1)} Outcome::NotStarted(StartError::Parameters(_))
    ),
    case!(
        "takes a parameter out of bounds",
        CURIOUS.to_vec(); {"bar" = Value::Integer(-1)} Outcome::NotStarted(StartError::Parameters(_))
    ),
    // What would choke a compiler.
    case!(
        "has 50,000 locals",
        in_component(&format!("(func (local{}))", " i64".repeat(50_000))),
        refused!(Refusal::StaticLimit { what: "locals in one function", .. })
    ),
    case!(
        "has a million functions",
        in_component(&"(func)".repeat(1_000_000)),
        refused!(Refusal::StaticLimit { what: "functions", .. })
    ),
    case!(
        "nests blocks 5,000 deep",
        in_component(&format!("(func {}{})", "block ".repeat(5_000), "end ".repeat(5_000))),
        refused!(Refusal::StaticLimit { what: "blocks within blocks", .. })
    ),
    case!(
        "is a component in a component in a component",
        core_module(&format!("(component {}{})", "(component ".repeat(20), ")".repeat(20))),
        refused!(Refusal::StaticLimit { what: "components within components", .. })
    ),
    case!(
        "has types in types in types",
        nested_types(10_000),
        refused!(Refusal::StaticLimit { what: "types within types", .. })
    ),
    case!(
        "has types of 100 KB",
        core_module(&format!("(component (type (instance {})))", exports(10_000))),
        refused!(Refusal::StaticLimit { what: "bytes of component types", .. })
    ),
    case!(
        "has instances by the hundred",
        core_module(&format!("(component (component $c) {})", "(instance (instantiate $c))".repeat(300))),
        refused!(Refusal::StaticLimit { what: "instances", .. })
    ),
    case!(
        "has functions of a thousand parameters",
        in_component(&format!("(func (param{}))", " i32".repeat(1_000))),
        refused!(Refusal::StaticLimit { what: "parameters of one function", .. })
    ),
    case!(
        "has functions of a thousand results",
        in_component(&format!("(type (func (result{})))", " i32".repeat(1_000))),
        refused!(Refusal::StaticLimit { what: "results of one function", .. })
    ),
    case!(
        "is composed of components that pass each other data for nothing",
        core_module(
            r#"(component (component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
                (func (export "f") (canon lift (core func $i "f")))))"#
        ),
        refused!(Refusal::Composed)
    ),
    case!(
        "is larger than the limit",
        vec![0; (32 << 20) + 1],
        refused!(Refusal::TooLarge { size: 33_554_433, limit: 33_554_432 })
    ),
    case!("uses tail calls", in_component("(func $again (return_call $again))"), refused!(Refusal::Invalid { .. })),
    case!("uses threads", in_component("(memory 1 1 shared)"), refused!(Refusal::Invalid { .. })),
];

//! Files that are not admitted, and those that say of themselves what is not true.

use tiltyard_model::Value;
use tiltyard_sandbox::{LoadError, Refusal, StartError};

use super::{Case, Outcome, case, refused};
use crate::files::{
    CLOSE, EQUITY, FILES, corrupt, declared, exports, half, in_component, nested_types, on_bar, patched, with,
};
use crate::guest::{Wat, core_module};
use crate::{CURIOUS, manifest};

pub(super) const CASES: &[Case] = &[
    // What it may not even ask for.
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
        refused!(Refusal::BothEvents { .. })
    ),
    case!(
        "declares quotes and exports nothing to be told of them",
        declared(&manifest("guest").replace('{', r#"{"market_events":["quotes"],"#)),
        refused!(Refusal::MarketEvents { is_declared: true, .. })
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
    case!("has a manifest in a manifest in a manifest", declared(&"[".repeat(10_000)), refused!(Refusal::Manifest(_))),
    case!(
        "has a manifest of a megabyte",
        declared(&manifest("guest").replace("A guest.", &"guest ".repeat(200_000))),
        refused!(Refusal::StaticLimit { what: "bytes of manifest", .. })
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
    // What the engine is not to run.
    case!("uses tail calls", in_component("(func $again (return_call $again))"), refused!(Refusal::Invalid { .. })),
    case!("uses threads", in_component("(memory 1 1 shared)"), refused!(Refusal::Invalid { .. })),
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

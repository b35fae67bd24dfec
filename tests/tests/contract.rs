//! The promise to authors: a component that ran keeps running.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tiltyard_sandbox::Limits;
use tiltyard_tests::{Ground, Played, bars, contract, start};
use wasmtime::component::{Component, ComponentType, HasSelf, Linker, Lower};
use wasmtime::{Config, Engine, Store, StoreContextMut};

/// Built against contract 0.1.0 and kept ever since.
const OLD: &[u8] = include_bytes!("../contract/0.1.0/breakout.wasm");

mod grown {
    #![allow(missing_docs, unsafe_code, reason = "generated code")]
    wasmtime::component::bindgen!({ path: "contract/grown", world: "everything" });
}

use grown::exports::tiltyard::strategy as exports;
use grown::tiltyard::strategy::{account, features, journal, market, orders, timers, types};

/// A host of tomorrow, which refuses every target by a rule that did not exist when the component was built.
#[derive(Default)]
struct Tomorrow {
    log: Vec<String>,
    targets: Vec<f64>,
}

fn refused<T>() -> Result<T, Vec<types::Violation>> {
    let rule = "phase-of-the-moon".to_owned();
    Err(vec![types::Violation { rule, actual: 0.9, limit: 0.5, unit: "fraction-of-disc".to_owned() }])
}

impl types::Host for Tomorrow {}

impl market::Host for Tomorrow {
    fn history(&mut self, instrument: u32, _: u32) -> Result<types::Columns, market::MarketError> {
        Err(market::MarketError::UnknownInstrument(instrument))
    }

    fn latest_quote(&mut self, _: u32) -> Result<Option<types::Quote>, market::MarketError> {
        Ok(None)
    }

    fn last_price(&mut self, _: u32) -> Option<f64> {
        None
    }
}

impl account::Host for Tomorrow {
    fn equity(&mut self) -> f64 {
        1.0
    }

    fn cash(&mut self) -> f64 {
        1.0
    }

    fn position_of(&mut self, _: u32) -> Option<types::Position> {
        None
    }

    fn open_orders(&mut self) -> Vec<types::OpenOrder> {
        Vec::new()
    }
}

impl orders::Host for Tomorrow {
    fn submit(&mut self, _: types::OrderRequest) -> Result<types::Acceptance, Vec<types::Violation>> {
        refused()
    }

    fn cancel(&mut self, _: u64) -> Result<(), Vec<types::Violation>> {
        refused()
    }

    fn replace(&mut self, _: u64, _: types::Replacement) -> Result<types::Acceptance, Vec<types::Violation>> {
        refused()
    }

    fn target(
        &mut self,
        _: u32,
        fraction: f64,
        _: Option<types::StopLoss>,
    ) -> Result<Option<types::Acceptance>, Vec<types::Violation>> {
        self.targets.push(fraction);
        refused()
    }

    fn close(&mut self, _: u32) -> Result<Option<types::Acceptance>, Vec<types::Violation>> {
        refused()
    }

    fn cancel_all(&mut self) -> u32 {
        0
    }
}

impl timers::Host for Tomorrow {
    fn set(&mut self, _: i64) -> Result<u64, timers::TimerError> {
        Err(timers::TimerError::TooMany(0))
    }

    fn cancel(&mut self, _: u64) -> bool {
        false
    }
}

impl journal::Host for Tomorrow {
    fn log(&mut self, _: journal::Level, message: String) {
        self.log.push(message);
    }

    fn metric(&mut self, _: String, _: f64) {}

    fn annotate(&mut self, _: String, _: String) {}
}

impl features::Host for Tomorrow {
    fn latest(&mut self, _: String) -> Option<f64> {
        None
    }
}

fn engine() -> Engine {
    Engine::new(Config::new().wasm_component_model(true)).unwrap()
}

#[test]
fn an_old_component_runs_in_a_host_whose_contract_has_grown() {
    let engine = engine();
    let mut linker = Linker::<Tomorrow>::new(&engine);
    grown::Everything::add_to_linker::<_, HasSelf<Tomorrow>>(&mut linker, |host| host).unwrap();
    let linked = linker.instantiate_pre(&Component::new(&engine, OLD).unwrap()).unwrap();

    // What it exports is found; what did not exist yet is not, and that is no error.
    let lifecycle = exports::lifecycle::GuestIndices::new(&linked).unwrap();
    let events = exports::bar_events::GuestIndices::new(&linked).unwrap();
    assert!(exports::auction_events::GuestIndices::new(&linked).is_err());

    let mut store = Store::new(&engine, Tomorrow::default());
    let instance = linked.instantiate(&mut store).unwrap();
    let lifecycle = lifecycle.load(&mut store, &instance).unwrap();
    let events = events.load(&mut store, &instance).unwrap();
    let context = exports::lifecycle::Context {
        instruments: Vec::new(),
        bar_intervals: Vec::new(),
        parameters: vec![("window".to_owned(), exports::lifecycle::Value::Integer(2))],
        settlement: "USD".to_owned(),
        seed: 0,
    };
    lifecycle.call_init(&mut store, &context).unwrap().unwrap();
    for close in [1.0, 2.0, 3.0] {
        events.call_on_bar(&mut store, 0, 0, close, close, close, close, 1.0).unwrap();
    }
    assert_eq!(store.data().targets, [1.0], "the third close is above the two before it");
    assert_eq!(store.data().log, ["phase-of-the-moon"], "a rule it cannot know is a refusal like any other");
}

#[test]
fn an_old_component_runs_in_the_host_of_today() {
    let ground = Ground::new(env!("CARGO_BIN_EXE_compile-worker"));
    let component = ground.load(OLD).unwrap();
    let played = Played::run(&component, &start(&[]), &bars(300), &Limits::default()).unwrap();
    assert_eq!(played.fault, None);
    assert!(played.tape.requests() > 1, "it trades: {:?}", played.tape.lines());
}

/// The counter-example: why a violation is an open text and records are closed.
#[test]
fn one_more_field_in_a_record_would_shut_old_components_out() {
    #[derive(ComponentType, Lower)]
    #[component(record)]
    struct Violation {
        rule: String,
        actual: f64,
        limit: f64,
        unit: String,
        severity: u32,
    }

    let engine = engine();
    let mut linker = Linker::<Tomorrow>::new(&engine);
    linker.allow_shadowing(true);
    grown::Everything::add_to_linker::<_, HasSelf<Tomorrow>>(&mut linker, |host| host).unwrap();
    linker
        .instance("tiltyard:strategy/orders@0.1.0")
        .unwrap()
        .func_wrap("target", |_: StoreContextMut<'_, Tomorrow>, _: (u32, f64, Option<types::StopLoss>)| {
            Ok((Err::<Option<types::Acceptance>, Vec<Violation>>(Vec::new()),))
        })
        .unwrap();
    let error = linker.instantiate_pre(&Component::new(&engine, OLD).unwrap()).map(|_| ()).unwrap_err();
    assert!(format!("{error:#}").contains("expected record of 5 fields, found 4 fields"), "{error:#}");
}

/// The items of every interface in a folder of WIT, without comments: `interface` → first line → whole item.
fn items(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut interfaces: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let mut interface = String::new();
        let mut item = String::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
            let ends = if item.starts_with("record") || item.starts_with("enum") || item.starts_with("variant") {
                line == "}"
            } else {
                line.ends_with(';')
            };
            if let Some(name) = line.strip_prefix("interface ").or_else(|| line.strip_prefix("world ")) {
                interface = name.trim_end_matches(" {").to_owned();
                interfaces.entry(interface.clone()).or_default();
            } else if !(line == "}" && item.is_empty()) {
                item = format!("{item} {line}").trim().to_owned();
                if ends {
                    interfaces.entry(interface.clone()).or_default().insert(std::mem::take(&mut item));
                }
            }
        }
    }
    interfaces
}

#[test]
fn the_contract_keeps_all_that_was_frozen() {
    let frozen = items(Path::new("contract/0.1.0/wit"));
    assert!(frozen["types"].iter().any(|item| item.starts_with("record violation { rule: string, actual: f64")));
    for folder in [contract().as_path(), Path::new("contract/grown")] {
        let today = items(folder);
        for (interface, frozen) in &frozen {
            let missing: Vec<_> = frozen.difference(&today[interface]).collect();
            assert!(missing.is_empty(), "{}: `{interface}` lost or changed {missing:#?}", folder.display());
            let exported = ["lifecycle", "bar-events", "order-events", "timer-events", "signals", "state"];
            if exported.contains(&interface.as_str()) {
                assert_eq!(frozen, &today[interface], "{}: an exported interface never grows", folder.display());
            }
        }
    }
}

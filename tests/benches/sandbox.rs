//! What the sandbox costs. Compare rows of one run with each other; absolute times depend on the machine and its load.
//!
//! `cargo bench -p tiltyard-tests`

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use ma_cross::MaCross;
use tiltyard_model::{Columns, InstrumentIndex};
use tiltyard_sandbox::{Component, Instance, Limits, Mode};
use tiltyard_sdk::{Params as _, Signal as _};
use tiltyard_sdk_testing::Market;
use tiltyard_tests::{BY_HAND, Ground, Tape, Wat, bars, start};
use wasmtime::component::Linker;
use wasmtime::{Config, Engine, Store, StoreLimits, StoreLimitsBuilder};

/// The child that compiles; built beside the benchmarks.
const WORKER: &str = env!("CARGO_BIN_EXE_compile-worker");
/// Bars in a chunk of columns.
const CHUNK: usize = 4_096;

fn main() {
    divan::main();
}

fn example(name: &str) -> &'static [u8] {
    tiltyard_examples::example(name).expect("an example of that name").component
}

/// A guest whose every call does nothing.
fn idle() -> Vec<u8> {
    Wat::default().component()
}

fn load(ground: &Ground, bytes: &[u8], mode: Mode) -> Component<Tape> {
    ground.sandbox.load(bytes, mode).expect("it loads")
}

fn begin(component: &Component<Tape>, tape: &mut Tape) -> Instance<Tape> {
    let limits = Limits { fuel_per_run: None, ..Limits::default() };
    component.start(tape, &start(&[]), &limits).expect("it starts")
}

mod start_up {
    use super::*;

    /// Instantiate, `init`, one bar, drop.
    fn first_call(bencher: Bencher<'_, '_>, bytes: &[u8]) {
        let ground = Ground::new(WORKER);
        let component = load(&ground, bytes, Mode::Event);
        let bar = bars(1).get(0).expect("a bar");
        bencher.bench_local(|| {
            let mut tape = Tape::new(1, 0.0);
            let mut instance = begin(&component, &mut tape);
            black_box(instance.on_bar(&mut tape, InstrumentIndex(0), &bar))
        });
    }

    #[divan::bench]
    fn idle_guest(bencher: Bencher<'_, '_>) {
        first_call(bencher, &idle());
    }

    #[divan::bench]
    fn c_breakout(bencher: Bencher<'_, '_>) {
        first_call(bencher, include_bytes!("../guests/c/breakout.wasm"));
    }

    #[divan::bench]
    fn rust_ma_cross(bencher: Bencher<'_, '_>) {
        first_call(bencher, example("ma-cross"));
    }
}

mod event_call {
    use super::*;

    fn on_bar(bencher: Bencher<'_, '_>, bytes: &[u8]) {
        let ground = Ground::new(WORKER);
        let component = load(&ground, bytes, Mode::Event);
        let mut tape = Tape::new(1, 0.0);
        let mut instance = begin(&component, &mut tape);
        let bars = bars(1_000);
        let mut at = 0;
        bencher.bench_local(|| {
            at = (at + 1) % bars.len();
            let bar = bars.get(at).expect("a bar");
            black_box(instance.on_bar(&mut tape, InstrumentIndex(0), &bar))
        });
    }

    #[divan::bench]
    fn empty_answer(bencher: Bencher<'_, '_>) {
        on_bar(bencher, &idle());
    }

    #[divan::bench]
    fn ma_cross(bencher: Bencher<'_, '_>) {
        on_bar(bencher, example("ma-cross"));
    }

    #[divan::bench]
    fn ma_cross_without_sdk(bencher: Bencher<'_, '_>) {
        on_bar(bencher, BY_HAND);
    }
}

/// The same moving-average cross over the same 4,096 bars.
mod columns {
    use super::*;

    fn sandboxed(bencher: Bencher<'_, '_>, bytes: &[u8], mode: Mode) {
        let ground = Ground::new(WORKER);
        let component = load(&ground, bytes, mode);
        let mut tape = Tape::new(1, 0.0);
        let mut instance = begin(&component, &mut tape);
        let bars = bars(CHUNK);
        bencher.counter(ItemsCount::new(CHUNK)).bench_local(|| instance.on_columns(&mut tape, black_box(&bars)));
    }

    #[divan::bench]
    fn native(bencher: Bencher<'_, '_>) {
        let mut strategy = MaCross::new(&Market::closes(&[]).start(ma_cross::Params::defaults())).expect("it starts");
        let bars = native_columns(&bars(CHUNK));
        bencher
            .counter(ItemsCount::new(CHUNK))
            .bench_local(|| black_box(&bars).iter().map(|bar| strategy.target(&bar)).collect::<Vec<f64>>());
    }

    #[divan::bench]
    fn screen_mode(bencher: Bencher<'_, '_>) {
        sandboxed(bencher, example("ma-cross"), Mode::Screen);
    }

    #[divan::bench]
    fn screen_mode_without_sdk(bencher: Bencher<'_, '_>) {
        sandboxed(bencher, BY_HAND, Mode::Screen);
    }

    #[divan::bench]
    fn event_mode_code(bencher: Bencher<'_, '_>) {
        sandboxed(bencher, example("ma-cross"), Mode::Event);
    }
}

/// Each limit that is compiled into the code, on against off: plain wasmtime, without anything else of ours.
mod limits {
    use super::*;

    pub(super) mod bindings {
        #![allow(missing_docs, unsafe_code, clippy::all, reason = "generated code")]
        wasmtime::component::bindgen!({
            path: "../wit",
            world: "everything",
            ownership: Borrowing { duplicate_if_necessary: true },
        });
    }

    use bindings::exports::tiltyard::strategy::{lifecycle, signals};
    use bindings::tiltyard::strategy::types::{ColumnsParam, Instrument, InstrumentKind};

    /// Fuel, epoch, canonical NaN; and what is set on the store: memory and tables, bytes per host call, handles.
    const SETTINGS: [(&str, [bool; 4]); 6] = [
        ("0 none", [false, false, false, false]),
        ("1 fuel", [true, false, false, false]),
        ("2 epoch", [false, true, false, false]),
        ("3 canonical NaN", [false, false, true, false]),
        ("4 store", [false, false, false, true]),
        ("5 all", [true, true, true, true]),
    ];

    fn with(setting: &str) -> (Store<StoreLimits>, signals::Guest) {
        let (_, [fuel, epoch, nan, limits]) = SETTINGS.iter().find(|(name, _)| *name == setting).expect("a setting");
        let mut config = Config::new();
        config.consume_fuel(*fuel).epoch_interruption(*epoch).cranelift_nan_canonicalization(*nan);
        let engine = Engine::new(&config).expect("an engine");
        let component = wasmtime::component::Component::new(&engine, example("ma-cross")).expect("it compiles");
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component).expect("it links");
        let memory = if *limits { 64 << 20 } else { usize::MAX };
        let mut store = Store::new(&engine, StoreLimitsBuilder::new().memory_size(memory).build());
        if *limits {
            store.limiter(|limits| limits);
            store.set_hostcall_fuel(1 << 20);
            store.set_max_component_handles(1_000);
        }
        if *fuel {
            store.set_fuel(u64::MAX).expect("fuel is on");
        }
        if *epoch {
            store.set_epoch_deadline(1 << 62);
        }
        let linked = linker.instantiate_pre(&component).expect("it links");
        let instance = linked.instantiate(&mut store).expect("it instantiates");
        let lifecycle = lifecycle::GuestIndices::new(&linked).and_then(|index| index.load(&mut store, &instance));
        let signals = signals::GuestIndices::new(&linked).and_then(|index| index.load(&mut store, &instance));
        let instrument = Instrument {
            symbol: "TEST",
            venue: "test",
            kind: InstrumentKind::Spot,
            base: "T",
            quote: "USD",
            tick: 0.01,
            lot: 0.001,
            min_notional: 0.0,
            maker_fee: 0.0,
            taker_fee: 0.0,
            max_leverage: 1.0,
        };
        let context = lifecycle::Context {
            instruments: &[instrument],
            bar_intervals: &[1],
            parameters: &[],
            settlement: "USD",
            seed: 0,
        };
        lifecycle.expect("exported").call_init(&mut store, context).expect("no trap").expect("it starts");
        (store, signals.expect("exported"))
    }

    fn names() -> impl Iterator<Item = &'static str> {
        SETTINGS.iter().map(|(name, _)| *name)
    }

    #[divan::bench(args = names())]
    fn chunk_of_columns(bencher: Bencher<'_, '_>, setting: &str) {
        let (mut store, signals) = with(setting);
        let bars = bars(CHUNK);
        let columns = || ColumnsParam {
            open_time: bars.open_time(),
            open: bars.open(),
            high: bars.high(),
            low: bars.low(),
            close: bars.close(),
            volume: bars.volume(),
        };
        bencher
            .counter(ItemsCount::new(CHUNK))
            .bench_local(|| signals.call_on_columns(&mut store, black_box(columns())).expect("no trap"));
    }

    #[divan::bench(args = names())]
    fn single_call(bencher: Bencher<'_, '_>, setting: &str) {
        let (mut store, signals) = with(setting);
        bencher
            .bench_local(|| signals.call_on_bar(&mut store, 0, 1.0, 1.0, 1.0, black_box(1.0), 1.0).expect("no trap"));
    }
}

/// A thousand calls of an import from within one call: with fuel taken for each, and with none.
mod host_calls {
    use super::*;
    use limits::bindings::exports::tiltyard::strategy::bar_events::GuestIndices;

    fn caller() -> Vec<u8> {
        Wat {
            imports: r#"(import "tiltyard:strategy/account@0.1.0" "equity" (func $equity (result f64)))"#,
            on_bar: "(local $left i32) (local.set $left (i32.const 1000))
                (loop (drop (call $equity)) (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                    (br_if 0 (local.get $left)))",
            ..Wat::default()
        }
        .component()
    }

    #[divan::bench]
    fn charged(bencher: Bencher<'_, '_>) {
        let ground = Ground::new(WORKER);
        let component = load(&ground, &caller(), Mode::Event);
        let mut tape = Tape::new(1, 1.0);
        let mut instance = begin(&component, &mut tape);
        let bar = bars(1).get(0).expect("a bar");
        bencher
            .counter(ItemsCount::new(1_000_usize))
            .bench_local(|| instance.on_bar(&mut tape, InstrumentIndex(0), &bar).expect("no fault"));
    }

    #[divan::bench]
    fn for_nothing(bencher: Bencher<'_, '_>) {
        let engine = Engine::new(Config::new().consume_fuel(true).epoch_interruption(true)).expect("an engine");
        let component = wasmtime::component::Component::new(&engine, caller()).expect("it compiles");
        let mut linker = Linker::<()>::new(&engine);
        let mut account = linker.instance("tiltyard:strategy/account@0.1.0").expect("an instance");
        account.func_wrap("equity", |_, (): ()| Ok((1.0_f64,))).expect("a function");
        let linked = linker.instantiate_pre(&component).expect("it links");
        let mut store = Store::new(&engine, ());
        store.set_fuel(u64::MAX).expect("fuel is on");
        store.set_epoch_deadline(1 << 62);
        let instance = linked.instantiate(&mut store).expect("it instantiates");
        let events = GuestIndices::new(&linked).and_then(|index| index.load(&mut store, &instance)).expect("exported");
        bencher
            .counter(ItemsCount::new(1_000_usize))
            .bench_local(|| events.call_on_bar(&mut store, 0, 0, 1.0, 1.0, 1.0, 1.0, 1.0).expect("no trap"));
    }
}

fn native_columns(bars: &Columns) -> tiltyard_sdk::Columns {
    tiltyard_sdk::Columns {
        open_time: bars.open_time().to_vec(),
        open: bars.open().to_vec(),
        high: bars.high().to_vec(),
        low: bars.low().to_vec(),
        close: bars.close().to_vec(),
        volume: bars.volume().to_vec(),
    }
}

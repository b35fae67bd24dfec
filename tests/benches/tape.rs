//! What a tape costs an event: read from its frames, matched in the kernel, told to a component in its sandbox.
//!
//! `cargo bench -p tiltyard-tests --bench tape`; figures in BENCHMARKS.md.
#![allow(clippy::unwrap_used, reason = "a benchmark may")]

use std::convert::Infallible;
use std::io::Cursor;
use std::sync::LazyLock;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tiltyard_engine::venue::{Latency, TapeVenue};
use tiltyard_engine::{Log, MarginTerms, TapeFeed, TapeSimulation, TargetPlayback, Terms, TradingDesk};
use tiltyard_market::{ASSUMED_FEE, Steps, Tape, TapeOptions};
use tiltyard_model::tape::Stamped;
use tiltyard_model::{Decimal, Money, Nanos, Start, Value};
use tiltyard_risk::RiskProfile;
use tiltyard_sandbox::{Component, Limits, PoolLimits};
use tiltyard_tests::{Ground, frames};

type Desk = TradingDesk<TapeVenue>;

static GROUND: LazyLock<Ground<Desk>> =
    LazyLock::new(|| Ground::with_pool(env!("CARGO_BIN_EXE_compile-worker"), PoolLimits::default()));

/// A change of depth, a quote and a trade in each of 10,000 instants.
static FRAMES: LazyLock<String> = LazyLock::new(|| frames(10_000, false));

static EVENTS: LazyLock<Vec<Stamped>> = LazyLock::new(|| read().collect());

static SIMULATION: LazyLock<TapeSimulation> = LazyLock::new(|| {
    let mut steps = Steps::default();
    EVENTS.iter().for_each(|event| steps.see(&event.event));
    TapeSimulation {
        instruments: vec![steps.instrument("BTCUSDT", "binance", ASSUMED_FEE, ASSUMED_FEE)],
        latency: Latency { fixed: Nanos(5_000_000), jitter: Nanos(0) },
        risk: RiskProfile::research(),
        margin: MarginTerms::default(),
        seed: 0,
        begin: EVENTS[0].received,
        sampling: TapeSimulation::SAMPLING,
        days_per_year: 365.0,
    }
});

fn read() -> impl Iterator<Item = Stamped> {
    let source = Cursor::new(FRAMES.as_bytes());
    Tape::read_from("frames", source, "BTCUSDT", TapeOptions::default()).unwrap().map(Result::unwrap)
}

fn terms() -> Terms {
    Terms::new("bench", Money(Decimal::from(1_000)), None)
}

fn main() {
    divan::main();
}

/// Frames into exact events.
#[divan::bench]
fn reading(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(EVENTS.len())).bench(|| black_box(read().count()));
}

/// Nothing is ever asked for.
#[divan::bench]
fn idle(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(EVENTS.len())).bench(|| {
        let mut kernel = SIMULATION.kernel(Log::digest_only()).unwrap();
        kernel.seat(terms(), |_| Ok::<_, Infallible>(TargetPlayback::new(Vec::new()))).unwrap();
        black_box(kernel.run(&mut TapeFeed::new([EVENTS.iter().cloned()])))
    });
}

/// Two quotes that follow the market and are filled.
#[divan::bench]
fn component_market_maker(bencher: Bencher<'_, '_>) {
    let example = tiltyard_examples::example("market-maker").unwrap();
    let component: Component<Desk> = GROUND.load(example.component).unwrap();
    let start = Start {
        instruments: SIMULATION.listed(),
        parameters: vec![("distance".to_owned(), Value::Real(0.0))],
        settlement: "USDT".to_owned(),
        seed: 0,
    };
    bencher.counter(ItemsCount::new(EVENTS.len())).bench(|| {
        let mut kernel = SIMULATION.kernel(Log::digest_only()).unwrap();
        kernel.seat(terms(), |desk| component.start(desk, &start, &Limits::default())).unwrap();
        black_box(kernel.run(&mut TapeFeed::new([EVENTS.iter().cloned()])))
    });
}

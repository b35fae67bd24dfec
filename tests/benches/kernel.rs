//! What the kernel costs a bar: without a strategy's own work, with orders, and with a component in its sandbox.
//!
//! `cargo bench -p tiltyard-tests --bench kernel`; figures in BENCHMARKS.md.
#![allow(clippy::unwrap_used, reason = "a benchmark may")]

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tiltyard_engine::venue::{Costs, Latency, SimulatedVenue};
use tiltyard_engine::{Log, Profile, Simulation, TargetPlayback, Terms, Traded, TradingDesk, Window};
use tiltyard_model::{Decimal, Money, Start};
use tiltyard_risk::RiskProfile;
use tiltyard_sandbox::{Component, Limits, PoolLimits};
use tiltyard_tests::{Ground, bars, start};

type Desk = TradingDesk<SimulatedVenue>;

/// Bars of a run.
const BARS: usize = 10_000;

static GROUND: LazyLock<Ground<Desk>> =
    LazyLock::new(|| Ground::with_pool(env!("CARGO_BIN_EXE_compile-worker"), PoolLimits::default()));

static SIMULATION: LazyLock<Simulation> = LazyLock::new(|| {
    let (instrument, interval) = start(&[]).instruments.remove(0);
    Simulation {
        market: vec![Traded {
            instrument,
            interval,
            bars: Arc::new(bars(BARS)),
            ends: false,
            perpetual: tiltyard_engine::PerpetualSeries::default(),
        }],
        window: Window::default(),
        profile: Profile::Conservative,
        costs: Costs::default(),
        latency: Latency::default(),
        risk: RiskProfile::research(),
        seed: 0,
        days_per_year: 365.0,
        margin: tiltyard_engine::MarginTerms::default(),
    }
});

fn cash() -> Money {
    Money(Decimal::from(1_000))
}

fn main() {
    divan::main();
}

/// Targets that are played back, in the kernel alone.
fn play(bencher: Bencher<'_, '_>, targets: impl Fn(usize) -> f64 + Sync) {
    bencher.counter(ItemsCount::new(BARS)).bench(|| {
        let targets = (0..BARS).map(&targets).collect();
        let mut kernel = SIMULATION.kernel(Log::digest_only()).unwrap();
        kernel
            .seat(Terms::new("playback", cash(), None), |_| Ok::<_, Infallible>(TargetPlayback::new(targets)))
            .unwrap();
        black_box(SIMULATION.play(kernel))
    });
}

/// Nothing is ever asked for.
#[divan::bench]
fn idle(bencher: Bencher<'_, '_>) {
    play(bencher, |_| f64::NAN);
}

/// A position is held and marked at every bar.
#[divan::bench]
fn holding(bencher: Bencher<'_, '_>) {
    play(bencher, |_| 1.0);
}

/// An order at every tenth bar.
#[divan::bench]
fn trading_now_and_then(bencher: Bencher<'_, '_>) {
    play(bencher, |bar| f64::from(u8::from(bar / 10 % 2 == 0)));
}

/// An order at every bar.
#[divan::bench]
fn trading_at_every_bar(bencher: Bencher<'_, '_>) {
    play(bencher, |bar| f64::from(u8::from(bar % 2 == 0)));
}

/// A component, started and run.
fn run(bencher: Bencher<'_, '_>, name: &str) {
    let component: Component<Desk> = GROUND.load(tiltyard_examples::example(name).unwrap().component).unwrap();
    let start = Start { instruments: SIMULATION.instruments(), ..start(&[]) };
    let limits = Limits::default();
    let host_stop = component.admission().manifest.host_stop;
    bencher.counter(ItemsCount::new(BARS)).bench(|| {
        let mut kernel = SIMULATION.kernel(Log::digest_only()).unwrap();
        kernel.seat(Terms::new(name, cash(), host_stop), |desk| component.start(desk, &start, &limits)).unwrap();
        black_box(SIMULATION.play(kernel))
    });
}

#[divan::bench]
fn component_buy_and_hold(bencher: Bencher<'_, '_>) {
    run(bencher, "buy-and-hold");
}

#[divan::bench]
fn component_ma_cross(bencher: Bencher<'_, '_>) {
    run(bencher, "ma-cross");
}

/// What a unit of fuel is worth in time: items are units. Whoever asks the host for much must not get it for less than
/// whoever computes.
mod fuel {
    use super::*;
    use tiltyard_model::InstrumentKind;
    use tiltyard_tests::{TRADERS, Wat, made_up, play_in_kernel};

    fn spend(bencher: Bencher<'_, '_>, file: &[u8], parameters: &[(&str, tiltyard_model::Value)]) {
        let component: Component<Desk> = GROUND.load(file).unwrap();
        let market = made_up(InstrumentKind::Spot, 20);
        let play = || play_in_kernel(&component, &market, 1_000_000, parameters, Log::digest_only()).unwrap();
        let fuel = play().books.records()[0].fuel;
        bencher.counter(ItemsCount::new(fuel)).bench(|| black_box(play()));
    }

    #[divan::bench]
    fn computing(bencher: Bencher<'_, '_>) {
        spend(bencher, &Wat { on_bar: "(loop (br 0))", ..Wat::default() }.component(), &[]);
    }

    #[divan::bench(args = [
        "asks for as many orders as it may",
        "places, changes and takes back",
        "turns round as often as it may",
        "targets without end",
        "closes without end",
        "cancels without end",
        "replaces without end",
        "sets timers without end",
        "takes back timers without end",
        "asks for history without end",
        "asks for open orders without end",
        "asks what many lots are worth without end",
        "talks too much",
        "labels orders with escapes",
    ])]
    fn asking(bencher: Bencher<'_, '_>, name: &str) {
        let trader = TRADERS.iter().find(|trader| trader.name == name).unwrap();
        spend(bencher, &(trader.file)(), &(trader.parameters)(trader.name));
    }
}

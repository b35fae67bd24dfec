//! Components in the kernel, on real and on made-up bars.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use tiltyard_engine::{Log, Outcome, Simulation};
use tiltyard_market::{Series, infer_instrument, read_bars};
use tiltyard_model::{Decimal, InstrumentKind, Nanos, Value};
use tiltyard_sandbox::{Component, Fault, PoolLimits};
use tiltyard_tests::{Ground, KernelDesk, digest_of, made_up, play_in_kernel, simulation, test_data};

static GROUND: LazyLock<Ground<KernelDesk>> =
    LazyLock::new(|| Ground::with_pool(env!("CARGO_BIN_EXE_compile-worker"), PoolLimits::default()));

const HOUR: Nanos = Nanos::from_hours(1);
const COINS: [&str; 8] = ["ADA", "BTC", "DOGE", "ETH", "LINK", "LTC", "SOL", "XRP"];

fn component(name: &str) -> Component<KernelDesk> {
    GROUND.load(tiltyard_examples::example(name).unwrap().component).unwrap()
}

/// A coin's hours, with 5 basis points for makers and takers.
fn coin(data: &Path, coin: &str) -> Simulation {
    let symbol = format!("{coin}USDT");
    let path = data.join(format!("binance-spot-1h/{symbol}.csv.gz"));
    let series = Series::new(read_bars(&path).unwrap(), HOUR).unwrap();
    simulation(infer_instrument(&symbol, "binance", &series.bars, 0.0005, 0.0005), series.bars)
}

fn run(
    component: &Component<KernelDesk>,
    simulation: &Simulation,
    cash: u64,
    parameters: &[(&str, Value)],
) -> Outcome<Fault> {
    play_in_kernel(component, simulation, cash, parameters, Log::digest_only()).unwrap()
}

/// An amount in hundred-millionths, worked out in whole numbers: prices have at most 8 decimals, quantities at most 8.
fn product(price: i128, quantity: i128, up: bool) -> i128 {
    let unit = 100_000_000;
    (price * quantity + if up { unit - 1 } else { 0 }) / unit
}

/// A price or quantity as a whole number of hundred-millionths.
fn units(value: f64) -> i128 {
    (value * 1e8).round() as i128
}

/// 10,000 of cash, bought at the open of the second bar plus 5 basis points, with a fee of 5 basis points, and never sold:
/// the equity is the cash that is left plus the quantity at the last close. The quantity was chosen at the first close, so
/// that it could be paid for at that price with costs.
#[test]
fn buy_and_hold_is_the_return_of_the_price_less_costs_to_the_cent() {
    let Some(data) = test_data() else { return };
    let component = component("buy-and-hold");
    for name in COINS {
        let simulation = coin(&data, name);
        let outcome = run(&component, &simulation, 10_000, &[]);
        let bars = &simulation.market[0].bars;
        let (decided, bought, last) = (bars.close()[0], bars.open()[1], *bars.close().last().unwrap());

        // Costs of 1.0005 × 1.0005, in units of 10⁻¹⁶ per unit of price.
        let cash = 10_000 * 100_000_000_i128;
        let lot = units(simulation.market[0].instrument.lot);
        let each = units(decided) * 10_005 * 10_005;
        let wanted = (cash - 2) * 100_000_000 * 100_000_000 / each / lot * lot;
        let entry = units(bought) * 10_005;
        let paid = |quantity: i128| {
            let value = (entry * quantity + 999_999_999_999) / 1_000_000_000_000;
            value + (value * 5 + 9_999) / 10_000
        };
        // A price that rose from the close to the open makes it a little less.
        let mut quantity = wanted;
        while paid(quantity) > cash {
            quantity -= lot;
        }
        let expected = cash - paid(quantity) + product(units(last), quantity, false);

        let equity = outcome.books.records()[0].ledger.equity();
        assert_eq!(equity.0, Decimal::from_i128_with_scale(expected, 8), "{name}");
        // And that is the return of the price, less costs of 10 basis points and what was left as cash.
        let simple = 10_000.0 / 1.0005 / 1.0005 * last / bought;
        let equity = equity.to_f64();
        let residue = 10_000.0 - paid(quantity) as f64 / 1e8;
        let grown = simple - residue * last / bought + residue;
        assert!((equity - grown).abs() < 0.01 * (1.0 + last / bought), "{name}: {equity} against {grown}");
    }
}

/// A market of a few weeks that needs no file: every hour of it, or every so many.
fn made_up_every(step: usize) -> Simulation {
    let mut simulation = made_up(InstrumentKind::Spot, 2_000);
    let all = Arc::clone(&simulation.market[0].bars);
    simulation.market[0].bars = Arc::new((0..all.len()).step_by(step).filter_map(|at| all.get(at)).collect());
    simulation
}

/// Several markets in one simulation.
fn together<'a>(markets: impl Iterator<Item = &'a Simulation>) -> Simulation {
    let all: Vec<Simulation> = markets.cloned().collect();
    let market = all.iter().flat_map(|one| one.market.clone()).collect();
    Simulation { market, ..all[0].clone() }
}

/// A strategy with values for some of its parameters.
type Variant = (&'static str, &'static [(&'static str, Value)]);

/// What runs on markets of one instrument.
const ALONE: [Variant; 8] = [
    ("buy-and-hold", &[]),
    ("buy-and-hold", &[("invested", Value::Real(0.5))]),
    ("donchian", &[]),
    ("ma-cross", &[]),
    ("ma-cross", &[("fast", Value::Integer(5)), ("slow", Value::Integer(200))]),
    ("rsi-reversion", &[]),
    ("rules", &[]),
    ("tp-trail", &[]),
];
/// What runs on markets of several.
const TOGETHER: [Variant; 2] = [("buy-and-hold", &[]), ("momentum", &[])];

/// The reference runs: every example on every market that it trades, spread over threads.
fn reference(markets: &[(String, Simulation)], threads: usize) -> Vec<String> {
    let variants = |simulation: &Simulation| if simulation.market.len() == 1 { &ALONE[..] } else { &TOGETHER[..] };
    let jobs: Vec<_> = markets
        .iter()
        .flat_map(|(name, simulation)| variants(simulation).iter().map(move |variant| (name, simulation, variant)))
        .collect();
    let components: BTreeMap<_, _> =
        ALONE.iter().chain(&TOGETHER).map(|(name, _)| *name).map(|name| (name, component(name))).collect();
    let lines = Mutex::new(vec![String::new(); jobs.len()]);
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((name, simulation, (strategy, parameters))) = jobs.get(at) else { break };
                    let outcome = run(&components[strategy], simulation, 1_000_000, parameters);
                    let mut line = format!("{name} {strategy}");
                    for (parameter, value) in *parameters {
                        write!(line, " {parameter}={value}").unwrap();
                    }
                    write!(line, " {}", digest_of(&outcome, simulation)).unwrap();
                    lines.lock().unwrap()[at] = line;
                }
            });
        }
    });
    lines.into_inner().unwrap()
}

/// What has changed here has changed for users: say so in CHANGELOG.md, then `TILTYARD_UPDATE_REFERENCE=1` writes the file
/// anew.
fn compare(file: &str, markets: &[(String, Simulation)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(file);
    let [one, two] = [1, 2].map(|threads| reference(markets, threads).join("\n") + "\n");
    assert_eq!(one, two, "results depend on the number of threads");
    if std::env::var_os("TILTYARD_UPDATE_REFERENCE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &one).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), one, "results are not what they were: see {file}");
}

#[test]
fn reference_runs_on_made_up_bars_are_what_they_were() {
    let mut markets = [1, 3].map(|step| (format!("made-up-{step}"), made_up_every(step))).to_vec();
    markets.push(("made-up-together".to_owned(), together(markets.iter().map(|(_, market)| market))));
    compare("made-up.txt", &markets);
}

#[test]
fn reference_runs_on_real_bars_are_what_they_were() {
    let Some(data) = test_data() else { return };
    let mut markets = COINS.map(|name| (name.to_owned(), coin(&data, name))).to_vec();
    markets.push(("together".to_owned(), together(markets.iter().take(4).map(|(_, market)| market))));
    compare("real.txt", &markets);
}

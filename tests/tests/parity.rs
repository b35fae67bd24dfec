//! The profiles that follow other engines, held to what those engines traded on the same bars: see `tests/parity`.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value as Json;
use tiltyard_engine::venue::Costs;
use tiltyard_engine::{Event, Execution, Log, Outcome, Profile, Simulation, Traded};
use tiltyard_market::{Series, infer_instrument, read_bars};
use tiltyard_model::{Instrument, InstrumentKind, Nanos};
use tiltyard_sandbox::{Fault, PoolLimits};
use tiltyard_tests::{Ground, KernelDesk, parity_strategy, play_in_kernel, simulation};

static GROUND: LazyLock<Ground<KernelDesk>> =
    LazyLock::new(|| Ground::with_pool(env!("CARGO_BIN_EXE_compile-worker"), PoolLimits::default()));

const HOUR: Nanos = Nanos::from_hours(1);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("parity")
}

/// A file's bars as a perpetual, so that it can be sold short, with the fee of the goldens.
fn market(file: &str, profile: Profile, costs: Costs) -> Simulation {
    let path = folder().join("data").join(format!("{file}.csv"));
    let series = Series::new(read_bars(&path).unwrap(), HOUR).unwrap();
    let instrument = infer_instrument(file, "parity", &series.bars, 0.0005, 0.0005);
    let instrument = Instrument { kind: InstrumentKind::Perpetual, ..instrument };
    Simulation { profile, costs, ..simulation(instrument, series.bars) }
}

fn play(case: &str, files: &[&str], profile: Profile) -> Outcome<Fault> {
    play_with(case, files, profile, Costs::none())
}

fn play_with(case: &str, files: &[&str], profile: Profile, costs: Costs) -> Outcome<Fault> {
    let mut markets = files.iter().map(|file| market(file, profile, costs));
    let mut all = markets.next().unwrap();
    let others: Vec<Traded> = markets.flat_map(|market| market.market).collect();
    all.market.extend(others);
    let component = GROUND.load(parity_strategy(case)).unwrap();
    play_in_kernel(&component, &all, 1_000_000, &[], Log::keeping()).unwrap()
}

/// What was done between holding nothing and holding nothing again.
#[derive(Debug, Default, Clone)]
struct Position {
    held: f64,
    entry: Leg,
    exit: Leg,
    fees: f64,
    buys: bool,
}

/// The fills of one direction.
#[derive(Debug, Default, Clone)]
struct Leg {
    first: i64,
    last: i64,
    quantity: f64,
    value: f64,
}

impl Leg {
    fn add(&mut self, fill: &Execution) {
        let (time, quantity) = (fill.time.0 / 1_000_000, fill.quantity.to_f64());
        if self.quantity == 0.0 {
            self.first = time;
        }
        self.last = time;
        self.quantity += quantity;
        self.value += quantity * fill.price.to_f64();
    }

    fn price(&self) -> f64 {
        self.value / self.quantity
    }
}

/// The positions in an instrument in the order in which they ended, and the one that did not end.
fn positions(outcome: &Outcome<Fault>, instrument: u32) -> (Vec<Position>, Option<Position>) {
    let executions = outcome.books.log().entries().iter().filter_map(|entry| match &entry.event {
        Event::Executed(execution) if execution.instrument.0 == instrument => Some(execution),
        _ => None,
    });
    let (mut ended, mut now) = (Vec::new(), Position::default());
    for fill in executions {
        let change = fill.signed().to_f64();
        if now.entry.quantity == 0.0 {
            now.buys = change > 0.0;
        }
        let side = if (change > 0.0) == now.buys { &mut now.entry } else { &mut now.exit };
        side.add(fill);
        now.held += change;
        now.fees += fill.fee.to_f64();
        if now.held.abs() < 1e-9 {
            ended.push(std::mem::take(&mut now));
        }
    }
    (ended, (now.entry.quantity > 0.0).then_some(now))
}

/// When a fill of a golden is on the kernel's clock: what filled at a bar's first price has the time of its open, whatever
/// came later that of its close.
fn time(row: &Json, which: &str) -> i64 {
    let bar = row[format!("{which}_bar")].as_i64().unwrap();
    let at_open = row[format!("{which}_at")] == "open";
    if at_open { bar } else { bar + HOUR.0 / 1_000_000 }
}

/// How far two amounts may be apart: engines sum binary numbers, and fees are rounded to 8 decimals here.
fn near(ours: f64, theirs: &Json) -> bool {
    let theirs = theirs.as_f64().unwrap();
    (ours - theirs).abs() <= 5e-7 + 1e-12 * theirs.abs()
}

fn same(ours: &Position, theirs: &Json) -> Vec<String> {
    let mut differ = Vec::new();
    let mut check = |holds: bool, what: &str, ours: String| {
        if !holds {
            differ.push(format!("{what} is {ours}"));
        }
    };
    check((theirs["side"] == "buy") == ours.buys, "side", format!("buys: {}", ours.buys));
    check(near(ours.entry.quantity, &theirs["quantity"]), "quantity", ours.entry.quantity.to_string());
    check(ours.entry.first == time(theirs, "entry"), "entry_time", ours.entry.first.to_string());
    check(near(ours.entry.price(), &theirs["entry_price"]), "entry_price", ours.entry.price().to_string());
    check(near(ours.fees, &theirs["fees"]), "fees", ours.fees.to_string());
    if !theirs["exit_bar"].is_null() {
        check(ours.exit.last == time(theirs, "exit"), "exit_time", ours.exit.last.to_string());
        check(near(ours.exit.price(), &theirs["exit_price"]), "exit_price", ours.exit.price().to_string());
        let sign = if ours.buys { 1.0 } else { -1.0 };
        let pnl = sign * (ours.exit.value - ours.entry.value) - ours.fees;
        check(near(pnl, &theirs["pnl"]), "pnl", pnl.to_string());
    }
    differ
}

/// How many trades were compared.
fn compare(profile: Profile, golden: &Path) -> usize {
    let theirs: Json = serde_json::from_str(&fs::read_to_string(golden).unwrap()).unwrap();
    let case = theirs["case"].as_str().unwrap();
    let files: Vec<&str> =
        theirs["data"].as_array().unwrap().iter().map(|file| file.as_str().unwrap().trim_end_matches(".csv")).collect();
    let outcome = play(case, &files, profile);
    let name = golden.display();
    for (index, file) in (0..).zip(&files) {
        let of_file = |rows: &Json| -> Vec<Json> {
            rows.as_array().unwrap().iter().filter(|row| row["symbol"] == **file).cloned().collect()
        };
        let (trades, open) = (of_file(&theirs["trades"]), of_file(&theirs["open_trades"]));
        let (ours, ours_open) = positions(&outcome, index);
        for (at, (ours, theirs)) in ours.iter().zip(&trades).enumerate() {
            let differ = same(ours, theirs);
            assert!(differ.is_empty(), "{name}, trade {at}: {differ:?} here, there {theirs}");
        }
        assert_eq!((ours.len(), ours_open.is_some()), (trades.len(), !open.is_empty()), "{name}: trades, and one open");
        if let (Some(ours), Some(theirs)) = (&ours_open, open.first()) {
            assert_eq!(same(ours, theirs), [""; 0], "{name}, the open trade: {theirs}");
        }
    }
    let equity = outcome.books.equity().to_f64();
    assert!((equity - theirs["final_equity"].as_f64().unwrap()).abs() < 1e-4, "{name}: {equity}");
    theirs["trades"].as_array().unwrap().len()
}

/// Every trade of every golden: times, prices, quantities, fees, profit, final equity.
fn every_golden(profile: Profile, trades: usize) {
    let rules = profile.rules(Costs::none());
    let mut goldens: Vec<PathBuf> =
        fs::read_dir(folder().join("goldens").join(rules.name())).unwrap().map(|entry| entry.unwrap().path()).collect();
    goldens.sort();
    let compared: usize = goldens.iter().map(|golden| compare(profile, golden)).sum();
    assert_eq!(compared, trades);
}

#[test]
fn backtesting_py_trades_as_backtesting_py() {
    every_golden(Profile::BacktestingPy, 683);
}

#[test]
fn vectorbt_trades_as_vectorbt() {
    every_golden(Profile::Vectorbt, 728);
}

#[test]
fn nautilus_bar_trades_as_nautilus_trader() {
    every_golden(Profile::NautilusBar, 802);
}

/// What a case comes to under a profile: closed positions, and profit after fees with what is open at the last close.
fn row(case: &str, profile: Profile, costs: Costs) -> String {
    let outcome = play_with(case, &["b"], profile, costs);
    let (ended, _) = positions(&outcome, 0);
    let profit = outcome.books.equity().to_f64() - 1_000_000.0;
    if ended.is_empty() { "none".to_owned() } else { format!("{}, {profit:.2}", ended.len()) }
}

/// The table of docs/profiles.md is what the profiles do.
#[test]
fn the_page_about_profiles_tells_what_they_do() {
    let mut table = String::from("| | s1 | s2t | s3 | s4t |\n|---|---|---|---|---|\n");
    for (name, profile, costs) in [
        ("`backtesting-py`", Profile::BacktestingPy, Costs::none()),
        ("`vectorbt`", Profile::Vectorbt, Costs::none()),
        ("`nautilus-bar`", Profile::NautilusBar, Costs::none()),
        ("`conservative`, no slippage", Profile::Conservative, Costs::none()),
        ("`conservative`", Profile::Conservative, Costs::default()),
    ] {
        let cells = ["s1", "s2t", "s3", "s4t"].map(|case| row(case, profile, costs));
        table.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    let path = folder().join("../../docs/profiles.md");
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.contains(&table), "docs/profiles.md is to say\n{table}");
}

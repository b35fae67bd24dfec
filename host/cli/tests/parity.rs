//! The trades of other engines, as a user of `backtest` meets them: any file, any component, `--profile` and `--json`.
//! `tests/parity` has the lists and how they came about; the engine is held to all of them elsewhere.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::fs;
use std::path::{Path, PathBuf};

use place::Place;
use serde_json::Value as Json;
use tiltyard_tests::parity_strategy;

const HOUR: i64 = 3_600_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity")
}

/// What `backtest --json` prints of a case, with the fee of the lists and nothing else said than the profile.
fn played(place: &Place, profile: &str, golden: &Json) -> Json {
    let case = golden["case"].as_str().unwrap();
    let component = format!("{case}.wasm");
    fs::write(place.path(&component), parity_strategy(case)).unwrap();
    let mut line = vec!["backtest", &component, "--interval", "1h", "--kind", "perpetual", "--fee-bps", "5"];
    line.extend(["--cash", "1000000", "--profile", profile, "--json"]);
    let files: Vec<&str> = golden["data"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    for file in files {
        fs::copy(folder().join("data").join(file), place.path(file)).unwrap();
        line.extend(["--symbol", file.trim_end_matches(".csv"), "--data", file]);
    }
    place.json(&line)
}

fn number(row: &Json, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key} of {row}"))
}

/// The round trips that one position of a list came in: its exits one after the other.
struct Trips<'a> {
    rows: std::slice::Iter<'a, &'a Json>,
}

impl Trips<'_> {
    fn next(&mut self, quantity: f64) -> Vec<&Json> {
        let (mut taken, mut sum) = (Vec::new(), 0.0);
        while quantity - sum > 1e-9 {
            let row = *self.rows.next().unwrap_or_else(|| panic!("{sum} of {quantity} was traded"));
            sum += number(row, "quantity");
            taken.push(row);
        }
        assert!((sum - quantity).abs() < 1e-9, "{sum} instead of {quantity}");
        taken
    }
}

/// When the list has it, on the clock of bars: see `tests/parity/README.md`.
fn time(theirs: &Json, which: &str) -> i64 {
    let bar = theirs[format!("{which}_bar")].as_i64().unwrap();
    if theirs[format!("{which}_at")] == "open" { bar } else { bar + HOUR }
}

fn compare(rows: &[&Json], theirs: &Json) {
    let (first, last) = (rows[0], rows[rows.len() - 1]);
    let what = || format!("{rows:?}\nthere {theirs}");
    let side = if theirs["side"] == "buy" { "long" } else { "short" };
    assert_eq!(first["side"], side, "{}", what());
    assert_eq!(first["entry_time"].as_i64().unwrap(), time(theirs, "entry"), "{}", what());
    assert_eq!(last["exit_time"].as_i64().unwrap(), time(theirs, "exit"), "{}", what());
    let sum = |key: &str| rows.iter().map(|row| number(row, key)).sum::<f64>();
    let mean = |key: &str| {
        rows.iter().map(|row| number(row, key) * number(row, "quantity")).sum::<f64>() / number(theirs, "quantity")
    };
    let pairs = [
        (mean("entry_price"), "entry_price"),
        (mean("exit_price"), "exit_price"),
        (sum("fees"), "fees"),
        (sum("pnl_net"), "pnl"),
    ];
    for (ours, key) in pairs {
        let theirs = number(theirs, key);
        assert!((ours - theirs).abs() <= 5e-7 + 1e-12 * theirs.abs(), "{key} is {ours}: {}", what());
    }
}

#[test]
fn backtest_prints_the_trades_of_the_engine_whose_profile_it_is_given() {
    let place = Place::new();
    let mut compared = 0;
    for profile in ["backtesting-py", "vectorbt", "nautilus-bar"] {
        for list in ["s1-a", "s2t-b", "s3-c", "s4t-a", "s5t-b", "s6"] {
            let Ok(golden) = fs::read_to_string(folder().join(format!("goldens/{profile}/{list}.json"))) else {
                // Not every engine can run every case.
                continue;
            };
            let golden: Json = serde_json::from_str(&golden).unwrap();
            let document = played(&place, profile, &golden);
            let trades = document["trades"].as_array().unwrap();
            for symbol in golden["data"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()) {
                let symbol = symbol.trim_end_matches(".csv");
                let ours: Vec<&Json> = trades.iter().filter(|row| row["symbol"] == *symbol).collect();
                let mut trips = Trips { rows: ours.iter() };
                for theirs in golden["trades"].as_array().unwrap().iter().filter(|row| row["symbol"] == *symbol) {
                    compare(&trips.next(number(theirs, "quantity")), theirs);
                    compared += 1;
                }
                // What is left was taken from a position that is still open.
                let open = golden["open_trades"].as_array().unwrap().iter().any(|row| row["symbol"] == *symbol);
                assert!(open || trips.rows.next().is_none(), "{profile} {list}: more was traded");
            }
            let equity = number(&document["metrics"], "final_equity") - number(&golden, "final_equity");
            assert!(equity.abs() < 1e-4, "{profile} {list}: {equity}");
        }
    }
    assert!(compared > 300, "{compared}");
}

//! Perpetuals as users of `backtest` and `replay` meet them.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::fmt::Write as _;
use std::fs;

use place::{Place, waves};
use serde_json::Value as Json;

/// Milliseconds of the first bar.
const BEGIN: i64 = 1_704_067_200_000;
const HOUR: i64 = 3_600_000;

/// With bars, with marks that are those bars but for a fall by a fifth in bar 540, and with funding every eight hours.
fn place() -> Place {
    let place = Place::new();
    let bars = waves(1_000);
    let fallen = bars.lines().enumerate().map(|(at, line)| {
        let cells: Vec<&str> = line.split(',').collect();
        if at != 541 {
            return line.to_owned();
        }
        let low = cells[3].parse::<f64>().unwrap() * 0.7;
        format!("{},{},{},{low:.2},{},{}", cells[0], cells[1], cells[2], cells[4], cells[5])
    });
    fs::write(place.path("marks.csv"), fallen.collect::<Vec<_>>().join("\n")).unwrap();
    fs::write(place.path("bars.csv"), bars).unwrap();
    let mut funding = "time,rate\n".to_owned();
    for at in 1..125 {
        writeln!(funding, "{},0.0001", BEGIN + at * 8 * HOUR + at % 9).unwrap();
    }
    fs::write(place.path("funding.csv"), funding).unwrap();
    place
}

const RUN: [&str; 8] = ["backtest", "ma-cross.wasm", "--symbol", "BTCUSDT", "--interval", "1h", "--data", "bars.csv"];
const PERPETUAL: [&str; 14] = [
    "--kind",
    "perpetual",
    "--leverage",
    "10",
    "--margin",
    "isolated",
    "--maintenance",
    "0.005",
    "--liquidation-fee-bps",
    "50",
    "--funding",
    "funding.csv",
    "--marks",
    "marks.csv",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    RUN.iter().copied().chain(more.iter().copied()).collect()
}

fn played<'a>(more: &[&'a str]) -> Vec<&'a str> {
    with(&PERPETUAL.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>())
}

fn number(json: &Json, key: &str) -> f64 {
    json[key].as_f64().unwrap()
}

#[test]
fn a_run_on_a_perpetual_pays_funding_and_is_liquidated_by_its_marks() {
    let place = place();
    let document = place.json(&played(&["--json"]));
    let manifest = &document["manifest"];
    assert_eq!((&manifest["margin"]["mode"], &manifest["margin"]["leverage"]), (&"isolated".into(), &"10".into()));
    let instrument = &manifest["instruments"][0];
    assert_eq!(
        (&instrument["instrument"]["kind"], number(&instrument["instrument"], "max_leverage")),
        (&"perpetual".into(), 10.0)
    );
    assert_eq!(instrument["instrument"]["margin"]["tiers"][0]["maintenance"], 0.005);
    assert_eq!(instrument["perpetual"]["funding"]["payments"], 124);
    assert_eq!(instrument["perpetual"]["marks"]["bars"], 1_000);

    let trades = document["trades"].as_array().unwrap();
    // Held from bar 518 on, and the mark falls in bar 540.
    let fallen = BEGIN + 541 * HOUR;
    let liquidated = trades.iter().find(|trade| trade["exit_reason"] == "liquidation" && trade["exit_time"] == fallen);
    let liquidated = liquidated.unwrap();
    let (entry, exit) = (number(liquidated, "entry_price"), number(liquidated, "exit_price"));
    // A tenth of the entry price is put aside, of which a twentieth must be left; funding takes some of it.
    assert!((exit / entry - 0.9 / 0.995).abs() < 0.005, "{entry} to {exit}");

    let metrics = &document["metrics"];
    assert!(number(metrics, "funding") < 0.0);
    let sum = |rows: &Json, key: &str| {
        rows.as_array().unwrap().iter().map(|row| row[key].as_f64().unwrap_or(0.0)).sum::<f64>()
    };
    let funding = sum(&document["trades"], "funding") + sum(&document["open"], "funding");
    assert!((funding - number(metrics, "funding")).abs() < 1e-6, "{funding}");
    let open = document["open"].as_array().unwrap().iter().map(|lot| {
        number(lot, "quantity") * (number(lot, "mark_price") - number(lot, "entry_price")) - number(lot, "fees")
    });
    let equity =
        1_000_000.0 + sum(&document["trades"], "pnl_net") + open.sum::<f64>() + sum(&document["open"], "funding");
    assert!((equity - number(metrics, "final_equity")).abs() < 0.01, "{equity}");
}

#[test]
fn the_summary_says_on_what_margin_and_how_often_it_was_used_up() {
    let summary = place().ok(&played(&[]));
    assert!(summary.contains("  perpetual: isolated margin, leverage 10, 1000 marks, 124 funding\n"), "{summary}");
    assert!(summary.contains("Trades that ended in liquidation: 5.\n"), "{summary}");
    let spot = place().ok(&with(&[]));
    assert!(!spot.contains("perpetual") && !spot.contains("liquidation"), "{spot}");
}

#[test]
fn a_saved_run_on_a_perpetual_plays_again() {
    let place = place();
    place.ok(&played(&["--save", "run.jsonl"]));
    let replayed = place.json(&["replay", "run.jsonl", "--json"]);
    assert_eq!(replayed["identical"], true, "{replayed}");
    let funding = fs::read_to_string(place.path("funding.csv")).unwrap();
    fs::write(place.path("funding.csv"), funding.replacen("0.0001", "0.0002", 1)).unwrap();
    let changed = place.run(&["replay", "run.jsonl", "--json"]);
    let changed: Json = serde_json::from_slice(&changed.stdout).unwrap();
    assert_eq!(changed["identical"], false);
    let differs = changed["document_differs"].as_str().unwrap();
    assert!(differs.starts_with("/manifest/instruments/0/perpetual/funding/digest"), "{differs}");
}

#[test]
fn under_cross_margin_the_whole_cash_outlives_the_fall() {
    let cross = PERPETUAL.map(|word| if word == "isolated" { "cross" } else { word });
    let document = place().json(&with(&cross.iter().copied().chain(["--json"]).collect::<Vec<_>>()));
    let trades = document["trades"].as_array().unwrap();
    assert!(trades.iter().all(|trade| trade["exit_reason"] != "liquidation"));
}

#[test]
fn what_cannot_be_played_says_why() {
    let place = place();
    let short: String =
        fs::read_to_string(place.path("marks.csv")).unwrap().lines().take(900).collect::<Vec<_>>().join("\n");
    fs::write(place.path("short.csv"), short).unwrap();
    fs::write(place.path("early.csv"), "time,rate\n2020-01-01,0.0001\n").unwrap();
    for (flags, problem) in [
        (
            vec!["--leverage", "5"],
            "BTCUSDT is spot, which does not take --leverage; add --kind perpetual or --kind spot-margin",
        ),
        (
            vec!["--margin", "isolated", "--funding", "funding.csv"],
            "BTCUSDT is spot, which does not take --margin isolated, --funding; add",
        ),
        (
            vec!["--kind", "perpetual", "--leverage", "10", "--maintenance", "0.1"],
            "--maintenance 0.1 is not below 1 ÷ 10, the initial margin of BTCUSDT at the largest leverage",
        ),
        (vec!["--kind", "perpetual", "--leverage", "0.5"], "--leverage 0.5 is out of bounds; it takes 1 to 1000"),
        (
            vec!["--kind", "perpetual", "--marks", "marks.csv", "--marks", "marks.csv"],
            "1 --symbol and 2 --marks were given; give one file for each symbol, in the same order, or none",
        ),
        (
            vec!["--kind", "perpetual", "--marks", "short.csv"],
            "short.csv has no mark of 101 of the bars that are played; the first that lacks one opens at 2024-02-07T11:00:00Z",
        ),
        (
            vec!["--kind", "perpetual", "--funding", "early.csv"],
            "early.csv: its payments go from 2020-01-01T00:00:00Z to 2020-01-01T00:00:00Z, the bars that are played from \
             2024-01-01T00:00:00Z to",
        ),
        (
            vec!["--kind", "perpetual", "--borrow-base-bps", "2"],
            "BTCUSDT is a perpetual, which does not take --borrow-base-bps; leave them out, or add --kind spot-margin",
        ),
        (
            vec!["--kind", "spot-margin", "--leverage", "3", "--funding", "funding.csv"],
            "BTCUSDT is spot on margin, which does not take --funding; leave them out, or add --kind perpetual",
        ),
        (
            vec!["--kind", "spot-margin"],
            "--kind spot-margin lends nothing without leverage; add --leverage of more than 1",
        ),
        (
            vec!["--kind", "spot-margin", "--leverage", "3", "--borrow-quote-bps", "1001"],
            "--borrow-quote-bps 1001 is out of bounds; it takes 0 to 1000",
        ),
        (vec!["--kind", "perpetual", "--funding", "bars.csv"], "it takes CSV with the heads time,rate"),
    ] {
        let error = place.fails(&with(&flags));
        assert!(error.contains(problem), "{flags:?}: {error}");
    }
    let kinds = place.run(&with(&["--kind", "option"]));
    assert!(String::from_utf8(kinds.stderr).unwrap().contains("[possible values: spot, perpetual, spot-margin]"));
}

#[test]
fn spot_on_margin_pays_interest_on_what_it_borrows() {
    let place = place();
    let flags = ["--kind", "spot-margin", "--leverage", "3", "--borrow-quote-bps", "4", "--borrow-base-bps", "2"];
    let document = place.json(&with(&flags.into_iter().chain(["--save", "run.jsonl", "--json"]).collect::<Vec<_>>()));
    let instrument = &document["manifest"]["instruments"][0];
    assert_eq!(instrument["instrument"]["kind"], "spot_margin");
    assert_eq!(instrument["instrument"]["margin"]["borrowing"], serde_json::json!({"base": 0.0002, "quote": 0.0004}));
    let paid = number(&document["metrics"], "interest");
    let rows = ["trades", "open"].into_iter().flat_map(|rows| document[rows].as_array().unwrap());
    let charged: f64 = rows.map(|row| row["funding"].as_f64().unwrap_or(0.0)).sum();
    assert!(paid > 0.0 && (paid + charged).abs() < 1e-6, "{paid} paid, {charged} charged");
    let summary = place.ok(&with(&flags));
    assert!(
        summary.contains("  spot on cross margin, leverage 3; borrowed BTC cost 2 bps, USDT 4 bps a day\n"),
        "{summary}"
    );
    assert_eq!(place.json(&["replay", "run.jsonl", "--json"])["identical"], true);
}

#[test]
fn without_rules_and_without_a_leverage_nothing_is_borrowed() {
    let place = place();
    let document = place.json(&with(&["--kind", "perpetual", "--json"]));
    assert_eq!(document["manifest"]["instruments"][0]["instrument"]["max_leverage"], 1.0, "nobody knows more");
    assert_eq!(document["manifest"]["margin"]["mode"], "cross");
    assert!(document["manifest"]["margin"]["leverage"].is_null());
}

//! The pages that verbs write, as a browser shows them. What is only text is looked at without one.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::fs;

use place::{Place, waves};
use tiltyard_browser::Browser;

fn read(place: &Place, name: &str) -> String {
    fs::read_to_string(place.path(name)).unwrap()
}

#[test]
fn a_backtest_writes_its_report() {
    let place = Place::new();
    place.ok(&["init"]);
    fs::write(place.path("bars.csv"), waves(1_500)).unwrap();
    place.ok(&["data", "import", "bars.csv", "--symbol", "BTCUSDT"]);
    let run = ["backtest", "ma-cross", "--symbol", "BTCUSDT", "--interval", "1h", "--report"];
    let document = place.json(&[&run[..], &["kept.html", "--json"]].concat());
    place.ok(&[&run[..], &["file.html", "--data", "bars.csv", "--fee-bps", "7.5"]].concat());
    let (kept, file) = (read(&place, "kept.html"), read(&place, "file.html"));
    let result = document["manifest"]["result"].as_str().unwrap();
    for part in [
        "ma-cross on BTCUSDT",
        result,
        "fee 10 bps; slippage 5 bps",
        "the beginning of the data",
        "as the venue has them",
    ] {
        assert!(kept.contains(part), "{part}");
    }
    assert!(file.contains("fee 7.5 bps") && file.contains("inferred from the data"));
    assert!(!kept.contains("SYNTHETIC") && !file.contains("SYNTHETIC"));
    place.ok(&[&run[..], &["kept.html"]].concat());
    assert_eq!(read(&place, "kept.html"), kept, "the same run, the same page");

    // What broke rules is counted by rule: nothing can be bought without cash.
    place.ok(&[&run[..], &["poor.html", "--cash", "1"]].concat());
    let error = place.fails(&[&run[..], &["nowhere/run.html"]].concat());
    assert!(error.contains("writing nowhere/run.html"), "{error}");

    let Some(browser) = Browser::find() else { return };
    for name in ["kept.html", "file.html", "poor.html"] {
        browser.assert_whole(name, &read(&place, name), 2);
    }
}

#[test]
fn a_report_of_several_instruments_and_of_a_fault_is_whole() {
    let place = Place::new();
    fs::write(place.path("bars.csv"), waves(1_000)).unwrap();
    let symbols = ["--symbol", "AUSDT", "--data", "bars.csv", "--symbol", "BUSDT", "--data", "bars.csv"];
    let line = [&["backtest", "nobody", "--interval", "1h", "--report", "two.html"][..], &symbols].concat();
    assert!(place.fails(&line).contains("nobody"), "outside of a workspace there are examples and files");
    place.ok(&["backtest", "buy-and-hold", "--interval", "1h", "--symbol", "AUSDT", "--data", "bars.csv"]);
    let line = [&["backtest", "buy-and-hold.wasm", "--interval", "1h", "--report", "two.html"][..], &symbols].concat();
    place.ok(&line);
    fs::write(place.path("risk.toml"), "name = \"careful\"\nlimits.max_drawdown = { most = 0.001 }\n").unwrap();
    place.ok(&[&line[..5], &["halted.html", "--risk", "risk.toml"], &symbols[..4]].concat());
    assert!(read(&place, "halted.html").contains("The run was halted."));
    let Some(browser) = Browser::find() else { return };
    browser.assert_whole("two", &read(&place, "two.html"), 3);
    browser.assert_whole("halted", &read(&place, "halted.html"), 2);
}

#[test]
fn the_page_of_a_tournament_is_whole() {
    let place = Place::new();
    place.ok(&["init"]);
    place.ok(&["data", "synth", "--symbols", "2", "--bars", "3000"]);
    let run = [
        "tournament",
        "run",
        "--symbol",
        "SYN1-USD",
        "--symbol",
        "SYN2-USD",
        "--venue",
        "synthetic",
        "--interval",
        "1h",
    ];
    let grid = ["--strategy", "ma-cross", "--grid", "fast=5,10", "--grid", "slow=50,100", "--holdout-months", "0"];
    let walk = ["--walk", "rolling", "--train-days", "30", "--test-days", "15", "--json"];
    let held = place.json(&[&run[..], &grid, &walk].concat());
    let html = fs::read_to_string(place.path(held["report"].as_str().unwrap())).unwrap();
    assert!(html.contains("SYNTHETIC"));
    let Some(browser) = Browser::find() else { return };
    // Heat map, standings, equity.
    browser.assert_whole("tournament", &html, 3);
}

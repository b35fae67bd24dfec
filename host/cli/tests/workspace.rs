//! Backtests of bars that a workspace keeps.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::fs;

use place::{Place, waves};
use serde_json::Value as Json;

const RUN: [&str; 6] = ["backtest", "ma-cross", "--symbol", "BTCUSDT", "--interval", "1h"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RUN, more].concat()
}

/// A workspace with 1,500 hours of BTCUSDT, which are in `bars.csv` too.
fn workspace() -> Place {
    let place = Place::new();
    place.ok(&["init"]);
    fs::write(place.path("bars.csv"), waves(1_500)).unwrap();
    place.ok(&["data", "import", "bars.csv", "--symbol", "BTCUSDT"]);
    place
}

fn result(document: &Json) -> &str {
    document["manifest"]["result"].as_str().unwrap()
}

#[test]
fn bars_come_from_the_catalog_and_rules_from_the_venue() {
    let place = workspace();
    let kept = place.json(&with(&["--json"]));
    let of = &kept["manifest"]["instruments"][0];
    assert_eq!(of["rules"], "as the venue has them since 2022-05-25T00:00:00Z (the built-in instruments.toml)");
    assert_eq!((&of["data"]["from"], &of["data"]["synthetic"]), (&"catalog".into(), &false.into()));
    let rules = ["tick", "lot", "min_notional", "taker_fee"].map(|key| of["instrument"][key].as_f64().unwrap());
    assert_eq!(rules, [0.01, 0.00001, 10.0, 0.001]);
    assert!(kept["manifest"]["fee"].is_null(), "each instrument has its own");

    // The same run from the file, with the same rules by hand.
    let file = ["--data", "bars.csv", "--lot", "0.00001", "--min-notional", "10", "--fee-bps", "10", "--json"];
    let by_hand = place.json(&with(&file));
    assert_eq!(by_hand["manifest"]["instruments"][0]["data"]["digest"], of["data"]["digest"]);
    assert_eq!((result(&kept), &kept["metrics"]), (result(&by_hand), &by_hand["metrics"]));
}

#[test]
fn what_is_given_overrides_the_rules_and_is_said() {
    let place = workspace();
    let given = place.json(&with(&["--tick", "0.1", "--min-notional", "5", "--fee-bps", "2", "--json"]));
    let of = &given["manifest"]["instruments"][0];
    let rules = ["tick", "lot", "min_notional", "maker_fee"].map(|key| of["instrument"][key].as_f64().unwrap());
    assert_eq!(rules, [0.1, 0.00001, 5.0, 0.0002]);
    assert!(of["rules"].as_str().unwrap().ends_with(", but tick, least order, fee as given"), "{of}");
    let fee = |more: &[&str]| {
        place.json(&with(more))["manifest"]["instruments"][0]["instrument"]["taker_fee"].as_f64().unwrap()
    };
    assert_eq!([fee(&["--stress", "--json"]), fee(&["--stress", "--fee-bps", "2", "--json"])], [0.002, 0.0004]);
}

#[test]
fn a_backtest_gives_what_a_tournament_s_run_of_it_gives() {
    let place = workspace();
    let market =
        ["--symbol", "BTCUSDT", "--interval", "1h", "--holdout-months", "0", "--grid", "fast=10", "--grid", "slow=50"];
    let window = ["--from", "2024-01-10", "--to", "2024-02-20", "--json"];
    let held = place.json(&[&["tournament", "run", "--strategy", "ma-cross"][..], &market, &window].concat());
    let run = place.json(&[&RUN[..], &["--param", "fast=10", "--param", "slow=50"], &window].concat());
    let row = &held["ranking"][0];
    assert_eq!((&row["metrics"], row["result"].as_str().unwrap()), (&run["metrics"], result(&run)));
}

#[test]
fn only_rules_that_are_known_at_the_end_of_the_run_count() {
    let place = workspace();
    let rules = "[[instrument]]\nvenue = 'binance'\nsymbol = 'BTCUSDT'\nkind = 'spot'\nbase = 'BTC'\nquote = 'USDT'\n\
                 [[instrument.rules]]\nfrom = '2024-02-01'\ntick = 0.1\nlot = 0.1\nmin_notional = 10\nmaker_fee = 0.001\n\
                 taker_fee = 0.002\nmax_leverage = 1\n[[instrument.rules]]\nfrom = '2024-02-20'\ntick = 0.5\n";
    fs::write(place.path("rules.toml"), rules).unwrap();
    fs::write(place.path("tiltyard.toml"), "instruments = 'rules.toml'\n").unwrap();
    let of = |more: &[&str]| place.json(&with(&[more, &["--json"]].concat()))["manifest"]["instruments"][0].clone();
    let all = of(&[]);
    assert_eq!(all["rules"], "as the venue has them since 2024-02-20T00:00:00Z (rules.toml)");
    assert_eq!(all["instrument"]["tick"], 0.5);
    assert_eq!(of(&["--to", "2024-02-20"])["instrument"]["tick"], 0.1, "the new ones hold from there on, not before");
    let before = of(&["--to", "2024-01-31"]);
    assert_eq!((&before["instrument"]["tick"], &before["instrument"]["taker_fee"]), (&0.01.into(), &0.0005.into()));
    assert!(before["rules"].as_str().unwrap().starts_with("inferred from the data"), "{before}");
}

#[test]
fn what_is_missing_is_said_with_what_there_is() {
    let place = workspace();
    let error = place.fails(&["backtest", "ma-cross", "--symbol", "ETHUSDT", "--interval", "4h"]);
    for part in [
        "binance ETHUSDT 4h is not in the catalog HERE/data, which has binance BTCUSDT 1h;",
        "`tiltyard data import FILE --symbol ETHUSDT --venue binance --interval 4h`",
        "--data FILE",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
    let error = place.fails(&["backtest", "nobody", "--symbol", "BTCUSDT", "--interval", "1h"]);
    assert!(
        error.contains("there is no strategies/nobody.wasm, and no example nobody; there are buy-and-hold"),
        "{error}"
    );
    let nowhere = Place::new();
    let error = nowhere.fails(&RUN);
    assert!(error.contains("bars that are not given with --data come from a workspace"), "{error}");
    assert!(error.contains("tiltyard init"), "{error}");
    nowhere.ok(&["init"]);
    assert!(nowhere.fails(&RUN).contains("which has no series yet"));
    assert!(place.fails(&with(&["--from", "2030-01-01"])).contains("its data goes from 2024-01-01"));
}

#[test]
fn a_strategy_of_the_workspace_is_known_by_its_name() {
    let place = workspace();
    let digest = |name: &str, more: &[&str]| {
        let line = ["backtest", name, "--symbol", "BTCUSDT", "--interval", "1h", "--json"];
        place.json(&[&line[..], more].concat())["manifest"]["component"].clone()
    };
    let donchian = digest("donchian.wasm", &[]);
    fs::rename(place.path("donchian.wasm"), place.path("strategies/mine.wasm")).unwrap();
    assert_eq!(digest("mine", &[]), donchian);
    assert_eq!(digest("donchian", &[]), donchian, "an example");
    assert_eq!(
        digest("mine", &["--data", "bars.csv"]),
        donchian,
        "the nearest workspace's, where bars come from files"
    );
    assert_eq!(
        place.ok(&["probe", "lookahead", "mine", "--symbol", "BTCUSDT", "--interval", "1h"]).lines().last(),
        Some("passed")
    );
}

#[test]
fn a_saved_run_finds_its_bars_again_and_verifies_them() {
    let place = Place::new();
    place.ok(&["init", "ground"]);
    fs::write(place.path("bars.csv"), waves(1_500)).unwrap();
    fs::write(place.path("more.csv"), waves(1_800)).unwrap();
    place.ok(&["data", "import", "bars.csv", "--symbol", "BTCUSDT", "--workspace", "ground"]);
    place.ok(&with(&["--workspace", "ground", "--save", "run.jsonl"]));
    let replay = |more: &[&str]| {
        let output = place.run(&[&["replay", "run.jsonl", "--json"], more].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), serde_json::from_str::<Json>(&text).unwrap_or_default(), error)
    };
    assert_eq!(replay(&[]).0, Some(0));
    assert!(fs::read_to_string(place.path("run.jsonl")).unwrap().lines().next().unwrap().contains("/ground\""));

    // Bars that came later are none of it.
    place.ok(&["data", "import", "more.csv", "--symbol", "BTCUSDT", "--workspace", "ground"]);
    let (code, document, error) = replay(&[]);
    assert_eq!((code, &document["identical"]), (Some(0), &true.into()), "{document} {error}");

    fs::rename(place.path("ground"), place.path("elsewhere")).unwrap();
    assert!(replay(&[]).2.contains("is no workspace"));
    assert_eq!(replay(&["--workspace", "elsewhere"]).0, Some(0));
    assert!(replay(&["--data", "bars.csv"]).2.contains("came from a workspace; give it with --workspace"));

    // Other bars are found by their digest.
    let other = waves(1_500).replace("1004.5", "1004.7");
    fs::write(place.path("other.csv"), other).unwrap();
    place.ok(&["data", "import", "other.csv", "--symbol", "BTCUSDT", "--workspace", "elsewhere", "--replace"]);
    let (code, document, _) = replay(&["--workspace", "elsewhere"]);
    assert_eq!(code, Some(1));
    assert!(
        document["document_differs"].as_str().unwrap().starts_with("/manifest/instruments/0/data/digest"),
        "{document}"
    );
}

#[test]
fn made_up_prices_are_labelled_wherever_a_run_is_shown() {
    let place = Place::new();
    place.ok(&["init"]);
    place.ok(&["data", "synth", "--symbols", "1", "--bars", "600"]);
    place.ok(&["data", "export", "SYN1-USD", "--venue", "synthetic", "--interval", "1h", "--out", "syn.parquet"]);
    let run = ["backtest", "ma-cross", "--symbol", "SYN1-USD", "--venue", "synthetic", "--interval", "1h"];
    for data in [&[][..], &["--data", "syn.parquet"]] {
        let line = [&run[..], data, &["--report", "run.html", "--save", "run.jsonl"]].concat();
        assert!(place.ok(&line).starts_with("SYNTHETIC market"), "{data:?}");
        assert!(fs::read_to_string(place.path("run.html")).unwrap().contains("SYNTHETIC"), "{data:?}");
        let document = place.json(&[&run[..], data, &["--json"]].concat());
        assert_eq!(document["manifest"]["instruments"][0]["data"]["synthetic"], true, "{data:?}");
        for more in [&[][..], &["--log-only"], &["--debug"]] {
            let line = [&["replay", "run.jsonl"], more].concat();
            assert!(place.ok(&line).starts_with("SYNTHETIC market"), "{line:?}");
            assert_eq!(place.json(&[&line[..], &["--json"]].concat())["synthetic"], true, "{line:?}");
        }
    }
}

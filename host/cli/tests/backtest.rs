//! `backtest`, `replay` and `probe` as their users meet them.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::fs;

use place::{Place, waves};
use serde_json::Value as Json;

impl Place {
    /// With 1,500 bars in `bars.csv`.
    fn with_bars() -> Self {
        let place = Self::new();
        fs::write(place.path("bars.csv"), waves(1_500)).unwrap();
        place
    }
}

const MA: [&str; 8] = ["backtest", "ma-cross.wasm", "--symbol", "BTCUSDT", "--interval", "1h", "--data", "bars.csv"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    MA.iter().copied().chain(more.iter().copied()).collect()
}

#[test]
fn json_has_what_others_build_on() {
    let document = Place::with_bars().json(&with(&["--json", "--param", "fast=5"]));
    let object = document.as_object().unwrap();
    for key in ["manifest", "metrics", "trades", "fuel", "fault"] {
        assert!(object.contains_key(key), "{key}");
    }
    let manifest = &document["manifest"];
    assert_eq!(manifest["component"].as_str().unwrap().len(), 64);
    assert_eq!(manifest["result"].as_str().unwrap().len(), 64);
    assert_eq!(manifest["instruments"][0]["data"]["digest"].as_str().unwrap().len(), 64);
    assert_eq!(manifest["profile"]["name"], "conservative");
    assert_eq!(manifest["risk"]["name"], "research");
    assert_eq!((&manifest["seed"], &manifest["strategy"]["parameters"]["fast"]), (&Json::from(0), &Json::from(5)));
    assert_eq!(manifest["strategy"]["parameters"]["slow"], 50, "the default");
    assert!(manifest["engine"].as_str().unwrap().contains("wasmtime"));

    let metrics = &document["metrics"];
    for name in ["total_return", "sharpe", "sortino", "max_drawdown", "final_equity", "annual_return", "calmar"] {
        assert!(metrics[name].is_f64(), "{name}: {}", metrics[name]);
    }
    assert!(metrics["decision_latency_ms"].is_null() && metrics["undefined"]["decision_latency_ms"].is_string());
    let trades = document["trades"].as_array().unwrap();
    assert_eq!(metrics["trades"], trades.len());
    assert!(trades.len() > 5);
    let first = trades[0].as_object().unwrap();
    for key in ["symbol", "entry_time", "entry_price", "exit_time", "exit_price", "side", "quantity", "fees", "pnl_net"]
    {
        assert!(first.contains_key(key), "{key}");
    }
    assert_eq!((&first["symbol"], &first["side"]), (&Json::from("BTCUSDT"), &Json::from("long")));
    assert_eq!(first["entry_time"].as_i64().unwrap() % 3_600_000, 0, "milliseconds");
    assert!(document["fuel"].as_u64().unwrap() > 100_000 && document["fault"].is_null());

    // The equity is the cash, the profits and what is still open.
    let net: f64 = trades.iter().map(|trade| trade["pnl_net"].as_f64().unwrap()).sum();
    let open = document["open"].as_array().unwrap().iter().map(|lot| {
        let number = |key: &str| lot[key].as_f64().unwrap();
        number("quantity") * (number("mark_price") - number("entry_price")) - number("fees")
    });
    let equity = 1_000_000.0 + net + open.sum::<f64>();
    assert!((equity - metrics["final_equity"].as_f64().unwrap()).abs() < 0.01, "{equity}");
}

#[test]
fn people_get_a_summary_with_the_repairs_of_the_data() {
    let place = Place::with_bars();
    let mut lines: Vec<String> = waves(1_500).lines().map(ToOwned::to_owned).collect();
    lines.remove(700);
    lines.swap(800, 801);
    fs::write(place.path("bars.csv"), lines.join("\n")).unwrap();
    let text = place.ok(&MA);
    for part in [
        "ma-cross 0.1.0 on 1h bars of BTCUSDT",
        "1 row out of order, sorted",
        "1 bar missing in 1 gap, not filled",
        "Sharpe",
        "inferred from the data",
        "Returns are daily: 63 of them, 365 a year.",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn costs_window_and_cash_matter() {
    let place = Place::with_bars();
    let equity = |more: &[&str]| {
        let more: Vec<&str> = more.iter().copied().chain(["--json"]).collect();
        place.json(&with(&more))["metrics"]["final_equity"].as_f64().unwrap()
    };
    let base = equity(&[]);
    assert!(equity(&["--fee-bps", "0", "--slippage-bps", "0"]) > base);
    assert!(equity(&["--stress"]) < base);
    assert_eq!(equity(&["--stress"]), equity(&["--fee-bps", "10", "--slippage-bps", "10"]));
    // Every number of basis points that people write is one.
    for fee in ["0.3", "1.2", "7.35", "-0.6"] {
        assert!(equity(&["--fee-bps", fee]) > base * 0.5, "{fee}");
    }
    let rebate = equity(&["--fee-bps", "-10"]);
    assert!(equity(&["--fee-bps", "-10", "--stress"]) < rebate, "stress never helps");
    assert_ne!(equity(&["--lot", "1", "--tick", "1"]), base);
    assert!(equity(&["--impact-bps", "500"]) < base && equity(&["--half-spread-bps", "3"]) < base);
    assert_ne!(equity(&["--latency-ms", "100"]), base);
    assert!(equity(&["--cash", "1000"]) < 10_000.0);
    assert_ne!(equity(&["--from", "2024-01-20", "--to", "2024-02-20"]), base);
    let equities = place.json(&with(&["--periods-per-year", "252", "--json"]));
    assert_eq!(equities["metrics"]["returns"]["periods_per_year"], 252.0);
}

#[test]
fn a_strategy_of_quotes_is_refused_on_bars() {
    let place = Place::with_bars();
    fs::write(place.path("maker.wasm"), tiltyard_examples::example("market-maker").unwrap().component).unwrap();
    let error = place.fails(&["backtest", "maker.wasm", "--symbol", "A", "--interval", "1h", "--data", "bars.csv"]);
    assert!(error.contains("market-maker trades quotes and trades of others, and bars have none of them"), "{error}");
}

#[test]
fn trades_go_into_a_table() {
    let place = Place::with_bars();
    let document = place.json(&with(&["--trades", "trades.csv", "--json"]));
    let table = fs::read_to_string(place.path("trades.csv")).unwrap();
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("symbol,entry_time,entry_price,exit_time,exit_price,side,quantity,fees"));
    assert_eq!(lines.count(), document["trades"].as_array().unwrap().len());
    place.ok(&[
        "backtest",
        "buy-and-hold.wasm",
        "--symbol",
        "A",
        "--interval",
        "1h",
        "--data",
        "bars.csv",
        "--trades",
        "none.csv",
    ]);
    assert_eq!(fs::read_to_string(place.path("none.csv")).unwrap().lines().count(), 1, "heads without trades");
}

#[test]
fn several_symbols_share_an_account() {
    let place = Place::with_bars();
    fs::write(place.path("more.csv"), waves(1_400)).unwrap();
    let two = |strategy: &'static str| {
        vec![
            "backtest",
            strategy,
            "--interval",
            "1h",
            "--symbol",
            "AUSDT",
            "--data",
            "bars.csv",
            "--symbol",
            "BUSDT",
            "--data",
            "more.csv",
            "--json",
        ]
    };
    let document = place.json(&two("buy-and-hold.wasm"));
    let symbols: Vec<_> =
        document["open"].as_array().unwrap().iter().map(|lot| lot["symbol"].as_str().unwrap()).collect();
    assert_eq!(symbols, ["AUSDT", "BUSDT"]);
    let error = place.fails(&two("ma-cross.wasm"));
    assert_eq!(error, "error: ma-cross is a signal strategy, which trades one instrument; give one --symbol\n");
}

#[test]
fn a_saved_run_is_verified_and_a_changed_one_is_found() {
    let place = Place::with_bars();
    place.ok(&with(&["--save", "run.jsonl"]));
    assert_eq!(place.ok(&["replay", "run.jsonl"]).lines().last().unwrap(), "run again: identical");
    let document = place.json(&["replay", "run.jsonl", "--log-only", "--json"]);
    assert_eq!((&document["identical"], &document["run_again"]), (&Json::Bool(true), &Json::Bool(false)));

    // Other data: the inputs say so, and the events differ from there on.
    fs::write(place.path("shorter.csv"), waves(1_499)).unwrap();
    let output = place.run(&["replay", "run.jsonl", "--data", "shorter.csv", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let document: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["identical"], false);
    assert!(document["document_differs"].as_str().unwrap().contains("instruments"), "{document}");
    assert!(document["events_differ"].as_str().unwrap().starts_with("after "), "{document}");

    // A fill that was made better than it was.
    let saved = fs::read_to_string(place.path("run.jsonl")).unwrap();
    let fee = amount_of(&saved, "fee");
    fs::write(place.path("forged.jsonl"), saved.replacen(&format!("\"fee\":\"{fee}\""), "\"fee\":\"0\"", 1)).unwrap();
    let output = place.run(&["replay", "forged.jsonl", "--log-only"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("DIFFERENT at /metrics/"));

    // Results that do not follow from the events, whatever they are.
    let (events, results) = saved.trim_end().rsplit_once('\n').unwrap();
    let fuel = results.split("\"fuel\":").nth(1).unwrap().split(',').next().unwrap();
    let cheaper = results.replacen(&format!("\"fuel\":{fuel}"), "\"fuel\":1", 1);
    for (name, forged) in [
        ("fuel.jsonl", format!("{events}\n{cheaper}\n")),
        ("halted.jsonl", saved.replace("\"halted\":null", "\"halted\":\"max-drawdown\"")),
    ] {
        assert_ne!(forged, saved, "{name}");
        fs::write(place.path(name), forged).unwrap();
        assert_eq!(place.run(&["replay", name, "--log-only"]).status.code(), Some(1), "{name}");
    }
    // Amounts that no run has, and costs that nobody may ask for.
    let value = amount_of(&saved, "value");
    let beyond = saved.replacen(&format!("\"value\":\"{value}\""), "\"value\":\"79228162514264337593543950335\"", 1);
    let costly = saved.replacen("\"slippage\":\"0.0005\"", "\"slippage\":\"79228162514264337593543950335\"", 1);
    for (name, text, problem) in [
        ("beyond.jsonl", beyond, "the run is damaged"),
        ("costly.jsonl", costly, "the run is damaged"),
        ("cut.jsonl", saved[..saved.len() / 2].to_owned(), "the run is damaged"),
        ("headless.jsonl", saved.lines().skip(1).collect::<Vec<_>>().join("\n"), "is not a run that"),
        ("empty.jsonl", String::new(), "is not a run that"),
        ("endless.jsonl", saved.lines().take(50).collect::<Vec<_>>().join("\n"), "ends early"),
    ] {
        fs::write(place.path(name), text).unwrap();
        let error = place.fails(&["replay", name]);
        assert!(error.contains(problem), "{name}: {error}");
    }
}

/// An amount of the first fill.
fn amount_of<'a>(saved: &'a str, name: &str) -> &'a str {
    let fill = saved.lines().find(|line| line.contains("executed")).unwrap();
    fill.split(&format!("\"{name}\":\"")).nth(1).unwrap().split('"').next().unwrap()
}

#[test]
fn saving_a_run_leaves_other_files_alone() {
    let place = Place::with_bars();
    fs::write(place.path("run.part"), "mine").unwrap();
    place.ok(&with(&["--save", "run.jsonl"]));
    assert_eq!(fs::read_to_string(place.path("run.part")).unwrap(), "mine");
    assert!(place.fails(&with(&["--save", "nowhere/run.jsonl"])).contains("writing nowhere/run.jsonl"));
}

/// Not even how finely later prices and volumes are written may be known.
#[test]
fn what_comes_after_the_run_changes_nothing() {
    let place = Place::with_bars();
    let result = || place.json(&with(&["--to", "2024-02-20", "--json"]))["manifest"]["result"].clone();
    let before = result();
    let mut later = waves(1_500);
    later.push_str("1709467200000,100,101,99,100.12345678,1.23456789\n");
    fs::write(place.path("bars.csv"), later).unwrap();
    assert_eq!(result(), before);
}

#[test]
fn the_examples_pass_both_probes() {
    let place = Place::with_bars();
    fs::write(place.path("long.csv"), waves(4_000)).unwrap();
    for example in tiltyard_examples::EXAMPLES {
        let file = format!("{}.wasm", example.name);
        let symbols = ["AUSDT", "BUSDT", "CUSDT", "DUSDT"];
        let market =
            symbols.iter().take(example.instruments).flat_map(|symbol| ["--symbol", symbol, "--data", "long.csv"]);
        let market: Vec<&str> = market.chain(["--interval", "1h"]).collect();
        let lookahead: Vec<&str> = ["probe", "lookahead", &file].into_iter().chain(market.iter().copied()).collect();
        assert_eq!(place.ok(&lookahead).lines().last().unwrap(), "passed", "{file}");
        let warmup = ["probe", "warmup", &file, "--from", "2024-05-01", "--json"];
        let warmup: Vec<&str> = warmup.into_iter().chain(market.iter().copied()).collect();
        let document = place.json(&warmup);
        assert_eq!(document["passed"], true, "{file}: {document}");
        assert!(document["comparisons"].as_array().unwrap().len() >= 2);
    }
    let error =
        place.fails(&["probe", "warmup", "ma-cross.wasm", "--symbol", "A", "--interval", "1h", "--data", "bars.csv"]);
    assert!(error.contains("give a later --from"), "{error}");
}

#[test]
fn what_cannot_be_run_says_why() {
    let place = Place::with_bars();
    fs::write(place.path("empty.csv"), "").unwrap();
    fs::write(place.path("heads.csv"), "timestamp,open,high,low,close,volume\n").unwrap();
    fs::write(place.path("nan.csv"), waves(20).replace("1004.5", "NaN")).unwrap();
    fs::write(place.path("risk.toml"), "name = \"mine\"\nlimits.max_drawdown = { most = 1.5 }\n").unwrap();
    fs::write(place.path("odd.toml"), "name = \"mine\"\nlimits.max_drawdwn = { most = 0.5 }\n").unwrap();
    for (args, problem) in [
        (with(&["--data", "bars.csv"]), "1 --symbol and 2 --data were given; give one file for each symbol"),
        (with(&["--profile", "optimistic"]), "no profile is named `optimistic`; there is conservative"),
        (with(&["--fee-bps", "9999"]), "--fee-bps 9999 is out of bounds; it takes -100 to 1000"),
        (with(&["--cash", "-5"]), "unexpected argument"),
        (with(&["--cash", "NaN"]), "--cash NaN is out of bounds"),
        (with(&["--from", "yesterday"]), "--from"),
        (
            with(&["--from", "2030-01-01"]),
            "no bar of BTCUSDT lies between --from and --to; its data goes from 2024-01-01",
        ),
        (with(&["--from", "2024-02-01", "--to", "2024-01-01"]), "is not after --from"),
        (with(&["--param", "fast=0"]), "parameter `fast` = 0 is out of bounds"),
        (with(&["--risk", "risk.toml"]), "max_drawdown.most is 1.5; it takes 0.0001 to 1"),
        (with(&["--risk", "odd.toml"]), "`limits.max_drawdwn` is not known"),
        (
            with(&["--risk", "nowhere.toml"]),
            "is neither `research` nor `account`, but a file with a profile: reading nowhere",
        ),
    ] {
        let output = place.run(&args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(problem), "{args:?}: {error}");
    }
    for (file, interval, problem) in [
        ("empty.csv", "1h", "empty"),
        ("heads.csv", "1h", "no"),
        ("nan.csv", "1h", "NaN"),
        ("nowhere.csv", "1h", "nowhere.csv"),
        ("bars.csv", "1d", "interval"),
        ("bars.csv", "1 hour", "interval"),
    ] {
        let error =
            place.fails(&["backtest", "ma-cross.wasm", "--symbol", "A", "--interval", interval, "--data", file]);
        assert!(error.to_lowercase().contains(&problem.to_lowercase()), "{file}: {error}");
    }
}

#[test]
fn a_limit_that_is_reached_ends_the_run_and_says_so() {
    let place = Place::with_bars();
    fs::write(place.path("risk.toml"), "name = \"careful\"\nlimits.max_drawdown = { most = 0.02 }\n").unwrap();
    let document = place.json(&with(&["--risk", "risk.toml", "--json"]));
    assert_eq!((&document["halted"], &document["fault"]), (&Json::from("max-drawdown"), &Json::Null));
    assert_eq!(document["manifest"]["risk"]["name"], "careful");
    assert!(place.ok(&with(&["--risk", "risk.toml"])).contains("HALTED: max-drawdown"));
}

#[test]
fn rules_that_were_broken_are_named_with_how_often() {
    let place = Place::with_bars();
    let document = place.json(&with(&["--risk", "account", "--json"]));
    let metrics = &document["metrics"];
    let times = metrics["broken"]["notional-symbol"].as_u64().unwrap();
    assert!(times > 0 && metrics["violations"].as_u64().unwrap() >= times, "{metrics}");
    let said = place.ok(&with(&["--risk", "account", "--report", "run.html"]));
    assert!(said.contains("Rules broken: ") && said.contains(&format!("notional-symbol {times}")), "{said}");
    let page = fs::read_to_string(place.path("run.html")).unwrap();
    assert!(page.contains("<th scope=\"row\">notional-symbol</th>"), "a report names them without the events");
    assert!(!place.ok(&with(&[])).contains("Rules broken"));
}

#[test]
fn profiles_are_listed_with_their_rules() {
    let place = Place::new();
    assert!(place.ok(&["profiles"]).starts_with("conservative 1\n"));
    let document = place.json(&["profiles", "--json"]);
    assert!(document["profiles"][0]["description"].as_str().unwrap().contains("next eligible bar's open"));
    let risk = document["risk"].as_array().unwrap().iter().map(|risk| risk["name"].as_str().unwrap());
    assert_eq!(risk.collect::<Vec<_>>(), ["research", "account"]);
}

//! Tournaments as users run them.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::fs;

use place::Place;

const FILE: &str = r#"
name = "first"
[market]
venue = "synthetic"
interval = "1h"
symbols = ["SYN1-USD", "SYN2-USD"]
holdout_months = 1
[windows]
kind = "anchored"
train_days = 30
test_days = 15
[[strategy]]
component = "ma-cross"
params.fast = [5, 10]
params.slow = { from = 50, to = 100, step = 50 }
[[strategy]]
component = "momentum"
markets = "together"
params.lookback = 48
"#;

fn workspace() -> Place {
    let place = Place::new();
    place.ok(&["init"]);
    place.ok(&["data", "synth", "--symbols", "2", "--bars", "3000"]);
    fs::write(place.path("first.toml"), FILE).unwrap();
    place
}

#[test]
fn a_file_makes_a_tournament_that_is_run_once_and_shown_again() {
    let place = workspace();
    let plan = place.json(&["tournament", "run", "first.toml", "--dry-run", "--json"]);
    assert!(!place.path("tiltyard.db").exists(), "a dry run writes nothing");
    let first = place.json(&["tournament", "run", "first.toml", "--threads", "1", "--json"]);
    assert_eq!(
        (&plan["runs"], plan["windows"].as_array().unwrap().len() as u64),
        (&first["runs"], first["windows"].as_u64().unwrap())
    );
    assert_eq!(first["ranking"].as_array().unwrap().len(), 3, "two markets of one strategy, one of the other");
    assert_eq!(first["ranking"][0]["choices"].as_array().unwrap().len() as u64, first["windows"].as_u64().unwrap());
    let again = place.json(&["tournament", "run", "first.toml", "--threads", "2", "--json"]);
    assert_eq!(again, first);
    assert_eq!(place.json(&["tournament", "show", "--json"]), first);
    let listed = place.json(&["tournament", "list", "--json"]);
    assert_eq!(
        (&listed["tournaments"][0]["digest"], &listed["tournaments"][0]["pending"]),
        (&first["digest"], &0.into())
    );
    assert!(fs::read_to_string(place.path(first["report"].as_str().unwrap())).unwrap().starts_with("<!"));
    let text = place.ok(&["tournament", "run", "first.toml"]);
    assert!(text.contains("SYNTHETIC") && text.contains("variants"), "{text}");
}

#[test]
fn what_cannot_be_run_says_why_and_leaves_nothing_behind() {
    let place = workspace();
    let fails = |this: &str, that: &str| {
        fs::write(place.path("bad.toml"), FILE.replace(this, that)).unwrap();
        let error = place.fails(&["tournament", "run", "bad.toml"]);
        assert!(!place.path("tiltyard.db").exists() && !place.path("reports").exists(), "{error}");
        error
    };
    assert!(fails("\"SYN2-USD\"", "\"NONE\"").contains("NONE"));
    assert!(
        fails("component = \"ma-cross\"", "component = \"nobody\"")
            .contains("no example nobody; there are buy-and-hold")
    );
    assert!(fails("params.fast = [5, 10]", "params.speed = 1").contains("unknown parameter `speed`"));
    assert!(fails("params.fast = [5, 10]", "params.fast = []").contains("empty list"));
    assert!(fails("holdout_months = 1", "from = \"2030-01-01\"").contains("no bars from 2030-01-01"));
    assert!(fails("train_days = 30", "train_days = 3000").contains("shorten them, or bring more data"));
    assert!(place.fails(&["tournament", "run"]).contains("give a file, or --strategy"));
    assert!(place.fails(&["tournament", "run", "--resume"]).contains("tournament list"));
}

#[test]
fn a_component_that_is_dropped_in_is_known_by_its_name() {
    let place = workspace();
    fs::rename(place.path("donchian.wasm"), place.path("strategies/mine.wasm")).unwrap();
    let flags =
        ["--symbol", "SYN1-USD", "--interval", "1h", "--venue", "synthetic", "--sample", "4", "--seed", "3", "--json"];
    let held = place.json(&[&["tournament", "run", "--strategy", "mine"][..], &flags].concat());
    assert_eq!((held["runs"].as_u64(), &held["ranking"][0]["strategy"]), (Some(4), &"donchian".into()));
}

#[test]
fn configuration_is_checked_as_a_whole() {
    let place = workspace();
    assert!(place.ok(&["config", "check", "first.toml"]).contains("first.toml: good"));
    fs::write(place.path("bad.toml"), FILE.replace("name = \"first\"", "nam = 1").replace("anchored", "sliding"))
        .unwrap();
    let output = place.run(&["config", "check", "bad.toml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("bad.toml has 3 problems") && text.contains("`windows.kind` is `sliding`"), "{text}");
}

#[test]
fn the_trades_of_every_row_can_be_had() {
    let place = workspace();
    let lines = |name: &str| fs::read_to_string(place.path(name)).unwrap().lines().count() as u64 - 1;
    let walked = place.json(&["tournament", "run", "first.toml", "--json"]);
    for (row, of) in (1..).zip(walked["ranking"].as_array().unwrap()) {
        place.ok(&["tournament", "show", "--row", &format!("{row}"), "--trades", "walked.csv"]);
        assert_eq!(Some(lines("walked.csv")), of["metrics"]["trades"].as_u64(), "row {row}: all windows together");
    }

    // Of a single window only the first rows are played again and kept; the others are when somebody asks.
    let market =
        ["--symbol", "SYN1-USD", "--interval", "1h", "--venue", "synthetic", "--grid", "fast=2,3,4,5,6,7,8,9,10,11"];
    let run = [&["tournament", "run", "--strategy", "ma-cross", "--json"][..], &market].concat();
    let single = place.json(&run);
    for row in [1, 10, 10] {
        let of = &single["ranking"][row - 1];
        place.ok(&["tournament", "show", "--row", &row.to_string(), "--trades", "single.csv"]);
        assert_eq!(Some(lines("single.csv")), of["metrics"]["trades"].as_u64(), "row {row}");
    }
    let error = place.fails(&["tournament", "show", "--row", "11", "--trades", "none.csv"]);
    assert!(error.contains("--row 11 is beyond the last, 10"), "{error}");
    assert!(!place.path("none.csv").exists());
}

//! What a person orders holds until a person resumes, and what cannot be read counts as halted.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::fs;

use place::{Place, waves};
use rusqlite::Connection;
use serde_json::{Value as Json, json};

fn workspace() -> Place {
    let place = Place::new();
    place.ok(&["init"]);
    place
}

/// The account's state as `risk show` tells it.
fn state(place: &Place) -> String {
    place.json(&["risk", "show", "--json"])["account"]["state"].as_str().unwrap().to_owned()
}

/// Changes what is kept by hand.
fn tamper(place: &Place, sql: &str) {
    Connection::open(place.path("tiltyard.db")).unwrap().execute_batch(sql).unwrap();
}

/// An order that the profile `account` has nothing against.
fn question() -> Json {
    json!({
        "order": {
            "strategy": "grid", "symbol": "BTCUSDT", "side": "buy", "type": {"limit": 60_000}, "quantity": 0.01,
            "stop_loss": {"fixed": 59_000},
        },
        "account": {
            "equity": 10_000, "cash": 9_000,
            "positions": [{"strategy": "trend", "symbol": "ETHUSDT", "quantity": 0.1, "mark": 3_000}],
            "open_orders": [{
                "strategy": "trend", "symbol": "ETHUSDT", "side": "buy", "type": {"limit": 2_900}, "quantity": 0.1,
            }],
        },
        "marks": {"BTCUSDT": 60_010},
        "now": "2026-01-02T03:04:05Z",
    })
}

/// What the rules say of a question, and the exit code.
fn check(place: &Place, question: &Json) -> (Json, Option<i32>) {
    fs::write(place.path("order.json"), question.to_string()).unwrap();
    let output = place.run(&["risk", "check", "order.json", "--json"]);
    let said = String::from_utf8(output.stderr).unwrap();
    (serde_json::from_slice(&output.stdout).unwrap_or_else(|_| Json::from(said)), output.status.code())
}

fn rules(answer: &Json) -> Vec<&str> {
    let violations = answer["violations"].as_array().unwrap_or_else(|| panic!("{answer}"));
    violations.iter().map(|violation| violation["rule"].as_str().unwrap()).collect()
}

#[test]
fn a_halt_lasts_until_a_person_resumes_with_a_reason() {
    let place = workspace();
    assert_eq!(state(&place), "active");
    assert!(place.ok(&["halt", "--reason", "the feed is wrong", "--dry-run"]).contains("would be halted"));
    assert_eq!(state(&place), "active", "a dry run changes nothing");
    let halted = place.json(&["halt", "--reason", "the feed is wrong", "--json"]);
    assert_eq!((&halted["state"], &halted["changed"]), (&json!("halted"), &json!(true)));
    let again = place.json(&["halt", "--reason", "again", "--json"]);
    assert_eq!((&again["changed"], &again["cause"]), (&json!(false), &json!("the feed is wrong")));
    let shown = place.ok(&["risk", "show"]);
    assert!(shown.starts_with("account: halted: the feed is wrong\n"), "{shown}");
    assert_eq!(place.run(&["resume"]).status.code(), Some(2), "a reason is needed");
    assert_eq!(place.run(&["resume", "--reason", "  "]).status.code(), Some(2), "that says something");
    assert!(place.ok(&["resume", "--reason", "it is right again"]).starts_with("account: active"));
    assert!(place.fails(&["resume", "--reason", "once more"]).contains("there is nothing to resume"));
    let shown = place.json(&["risk", "show", "--json"]);
    let told = shown["transitions"].as_array().unwrap().iter();
    let told: Vec<_> = told.map(|line| (line["what"].as_str().unwrap(), line["cause"].as_str().unwrap())).collect();
    assert_eq!(told, [("resumed", "it is right again"), ("halted", "the feed is wrong")]);
    assert!(shown["transitions"][0]["at"].as_str().unwrap().starts_with("20"), "{shown}");
}

#[test]
fn a_strategy_is_stopped_by_itself_and_the_stricter_state_holds() {
    let place = workspace();
    place.ok(&["pause", "--strategy", "grid"]);
    let standing = |more: &[&str]| {
        let shown = place.json(&["risk", "show", "--json"]);
        assert_eq!(shown["account"]["state"], "active", "{more:?}");
        let [state, permission] = ["state", "permission"].map(|field| shown["strategies"][0][field].clone());
        (state.as_str().unwrap().to_owned(), permission.as_str().unwrap().to_owned())
    };
    assert_eq!(standing(&["pause"]), ("paused".to_owned(), "reduce".to_owned()));
    place.ok(&["halt", "--strategy", "grid", "--reason", "worse"]);
    assert_eq!(standing(&["halt"]), ("halted".to_owned(), "nothing".to_owned()));
    let paused = place.json(&["pause", "--strategy", "grid", "--json"]);
    assert_eq!((&paused["state"], &paused["changed"]), (&json!("halted"), &json!(false)), "a pause loosens nothing");
    place.ok(&["resume", "--strategy", "grid", "--reason", "fixed"]);
    assert_eq!(standing(&["resume"]), ("active".to_owned(), "all".to_owned()));
    assert!(
        place.fails(&["resume", "--strategy", "grid", "--reason", "fixed"]).contains("the strategy grid is active")
    );
    assert_eq!(place.run(&["pause"]).status.code(), Some(2), "of nobody");
}

#[test]
fn the_file_kill_halts_whatever_else_is_kept() {
    let place = workspace();
    assert!(place.ok(&["kill", "--dry-run"]).contains("would be halted"));
    assert!(!place.path("KILL").exists());
    place.ok(&["kill", "--reason", "orders that nobody understands"]);
    let words = fs::read_to_string(place.path("KILL")).unwrap();
    assert!(words.starts_with("20") && words.ends_with("orders that nobody understands\n"), "{words}");
    tamper(&place, "DELETE FROM guards");
    assert_eq!(state(&place), "halted");
    assert_eq!(rules(&check(&place, &question()).0), ["trading-state"]);
    let resumed = place.json(&["resume", "--reason", "understood", "--dry-run", "--json"]);
    assert_eq!((&resumed["state"], place.path("KILL").exists()), (&json!("active"), true));
    place.ok(&["resume", "--reason", "understood"]);
    assert!(!place.path("KILL").exists() && state(&place) == "active");
    // Anybody may make it, as whatever.
    fs::create_dir(place.path("KILL")).unwrap();
    assert_eq!(state(&place), "halted");
    assert!(place.fails(&["resume", "--reason", "understood"]).contains("still stops all trading"));
    fs::remove_dir(place.path("KILL")).unwrap();
}

#[test]
fn the_kill_switch_needs_no_database() {
    let place = workspace();
    fs::write(place.path("tiltyard.db"), "no database").unwrap();
    assert_eq!(state(&place), "halted", "what cannot be read is halted");
    let error = place.fails(&["kill"]);
    assert!(error.contains("KILL is in place and stops all trading"), "{error}");
    assert!(place.path("KILL").exists());
    assert!(place.fails(&["halt", "--reason", "no"]).contains("is not a database"));
}

#[test]
fn what_is_damaged_counts_as_halted_until_a_person_lets_it_begin_anew() {
    let place = workspace();
    place.ok(&["halt", "--reason", "first"]);
    place.ok(&["resume", "--reason", "then"]);
    place.ok(&["pause", "--strategy", "grid"]);
    tamper(&place, "UPDATE guards SET state = replace(state, '0', '1')");
    let shown = place.json(&["risk", "show", "--json"]);
    assert_eq!((&shown["account"]["state"], &shown["strategies"][0]["state"]), (&json!("halted"), &json!("halted")));
    assert!(shown["account"]["unreadable"].as_str().unwrap().contains("digest"), "{shown}");
    assert_eq!(place.json(&["halt", "--reason", "more", "--json"])["changed"], false);
    let resumed = place.json(&["resume", "--reason", "the disk is new", "--json"]);
    assert!(resumed["notes"][0].as_str().unwrap().contains("begins anew"), "{resumed}");
    assert_eq!(state(&place), "active");
    place.ok(&["resume", "--strategy", "grid", "--reason", "the disk is new"]);
    assert_eq!(place.json(&["risk", "show", "--json"])["strategies"][0]["state"], "active");
    tamper(&place, "UPDATE guards SET form = 99");
    assert!(place.ok(&["risk", "show"]).contains("a newer program wrote it"));
}

#[test]
fn an_order_to_flatten_waits_for_whoever_trades_next() {
    let place = workspace();
    let would = place.json(&["flatten", "--reason", "over the weekend", "--dry-run", "--json"]);
    assert!(place.json(&["risk", "show", "--json"])["flatten"].is_null(), "{would}");
    let told = place.json(&["flatten", "--reason", "over the weekend", "--json"]);
    assert_eq!((&told["flatten"], &told["changed"], &told["state"]), (&json!(true), &json!(true), &json!("active")));
    assert_eq!(place.json(&["flatten", "--reason", "again", "--json"])["changed"], false);
    let shown = place.json(&["risk", "show", "--json"]);
    assert_eq!(shown["flatten"]["cause"], "over the weekend");
    assert_eq!(shown["transitions"][0]["what"], "flatten-ordered");
}

#[test]
fn the_workspace_s_own_limits_are_the_profile_account() {
    let place = workspace();
    let file = fs::read_to_string(place.path("risk.toml")).unwrap();
    let shown = |more: &[&str]| place.json(&[&["risk", "show", "--json"], more].concat())["limits"].clone();
    assert_eq!(shown(&[])["rules"]["notional_symbol"]["most"], 0.25);
    let own = "[[override]]\nstrategy = 'grid'\nlimits.notional_symbol = { most = 0.1 }\n";
    fs::write(place.path("risk.toml"), format!("{file}{own}")).unwrap();
    assert_eq!(shown(&["--strategy", "grid"])["rules"]["notional_symbol"]["most"], 0.1);
    assert_eq!(shown(&["--strategy", "trend"])["rules"]["notional_symbol"]["most"], 0.25);
    assert!(place.ok(&["config", "check"]).contains("risk.toml: good"));

    fs::write(place.path("bars.csv"), waves(300)).unwrap();
    let run = ["backtest", "ma-cross", "--symbol", "BTCUSDT", "--interval", "1h", "--data", "bars.csv", "--json"];
    let output = place.run(&[&run[..], &["--risk", "account"]].concat());
    let document: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["manifest"]["risk"]["override"][0]["strategy"], "grid");
    assert!(String::from_utf8(output.stderr).unwrap().contains("note: risk profile account: "));
    assert!(place.run(&run).stderr.is_empty(), "research is what it is");

    for (text, problem) in [
        (file.replace("name = \"account\"", "name = \"mine\""), "has the name `mine`"),
        (file.replace("most = 0.25", "most = -1"), "limits.notional_symbol` cannot be read: -1 is no limit"),
        (file.replace("[limits.rate_limit]", "[limits.rate_limits]"), "`limits.rate_limits` is not known"),
        (format!("{own}looser_overrides = 1\n"), "`name` is missing"),
        (" ".repeat(1 << 21), "more than 1048576 bytes"),
    ] {
        fs::write(place.path("risk.toml"), text).unwrap();
        let output = place.run(&["config", "check"]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.code() == Some(1) && said.contains(problem), "{problem}: {said}");
        assert!(place.fails(&["risk", "show"]).contains(problem), "{problem}");
        assert!(!place.run(&[&run[..], &["--risk", "account"]].concat()).status.success(), "{problem}");
    }
}

#[test]
fn a_question_is_answered_with_every_rule_that_is_broken() {
    let place = workspace();
    let (answer, code) = check(&place, &question());
    assert_eq!((rules(&answer), code, &answer["permission"]), (vec![], Some(0), &json!("all")), "{answer}");
    let with = |at: &str, value: Json| {
        let mut question = question();
        let (parent, name) = at.rsplit_once('/').unwrap();
        question.pointer_mut(parent).unwrap()[name] = value;
        check(&place, &question)
    };
    for (at, value, broken) in [
        ("/order/quantity", json!(0.05), &["notional-symbol", "concentration"][..]),
        ("/order/quantity", json!(0.000_000_01), &["malformed"]),
        ("/order/stop_loss", json!(null), &["missing-stop"]),
        ("/order/stop_loss", json!({"fixed": 40_000}), &["invalid-stop"]),
        ("/order/stop_loss", json!({"fixed": 61_000}), &["malformed"]),
        ("/order/type", json!({"limit": 64_000}), &["invalid-stop", "price-collar"]),
        ("/order/reduce_only", json!(true), &["malformed"]),
        ("/account/cash", json!(10), &["insufficient-funds"]),
        ("/market", json!({"interval": "1h", "last_event": "2026-01-02T00:00:00Z"}), &["stale-data"]),
        ("/marks", json!({}), &["stale-data", "leverage-symbol"]),
    ] {
        let (answer, code) = with(at, value.clone());
        let found = rules(&answer);
        assert!(broken.iter().all(|rule| found.contains(rule)), "{at} {value}: {answer}");
        assert_eq!((code, &answer["passes"]), (Some(1), &json!(false)), "{at} {value}");
    }
    for (at, value, problem) in [
        ("/order/colour", json!("red"), "unknown field `colour`"),
        ("/order/type", json!("iceberg"), "unknown variant `iceberg`"),
        ("/account/equity", json!("much"), "invalid type"),
        ("/account/positions/0/mark", json!(null), "there is no mark of ETHUSDT"),
        ("/account/positions/0/mark", json!(-1), "is no mark of ETHUSDT"),
        ("/account/equity", json!(1e300), "account.equity is"),
        ("/order/symbol", json!("NOBODYUSDT"), "give its rules under `instruments`"),
        ("/now", json!("soon"), "now"),
    ] {
        let (said, code) = with(at, value.clone());
        assert!(code == Some(1) && said.as_str().is_some_and(|said| said.contains(problem)), "{at} {value}: {said}");
    }
    let endless = question().to_string().replace("10000", "1e999");
    fs::write(place.path("order.json"), endless).unwrap();
    assert!(place.fails(&["risk", "check", "order.json"]).contains("is no question"));
}

#[test]
fn an_order_that_a_rule_makes_smaller_passes_as_what_is_left() {
    let place = workspace();
    let text = "name = 'small'\nlimits.notional_symbol = { most = 0.25, on_breach = 'reduce' }\n";
    fs::write(place.path("small.toml"), text).unwrap();
    let mut large = question();
    large["order"]["quantity"] = json!(0.1);
    fs::write(place.path("order.json"), large.to_string()).unwrap();
    let answer = place.json(&["risk", "check", "order.json", "--risk", "small.toml", "--json"]);
    assert_eq!((&answer["passes"], rules(&answer)), (&json!(true), vec!["notional-symbol"]));
    assert_eq!(answer["reduced_to"], 0.041_65, "2,500 at the mark, in whole lots");
    assert!(place.ok(&["risk", "check", "order.json", "--risk", "small.toml"]).starts_with("passes, made smaller"));
}

/// What stands between two lines of the README's section on risk.
fn readme(begin: &str) -> String {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let text = fs::read_to_string(readme).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("Risk\n")).unwrap();
    section.split_once(begin).unwrap().1.split_once("```").unwrap().0.to_owned()
}

#[test]
fn what_the_readme_tells_an_operator_to_do_works() {
    let place = workspace();
    fs::write(place.path("order.json"), readme("```json\n")).unwrap();
    let lines = readme("```console\n");
    assert_eq!(lines.lines().count(), 9);
    for line in lines.lines() {
        let line = line.strip_prefix("$ tiltyard ").unwrap();
        let mut args = Vec::new();
        for (at, part) in line.split('"').enumerate() {
            // What stands between quotation marks is one word.
            if at % 2 == 1 { args.push(part) } else { args.extend(part.split_whitespace()) }
        }
        place.ok(&args);
    }
    assert_eq!(state(&place), "active");
}

#[test]
fn instruments_may_come_with_the_question() {
    let place = Place::new();
    let mut own = question();
    own["instruments"] = json!({"BTCUSDT": {
        "kind": "perpetual", "base": "BTC", "quote": "USDT", "tick": 0.1, "lot": 0.001, "min_notional": 5,
        "maker_fee": 0.0002, "taker_fee": 0.0005, "max_leverage": 20,
    }});
    own["order"]["side"] = json!("sell");
    own["order"]["stop_loss"] = json!({"trailing": {"percent": 2}});
    let (answer, code) = check(&place, &own);
    assert_eq!((rules(&answer), code), (vec![], Some(0)), "outside of a workspace as well: {answer}");
    assert_eq!(answer["from"], "the built-in profile");
    own["instruments"]["BTCUSDT"]["tick"] = json!(0);
    assert!(check(&place, &own).0.as_str().unwrap().contains("tick is 0"));
}

#[test]
fn a_tournament_asks_the_workspace_s_own_limits_and_says_what_they_refused() {
    let place = workspace();
    let file = fs::read_to_string(place.path("risk.toml")).unwrap();
    fs::write(place.path("risk.toml"), file.replace("most = 0.25", "most = 0.01")).unwrap();
    place.ok(&["data", "synth", "--symbols", "1", "--bars", "600"]);
    let spec = "name = 'ruled'\n[market]\nvenue = 'synthetic'\ninterval = '1h'\nsymbols = ['SYN1-USD']\nholdout_months = 0\n\
                [rules]\nrisk = 'account'\n[[strategy]]\ncomponent = 'buy-and-hold'\nparams.invested = [0.1]\n";
    fs::write(place.path("ruled.toml"), spec).unwrap();
    let output = place.run(&["tournament", "run", "ruled.toml"]);
    let [said, noted] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(noted.contains("note: risk profile account: ") && output.status.success(), "{noted}");
    assert!(said.contains("broke rules of risk: ") && said.contains("notional-symbol"), "{said}");
    let board = place.json(&["tournament", "show", "--json"]);
    let broken = &board["ranking"][0]["metrics"]["broken"];
    assert!(broken["notional-symbol"].as_u64().unwrap() > 0, "{board}");
    let page = fs::read_to_string(board["report"].as_str().unwrap()).unwrap();
    assert!(page.contains("notional-symbol"), "the page names them too");
}

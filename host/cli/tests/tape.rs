//! Runs on recorded tapes as users of `backtest` and `replay` meet them.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use place::Place;
use serde_json::{Value as Json, json};
use tiltyard_tests::{frames, test_data};

/// With 2,000 instants of a market as it would be recorded of spot and of a perpetual.
fn place() -> Place {
    let place = Place::new();
    fs::write(place.path("spot.txt"), frames(2_000, false)).unwrap();
    fs::write(place.path("perpetual.txt"), frames(2_000, true)).unwrap();
    place
}

const SPOT: [&str; 12] = [
    "backtest",
    "market-maker",
    "--symbol",
    "BTCUSDT",
    "--tape",
    "spot.txt",
    "--param",
    "distance=0",
    "--fee-bps",
    "1",
    "--cash",
    "1000",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    SPOT.iter().copied().chain(more.iter().copied()).collect()
}

/// The same arguments with another file for the tape.
fn on<'a>(tape: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let same = |arg: &&'a str| if *arg == "spot.txt" { tape } else { *arg };
    SPOT.iter().map(same).chain(more.iter().copied()).collect()
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn json_says_what_the_tape_had_and_what_came_of_it() {
    let place = place();
    let document = place.json(&with(&["--json"]));
    let manifest = &document["manifest"];
    assert_eq!((&manifest["interval"], &manifest["sampling"]), (&Json::Null, &json!("1s")));
    assert_eq!((&manifest["profile"]["name"], &manifest["settlement"]), (&json!("tape"), &json!("USDT")));
    let instrument = &manifest["instruments"][0];
    assert_eq!((&instrument["instrument"]["tick"], &instrument["instrument"]["lot"]), (&json!(0.01), &json!(0.001)));
    assert_eq!(instrument["first_event"], "2024-08-08T23:54:14Z");
    assert_eq!(instrument["last_event"], "2024-08-08T23:57:33.95Z");
    assert_eq!(instrument["data"]["from"], "tape");
    assert_eq!(
        instrument["data"]["played"],
        json!({"events": 6_001, "quotes": 2_000, "trades": 2_000, "depth": 2_001})
    );
    assert_eq!(
        (&instrument["data"]["report"]["gaps"], &instrument["data"]["report"]["lines"]),
        (&json!(0), &json!(6_001))
    );

    let metrics = &document["metrics"];
    assert_eq!(metrics["trades"], document["trades"].as_array().unwrap().len());
    assert!(metrics["trades"].as_u64().unwrap() > 3 && metrics["fees"].as_f64().unwrap() > 0.0, "{metrics}");
    assert!(document["fuel"].as_u64().unwrap() > 100_000 && document["fault"].is_null());
    // Some minutes say nothing of a year.
    assert_eq!((&metrics["returns"]["period"], &metrics["returns"]["count"]), (&json!("per_sample"), &json!(200)));
    assert!(metrics["total_return"].is_f64() && metrics["max_drawdown"].is_f64());
    for figure in ["annual_return", "volatility", "sharpe", "sortino", "calmar"] {
        assert!(metrics[figure].is_null() && metrics["undefined"][figure].is_string(), "{figure}");
    }
    let reason = "the run is too short for anything to be stated for a year";
    assert_eq!(metrics["undefined"]["annual_return"], reason);
}

#[test]
fn the_same_tape_gives_the_same_run_plain_or_gzipped() {
    let place = place();
    fs::write(place.path("spot.gz"), gzipped(&frames(2_000, false))).unwrap();
    let once = place.json(&with(&["--json"]));
    assert_eq!(place.json(&with(&["--json"])), once);
    assert_eq!(place.json(&on("spot.gz", &["--json"])), once);
    let slower = place.json(&with(&["--latency-ms", "40", "--latency-jitter-ms", "20", "--json"]));
    assert_ne!(slower["manifest"]["result"], once["manifest"]["result"]);
    let seeded = place.json(&with(&["--latency-ms", "40", "--latency-jitter-ms", "20", "--seed", "1", "--json"]));
    assert_ne!(seeded["manifest"]["result"], slower["manifest"]["result"]);
}

#[test]
fn people_get_a_summary_with_what_the_tape_had_and_lacks() {
    let place = place();
    let text = place.ok(&with(&[]));
    for part in [
        "market-maker 0.1.0 on tapes of BTCUSDT, profile tape, risk research, cash 1000.00 USDT\n",
        "  BTCUSDT: 2024-08-08T23:54:14Z to 2024-08-08T23:57:33.95Z, 2000 quotes, 2000 trades and 2001 changes of depth played, fee \
         0.0001, tick 0.01 and lot 0.001 inferred from the data; what the venue's rules were is not known\n",
        "  tape: events: 6001; frames: 6001; received from 2024-08-08T23:54:14Z to",
        "Sharpe                        –",
        "at every sample",
        "Returns are per sample: 200 of them, too short a time to be stated for a year.",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // Depth is lost, a trade too, the clock goes back, and somebody else is on the tape.
    let mut lines: Vec<String> = frames(2_000, false).lines().map(ToOwned::to_owned).collect();
    let earlier = lines[600].split_once(' ').unwrap().0.to_owned();
    lines[603] = format!("{earlier} {}", lines[603].split_once(' ').unwrap().1);
    let depth = lines.iter().position(|line| line.contains("depthUpdate") && line.contains(r#""u":900,"#)).unwrap();
    lines.remove(depth);
    let trade = lines.iter().position(|line| line.contains(r#""t":1200,"#)).unwrap();
    lines.remove(trade);
    let other = lines[2_000].replace("BTCUSDT", "ETHUSDT").replace("btcusdt", "ethusdt");
    lines.insert(2_000, other);
    fs::write(place.path("torn.txt"), lines.join("\n")).unwrap();
    let text = place.ok(&on("torn.txt", &[]));
    for part in ["gaps in depth: 1", "trades missing: 1", "clock steps back: ", "frames of other symbols, left out: 1"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_tape_is_played_up_to_a_time() {
    let place = place();
    let document = place.json(&with(&["--to", "2024-08-08T23:55:00Z", "--json"]));
    let instrument = &document["manifest"]["instruments"][0];
    assert_eq!(instrument["last_event"], "2024-08-08T23:55:00Z");
    assert_eq!(
        (&instrument["data"]["played"]["events"], &instrument["data"]["report"]["events"]),
        (&json!(1_383), &json!(6_001))
    );
    let early = place.fails(&with(&["--to", "2024-08-08T23:54:00Z"]));
    assert!(
        early.contains(
            "spot.txt shows no bid or ask of BTCUSDT up to --to 2024-08-08T23:54:00Z; it goes from 2024-08-08T23:54:14Z to \
             2024-08-08T23:57:33.95Z"
        ),
        "{early}"
    );
}

#[test]
fn a_perpetual_is_traded_on_margin() {
    let place = place();
    let perpetual = ["--kind", "perpetual", "--leverage", "5", "--margin", "isolated", "--maintenance", "0.01"];
    let document = place.json(&on("perpetual.txt", &[&perpetual[..], &["--json"]].concat()));
    let manifest = &document["manifest"];
    assert_eq!((&manifest["margin"]["mode"], &manifest["margin"]["leverage"]), (&json!("isolated"), &json!("5")));
    let shorts = document["trades"].as_array().unwrap().iter().filter(|trade| trade["side"] == "short").count();
    assert!(shorts > 0, "{}", document["trades"]);
    let summary = place.ok(&on("perpetual.txt", &perpetual));
    assert!(
        summary.contains("  perpetual: isolated margin, leverage 5, marked to the last price, no funding\n"),
        "{summary}"
    );
    let spot = place.fails(&on("perpetual.txt", &["--leverage", "5"]));
    assert!(spot.contains("BTCUSDT is spot, which does not take --leverage; add --kind perpetual"), "{spot}");
}

#[test]
fn a_saved_run_plays_again() {
    let place = place();
    let kept = place.json(&with(&["--save", "run.jsonl", "--trades", "trades.csv", "--json"]));
    let rows = fs::read_to_string(place.path("trades.csv")).unwrap().lines().count();
    assert_eq!(rows, kept["trades"].as_array().unwrap().len() + 1);
    let again = place.json(&["replay", "run.jsonl", "--json"]);
    assert_eq!((&again["identical"], &again["run_again"]), (&json!(true), &json!(true)), "{again}");
    let stopped = place.ok(&["replay", "run.jsonl", "--debug"]);
    assert!(
        stopped.contains("it ran to its end") && stopped.contains("the last trades of others:\n  2024"),
        "{stopped}"
    );

    fs::rename(place.path("spot.txt"), place.path("moved.txt")).unwrap();
    let missing = place.fails(&["replay", "run.jsonl"]);
    assert!(missing.contains("spot.txt, the tape of this run, is not there; give it with --tape FILE"), "{missing}");
    assert_eq!(place.json(&["replay", "run.jsonl", "--log-only", "--json"])["identical"], true);
    assert_eq!(place.json(&["replay", "run.jsonl", "--tape", "moved.txt", "--json"])["identical"], true);
    let two = place.fails(&["replay", "run.jsonl", "--tape", "moved.txt", "--tape", "moved.txt"]);
    assert!(two.contains("2 --tape were given; the run has 1 instruments"), "{two}");
    let bars = place.fails(&["replay", "run.jsonl", "--data", "moved.txt"]);
    assert!(bars.contains("this run was played on tapes; give them with --tape"), "{bars}");

    // One trade was a little larger.
    let text = fs::read_to_string(place.path("moved.txt")).unwrap();
    fs::write(place.path("spot.txt"), text.replacen(r#""q":"2.003""#, r#""q":"2.004""#, 1)).unwrap();
    let output = place.run(&["replay", "run.jsonl"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("run again: the results are DIFFERENT at /instruments/0/data/digest: ")
            || said.contains("/manifest/instruments/0/data/digest: "),
        "{said}"
    );
}

#[test]
fn a_page_is_written_without_bars() {
    let place = place();
    place.ok(&with(&["--report", "run.html"]));
    let page = fs::read_to_string(place.path("run.html")).unwrap();
    for part in ["market-maker on BTCUSDT", "200 returns from sample to sample, not stated for a year", "tape 1"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn strategies_and_data_that_do_not_fit_are_refused() {
    let place = place();
    let bars = place.fails(&["backtest", "ma-cross", "--symbol", "BTCUSDT", "--tape", "spot.txt"]);
    assert!(
        bars.contains(
            "ma-cross trades bars, and a tape has none of them; give its bars with --data FILE --interval LENGTH"
        ),
        "{bars}"
    );
    fs::write(place.path("bars.csv"), place::waves(100)).unwrap();
    let args = ["backtest", "market-maker", "--symbol", "A", "--interval", "1h", "--data", "bars.csv"];
    let tape = place.fails(&args);
    assert!(tape.contains("bars have none of them; backtest it on a recording with --tape FILE"), "{tape}");
    let two = place.fails(&with(&["--symbol", "ETHUSDT"]));
    assert!(
        two.contains("2 --symbol and 1 --tape were given; give one tape for each symbol, in the same order"),
        "{two}"
    );
}

#[test]
fn options_of_bars_are_refused() {
    let place = place();
    for option in [
        &["--interval", "1h"][..],
        &["--data", "bars.csv"],
        &["--workspace", "."],
        &["--from", "2024-01-01"],
        &["--profile", "conservative"],
        &["--slippage-bps", "1"],
        &["--half-spread-bps", "0"],
        &["--impact-bps", "1"],
        &["--funding", "funding.csv"],
        &["--marks", "marks.csv"],
        &["--delist-at-end"],
    ] {
        let output = place.run(&with(option));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{option:?}: {error}");
        assert!(error.contains("cannot be used with") && error.contains(option[0]), "{option:?}: {error}");
    }
    let neither = place.run(&["backtest", "market-maker", "--symbol", "BTCUSDT"]);
    assert_eq!(neither.status.code(), Some(2));
    assert!(String::from_utf8(neither.stderr).unwrap().contains("--interval <INTERVAL>"));
}

#[test]
fn a_tape_that_cannot_be_played_says_why() {
    let place = place();
    let whole = frames(2_000, false);
    let without = |kind: &str| {
        let mut text = String::new();
        whole.lines().filter(|line| !line.contains(kind)).for_each(|line| writeln!(text, "{line}").unwrap());
        text
    };
    let mut damaged: Vec<&str> = whole.lines().collect();
    damaged[41] = &damaged[41][..60];
    let packed = gzipped(&whole);
    let only_depth =
        without("bookTicker").lines().filter(|line| !line.contains("lastUpdateId")).collect::<Vec<_>>().join("\n");
    let only_book =
        without("bookTicker").lines().filter(|line| !line.contains("@trade")).collect::<Vec<_>>().join("\n");
    let nameless = whole.replacen(r#"{"stream":"btcusdt@depth","data":"#, "", 1).replacen("]]}}\n", "]]}\n", 1);
    let two = format!(
        "{nameless}{}",
        whole.lines().last().unwrap().replace("BTCUSDT", "ETHUSDT").replace("btcusdt", "ethusdt")
    );
    for (name, bytes, said) in [
        ("line.txt", damaged.join("\n").into_bytes(), "line.txt, line 42: the frame at its byte"),
        ("cut.gz", packed[..packed.len() / 2].to_vec(), "cut.gz ends in the middle of its gzip data, after line"),
        ("bars.csv", place::waves(3).into_bytes(), "bars.csv, line 1: no space in `timestamp,open"),
        ("empty.txt", Vec::new(), "empty.txt has no frame of BTCUSDT; give its symbol"),
        (
            "depth.txt",
            only_depth.into_bytes(),
            "depth.txt shows no bid or ask of BTCUSDT, so that no order could trade: it has no bookTicker, and no snapshot for its \
             2000 frames of depth; record bookTicker, or a snapshot after the depth stream has begun",
        ),
        (
            "book.txt",
            only_book.into_bytes(),
            "market-maker is told of quotes and trades alone, and there are none; record bookTicker for quotes",
        ),
        (
            "two.txt",
            two.into_bytes(),
            "frames of ETHUSDT and a snapshot that names no symbol; give a file with BTCUSDT alone",
        ),
    ] {
        fs::write(place.path(name), bytes).unwrap();
        let error = place.fails(&on(name, &[]));
        assert!(error.contains(said), "{name}: {error}");
    }
    let missing = place.fails(&on("missing.gz", &[]));
    assert!(missing.contains("the tape missing.gz cannot be read: ") && missing.contains("No such file"), "{missing}");
    let folder = place.fails(&on(".", &[]));
    assert!(folder.contains(". is not a file; a tape is one"), "{folder}");
    let other = place.fails(&["backtest", "market-maker", "--symbol", "ETHUSDT", "--tape", "spot.txt"]);
    assert!(other.contains("spot.txt has no frame of ETHUSDT, but of btcusdt"), "{other}");
}

#[test]
fn without_a_snapshot_the_quotes_are_played_alone() {
    let place = place();
    let text = frames(2_000, false);
    let quotes = text.lines().filter(|line| !line.contains("lastUpdateId")).collect::<Vec<_>>().join("\n");
    fs::write(place.path("quotes.txt"), quotes).unwrap();
    let summary = place.ok(&on("quotes.txt", &[]));
    assert!(summary.contains("2000 quotes, 2000 trades and 0 changes of depth played"), "{summary}");
    assert!(summary.contains("depth frames without a snapshot: 2000"), "{summary}");
}

#[test]
fn recordings_of_binance_are_played_and_verified() {
    let Some(folder) = test_data() else { return };
    let place = Place::new();
    let spot = (
        "spot-btcusdt-20240808.gz",
        &[][..],
        json!({"events": 41_247, "quotes": 28_040, "trades": 9_757, "depth": 3_450}),
    );
    let until = &["--kind", "perpetual", "--leverage", "10", "--to", "2024-08-08T23:55:00Z"];
    let perpetual = (
        "usdm-btcusdt-20240808.gz",
        &until[..],
        json!({"events": 11_068, "quotes": 8_400, "trades": 1_811, "depth": 857}),
    );
    for (file, more, played) in [spot, perpetual] {
        let tape = folder.join("binance-raw-ws").join(file).canonicalize().unwrap();
        let run =
            ["backtest", "market-maker", "--symbol", "BTCUSDT", "--param", "distance=0", "--latency-ms", "5", "--json"];
        let kept = ["--tape", tape.to_str().unwrap(), "--save", "run.jsonl"];
        let document = place.json(&[&run[..], &kept, more].concat());
        assert_eq!(document["manifest"]["instruments"][0]["data"]["played"], played, "{file}");
        assert!(document["metrics"]["trades"].as_u64().unwrap() > 10, "{document:#}");
        assert_eq!(place.json(&["replay", "run.jsonl", "--json"])["identical"], true, "{file}");
    }
}

//! Market data in a workspace, as its users meet it.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::fs;
use std::path::Path;

use place::{Place, waves};
use serde_json::Value as Json;

/// A workspace with a file of bars.
fn workspace(bars: i64) -> Place {
    let place = Place::new();
    place.ok(&["init"]);
    fs::write(place.path("bars.csv"), waves(bars)).unwrap();
    place
}

fn import(place: &Place, file: &str) -> Json {
    place.json(&["data", "import", file, "--symbol", "BTCUSDT", "--json"])
}

/// Every file below a folder with its length, hidden ones included.
fn files(folder: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), entry.metadata().unwrap().len()));
        }
    }
    found.sort_unstable();
    found
}

#[test]
fn a_workspace_is_made_once_and_found_from_below() {
    let place = Place::new();
    let error = place.fails(&["data", "list"]);
    assert!(error.contains("make a workspace with `tiltyard init`"), "{error}");
    assert!(place.ok(&["init", "ground", "--dry-run"]).contains("ground would become a workspace"));
    assert!(!place.path("ground").exists());
    assert!(place.ok(&["init", "ground"]).contains("ground is a workspace"));
    assert!(place.path("ground/data").is_dir() && place.path("ground/strategies").is_dir());
    assert!(place.fails(&["init", "ground"]).contains("tiltyard.toml is there already"));
    assert!(place.ok(&["data", "list", "--workspace", "ground"]).contains("is empty; fill it"));
    assert!(place.fails(&["data", "list", "--workspace", "ground/data"]).contains("is no workspace"));
    fs::write(place.path("ground/tiltyard.toml"), "venue = 1\nspeed = 2\n").unwrap();
    let error = place.fails(&["data", "list", "--workspace", "ground"]);
    assert!(error.contains("2 problems") && error.contains("`speed` is not known"), "{error}");
}

#[test]
fn what_is_imported_is_detected_checked_and_listed() {
    let place = workspace(100);
    let mut lines: Vec<String> = waves(100).lines().map(str::to_owned).collect();
    lines.remove(50);
    lines.swap(60, 61);
    fs::write(place.path("bars.csv"), lines.join("\n")).unwrap();
    let text = place.ok(&["data", "import", "bars.csv", "--symbol", "BTCUSDT"]);
    for part in [
        "bars.csv: 99 bars of 1h; CSV with a header",
        "times in milliseconds",
        "1 row out of order, sorted; 1 bar missing in 1 gap, not filled",
        "binance BTCUSDT 1h, 99 bars from 2024-01-01T00:00:00Z to 2024-01-05T03:00:00Z: 99 bars are new",
        "digest ",
        "Kept in ",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let list = place.json(&["data", "list", "--json"]);
    let series = &list["series"][0];
    assert_eq!((&series["symbol"], &series["bars"]), (&Json::from("BTCUSDT"), &Json::from(99)));
    assert_eq!((&series["interval"], &series["report"]["missing_bars"]), (&Json::from("1h"), &Json::from(1)));
    assert_eq!(series["sources"], Json::from(vec!["bars.csv"]));
    let check = place.ok(&["data", "check"]);
    assert!(check.contains("1 series are whole, 0 files are not"), "{check}");
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let place = workspace(50);
    let before = files(&place.path("data"));
    let would = place.json(&["data", "import", "bars.csv", "--symbol", "BTCUSDT", "--dry-run", "--json"]);
    assert_eq!(files(&place.path("data")), before);
    let did = import(&place, "bars.csv");
    assert_eq!((&would["kept"], &would["dry_run"]), (&did["kept"], &Json::Bool(true)));
    let synth = ["data", "synth", "--symbols", "2", "--bars", "10", "--dry-run"];
    assert!(place.ok(&synth).ends_with("Nothing was changed.\n"));
    let resample = ["data", "resample", "BTCUSDT", "--from", "1h", "--to", "4h", "--dry-run"];
    assert!(place.ok(&resample).contains("binance BTCUSDT 4h, 12 bars"));
    assert_eq!(place.json(&["data", "list", "--json"])["series"].as_array().unwrap().len(), 1);
}

#[test]
fn imports_add_up_and_contradictions_need_a_word() {
    let place = workspace(100);
    fs::write(place.path("early.csv"), waves(60)).unwrap();
    assert_eq!(import(&place, "early.csv")["kept"]["added"], 60);
    let all = import(&place, "bars.csv");
    assert_eq!((&all["kept"]["added"], &all["kept"]["same"]), (&Json::from(40), &Json::from(60)));
    fs::write(place.path("other.csv"), waves(100).replace(",1042.5", ",1.5")).unwrap();
    let command = ["data", "import", "other.csv", "--symbol", "BTCUSDT"];
    let error = place.fails(&command);
    assert!(error.contains("binance BTCUSDT 1h: 1 bar contradicts what is there\n  2024-01-02T18:00:00Z: "), "{error}");
    let replaced = place.ok(&[&command[..], &["--replace"]].concat());
    assert!(replaced.contains("0 bars are new, 99 were there, 1 are replaced"), "{replaced}");
}

#[test]
fn what_is_wrong_with_a_file_is_said_and_nothing_is_kept() {
    let place = workspace(5);
    let before = files(&place.path("data"));
    let row = "1704085200000,100,101,99,100,5\n";
    for (name, text, said) in [
        ("empty.csv", String::new(), "is empty"),
        ("header.csv", "timestamp,open,high,low,close,volume\n".to_owned(), "has a header but no rows"),
        ("columns.csv", "timestamp,open,high,low,volume\n".to_owned(), "no column `close`"),
        (
            "units.csv",
            waves(5) + &row.replace("1704085200000", "1704085200"),
            "time `1704085200` is in seconds, the rows before it are in milliseconds",
        ),
        ("bars.bin", "\u{0}\u{1}\u{2}".to_owned(), "no column"),
        ("impossible.csv", waves(5) + &row.replace("101", "1"), "high 1.0 is below open 100.0"),
    ] {
        fs::write(place.path(name), text).unwrap();
        for command in [&["data", "import", name, "--symbol", "BTCUSDT"][..], &["data", "check", "--file", name]] {
            let error = place.fails(command);
            assert!(error.contains(said) && error.contains(name), "{said} in {error}");
        }
    }
    assert_eq!(files(&place.path("data")), before);
    let error = place.fails(&["data", "import", "bars.csv", "--symbol", "\u{1b}[2J"]);
    assert!(error.contains("is no name for a series") && !error.contains('\u{1b}'), "{error}");
    assert!(
        place.fails(&["data", "export", "XY", "--interval", "1h", "--out", "x.csv"]).contains("is not in the catalog")
    );
}

#[test]
fn exports_import_to_the_same_digest() {
    let place = workspace(300);
    let digest = import(&place, "bars.csv")["kept"]["series"]["digest"].clone();
    for out in ["out.csv", "out.csv.gz", "out.parquet"] {
        place.ok(&["data", "export", "BTCUSDT", "--interval", "1h", "--out", out]);
        let check = place.json(&["data", "check", "--file", out, "--json"]);
        assert_eq!((&check["digest"], &check["bars"]), (&digest, &Json::from(300)), "{out}");
    }
    let error = place.fails(&["data", "export", "BTCUSDT", "--interval", "1h", "--out", "out.xls"]);
    assert!(error.contains("end it with .csv, .csv.gz or .parquet"), "{error}");
}

#[test]
fn longer_bars_are_one_more_series() {
    let place = workspace(100);
    import(&place, "bars.csv");
    let text = place.ok(&["data", "resample", "BTCUSDT", "--from", "1h", "--to", "1d"]);
    assert!(text.contains("the last bar is not whole, dropped: 2024-01-05T00:00:00Z with 4 of 24"), "{text}");
    assert!(text.contains("binance BTCUSDT 1d, 4 bars"), "{text}");
    let error = place.fails(&["data", "resample", "BTCUSDT", "--from", "1h", "--to", "90m"]);
    assert!(error.contains("90m is no whole multiple of 1h"), "{error}");
}

#[test]
fn made_up_markets_are_labelled_wherever_they_show() {
    let place = workspace(5);
    let synth = |more: &[&'static str]| [&["data", "synth", "--symbols", "2", "--interval", "1h"][..], more].concat();
    let first = place.ok(&synth(&["--bars", "48"]));
    assert!(first.contains("SYNTHETIC synthetic SYN1-USD 1h, 48 bars"), "{first}");
    let more = place.json(&synth(&["--bars", "96", "--json"]));
    assert_eq!((&more["kept"][1]["added"], &more["kept"][1]["same"]), (&Json::from(48), &Json::from(48)));
    let other = place.fails(&synth(&["--bars", "48", "--seed", "1"]));
    assert!(other.contains("seed 0") && other.contains("seed 1"), "{other}");
    place.ok(&synth(&["--bars", "48", "--seed", "1", "--venue", "synthetic-1"]));
    assert!(place.fails(&synth(&["--venue", "binance"])).contains("does not begin with `synthetic`"));
    place.ok(&["data", "resample", "SYN1-USD", "--venue", "synthetic", "--from", "1h", "--to", "1d"]);
    let list = place.ok(&["data", "list"]);
    assert_eq!(list.lines().filter(|line| line.ends_with("SYNTHETIC")).count(), 5, "{list}");
    for (out, warns) in [("a.csv", true), ("a.csv.gz", true), ("a.parquet", false)] {
        let said = place.ok(&["data", "export", "SYN1-USD", "--venue", "synthetic", "--interval", "1h", "--out", out]);
        assert_eq!(said.contains("Parquet keeps the label"), warns, "{said}");
    }
}

#[test]
fn what_is_written_replaces_files_alone_and_others_may_read_it() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let place = workspace(50);
    import(&place, "bars.csv");
    let export = |out| ["data", "export", "BTCUSDT", "--interval", "1h", "--out", out];
    fs::create_dir(place.path("folder.csv")).unwrap();
    assert!(place.fails(&export("folder.csv")).contains("folder.csv is there and no file"));
    fs::write(place.path("there.csv"), "").unwrap();
    symlink("there.csv", place.path("link.csv")).unwrap();
    place.ok(&export("link.csv"));
    assert!(place.path("link.csv").is_symlink() && fs::metadata(place.path("there.csv")).unwrap().len() > 0);
    place.ok(&export("new.csv"));
    let mode = |name| fs::metadata(place.path(name)).unwrap().permissions().mode();
    fs::write(place.path("usual.csv"), "").unwrap();
    assert_eq!(mode("new.csv"), mode("usual.csv"));
}

#[test]
fn a_damaged_file_is_named_and_the_others_are_still_listed() {
    let place = workspace(50);
    import(&place, "bars.csv");
    place.ok(&["data", "import", "bars.csv", "--symbol", "BTC/USDT"]);
    let path = place.path("data/binance/BTCUSDT/1h.parquet");
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, bytes).unwrap();
    let output = place.run(&["data", "check"]);
    assert_eq!(output.status.code(), Some(1));
    let (said, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(said.contains("binance BTC/USDT 1h") && said.contains("1 series are whole, 1 files are not"), "{said}");
    assert!(errors.contains("1h.parquet is damaged"), "{errors}");
    let error = place.fails(&["data", "export", "BTCUSDT", "--interval", "1h", "--out", "x.csv"]);
    assert!(error.contains("remove it and import the data again"), "{error}");
    assert!(!place.path("x.csv").exists());
}

#[cfg(unix)]
#[test]
fn a_place_that_cannot_be_written_is_named_and_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = workspace(50);
    let data = place.path("data");
    let allow = |mode| fs::set_permissions(&data, fs::Permissions::from_mode(mode)).unwrap();
    allow(0o555);
    let is_root = fs::write(data.join("probe"), "").is_ok();
    if is_root {
        // Nothing is read-only for root; a file where a folder should be stops even root.
        fs::remove_file(data.join("probe")).unwrap();
        fs::write(data.join("binance"), "").unwrap();
    }
    let error = place.fails(&["data", "import", "bars.csv", "--symbol", "BTCUSDT"]);
    allow(0o755);
    assert!(error.contains("data/binance"), "{error}");
    let left: Vec<String> = files(&data).into_iter().map(|(path, _)| path).collect();
    assert!(left.iter().all(|path| path.ends_with("data/binance")), "{left:?}");
}

/// `ulimit -f` stops a file from growing, as a full disk does.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let place = workspace(5_000);
    import(&place, "bars.csv");
    let before = files(&place.path("data"));
    let script = format!(
        "trap '' XFSZ; ulimit -f 8; exec {} data synth --symbols 1 --bars 20000 --venue synthetic",
        env!("CARGO_BIN_EXE_tiltyard")
    );
    let output = std::process::Command::new("sh").args(["-c", &script]).current_dir(place.path(".")).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("1h.parquet") && error.contains("File too large"), "{error}");
    assert_eq!(files(&place.path("data")), before);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let place = workspace(5);
    for args in [
        &["data"][..],
        &["data", "import", "bars.csv"],
        &["data", "import", "--symbol", "A"],
        &["data", "import", "bars.csv", "--symbol", "A", "--interval", "any"],
        &["data", "check", "--interval", "1h"],
        &["data", "synth", "--bars", "0"],
        &["data", "synth", "--begin", "soon"],
        &["data", "resample", "A", "--from", "1h"],
    ] {
        assert_eq!(place.run(args).status.code(), Some(2), "{args:?}");
    }
}

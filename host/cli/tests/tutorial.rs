//! The README's first five minutes, followed to the letter.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tiltyard");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The section of the README.
fn tutorial() -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let from = readme.find("## Your first strategy in five minutes").unwrap();
    let to = readme[from..].find("\n## What a backtest assumes").unwrap();
    readme[from..from + to].to_owned()
}

/// Where guests and their tests are built, so that only what is new is compiled.
fn target(name: &str) -> PathBuf {
    Path::new(PROGRAM).ancestors().nth(2).unwrap().join(name)
}

/// Makes a folder look like a clone, as far as the SDK goes.
fn with_sdk(folder: &Path) {
    symlink(root().join("guest-sdk"), folder.join("guest-sdk")).unwrap();
}

/// A command of a crate made by `new`, with the locked versions of everything, so that nothing has to be asked for.
fn cargo(crate_folder: &Path, command: &mut Command, target_dir: &str) {
    fs::copy(root().join("Cargo.lock"), crate_folder.join("Cargo.lock")).unwrap();
    command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", target(target_dir));
}

#[test]
fn the_tutorial_works_line_by_line() {
    let folder = TempDir::new().unwrap();
    let clone = folder.path().join("tiltyard");
    let momentum = folder.path().join("momentum");
    fs::create_dir(&clone).unwrap();
    with_sdk(&clone);
    fs::write(clone.join("btc.csv"), place::waves(1_500)).unwrap();
    let tutorial = tutorial();
    let lines: Vec<&str> = tutorial.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(lines.len() >= 8, "{lines:?}");
    for line in lines {
        let mut words = line.split(' ');
        // What cargo would build first is this very program.
        let ours = line.strip_prefix("cargo run --release -- ");
        let mut command = match ours {
            Some(rest) => {
                let mut command = Command::new(PROGRAM);
                command.args(rest.split(' ')).env("XDG_CACHE_HOME", folder.path().join("cache"));
                command
            }
            None => {
                let mut command = Command::new(words.next().unwrap());
                command.args(words);
                command
            }
        };
        if line.contains("cargo test") {
            cargo(&momentum, &mut command, "tutorial");
        } else if line.contains("-- build") {
            cargo(&momentum, &mut command, "guests");
        }
        let output = command.current_dir(&clone).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {error}");
        if line.contains("-- new") {
            let code = fs::read_to_string(momentum.join("src/lib.rs")).unwrap();
            assert!(tutorial.contains(code.trim_end()), "the README shows what `new` writes");
        }
    }
}

#[test]
fn the_other_template_works_too_and_watching_builds_it_again() {
    let folder = TempDir::new().unwrap();
    let dips = folder.path().join("dips");
    with_sdk(folder.path());
    let made =
        Command::new(PROGRAM).args(["new", "dips", "--template", "strategy"]).current_dir(folder.path()).output();
    assert!(made.unwrap().status.success());
    let mut test = Command::new("cargo");
    cargo(&dips, &mut test, "tutorial");
    let output = test.arg("test").current_dir(&dips).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let mut watch = Command::new(PROGRAM);
    cargo(&dips, &mut watch, "guests");
    let mut watch = watch
        .args(["build", "dips", "--out", "dips.wasm", "--watch"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut described = move || lines.by_ref().find(|line| line.starts_with("dips 0.1.0")).unwrap();
    assert!(described().contains("takes a fixed profit"));
    let code = fs::read_to_string(dips.join("src/lib.rs")).unwrap();
    fs::write(dips.join("src/lib.rs"), code.replace("takes a fixed profit", "takes its chance")).unwrap();
    assert!(described().contains("takes its chance"));
    let code = fs::read_to_string(dips.join("src/lib.rs")).unwrap();
    let panics = "if bar.close < 120.0 { panic!(\"{} is too low\", bar.close) }\n        if !desk.open_orders()";
    fs::write(dips.join("src/lib.rs"), code.replacen("if !desk.open_orders()", panics, 1)).unwrap();
    described();
    watch.kill().unwrap();
    watch.wait().unwrap();

    // What it did, and where it stopped.
    fs::write(folder.path().join("bars.csv"), place::waves(500)).unwrap();
    let ours = |line: &str| {
        let mut command = Command::new(PROGRAM);
        command.args(line.split(' ')).env("XDG_CACHE_HOME", folder.path().join("cache")).current_dir(folder.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, _) = ours("backtest dips.wasm --symbol A --interval 1h --data bars.csv --save run.jsonl");
    assert_eq!(code, Some(1), "a fault is a failure");
    let (code, text) = ours("replay run.jsonl --debug");
    assert_eq!(code, Some(0));
    for part in ["stopped by a fault at 2024-01-0", " is too low", "  in ", "the last bars:", "\"executed\"", "\"bar\""]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(text.contains("dips::"), "the guest's own function is named: {text}");
}

#[test]
fn nothing_is_overwritten_and_names_are_checked() {
    let place = place::Place::new();
    with_sdk(&place.path(""));
    place.ok(&["new", "mine"]);
    let error = place.fails(&["new", "mine"]);
    assert!(error.contains("mine is there already; give another name"), "{error}");
    assert!(place.fails(&["new", "Mine"]).contains("`Mine` is no name for a strategy"));
    assert!(place.fails(&["new", "match"]).contains("is a word of Rust itself"));
    assert!(place.fails(&["new", "other", "--sdk", "."]).contains("is not the folder `guest-sdk`"));
    assert!(!place.path("other").exists());
}

//! A place to run the program in.
#![allow(dead_code, reason = "every test file uses some of it")]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value as Json;
use tempfile::TempDir;

/// What is tested.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tiltyard");

/// A folder with the examples in it, and a cache beside them.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for example in tiltyard_examples::EXAMPLES {
            fs::write(folder.path().join(format!("{}.wasm", example.name)), example.component).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(PROGRAM).args(args).output().unwrap()
    }

    /// Another program, here.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("XDG_CACHE_HOME", self.path("cache"));
        command
    }

    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, args: &[&str]) -> Json {
        serde_json::from_str(&self.ok(args)).unwrap()
    }

    /// What it says when it fails, with exit code 1.
    pub(crate) fn fails(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        String::from_utf8(output.stderr).unwrap().replace(&self.folder.path().display().to_string(), "HERE")
    }
}

/// Hourly bars from 2024-01-01 that go up and down in waves of some days, with two decimals.
pub(crate) fn waves(bars: i64) -> String {
    let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
    let price = |at: i64| 10_000 + (at * at % 211) + 40 * ((at % 200) - 100).abs() + at % 7 * 13;
    let cents = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
    for at in 0..bars {
        let (open, close) = (price(at), price(at + 1));
        let time = 1_704_067_200_000 + at * 3_600_000;
        let [open_text, high, low, close_text] = [open, open.max(close) + 25, open.min(close) - 25, close].map(cents);
        writeln!(text, "{time},{open_text},{high},{low},{close_text},{}.5", 1_000 + at % 100).unwrap();
    }
    text
}

//! What becomes of a workspace when the disk is full or nothing may be written.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use place::{PROGRAM, Place, waves};
use serde_json::Value as Json;
use tiltyard_model::Digest;

/// Somebody who owns nothing.
const NOBODY: u32 = 65_534;

const IMPORT: [&str; 5] = ["data", "import", "more.csv", "--symbol", "ETHUSDT"];
const REPORT: [&str; 8] = ["backtest", "ma-cross", "--symbol", "BTCUSDT", "--interval", "1h", "--report", "run.html"];
const TOURNAMENT: [&str; 13] = [
    "tournament",
    "run",
    "--strategy",
    "ma-cross",
    "--symbol",
    "BTCUSDT",
    "--interval",
    "1h",
    "--holdout-months",
    "0",
    "--grid",
    "fast=2,3,4,5,6,7",
    "--grid=slow=20,40,60",
];
/// One of two variants.
const SMALL: [&str; 9] =
    ["tournament", "run", "--strategy", "donchian", "--symbol", "BTCUSDT", "--interval", "1h", "--sample=2"];

/// A workspace with one series and another to import. What is compiled is in the cache already.
fn workspace() -> Place {
    let place = Place::new();
    place.ok(&["init"]);
    fs::write(place.path("bars.csv"), waves(3_000)).unwrap();
    fs::write(place.path("more.csv"), waves(1_500)).unwrap();
    place.ok(&["data", "import", "bars.csv", "--symbol", "BTCUSDT"]);
    place.ok(&["backtest", "ma-cross", "--symbol", "BTCUSDT", "--interval", "1h"]);
    place
}

/// Every file here with the digest of its bytes, but for the cache; the database without what it notes beside it.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "cache" {
            found.extend(files(&path));
        } else if path.is_file() && !name.ends_with("-wal") && !name.ends_with("-shm") && name != ".lock" {
            found.insert(path.clone(), Digest::of(&fs::read(path).unwrap()).short());
        }
    }
    found
}

/// What it says on failing, with exit code 1 and nothing on standard output.
#[track_caller]
fn error_of(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(output.stdout.is_empty() && error.starts_with("error: "), "{error}");
    error
}

/// After the misfortune everything works, and gives what it gives without any.
fn works_as_ever(place: &Place) {
    place.ok(&IMPORT);
    place.ok(&REPORT);
    place.ok(&["data", "check"]);
    static UNDISTURBED: OnceLock<Json> = OnceLock::new();
    let digest = |place: &Place| place.json(&[&TOURNAMENT[..], &["--json"]].concat())["digest"].clone();
    assert_eq!(&digest(place), UNDISTURBED.get_or_init(|| digest(&workspace())));
}

/// As somebody who may read everything here and write nothing.
struct Reader<'a> {
    place: &'a Place,
    is_root: bool,
}

impl<'a> Reader<'a> {
    /// Takes the right to write from everything. Nothing if that would have no effect.
    fn of(place: &'a Place) -> Option<Self> {
        let here = place.path("");
        let reader = Self { place, is_root: fs::metadata("/proc/self").unwrap().uid() == 0 };
        reader.set(&here, 0o555, 0o444);
        // What is compiled may be kept.
        let cache = place.path("cache");
        reader.set(&cache, 0o700, 0o600);
        if reader.is_root {
            give(&cache, NOBODY);
            if !reader.command(PROGRAM).arg("--version").output().is_ok_and(|output| output.status.success()) {
                #[expect(clippy::print_stderr, reason = "a test that tests nothing says so")]
                {
                    eprintln!("skipped: the tests run as root, and `setpriv` cannot run the program as somebody else");
                }
                return None;
            }
        }
        Some(reader)
    }

    fn set(&self, path: &Path, folder: u32, file: u32) {
        let is_folder = path.is_dir();
        if is_folder {
            // First, so that what is in it can be seen.
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
            fs::read_dir(path).unwrap().for_each(|entry| self.set(&entry.unwrap().path(), folder, file));
        }
        fs::set_permissions(path, Permissions::from_mode(if is_folder { folder } else { file })).unwrap();
    }

    fn command(&self, program: &str) -> Command {
        if !self.is_root {
            return self.place.command(program);
        }
        let mut command = self.place.command("setpriv");
        let nobody = NOBODY.to_string();
        command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups", "--", program]);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(PROGRAM).args(args).output().unwrap()
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.set(&self.place.path(""), 0o755, 0o644);
        self.set(&self.place.path("cache"), 0o700, 0o600);
        if self.is_root {
            give(&self.place.path("cache"), 0);
        }
    }
}

fn give(path: &Path, owner: u32) {
    chown(path, Some(owner), Some(owner)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path(), owner));
    }
}

#[test]
fn a_workspace_that_cannot_be_written_can_be_read_and_stays_as_it_is() {
    let place = workspace();
    let before = files(&place.path(""));
    {
        let Some(reader) = Reader::of(&place) else { return };
        for (args, part) in [
            (&IMPORT[..], "data/binance/ETHUSDT: Permission denied"),
            (&REPORT, "writing run.html: Permission denied"),
            (
                &TOURNAMENT,
                "tiltyard.db cannot be opened; see that its folder exists and that file and folder can be written",
            ),
        ] {
            let error = error_of(&reader.run(args));
            assert!(error.contains(part), "{error}");
        }
        for args in [&REPORT[..6], &["data", "list"], &["data", "check"], &[&TOURNAMENT[..], &["--dry-run"]].concat()] {
            let output = reader.run(args);
            assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    assert_eq!(files(&place.path("")), before);
    works_as_ever(&place);
}

#[test]
fn a_database_that_cannot_be_written_is_refused_before_anything_is_run() {
    let place = workspace();
    place.ok(&SMALL);
    let before = files(&place.path(""));
    {
        let Some(reader) = Reader::of(&place) else { return };
        let error = error_of(&reader.run(&TOURNAMENT));
        assert!(error.contains("tiltyard.db cannot be written; give its user the right to write"), "{error}");
    }
    assert_eq!(files(&place.path("")), before);
    works_as_ever(&place);
}

/// Runs it where no file can grow beyond so many kibibytes: what a full disk does, but for the number of the error.
fn short_of_space(place: &Place, kibibytes: u32, args: &[&str]) -> Output {
    // Units of 512 bytes, as POSIX has them; without the signal the program gets an error, as from a disk.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", kibibytes * 2);
    place.command("sh").args(["-c", &script, "sh", PROGRAM]).args(args).output().unwrap()
}

#[test]
fn a_full_disk_ends_what_writes_and_leaves_nothing_half_written() {
    let place = workspace();
    place.ok(&SMALL);
    let before = files(&place.path(""));
    for (args, part) in [
        (&IMPORT[..], "data/binance/ETHUSDT/1h.parquet: File too large"),
        (&REPORT, "writing run.html: File too large"),
        (&["data", "export", "BTCUSDT", "--interval", "1h", "--out", "btc.csv"], "writing btc.csv: File too large"),
    ] {
        let error = error_of(&short_of_space(&place, 8, args));
        assert!(error.contains(part), "{error}");
    }
    let error = error_of(&short_of_space(&place, 64, &TOURNAMENT));
    assert!(error.contains("components/") && error.contains("File too large"), "{error}");
    assert_eq!(files(&place.path("")), before);
    works_as_ever(&place);
}

#[test]
fn a_tournament_whose_database_cannot_grow_goes_on_later() {
    let place = workspace();
    place.ok(&SMALL);
    let error = error_of(&short_of_space(&place, 300, &TOURNAMENT));
    assert!(error.contains("the system does not let the database grow: nothing of the batch was kept"), "{error}");
    assert!(place.json(&["tournament", "list", "--json"])["tournaments"].is_array(), "the database is whole");
    works_as_ever(&place);
}

#[test]
fn a_tournament_that_has_no_room_for_its_page_is_kept_and_writes_it_later() {
    let place = workspace();
    let error = error_of(&short_of_space(&place, 3_000, &SMALL));
    assert!(error.contains("reports/tournament-") && error.contains("File too large"), "{error}");
    assert_eq!(fs::read_dir(place.path("reports")).unwrap().count(), 0);
    let listed = place.json(&["tournament", "list", "--json"]);
    assert_eq!(listed["tournaments"][0]["pending"], 0, "what was run need not be run again: {listed}");
    place.ok(&SMALL);
    assert_eq!(fs::read_dir(place.path("reports")).unwrap().count(), 1);
    works_as_ever(&place);
}

#[test]
fn a_file_where_a_folder_is_needed_is_named() {
    let place = workspace();
    fs::write(place.path("reports"), "mine").unwrap();
    let error = error_of(&place.run(&TOURNAMENT));
    assert!(error.contains("reports: "), "{error}");
    assert_eq!(fs::read_to_string(place.path("reports")).unwrap(), "mine");
    fs::remove_file(place.path("reports")).unwrap();
    works_as_ever(&place);
}

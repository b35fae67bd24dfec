//! Whatever ends a tournament on the way, it goes on from there and ends as it would have.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, io, thread};

use tiltyard_market::Catalog;
use tiltyard_model::{Digest, Random};
use tiltyard_store::Store;
use tiltyard_tests::Wat;
use tiltyard_tournament::{HoldError, hold};

use crate::field::{Field, NOON, held, made_up, strategy};

/// Where the child's data and store are; only the child has it.
const PATH: &str = "TILTYARD_KILLED_TOURNAMENT";

fn walk() -> String {
    made_up(2, "[windows]\nkind = \"anchored\"\ntrain_days = 20\ntest_days = 10")
        + &strategy("ma-cross", "fast = [3, 5, 8]\nslow = [20, 40]")
        + &strategy("falls", "")
        + &strategy("rsi-reversion", "window = [7, 14]")
}

fn with_guests(field: Field) -> Field {
    field.with("falls", &Wat { on_bar: "(unreachable)", ..Wat::default() }.component())
}

fn field() -> Field {
    with_guests(Field::made_up(5, 2, 2_000))
}

#[test]
fn one_that_is_stopped_half_way_goes_on_and_ends_as_one_that_was_not() {
    let (field, text) = (field(), walk());
    let contest = field.contest(&text).unwrap();
    let whole = held(&contest, &text, &mut Store::open_in_memory().unwrap(), 1);

    let mut store = Store::open_in_memory().unwrap();
    let stop = AtomicBool::new(false);
    let half = contest.runs.len() / 2;
    let stopped = hold(&contest, &text, &mut store, 2, &|| NOON, &stop, &mut |progress| {
        stop.fetch_or(progress.done >= half, Ordering::Relaxed);
    });
    let Err(HoldError::Stopped { done, all }) = stopped else { panic!("{stopped:?}") };
    assert!((half..all).contains(&done), "{done} of {all}");
    let tournament = &store.tournaments().unwrap()[0];
    assert_eq!((tournament.finished, store.pending(tournament.id()).unwrap().len()), (None, all - done));
    assert!(store.trials().unwrap().is_empty(), "what nobody has seen is no trial yet");

    let mut first = None;
    let resumed = hold(&contest, &text, &mut store, 2, &|| NOON, &AtomicBool::new(false), &mut |progress| {
        first.get_or_insert(progress);
    });
    let (_, resumed) = resumed.unwrap();
    assert_eq!(first.map(|progress| progress.known), Some(done), "what had ended is not run again");
    assert_eq!((resumed.digest, &resumed.rows, &resumed.equity), (whole.digest, &whole.rows, &whole.equity));
    store.check().unwrap();
}

#[test]
fn runs_that_another_tournament_has_made_are_not_made_again() {
    let (field, text) = (field(), walk());
    let mut store = Store::open_in_memory().unwrap();
    held(&field.contest(&text).unwrap(), &text, &mut store, 2);
    let more = text.replace("fast = [3, 5, 8]", "fast = [3, 5, 8, 10]");
    let contest = field.contest(&more).unwrap();
    let alone = field.table(&more);
    let mut known = None;
    let (_, table) = hold(&contest, &more, &mut store, 2, &|| NOON, &AtomicBool::new(false), &mut |progress| {
        known.get_or_insert(progress.known);
    })
    .unwrap();
    assert_eq!(known, Some(field.contest(&text).unwrap().runs.len()));
    assert_eq!(table.digest, alone.digest, "who was there before does not show");
    assert_eq!(table.trials, alone.trials, "the same variant is one trial however often it is tried");
}

#[test]
fn rules_that_have_changed_make_it_another_tournament() {
    let (mut field, text) = (field(), walk());
    let mut store = Store::open_in_memory().unwrap();
    let before = held(&field.contest(&text).unwrap(), &text, &mut store, 2);
    let rules = r#"
[[instrument]]
venue = "synthetic"
symbol = "SYN1-USD"
kind = "spot"
base = "SYN1"
quote = "USD"
[[instrument.rules]]
from = 2020-01-01
tick = 0.01
lot = 0.0001
min_notional = 10
maker_fee = 0.01
taker_fee = 0.01
max_leverage = 1
"#;
    field.instruments = tiltyard_market::Instruments::parse("rules", rules).unwrap();
    let after = held(&field.contest(&text).unwrap(), &text, &mut store, 2);
    assert_ne!(before.digest, after.digest);
    assert_eq!(store.tournaments().unwrap().len(), 2);
    store.check().unwrap();
}

/// The child's part; without a path there is nothing to do.
#[test]
fn child() {
    let Some(path) = env::var_os(PATH) else { return };
    let path = Path::new(&path);
    let field = with_guests(Field::at(Catalog::open(path.join("data")).unwrap()));
    let text = walk();
    let contest = field.contest(&text).unwrap();
    let mut store = Store::open(path.join("workspace.db")).unwrap();
    let tell = |line: &str| {
        println!("{line}");
        io::stdout().flush().unwrap();
    };
    let never = AtomicBool::new(false);
    let (_, table) = hold(&contest, &text, &mut store, 2, &|| NOON, &never, &mut |progress| {
        tell(&format!("runs {}", progress.known + progress.done));
    })
    .unwrap();
    tell(&format!("digest {}", table.digest));
}

/// Lets a child go on until so many runs have ended, and then for some moments more. What it told of at the end, if it was
/// faster than that.
fn hold_and_kill(path: &Path, runs: usize, more: Duration) -> Option<Digest> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "resumed::child", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut digest = None;
    let mut look = |line: &str| {
        let last = line.split("digest ").nth(1).and_then(|digest| digest.trim().parse().ok());
        digest = digest.or(last);
        line.split("runs ").nth(1).and_then(|runs| runs.trim().parse().ok()).is_some_and(|ended: usize| ended >= runs)
    };
    let _ = lines.by_ref().any(|line| look(&line));
    thread::sleep(more);
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines {
        look(&line);
    }
    digest
}

#[test]
fn one_that_is_killed_again_and_again_ends_as_one_that_was_not() {
    let field = field();
    let text = walk();
    let contest = field.contest(&text).unwrap();
    let whole = held(&contest, &text, &mut Store::open_in_memory().unwrap(), 2);
    let (path, all) = (field.folder.path(), contest.runs.len());
    let mut random = Random(11);
    // Early, in the middle, and after the last run, when the table is made.
    for from in [0, 0, all / 4, all / 2, all / 2, all * 3 / 4, all, all, all] {
        hold_and_kill(path, from, Duration::from_micros(random.next_u64() % 40_000));
        let store = Store::open(path.join("workspace.db")).unwrap();
        store.check().unwrap();
        for tournament in store.tournaments().unwrap() {
            let ended = tournament.finished.map(|finish| finish.result);
            assert!(ended.is_none_or(|digest| digest == whole.digest));
        }
    }
    let mut store = Store::open(path.join("workspace.db")).unwrap();
    let resumed = held(&contest, &text, &mut store, 2);
    assert_eq!((resumed.digest, &resumed.rows), (whole.digest, &whole.rows));
    assert_eq!(store.tournaments().unwrap().len(), 1);
    assert!(store.tournaments().unwrap()[0].finished.is_some());
    store.check().unwrap();
    assert_eq!(hold_and_kill(path, usize::MAX, Duration::ZERO), Some(whole.digest), "and so does another process");
}

//! A writer that is killed at any moment leaves every batch whole or absent.
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(clippy::print_stdout, reason = "how the child tells what it has written")]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, io, thread};

use common::{NOON, enter, run, span, trade, trial, variant};
use tiltyard_model::Random;
use tiltyard_store::{Store, StoreError};

/// Where the child writes; only the child has it.
const PATH: &str = "TILTYARD_KILLED_STORE";
const RUNS: u64 = 20;
const TRADES: usize = 5;

/// One batch: a variant with its runs, their trades, a tournament and a trial.
fn write(store: &mut Store, number: i64) -> Result<(), StoreError> {
    store.batch(|batch| {
        let variant = enter(batch, "a", [number])?.remove(0);
        let spec = format!("tournament {number}");
        let entries: Vec<_> = (0..RUNS).map(|window| (variant.digest(), window.to_string())).collect();
        let id = batch.begin_tournament("t", &spec, &entries, NOON)?;
        for window in 0..RUNS {
            let run = run(&variant, window);
            batch.insert_run(&run)?;
            batch.insert_trades(run.key(), &vec![trade(1.0); TRADES])?;
            batch.finish_entry(id, window as u32, run.key())?;
        }
        batch.finish_tournament(id, variant.digest(), NOON)?;
        batch.insert_trial(&trial("a", number, span(&["BTC"], 0, 10), 30)).map(|_| ())
    })
}

/// The child's part; without a path there is nothing to do.
#[test]
fn writer() {
    let Some(path) = env::var_os(PATH) else { return };
    let mut store = Store::open(path).unwrap();
    for number in store.tournaments().unwrap().len() as i64.. {
        write(&mut store, number).unwrap();
        println!("written {number}");
        io::stdout().flush().unwrap();
    }
}

/// Lets a child write until it has told of so many batches, and then for some moments more. Says how many it told of.
fn write_and_kill(path: &Path, batches: u64, more: Duration) -> usize {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "writer", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut told = lines.filter(|line| line.contains("written"));
    let first = told.by_ref().take(batches as usize).count();
    thread::sleep(more);
    child.kill().unwrap();
    child.wait().unwrap();
    first + told.count()
}

/// How many batches there are, every one of them whole.
fn whole_batches(path: &Path) -> usize {
    let store = Store::open(path).unwrap();
    store.check().unwrap();
    let batches = store.tournaments().unwrap();
    for (number, tournament) in batches.iter().enumerate() {
        assert_eq!(tournament.spec, format!("tournament {number}"));
        assert!(tournament.finished.is_some() && store.pending(tournament.id()).unwrap().is_empty());
        let runs = store.runs_of(variant("a", number as i64).digest()).unwrap();
        assert_eq!(runs.len() as u64, RUNS, "batch {number}");
        for run in &runs {
            assert_eq!(store.trades(run.key()).unwrap().unwrap().len(), TRADES, "batch {number}");
        }
    }
    assert_eq!(store.trials().unwrap().len(), batches.len());
    assert_eq!(store.components().unwrap().len(), usize::from(!batches.is_empty()));
    for component in store.components().unwrap() {
        assert_eq!(store.component_bytes(component.digest).unwrap(), common::bytes("a"));
    }
    batches.len()
}

#[test]
fn a_killed_writer_leaves_every_batch_whole_or_absent_and_none_it_told_of_absent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workspace.db");
    let mut random = Random(7);
    let mut before = 0;
    for _ in 0..12 {
        let told = write_and_kill(&path, random.next_u64() % 20, Duration::from_micros(random.next_u64() % 8_000));
        let kept = whole_batches(&path);
        assert!(kept >= before + told, "{kept} batches kept of {before} and {told} more");
        before = kept;
    }
}

#[test]
fn a_writer_that_is_killed_while_it_makes_the_store_leaves_one_that_can_be_opened() {
    let mut random = Random(8);
    for _ in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("workspace.db");
        write_and_kill(&path, 0, Duration::from_micros(random.next_u64() % 30_000));
        whole_batches(&path);
        write(&mut Store::open(&path).unwrap(), 1_000).unwrap();
    }
}

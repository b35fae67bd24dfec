//! The ledger of trials counts every variant once, and cannot shrink.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{NOON, enter, span, trial, variant};
use rusqlite::Connection;
use tiltyard_model::{Digest, Nanos};
use tiltyard_store::{DataSpan, Store, StoreError, Trial};

fn with(trials: &[Trial]) -> Store {
    let mut store = Store::open_in_memory().unwrap();
    store
        .batch(|batch| {
            enter(batch, "a", 1..=5)?;
            enter(batch, "b", 1..=5)?;
            trials.iter().try_for_each(|trial| batch.insert_trial(trial).map(|_| ()))
        })
        .unwrap();
    store
}

fn overlapping(store: &Store, span: &DataSpan) -> Vec<Digest> {
    let mut found: Vec<Digest> = store.overlapping_trials(span).unwrap().iter().map(|trial| trial.variant).collect();
    found.sort_unstable();
    found
}

#[test]
fn a_variant_counts_once_on_one_span_and_its_first_figures_stay() {
    let first = trial("a", 1, span(&["BTC"], 0, 10), 30);
    let mut store = with(std::slice::from_ref(&first));
    let again = Trial { sharpe: None, at: Nanos(1), ..first.clone() };
    assert!(!store.batch(|batch| batch.insert_trial(&again)).unwrap());
    assert_eq!(store.trials().unwrap(), [first]);
}

#[test]
fn other_data_is_another_trial_of_the_same_variant() {
    let short = trial("a", 1, span(&["BTC"], 0, 10), 30);
    let long = trial("a", 1, span(&["BTC"], 0, 20), 60);
    let repaired = trial("a", 1, DataSpan { data: Digest::of(b"repaired"), ..span(&["BTC"], 0, 10) }, 31);
    let store = with(&[short.clone(), long.clone(), repaired.clone()]);
    assert_eq!(store.trials().unwrap(), [short, long.clone(), repaired]);
    // But the variant is one, and its longest trial speaks for it.
    assert_eq!(store.overlapping_trials(&span(&["BTC"], 5, 6)).unwrap(), [long]);
}

#[test]
fn a_defined_sharpe_ratio_speaks_before_an_undefined_one() {
    let none = Trial { sharpe: None, ..trial("a", 1, span(&["BTC"], 0, 20), 60) };
    let some = trial("a", 1, span(&["BTC"], 0, 10), 30);
    let store = with(&[none, some.clone()]);
    assert_eq!(store.overlapping_trials(&span(&["BTC"], 0, 20)).unwrap(), [some]);
}

#[test]
fn overlapping_is_the_same_venue_with_a_symbol_and_an_instant_in_common() {
    let kraken = DataSpan { venue: "kraken".to_owned(), ..span(&["BTC"], 0, 10) };
    let minutes = DataSpan { interval: Nanos::from_secs(60), ..span(&["BTC"], 9, 30) };
    let store = with(&[
        trial("a", 1, span(&["BTC", "ETH"], 0, 10), 1),
        trial("a", 2, span(&["SOL"], 0, 10), 1),
        trial("a", 3, kraken, 1),
        trial("b", 1, minutes, 1),
    ]);
    let digests = |pairs: &[(&str, i64)]| {
        let mut digests: Vec<_> = pairs.iter().map(|(name, fast)| variant(name, *fast).digest()).collect();
        digests.sort_unstable();
        digests
    };
    assert_eq!(overlapping(&store, &span(&["BTC"], 9, 10)), digests(&[("a", 1), ("b", 1)]));
    assert_eq!(overlapping(&store, &span(&["ETH", "SOL"], 0, 1)), digests(&[("a", 1), ("a", 2)]));
    // Spans are half open: the first ends before 10, the second begins at 9.
    assert_eq!(overlapping(&store, &span(&["BTC"], 10, 11)), digests(&[("b", 1)]));
    assert_eq!(overlapping(&store, &span(&["BTC"], -5, 0)), digests(&[]));
    // A symbol is matched as a whole and as it is.
    assert_eq!(overlapping(&store, &span(&["BT", "btc", "B%"], 0, 10)), digests(&[]));
}

#[test]
fn a_line_of_the_ledger_is_neither_changed_nor_deleted_nor_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workspace.db");
    let line = trial("a", 1, span(&["BTC"], 0, 10), 30);
    let mut store = Store::open(&path).unwrap();
    store.batch(|batch| enter(batch, "a", [1]).and_then(|_| batch.insert_trial(&line))).unwrap();
    // Another program on the same file, with no care for our settings.
    let stranger = Connection::open(&path).unwrap();
    stranger.pragma_update(None, "foreign_keys", false).unwrap();
    for sql in [
        "UPDATE trials SET sharpe = 9",
        "DELETE FROM trials",
        "DELETE FROM trials WHERE id = 1",
        "REPLACE INTO trials SELECT id, variant, lineage, span, 0, tournament, 9, 9, 9 FROM trials",
        "REPLACE INTO trials SELECT 77, variant, lineage, span, 0, tournament, 9, 9, 9 FROM trials",
        "REPLACE INTO trials SELECT id, zeroblob(32), lineage, span, 0, tournament, 9, 9, 9 FROM trials",
        "INSERT INTO trials SELECT -1, zeroblob(32), lineage, span, 0, tournament, 9, 9, 9 FROM trials",
        "UPDATE spans SET begins = 5",
        "DELETE FROM spans",
        "REPLACE INTO spans SELECT id, venue, '[]', interval, begins, ends, data FROM spans",
        "REPLACE INTO spans SELECT 77, venue, symbols, interval, begins, ends, data FROM spans",
    ] {
        let error = stranger.execute(sql, []).expect_err(sql).to_string();
        assert!(error.contains("append-only") || error.contains("CHECK"), "{sql}: {error}");
    }
    assert_eq!(store.trials().unwrap(), [line]);
    store.check().unwrap();
}

#[test]
fn a_span_or_a_figure_that_cannot_be_is_refused() {
    let mut store = with(&[]);
    let good = trial("a", 1, span(&["BTC"], 0, 10), 30);
    for bad in [
        Trial { span: span(&[], 0, 10), ..good.clone() },
        Trial { span: span(&["BTC"], 10, 10), ..good.clone() },
        Trial { span: DataSpan { interval: Nanos(0), ..good.span.clone() }, ..good.clone() },
        Trial { sharpe: Some(f64::NAN), ..good.clone() },
        Trial { periods_per_year: f64::INFINITY, ..good.clone() },
        Trial { observations: u64::MAX, ..good.clone() },
        Trial { lineage: "nobody's".to_owned(), ..good.clone() },
        Trial { tournament: Some(Digest::of(b"none")), ..good.clone() },
        trial("a", 99, good.span.clone(), 30),
    ] {
        let error = store.batch(|batch| batch.insert_trial(&bad)).unwrap_err();
        let typed =
            matches!(error, StoreError::Invalid { .. } | StoreError::Number { .. } | StoreError::Unknown { .. });
        assert!(typed, "{error:?}");
    }
    let tournament = store.batch(|batch| batch.begin_tournament("t", "spec", &[], NOON)).unwrap();
    let good = Trial { tournament: Some(tournament), ..good };
    assert!(store.batch(|batch| batch.insert_trial(&good)).unwrap());
    assert_eq!(store.trials().unwrap(), [good]);
}

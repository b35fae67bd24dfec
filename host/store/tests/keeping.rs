//! What is kept comes back, stays, and refers to what is there.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::fs;

use common::{NOON, bytes, enter, manifest, metrics, run, standing, trade, variant};
use serde_json::json;
use tiltyard_engine::Metrics;
use tiltyard_model::{Digest, Nanos};
use tiltyard_store::{Finish, Run, RunKey, Store, StoreError};

fn store() -> Store {
    Store::open_in_memory().unwrap()
}

#[test]
fn a_component_comes_back_with_its_bytes_manifest_and_lineage() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("workspace.db")).unwrap();
    let kept = store.batch(|batch| batch.insert_component(&bytes("a"), &manifest("a"), "inbox/a.wasm", NOON)).unwrap();
    assert_eq!(store.component(kept.digest).unwrap().as_ref(), Some(&kept));
    assert_eq!((kept.lineage.as_str(), kept.size, &kept.manifest), ("a", 15, &manifest("a")));
    assert_eq!(store.component_bytes(kept.digest).unwrap(), bytes("a"));
    assert!(folder.path().join(format!("components/{}.wasm", kept.digest)).is_file());

    // A second sight changes neither when nor where from.
    let again =
        store.batch(|batch| batch.insert_component(&bytes("a"), &manifest("a"), "elsewhere", Nanos(9))).unwrap();
    assert_eq!(again, kept);
    assert_eq!(store.components().unwrap(), [kept]);
    assert_eq!(store.lineages().unwrap().len(), 1);
}

#[test]
fn a_component_that_was_changed_on_disk_is_refused_and_mended_by_inserting_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("workspace.db")).unwrap();
    store.batch(|batch| enter(batch, "a", [])).unwrap();
    let digest = Digest::of(&bytes("a"));
    let file = folder.path().join(format!("components/{digest}.wasm"));
    fs::write(&file, b"something else").unwrap();
    assert!(matches!(store.component_bytes(digest), Err(StoreError::Tampered { .. })));
    fs::remove_file(&file).unwrap();
    assert!(matches!(store.component_bytes(digest), Err(StoreError::File { .. })));
    store.batch(|batch| enter(batch, "a", [])).unwrap();
    assert_eq!(store.component_bytes(digest).unwrap(), bytes("a"));
}

#[test]
fn a_run_is_kept_once_under_the_digest_of_its_inputs() {
    let mut store = store();
    let variants = store.batch(|batch| enter(batch, "a", [1])).unwrap();
    let first = run(&variants[0], 1);
    assert!(store.batch(|batch| batch.insert_run(&first)).unwrap());
    assert!(!store.batch(|batch| batch.insert_run(&Run { at: Nanos(5), ..first.clone() })).unwrap());
    assert_eq!(store.run(first.key()).unwrap(), Some(first.clone()));
    assert_eq!(store.runs_of(first.variant).unwrap(), [first]);
}

#[test]
fn the_key_of_a_run_does_not_depend_on_how_its_inputs_were_written() {
    let one: serde_json::Value = serde_json::from_str(r#"{"b": {"y": 1, "x": 2}, "a": 3}"#).unwrap();
    let other: serde_json::Value = serde_json::from_str(r#"{"a":3,"b":{"x":2,"y":1}}"#).unwrap();
    assert_eq!(RunKey::of(&one), RunKey::of(&other));
    assert_eq!(RunKey::of(&one), RunKey(Digest::of(br#"{"a":3,"b":{"x":2,"y":1}}"#)));
}

#[test]
fn a_faulted_run_is_a_run_with_or_without_metrics() {
    let mut store = store();
    let variants = store.batch(|batch| enter(batch, "a", [1])).unwrap();
    let fault = Some(json!({"kind": "out-of-fuel", "limit": 1_000}));
    let late = Run { fault: fault.clone(), ..run(&variants[0], 1) };
    let early = Run { fault, metrics: None, ..run(&variants[0], 2) };
    let nothing = Run { metrics: None, ..run(&variants[0], 3) };
    store.batch(|batch| batch.insert_run(&late).and(batch.insert_run(&early))).unwrap();
    assert!(matches!(store.batch(|batch| batch.insert_run(&nothing)), Err(StoreError::Invalid { .. })));
    assert_eq!(store.runs_of(late.variant).unwrap(), [late, early]);
}

#[test]
fn another_outcome_of_the_same_inputs_is_an_error_that_names_both() {
    let mut store = store();
    let variants = store.batch(|batch| enter(batch, "a", [1])).unwrap();
    let first = run(&variants[0], 1);
    store.batch(|batch| batch.insert_run(&first)).unwrap();
    let other = Digest::of(b"other");
    for (figure, changed) in [
        ("result", Run { result: other, ..first.clone() }),
        ("fuel", Run { fuel: 1, ..first.clone() }),
        ("fault", Run { fault: Some(json!("trap")), ..first.clone() }),
        ("metrics", Run { metrics: Some(metrics(1.2)), ..first.clone() }),
    ] {
        let error = store.batch(|batch| batch.insert_run(&changed)).unwrap_err();
        assert!(matches!(error, StoreError::Nondeterministic { figure: found, .. } if found == figure), "{error}");
        if figure == "result" {
            let text = error.to_string();
            assert!(text.contains(&first.result.to_string()) && text.contains(&other.to_string()), "{text}");
        }
    }
    assert_eq!(store.run(first.key()).unwrap(), Some(first));
}

#[test]
fn trades_are_kept_where_asked_for() {
    let mut store = store();
    let variants = store.batch(|batch| enter(batch, "a", [1])).unwrap();
    let runs: Vec<Run> = (0..3).map(|window| run(&variants[0], window)).collect();
    let trades = [trade(1.0), trade(-2.5)];
    store
        .batch(|batch| {
            runs.iter().try_for_each(|run| batch.insert_run(run).map(|_| ()))?;
            batch.insert_trades(runs[0].key(), &trades)?;
            batch.insert_trades(runs[1].key(), &[])
        })
        .unwrap();
    assert_eq!(store.trades(runs[0].key()).unwrap(), Some(trades.to_vec()));
    assert_eq!(store.trades(runs[1].key()).unwrap(), Some(vec![]));
    assert_eq!(store.trades(runs[2].key()).unwrap(), None);
    assert!(!store.batch(|batch| batch.insert_trades(runs[0].key(), &trades)).unwrap());
    let fewer = store.batch(|batch| batch.insert_trades(runs[0].key(), &trades[..1]));
    assert!(matches!(fewer, Err(StoreError::Nondeterministic { .. })));
}

#[test]
fn a_number_that_would_not_come_back_is_refused() {
    let mut store = store();
    let variants = store.batch(|batch| enter(batch, "a", [1])).unwrap();
    let run = run(&variants[0], 1);
    store.batch(|batch| batch.insert_run(&run)).unwrap();
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = store.batch(|batch| batch.insert_trades(run.key(), &[trade(1.0), trade(number)])).unwrap_err();
        assert!(matches!(error, StoreError::Number { .. }), "{error}");
        let broken = Metrics { fees: number, ..metrics(1.1) };
        let broken = Run { metrics: Some(broken), inputs: json!(1), ..run.clone() };
        assert!(matches!(store.batch(|batch| batch.insert_run(&broken)), Err(StoreError::Invalid { .. })));
    }
    let much = Run { fuel: u64::MAX, inputs: json!(2), ..run.clone() };
    assert!(matches!(store.batch(|batch| batch.insert_run(&much)), Err(StoreError::Number { .. })));
    assert_eq!(store.trades(run.key()).unwrap(), None);
}

#[test]
fn what_refers_to_nothing_says_what_is_missing() {
    let mut store = store();
    let orphan = variant("nobody", 1);
    let error = store.batch(|batch| batch.insert_variant(&orphan)).unwrap_err().to_string();
    assert_eq!(error, format!("there is no component {} in the store; insert it first", orphan.component()));
    let error = store.batch(|batch| batch.insert_run(&run(&orphan, 1))).unwrap_err().to_string();
    assert_eq!(error, format!("there is no variant {} in the store; insert it first", orphan.digest()));
    let key = run(&orphan, 1).key();
    let error = store.batch(|batch| batch.insert_trades(key, &[])).unwrap_err().to_string();
    assert_eq!(error, format!("there is no run {key} in the store; insert it first"));
}

#[test]
fn a_batch_that_fails_leaves_nothing() {
    let mut store = store();
    let error = store.batch(|batch| {
        enter(batch, "a", 0..100)?;
        batch.insert_run(&run(&variant("nobody", 1), 1))
    });
    assert!(error.is_err());
    assert_eq!((store.components().unwrap(), store.lineages().unwrap()), (vec![], vec![]));
    // And the next one is none the worse.
    store.durable_batch(|batch| enter(batch, "a", [1])).unwrap();
    assert_eq!(store.components().unwrap().len(), 1);
}

#[test]
fn an_interrupted_tournament_knows_what_is_left() {
    let mut store = store();
    let variants = store.batch(|batch| enter(batch, "a", [1, 2, 3])).unwrap();
    let entries: Vec<_> = variants.iter().map(|variant| (variant.digest(), "test 1".to_owned())).collect();
    let id = store.batch(|batch| batch.begin_tournament("sunday", "spec", &entries, NOON)).unwrap();
    assert_eq!(id, Digest::of(b"spec"));
    let enter_run = |store: &mut Store, ordinal: u32| {
        let run = run(&variants[ordinal as usize], 1);
        store.batch(|batch| {
            batch.insert_run(&run)?;
            batch.finish_entry(id, ordinal, run.key())
        })
    };
    enter_run(&mut store, 1).unwrap();
    enter_run(&mut store, 1).unwrap();
    let pending: Vec<u32> = store.pending(id).unwrap().iter().map(|entry| entry.ordinal).collect();
    assert_eq!(pending, [0, 2]);

    let result = Digest::of(b"result");
    let error = store.batch(|batch| batch.finish_tournament(id, result, Nanos(5))).unwrap_err();
    assert!(matches!(error, StoreError::Pending { pending: 2, .. }), "{error}");
    // Begun again, it is the same one.
    assert_eq!(store.batch(|batch| batch.begin_tournament("sunday", "spec", &entries, Nanos(9))).unwrap(), id);
    enter_run(&mut store, 0).unwrap();
    enter_run(&mut store, 2).unwrap();
    store.batch(|batch| batch.finish_tournament(id, result, Nanos(5))).unwrap();
    store.batch(|batch| batch.finish_tournament(id, result, Nanos(6))).unwrap();
    let kept = store.tournament(id).unwrap().unwrap();
    assert_eq!((kept.began, kept.finished), (NOON, Some(Finish { at: Nanos(5), result })));
    assert_eq!(store.tournaments().unwrap(), [kept]);
    let other = store.batch(|batch| batch.finish_tournament(id, Digest::of(b"other"), Nanos(6)));
    assert!(matches!(other, Err(StoreError::Differs { .. })));
}

#[test]
fn a_tournament_is_not_begun_again_as_something_else() {
    let mut store = store();
    let variants = store.batch(|batch| enter(batch, "a", [1, 2])).unwrap();
    let entries: Vec<_> = variants.iter().map(|variant| (variant.digest(), "w".to_owned())).collect();
    let begin = |store: &mut Store, name: &str, entries: &[(Digest, String)]| {
        store.batch(|batch| batch.begin_tournament(name, "spec", entries, NOON))
    };
    let id = begin(&mut store, "t", &entries).unwrap();
    let turned: Vec<_> = entries.iter().rev().cloned().collect();
    for result in
        [begin(&mut store, "u", &entries), begin(&mut store, "t", &entries[..1]), begin(&mut store, "t", &turned)]
    {
        assert!(matches!(result, Err(StoreError::Differs { .. })), "{result:?}");
    }
    // Nor does an entry take the run of another variant, or one that is not there.
    let run = run(&variants[1], 1);
    let missing = store.batch(|batch| batch.finish_entry(id, 0, run.key()));
    assert!(matches!(missing, Err(StoreError::Unknown { .. })), "{missing:?}");
    let wrong = store.batch(|batch| batch.insert_run(&run).and_then(|_| batch.finish_entry(id, 0, run.key())));
    assert!(matches!(wrong, Err(StoreError::Differs { .. })), "{wrong:?}");
}

#[test]
fn standings_are_seen_over_time_and_stay() {
    let mut store = store();
    let variants = store.batch(|batch| enter(batch, "a", [1, 2, 3])).unwrap();
    let [a, b, c] = &variants[..] else { panic!("three variants") };
    let id = store.batch(|batch| batch.begin_tournament("t", "spec", &[], NOON)).unwrap();
    let monday = [standing(a, None), standing(b, Some(2)), standing(c, Some(1))];
    let tuesday = [standing(a, Some(1)), standing(b, Some(2))];
    let insert = |store: &mut Store, label: &str, rows: &[_], at| {
        store.batch(|batch| batch.insert_standings(id, label, rows, Nanos(at)))
    };
    assert!(insert(&mut store, "tuesday", &tuesday, 2).unwrap());
    assert!(insert(&mut store, "monday", &monday, 1).unwrap());
    assert!(!insert(&mut store, "monday", &monday, 3).unwrap());
    let order = [monday[2].clone(), monday[1].clone(), monday[0].clone()];
    assert_eq!(store.standings(id, "monday").unwrap(), order);
    let labels = [("monday".to_owned(), Nanos(1)), ("tuesday".to_owned(), Nanos(2))];
    assert_eq!(store.standing_labels(id).unwrap(), labels);
    let changed = insert(&mut store, "monday", &tuesday, 3);
    assert!(matches!(changed, Err(StoreError::Differs { .. })), "{changed:?}");
    let twice = insert(&mut store, "wednesday", &[standing(a, Some(1)), standing(a, Some(2))], 3);
    assert!(matches!(twice, Err(StoreError::Invalid { .. })), "{twice:?}");
}

#[test]
fn a_batch_that_goes_on_after_a_refusal_keeps_the_rest_and_no_half() {
    let mut store = store();
    let variants = store.batch(|batch| enter(batch, "a", [1])).unwrap();
    let entries = [(variants[0].digest(), "w".to_owned()), (Digest::of(b"nobody"), "w".to_owned())];
    let rows = [standing(&variants[0], Some(1)), standing(&variant("nobody", 1), Some(2))];
    let id = store
        .batch(|batch| {
            assert!(batch.begin_tournament("t", "refused", &entries, NOON).is_err());
            let id = batch.begin_tournament("t", "spec", &entries[..1], NOON)?;
            assert!(batch.insert_standings(id, "monday", &rows, NOON).is_err());
            Ok(id)
        })
        .unwrap();
    assert_eq!(store.tournaments().unwrap().len(), 1);
    assert_eq!((store.entries(id).unwrap().len(), store.standings(id, "monday").unwrap()), (1, vec![]));
}

//! Whatever is written in whatever order and batches is there when the file is opened again.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::collections::BTreeSet;

use common::{bytes, inputs, manifest, metrics, trade};
use proptest::collection::{btree_set, vec};
use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
use proptest::prelude::*;
use serde_json::json;
use tiltyard_engine::{Metrics, TradeRow};
use tiltyard_model::{Digest, Nanos, Value, Variant};
use tiltyard_store::{Batch, DataSpan, Entry, Run, Standing, Store, StoreError, Tournament, Trial};

/// Files cost more than the books of a run, so there are fewer cases.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() }
}

fn number() -> impl Strategy<Value = f64> {
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

/// Two strategies, and any value of their parameters.
fn variant() -> impl Strategy<Value = Variant> {
    (prop_oneof!["a", "b"], 0..=1_000_000_i64, -1e300..1e300, any::<String>()).prop_map(|(name, fast, band, note)| {
        let given = [("fast", Value::Integer(fast)), ("band", Value::Real(band)), ("note", Value::Text(note))];
        let given = given.map(|(name, value)| (name.to_owned(), value));
        Variant::new(Digest::of(&bytes(&name)), &manifest(&name), &given).unwrap()
    })
}

fn figures() -> impl Strategy<Value = Metrics> {
    (number(), proptest::option::of(number()), proptest::option::of(number()), any::<u64>(), any::<String>()).prop_map(
        |(fees, sharpe, calmar, trades, why)| Metrics {
            fees,
            sharpe,
            calmar,
            trades,
            undefined: [("sortino".to_owned(), why)].into(),
            ..metrics(1.0)
        },
    )
}

fn trades() -> impl Strategy<Value = Option<Vec<TradeRow>>> {
    let row =
        (number(), number(), any::<(i64, bool, String)>()).prop_map(|(price, net, (time, long, reason))| TradeRow {
            entry_price: price,
            pnl_net: net,
            entry_time: time,
            side: if long { "long" } else { "short" },
            exit_reason: reason,
            ..trade(1.0)
        });
    proptest::option::of(vec(row, 0..5))
}

/// What came of a run, of whichever variant and window.
fn outcome() -> impl Strategy<Value = (Run, Option<Vec<TradeRow>>)> {
    let fault = proptest::option::of(any::<(String, i64)>());
    let whole = (any::<[u8; 32]>(), 0..=i64::MAX as u64, any::<i64>());
    (proptest::option::of(figures()), fault, whole, trades()).prop_map(
        |(metrics, fault, (result, fuel, at), trades)| {
            let fault = fault.map(|(kind, limit)| json!({"kind": kind, "limit": limit}));
            let fault = if metrics.is_none() && fault.is_none() { Some(json!("trap")) } else { fault };
            let run = Run {
                variant: Digest([0; 32]),
                inputs: json!(null),
                result: Digest(result),
                metrics,
                fuel,
                fault,
                at: Nanos(at),
            };
            (run, trades)
        },
    )
}

fn line() -> impl Strategy<Value = Trial> {
    let symbols = btree_set("[A-Z\"\\\\é]{1,4}", 1..4);
    let span = (symbols, any::<String>(), 1..i64::MAX, any::<(i64, i64, [u8; 32])>());
    (span, proptest::option::of(number()), number(), any::<(i64, u32)>()).prop_map(
        |((symbols, venue, interval, (one, other, data)), sharpe, year, (at, observations))| Trial {
            variant: Digest([0; 32]),
            lineage: String::new(),
            span: DataSpan {
                venue,
                symbols,
                interval: Nanos(interval),
                from: Nanos(one.min(other).min(i64::MAX - 1)),
                to: Nanos(one.max(other).max(one.min(other).saturating_add(1))),
                data: Digest(data),
            },
            at: Nanos(at),
            tournament: None,
            sharpe,
            observations: u64::from(observations),
            periods_per_year: year,
        },
    )
}

/// Everything about one variant, written at once.
#[derive(Debug, Clone)]
struct Story {
    variant: Variant,
    runs: Vec<(Run, Option<Vec<TradeRow>>)>,
    trials: Vec<Trial>,
    standing: (Option<u32>, Option<f64>),
}

fn story() -> impl Strategy<Value = Story> {
    let standing = (proptest::option::of(1..u32::MAX), proptest::option::of(number()));
    (variant(), vec(outcome(), 0..4), vec(line(), 0..3), standing).prop_map(
        |(variant, mut runs, mut trials, standing)| {
            let digest = variant.digest();
            for (window, (run, _)) in runs.iter_mut().enumerate() {
                run.variant = digest;
                run.inputs = inputs(digest, window as u64);
            }
            for trial in &mut trials {
                trial.variant = digest;
                trial.lineage = name(&variant).to_owned();
            }
            Story { variant, runs, trials, standing }
        },
    )
}

fn name(variant: &Variant) -> &'static str {
    if variant.component() == Digest::of(&bytes("a")) { "a" } else { "b" }
}

impl Story {
    fn tournament(&self) -> Tournament {
        let spec = format!("of {}", self.variant.digest());
        Tournament { name: "t".to_owned(), spec, began: Nanos(1), finished: None }
    }

    fn standings(&self) -> Vec<Standing> {
        let (rank, score) = self.standing;
        vec![Standing { variant: self.variant.digest(), rank, score, figures: json!({"score": score}) }]
    }

    fn write(&self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let name = name(&self.variant);
        batch.insert_component(&bytes(name), &manifest(name), "a folder", Nanos(1))?;
        batch.insert_variant(&self.variant)?;
        let entries: Vec<_> = (0..self.runs.len()).map(|window| (self.variant.digest(), window.to_string())).collect();
        let Tournament { name, spec, began, .. } = &self.tournament();
        let tournament = batch.begin_tournament(name, spec, &entries, *began)?;
        for (ordinal, (run, trades)) in self.runs.iter().enumerate() {
            batch.insert_run(run)?;
            trades.iter().try_for_each(|trades| batch.insert_trades(run.key(), trades).map(|_| ()))?;
            batch.finish_entry(tournament, ordinal as u32, run.key())?;
        }
        batch.insert_standings(tournament, "day", &self.standings(), Nanos(1))?;
        self.trials.iter().try_for_each(|trial| batch.insert_trial(trial).map(|_| ()))
    }

    fn is_kept(&self, store: &Store) {
        assert_eq!(store.variant(self.variant.digest()).unwrap().as_ref(), Some(&self.variant));
        let runs: Vec<Run> = self.runs.iter().map(|(run, _)| run.clone()).collect();
        assert_eq!(store.runs_of(self.variant.digest()).unwrap(), runs);
        for (run, trades) in &self.runs {
            assert_eq!(&store.trades(run.key()).unwrap(), trades);
        }
        let tournament = self.tournament();
        assert_eq!(store.tournament(tournament.id()).unwrap().as_ref(), Some(&tournament));
        let entry = |(ordinal, run): (usize, &Run)| Entry {
            ordinal: ordinal as u32,
            variant: self.variant.digest(),
            window: ordinal.to_string(),
            run: Some(run.key()),
        };
        assert_eq!(store.entries(tournament.id()).unwrap(), runs.iter().enumerate().map(entry).collect::<Vec<_>>());
        assert_eq!(store.standings(tournament.id(), "day").unwrap(), self.standings());
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_was_written_is_read_again(batches in vec(vec(story(), 0..4), 1..4)) {
        // One story for each variant; of two, the first is the one that is told.
        let mut seen = BTreeSet::new();
        let batches: Vec<Vec<Story>> = batches
            .into_iter()
            .map(|batch| batch.into_iter().filter(|story| seen.insert(story.variant.digest())).collect())
            .collect();
        // In memory where there is some: that the disk keeps what it was given is tested where processes are killed.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let path = folder.path().join("workspace.db");
        let mut store = Store::open(&path).unwrap();
        for (number, batch) in batches.iter().enumerate() {
            store.batch(|open| batch.iter().try_for_each(|story| story.write(open))).unwrap();
            if number == 0 {
                store = Store::open(&path).unwrap();
            }
        }
        let again = |open: &Batch<'_>| batches.iter().flatten().try_for_each(|story| story.write(open));
        store.batch(again).unwrap();
        drop(store);

        let store = Store::open(&path).unwrap();
        store.check().unwrap();
        batches.iter().flatten().for_each(|story| story.is_kept(&store));
        // A span that is drawn twice for one variant counts once.
        let mut trials: Vec<Trial> = Vec::new();
        for trial in batches.iter().flatten().flat_map(|story| &story.trials) {
            if !trials.iter().any(|it| (it.variant, &it.span) == (trial.variant, &trial.span)) {
                trials.push(trial.clone());
            }
        }
        prop_assert_eq!(store.trials().unwrap(), trials);
    }
}

//! What a run costs to keep: time by the size of a batch, and bytes in the file.
//!
//! `cargo bench -p tiltyard-store`; figures in BENCHMARKS.md.
#![allow(clippy::unwrap_used, reason = "a benchmark may")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::fs;

use common::{NOON, enter, metrics, run, trade};
use divan::Bencher;
use divan::counter::ItemsCount;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tiltyard_engine::Metrics;
use tiltyard_model::{Digest, Variant};
use tiltyard_store::{Run, Store};

/// Runs in each measured round.
const RUNS: u64 = 1_000;

fn main() {
    for trades in [None, Some(0), Some(100)] {
        let kept = trades.map_or("no trades kept".to_owned(), |trades| format!("{trades} trades kept"));
        #[expect(clippy::print_stdout, reason = "what a benchmark is for")]
        {
            println!("{:>6.0} bytes a run, {kept}", bytes_a_run(trades));
        }
    }
    divan::main();
}

struct Ground {
    folder: TempDir,
    store: Store,
    variant: Variant,
    /// Runs so far, so that each is new.
    next: u64,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path().join("workspace.db")).unwrap();
        let variant = store.batch(|batch| enter(batch, "a", [1])).unwrap().remove(0);
        Self { folder, store, variant, next: 0 }
    }

    /// Keeps `RUNS` runs in batches of this many.
    fn keep(&mut self, batch: u64, trades: Option<usize>) {
        let rows = trades.map(|trades| vec![trade(1.234_567); trades]);
        for _ in 0..RUNS / batch {
            let runs: Vec<Run> = (self.next..self.next + batch).map(|window| whole(&self.variant, window)).collect();
            self.next += batch;
            let write = |open: &tiltyard_store::Batch<'_>| {
                for run in &runs {
                    open.insert_run(run)?;
                    if let Some(rows) = &rows {
                        open.insert_trades(run.key(), rows)?;
                    }
                }
                Ok(())
            };
            self.store.batch(write).unwrap();
        }
    }

    fn bytes(&self) -> u64 {
        fs::metadata(self.folder.path().join("workspace.db")).unwrap().len()
    }
}

/// A run as the program makes it: some 1,400 bytes of inputs, all figures defined.
fn whole(variant: &Variant, window: u64) -> Run {
    Run { inputs: inputs(variant, window), metrics: Some(figures()), ..run(variant, window) }
}

fn figures() -> Metrics {
    let mut document = serde_json::to_value(metrics(1.234_567_890_123)).unwrap();
    for (_, value) in document.as_object_mut().unwrap().iter_mut().filter(|(_, value)| value.is_null()) {
        *value = json!(0.123_456_789_012_345);
    }
    serde_json::from_value(document).unwrap()
}

fn inputs(variant: &Variant, window: u64) -> Json {
    let digest = Digest::of(b"some file");
    json!({
        "tiltyard": "0.1.0",
        "engine": "wasmtime 48.0.1, cranelift, fuel table 1, canonical NaN, event mode",
        "strategy": {"name": "a", "version": "1.2.0", "parameters": variant.parameters()},
        "component": variant.component(),
        "instruments": [{
            "instrument": {
                "symbol": "BTCUSDT", "venue": "binance", "kind": "spot", "base": "BTC", "quote": "USDT",
                "settlement": "USDT", "tick": 0.01, "lot": 0.000_01, "least_notional": 10.0, "maker_fee": 0.001,
                "taker_fee": 0.001
            },
            "rules": "inferred from the data; what the venue's rules were is not known",
            "data": {"file": "BTCUSDT.csv.gz", "digest": digest, "rows": 35_039, "gaps": 1},
            "first_bar": "2022-05-25T08:00:00Z", "last_bar": "2026-05-24T07:00:00Z"
        }],
        "interval": "1h",
        "window": {"from": NOON.0, "to": NOON.0 + window as i64, "warm_up": 200},
        "profile": {
            "name": "conservative", "version": "1",
            "costs": {"slippage": "5", "spread": "2", "impact": "10", "share_of_volume": "0.1"}
        },
        "fee": null, "latency": {"order": 0, "jitter": 0},
        "risk": {
            "name": "research", "leverage": "1", "drawdown": null, "orders_a_minute": 60, "open_orders": 200,
            "position_share": "1", "short": false
        },
        "cash": "10000", "settlement": "USDT", "periods_per_year": 365.0, "delist_at_end": false, "seed": 0
    })
}

/// How much the file grows for each of some thousand runs.
fn bytes_a_run(trades: Option<usize>) -> f64 {
    let mut ground = Ground::new();
    ground.keep(RUNS, trades);
    // What is in the log of the store is moved into its file when it is closed.
    let closed = |ground: Ground| {
        let Ground { folder, store, variant, next } = ground;
        drop(store);
        let store = Store::open(folder.path().join("workspace.db")).unwrap();
        Ground { folder, store, variant, next }
    };
    let mut ground = closed(ground);
    let before = ground.bytes();
    ground.keep(RUNS, trades);
    ground.keep(RUNS, trades);
    (closed(ground).bytes() - before) as f64 / (2 * RUNS) as f64
}

/// Runs without trades.
#[divan::bench(args = [1, 10, 100, 1_000], sample_count = 10, sample_size = 1)]
fn runs_in_batches_of(bencher: Bencher<'_, '_>, batch: u64) {
    bencher.counter(ItemsCount::new(RUNS)).with_inputs(Ground::new).bench_local_refs(|ground| ground.keep(batch, None));
}

/// Runs with 100 trades each, a thousand runs a batch.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn runs_with_trades(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(RUNS))
        .with_inputs(Ground::new)
        .bench_local_refs(|ground| ground.keep(RUNS, Some(100)));
}

//! Small things to keep.
#![allow(dead_code, reason = "each suite uses some")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use tiltyard_engine::{Metrics, TradeRow};
use tiltyard_model::{Digest, Manifest, Nanos, Value, Variant};
use tiltyard_store::{Batch, DataSpan, Run, Standing, StoreError, Trial};

pub(crate) const NOON: Nanos = Nanos(1_700_000_000_000_000_000);

pub(crate) fn manifest(name: &str) -> Manifest {
    let document = json!({
        "contract": "0.1.0", "name": name, "version": "1.2.0", "description": "d", "hypothesis": "h",
        "falsified_by": "f", "from_the_future": {"kept": 0.1},
        "parameters": [
            {"name": "fast", "kind": "integer", "default": 5, "min": 0, "max": 1_000_000, "step": 1, "role": "window"},
            {"name": "band", "kind": "real", "default": 2.0, "min": -1e300, "max": 1e300, "step": 0.5, "role": "risk"},
            {"name": "note", "kind": "text", "default": "", "role": "other"}
        ]
    });
    Manifest::parse(document.to_string().as_bytes()).unwrap()
}

/// The bytes of the component of that name.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    format!("the component {name}").into_bytes()
}

pub(crate) fn variant(name: &str, fast: i64) -> Variant {
    let given = [("fast".to_owned(), Value::Integer(fast))];
    Variant::new(Digest::of(&bytes(name)), &manifest(name), &given).unwrap()
}

pub(crate) fn metrics(sharpe: f64) -> Metrics {
    serde_json::from_value(json!({
        "initial_equity": 10_000.0, "final_equity": 10_123.45, "total_return": 0.012345, "sharpe": sharpe,
        "trades": 2, "fees": 1.5, "funding": 0.0, "violations": 0,
        "returns": {"period": "daily", "count": 30, "periods_per_year": 365.0},
        "undefined": {"calmar": "there is no drawdown to compare with"}
    }))
    .unwrap()
}

pub(crate) fn inputs(variant: Digest, window: u64) -> Json {
    json!({"variant": variant, "window": window})
}

pub(crate) fn run(variant: &Variant, window: u64) -> Run {
    let variant = variant.digest();
    Run {
        variant,
        inputs: inputs(variant, window),
        result: Digest::of(&window.to_le_bytes()),
        metrics: Some(metrics(1.1)),
        fuel: 123_456,
        fault: None,
        at: NOON,
    }
}

pub(crate) fn trade(net: f64) -> TradeRow {
    TradeRow {
        symbol: "BTCUSDT".to_owned(),
        entry_time: 1_700_000_000_000,
        entry_price: 34_567.890_123,
        exit_time: 1_700_003_600_000,
        exit_price: 34_600.1,
        side: "long",
        quantity: 0.012_345,
        fees: 0.854_321,
        pnl_gross: net + 0.854_321,
        funding: 0.0,
        pnl_net: net,
        bars_held: 3,
        mae: -0.001_234,
        mfe: 0.002_345,
        exit_reason: "signal".to_owned(),
    }
}

pub(crate) fn standing(variant: &Variant, rank: Option<u32>) -> Standing {
    let score = rank.map(|rank| 1.0 / f64::from(rank));
    Standing { variant: variant.digest(), rank, score, figures: json!({"sharpe": score}) }
}

pub(crate) fn span(symbols: &[&str], from: i64, to: i64) -> DataSpan {
    DataSpan {
        venue: "binance".to_owned(),
        symbols: symbols.iter().map(|symbol| (*symbol).to_owned()).collect::<BTreeSet<_>>(),
        interval: Nanos::from_hours(1),
        from: Nanos(from),
        to: Nanos(to),
        data: Digest::of(b"data"),
    }
}

pub(crate) fn trial(name: &str, fast: i64, span: DataSpan, observations: u64) -> Trial {
    Trial {
        variant: variant(name, fast).digest(),
        lineage: name.to_owned(),
        span,
        at: NOON,
        tournament: None,
        sharpe: Some(0.5),
        observations,
        periods_per_year: 365.0,
    }
}

/// Keeps a component and these variants of it.
pub(crate) fn enter(
    batch: &Batch<'_>,
    name: &str,
    fasts: impl IntoIterator<Item = i64>,
) -> Result<Vec<Variant>, StoreError> {
    batch.insert_component(&bytes(name), &manifest(name), "a folder", NOON)?;
    let keep = |fast| {
        let variant = variant(name, fast);
        batch.insert_variant(&variant).map(|_| variant)
    };
    fasts.into_iter().map(keep).collect()
}

//! Reports to test with.
#![allow(dead_code, reason = "each suite uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tiltyard_engine::{Convention, Metrics, OpenRow, Period, TradeRow};
use tiltyard_model::{Bar, Columns, Nanos};
use tiltyard_report::{
    HeatMap, InstrumentBars, LeaderFigures, LeaderRow, RunReport, Standing, StandingSeries, Standings, TournamentReport,
};

pub(crate) const HOUR: i64 = 3_600_000_000_000;
/// 2024-01-01.
pub(crate) const BEGIN: i64 = 1_704_067_200_000_000_000;

/// A price that goes up and down, the same on every machine.
pub(crate) fn price(at: usize) -> f64 {
    let wave = |period: usize| ((at % period) as f64 / period as f64 - 0.5).abs();
    100.0 + 40.0 * wave(4_001) + 10.0 * wave(307) + 3.0 * wave(23)
}

pub(crate) fn bars(count: usize) -> Columns {
    let bar = |at: usize| {
        let (open, close) = (price(at), price(at + 1));
        Bar {
            open_time: Nanos(BEGIN + at as i64 * HOUR),
            open,
            high: open.max(close) + 0.5,
            low: open.min(close) - 0.5,
            close,
            volume: 10.0,
        }
    };
    (0..count).map(bar).collect()
}

pub(crate) fn equity(count: usize) -> Vec<(Nanos, f64)> {
    (0..count).map(|at| (Nanos(BEGIN + (at as i64 + 1) * HOUR), 100.0 * price(at))).collect()
}

pub(crate) fn trade(symbol: &str, at: usize) -> TradeRow {
    let milliseconds = |at: usize| (BEGIN + at as i64 * HOUR) / 1_000_000;
    let (entry, exit) = (price(at), price(at + 20));
    TradeRow {
        symbol: symbol.to_owned(),
        entry_time: milliseconds(at),
        entry_price: entry,
        exit_time: milliseconds(at + 20),
        exit_price: exit,
        side: if at.is_multiple_of(2) { "long" } else { "short" },
        quantity: 0.5,
        fees: 0.1,
        pnl_gross: (exit - entry) * 0.5,
        funding: 0.0,
        pnl_net: (exit - entry) * 0.5 - 0.1,
        bars_held: 20,
        mae: -0.01,
        mfe: 0.02,
        exit_reason: "signal".to_owned(),
    }
}

pub(crate) fn open(symbol: &str) -> OpenRow {
    OpenRow {
        symbol: symbol.to_owned(),
        entry_time: BEGIN / 1_000_000,
        entry_price: 110.0,
        side: "long",
        quantity: 0.25,
        fees: 0.05,
        funding: 0.0,
        mark_price: Some(112.5),
    }
}

pub(crate) fn metrics() -> Metrics {
    Metrics {
        initial_equity: 10_000.0,
        final_equity: 12_345.678,
        total_return: Some(0.234_567_8),
        annual_return: Some(0.21),
        volatility: Some(0.3),
        sharpe: Some(1.234),
        skewness: Some(-0.4),
        kurtosis: Some(5.6),
        sortino: Some(1.9),
        calmar: None,
        max_drawdown: Some(-0.12),
        max_drawdown_length: Some(34.0),
        max_drawdown_marked: Some(-0.13),
        hit_rate: Some(0.55),
        profit_factor: Some(1.4),
        expectancy: Some(12.5),
        average_win: Some(30.0),
        average_loss: Some(-17.25),
        trades: 42,
        trades_per_week: Some(3.5),
        average_holding_hours: Some(20.0),
        exposure: Some(0.4),
        turnover: Some(12.0),
        fees: 4.2,
        funding: 0.0,
        interest: 0.0,
        violations: 3,
        broken: BTreeMap::from([("leverage-symbol".to_owned(), 2), ("missing-stop".to_owned(), 1)]),
        reject_rate: Some(0.02),
        fuel_per_bar: Some(1_234.5),
        decision_latency_ms: None,
        returns: Convention { period: Period::Daily, count: 366, periods_per_year: 365.0 },
        undefined: BTreeMap::from([
            ("calmar".to_owned(), "there is no drawdown to compare with".to_owned()),
            ("decision_latency_ms".to_owned(), "a simulated run has no clock".to_owned()),
        ]),
    }
}

/// Nothing is defined.
pub(crate) fn undefined() -> Metrics {
    let mut json = serde_json::to_value(metrics()).unwrap();
    let fields = json.as_object_mut().unwrap();
    fields.values_mut().filter(|value| value.is_f64()).for_each(|value| *value = serde_json::Value::Null);
    for amount in ["initial_equity", "final_equity", "fees", "funding"] {
        fields.insert(amount.to_owned(), json!(0.0));
    }
    serde_json::from_value(json).unwrap()
}

/// A run over this many hours, with a trade every 50.
pub(crate) fn run(hours: usize) -> RunReport {
    RunReport {
        title: "ma-cross on TESTUSDT".to_owned(),
        strategy: "ma-cross".to_owned(),
        version: "1.2.3".to_owned(),
        parameters: pairs(&[("fast", "10"), ("slow", "50")]),
        hypothesis: Some("Trends persist.".to_owned()),
        instruments: vec![InstrumentBars {
            symbol: "TESTUSDT".to_owned(),
            bars: Arc::new(bars(hours)),
            interval: Nanos(HOUR),
        }],
        synthetic: true,
        window: "2024-01-01 to the end".to_owned(),
        profile: "conservative 1".to_owned(),
        risk: "default".to_owned(),
        costs: "taker 0.1 %, slippage 5 bps".to_owned(),
        manifest: json!({"strategy": {"name": "ma-cross"}, "seed": 1}),
        equity: equity(hours),
        trades: (0..hours.saturating_sub(20)).step_by(51).map(|at| trade("TESTUSDT", at)).collect(),
        open: vec![open("TESTUSDT")],
        metrics: metrics(),
        fault: None,
        halted: None,
        violations: vec![("max-position".to_owned(), 3)],
    }
}

/// A run in which nothing happened.
pub(crate) fn nothing() -> RunReport {
    RunReport {
        parameters: vec![],
        hypothesis: None,
        instruments: vec![],
        trades: vec![],
        open: vec![],
        violations: vec![],
        equity: vec![],
        metrics: Metrics { violations: 0, broken: BTreeMap::new(), ..undefined() },
        ..run(0)
    }
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn tournament() -> TournamentReport {
    let row = |rank: u64, fast: &str, sharpe: f64| LeaderRow {
        rank: Some(rank),
        strategy: "ma-cross".to_owned(),
        parameters: pairs(&[("fast", fast), ("slow", "50")]),
        figures: LeaderFigures {
            score: Some(sharpe * 0.8),
            total_return: Some(sharpe / 10.0),
            sharpe: Some(sharpe),
            sharpe_interval: Some((sharpe - 1.0, sharpe + 1.0)),
            deflated_sharpe: Some(0.4),
            sortino: Some(1.5),
            calmar: Some(0.9),
            max_drawdown: Some(-0.2),
            hit_rate: Some(0.5),
            average_holding_hours: Some(30.0),
            trades_per_week: Some(4.0),
            violations: 3,
            broken: vec![("leverage-gross".to_owned(), 2), ("notional-symbol".to_owned(), 3)],
            reject_rate: Some(0.0),
            fuel_per_bar: Some(900.0),
        },
        verdict: "not promoted".to_owned(),
        fault: None,
    };
    let stopped = LeaderRow {
        strategy: "spinner".to_owned(),
        verdict: "disqualified".to_owned(),
        fault: Some("out of fuel in on-bar".to_owned()),
        ..LeaderRow::default()
    };
    let labels = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
    let standing =
        |label: &str, values: &[Option<f64>]| StandingSeries { label: label.to_owned(), values: values.to_vec() };
    TournamentReport {
        title: "Tournament of crossings".to_owned(),
        synthetic: true,
        sentence: "Nobody deserves promotion: the best deflated Sharpe is 0.40, 0.95 is needed.".to_owned(),
        facts: pairs(&[("Instruments", "TESTUSDT"), ("Windows", "3, walk-forward")]),
        rows: vec![row(1, "10", 1.5), row(2, "20", 1.1), stopped],
        trials: 12,
        heat_maps: vec![HeatMap {
            strategy: "ma-cross".to_owned(),
            figure: "Sharpe".to_owned(),
            x: "fast".to_owned(),
            y: "slow".to_owned(),
            xs: labels(&["10", "20", "30"]),
            ys: labels(&["50", "100"]),
            values: vec![vec![Some(1.5), Some(1.1), None], vec![Some(0.2), Some(-0.4), Some(0.9)]],
        }],
        standings: Some(Standings {
            standing: Standing::Rank,
            windows: labels(&["2024-01", "2024-02", "2024-03"]),
            series: vec![
                standing("fast=10", &[Some(2.0), Some(1.0), Some(1.0)]),
                standing("fast=20", &[Some(1.0), Some(2.0), None]),
            ],
        }),
        equity: vec![("fast=10".to_owned(), equity(500)), ("fast=20".to_owned(), equity(400))],
        faults: vec![("out-of-fuel".to_owned(), 1)],
    }
}

/// The page without its two scripts, its style and the program's version, of which no test wants to hear.
pub(crate) fn text(html: &str) -> String {
    let mut text = html.to_owned();
    for (begin, end) in [("<script>", "</script>"), ("<style>", "</style>")] {
        let parts = text.split(begin).map(|part| match part.split_once(end) {
            Some((_, after)) if !part.starts_with("<!doctype") => after,
            _ => part,
        });
        text = parts.collect::<Vec<_>>().join(&format!("{begin}{end}"));
    }
    text.replace(concat!("Tiltyard ", env!("CARGO_PKG_VERSION")), "Tiltyard VERSION")
}

//! Real market data is read as its description says. Skipped where the data is not, except in continuous integration.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::env;
use std::path::{Path, PathBuf};

use tiltyard_market::{Gap, Series, infer_instrument, parse_date, read_bars};
use tiltyard_model::Nanos;

/// The folder of test data: `TILTYARD_TEST_DATA`, or `shared/data` beside the workspace.
fn data() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = env::var_os("TILTYARD_TEST_DATA").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(env::var("CI").as_deref() != Ok("true"), "no test data; set TILTYARD_TEST_DATA to its folder");
    #[expect(clippy::print_stderr, reason = "a test that tests nothing says so")]
    {
        eprintln!("skipped: no test data; set TILTYARD_TEST_DATA to its folder");
    }
    None
}

fn read(path: &Path, interval: Nanos) -> Series {
    Series::new(read_bars(path).unwrap(), interval).unwrap()
}

#[test]
fn hours_have_their_rows_and_their_one_gap() {
    let Some(data) = data() else { return };
    let outage = Gap { from: parse_date("2023-03-24T13:00:00Z").unwrap(), bars: 1 };
    for (symbol, rows, gaps, start, tick) in [
        ("ADAUSDT", 35_039, vec![outage], "2022-05-25T15:00:00Z", 0.0001),
        ("BTCUSDT", 35_039, vec![outage], "2022-05-25T08:00:00Z", 0.01),
        ("DOGEUSDT", 35_039, vec![outage], "2022-05-25T15:00:00Z", 0.000_01),
        ("ETHUSDT", 35_039, vec![outage], "2022-05-25T08:00:00Z", 0.01),
        ("LINKUSDT", 35_039, vec![outage], "2022-05-25T15:00:00Z", 0.001),
        // Trades through the outage of the spot market, so it is probably the perpetual.
        ("LTCUSDT", 56_186, vec![], "2020-01-09T08:00:00Z", 0.01),
        ("SOLUSDT", 35_039, vec![outage], "2022-05-25T08:00:00Z", 0.01),
        ("XRPUSDT", 35_039, vec![outage], "2022-05-25T08:00:00Z", 0.0001),
    ] {
        let path = data.join("binance-spot-1h").join(format!("{symbol}.csv.gz"));
        let series = read(&path, Nanos::from_hours(1));
        assert_eq!(series.bars.len(), rows, "{symbol}");
        assert_eq!(series.bars.open_time()[0], parse_date(start).unwrap().0, "{symbol}");
        let report = &series.report;
        assert_eq!((&report.first_gaps, report.gaps), (&gaps, gaps.len() as u64), "{symbol}");
        assert_eq!((report.out_of_order_rows, report.duplicate_rows), (0, 0), "{symbol}");
        assert_eq!(infer_instrument(symbol, "binance", &series.bars, 0.001, 0.001).tick, tick, "{symbol}");
    }
}

#[test]
fn minutes_are_whole() {
    let Some(data) = data() else { return };
    for (symbol, months) in [
        ("BTCUSDT", ["2022-06", "2023-08", "2024-02", "2024-10"]),
        ("ETHUSDT", ["2022-12", "2023-10", "2024-05", "2024-10"]),
    ] {
        for month in months {
            let path = data.join("binance-spot-1m").join(symbol).join(format!("{month}.csv.gz"));
            let series = read(&path, Nanos::from_secs(60));
            assert_eq!(series.bars.len(), 50_000, "{symbol} {month}");
            assert_eq!(series.report.to_string(), "", "{symbol} {month}");
            assert_eq!(infer_instrument(symbol, "binance", &series.bars, 0.001, 0.001).tick, 0.01, "{symbol} {month}");
        }
    }
}

//! Real market data is read as its description says. Skipped where the data is not, except in continuous integration.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod data;

use std::path::{Path, PathBuf};

use tiltyard_market::{
    Catalog, Contradictions, Gap, Instruments, Key, Origin, Series, import, infer_instrument, parse_date, read_bars,
    read_tables, resample,
};
use tiltyard_model::{Interval, Nanos, decimal};

const HOUR: Interval = Interval::Only(Nanos::from_hours(1));
const MINUTE: Interval = Interval::Only(Nanos::from_secs(60));

fn read(path: &Path, interval: Nanos) -> Series {
    Series::new(read_bars(path).unwrap(), interval).unwrap()
}

#[test]
fn hours_have_their_rows_and_their_one_gap() {
    let Some(data) = data::folder() else { return };
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
    let Some(data) = data::folder() else { return };
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

#[test]
fn all_of_it_is_kept_and_comes_back() {
    let Some(data) = data::folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut given = Vec::new();
    for entry in std::fs::read_dir(data.join("binance-spot-1h")).unwrap() {
        let path = entry.unwrap().path();
        let symbol = path.file_name().unwrap().to_str().unwrap().trim_end_matches(".csv.gz").to_owned();
        given.push((symbol, HOUR, import(read_tables(&path).unwrap(), None).unwrap()));
    }
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(data.join("binance-spot-1m").join(symbol))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort_unstable();
        let tables = paths.iter().flat_map(|path| read_tables(path).unwrap()).collect();
        given.push((symbol.to_owned(), MINUTE, import(tables, None).unwrap()));
    }
    assert_eq!(given.len(), 10);
    let catalog = Catalog::open(folder.path()).unwrap();
    for (symbol, interval, import) in &given {
        assert_eq!(import.interval, *interval, "{symbol}");
        let key = Key::new("binance", symbol, *interval).unwrap();
        catalog.keep(&key, &import.series, &Origin::default(), Contradictions::Refused).unwrap();
    }
    let catalog = Catalog::open(folder.path()).unwrap();
    for (symbol, interval, import) in &given {
        let stored = catalog.series(&Key::new("binance", symbol, *interval).unwrap()).unwrap();
        assert_eq!(*stored.bars, import.series.bars, "{symbol} {interval}");
        assert_eq!(stored.about.report, import.series.report, "{symbol} {interval}");
    }
}

#[test]
fn hours_made_of_minutes_open_where_the_hours_do() {
    let Some(data) = data::folder() else { return };
    for (symbol, month) in
        [("BTCUSDT", "2022-06"), ("BTCUSDT", "2024-10"), ("ETHUSDT", "2022-12"), ("ETHUSDT", "2024-10")]
    {
        let minutes =
            read(&data.join("binance-spot-1m").join(symbol).join(format!("{month}.csv.gz")), Nanos::from_secs(60));
        let hours = read(&data.join("binance-spot-1h").join(format!("{symbol}.csv.gz")), Nanos::from_hours(1));
        let made = resample(&minutes.bars, MINUTE, HOUR).unwrap();
        assert!(made.bars.len() >= 832, "{symbol} {month}");
        for bar in made.bars.iter() {
            let at = hours.bars.open_time().binary_search(&bar.open_time.0).unwrap();
            assert_eq!(bar.open, hours.bars.open()[at], "{symbol} {month}");
        }
    }
}

/// The rules' dates say when ticks and lots changed.
#[test]
fn prices_are_on_the_ticks_of_their_time() {
    let Some(data) = data::folder() else { return };
    let rules = Instruments::built_in();
    for (symbol, off_tick, off_lot) in [
        ("ADAUSDT", 0, 6),
        ("BTCUSDT", 0, 93),
        ("DOGEUSDT", 0, 12),
        ("ETHUSDT", 0, 33),
        ("LINKUSDT", 17, 0),
        ("LTCUSDT", 0, 0),
        ("SOLUSDT", 0, 18),
        ("XRPUSDT", 0, 41),
    ] {
        let series = read(&data.join("binance-spot-1h").join(format!("{symbol}.csv.gz")), Nanos::from_hours(1));
        let off = |value: f64, step: f64| !(decimal(value).unwrap() % decimal(step).unwrap()).is_zero();
        let (mut ticks, mut lots) = (0, 0);
        for bar in series.bars.iter() {
            let rules = rules.find("binance", symbol, bar.open_time).unwrap();
            ticks += u32::from([bar.open, bar.high, bar.low, bar.close].iter().any(|price| off(*price, rules.tick)));
            lots += u32::from(off(bar.volume, rules.lot));
        }
        assert_eq!((ticks, lots), (off_tick, off_lot), "{symbol}");
    }
}

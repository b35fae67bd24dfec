//! Every kind of file that bars come in, and that it is said which it was.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use tiltyard_market::{
    Catalog, Contradictions, Import, ImportError, Key, Origin, RawBars, ReadError, ReadLimits, Series, SyntheticMarket,
    import, read_bars_from, read_tables_from, write_csv, write_table,
};
use tiltyard_model::{Digest, Interval, Nanos};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const HOUR: Interval = Interval::Only(Nanos::from_hours(1));
const PLAIN: &str = "timestamp,open,high,low,close,volume\n\
                     1736899200000,10.0,12.50,9.0,11.0,5.125\n\
                     1736902800000,11.0,11.5,10.75,11.0,1e-5\n";
const KLINES: &str = "1736899200000,10.0,12.50,9.0,11.0,5.125,1736902799999,50,3,2,20,0\n\
                      1736902800000,11.0,11.5,10.75,11.0,1e-5,1736906399999,1,1,0,0,0\n";

fn read(bytes: impl AsRef<[u8]>) -> Result<Vec<RawBars>, ReadError> {
    read_tables_from("bars", bytes.as_ref(), ReadLimits::default())
}

fn imported(bytes: impl AsRef<[u8]>) -> Import {
    import(read(bytes).unwrap(), None).unwrap()
}

fn digest() -> Digest {
    imported(PLAIN).series.digest()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn every_kind_of_file_gives_the_same_bars_and_says_what_it_was() {
    let by_name = "columns `timestamp`, `open`, `high`, `low`, `close`, `volume`";
    let rows = PLAIN.split_once('\n').unwrap().1;
    let micros = |text: &str| text.replace("00000,", "00000000,").replace("99999,", "99999999,");
    let header = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n";
    let json = "[[1736899200000, 10, 12.5, 9, 11, 5.125],\n [1736902800000, 11, 11.5, 10.75, 11, 1e-5]]";
    let texts = "[[\"1736899200000\",\"10\",\"12.5\",\"9\",\"11\",\"5.125\"],[1736902800000.0,\"11\",11.5,\"10.75\",11,0.00001]]";
    let six = "time, open, high, low, close, volume";
    for (bytes, said) in [
        (PLAIN.into(), format!("CSV with a header, {by_name}, times in milliseconds")),
        (gzip(PLAIN), format!("gzip, CSV with a header, {by_name}, times in milliseconds")),
        (zipped(&[("a.csv", PLAIN)]), format!("zip, CSV with a header, {by_name}, times in milliseconds")),
        (rows.into(), format!("CSV without a header: {six}, times in milliseconds")),
        (
            rows.replace("1736899200000", "2025-01-15").replace("1736902800000", "2025-01-15 01:00:00").into(),
            format!("CSV without a header: {six}, times as dates"),
        ),
        (KLINES.into(), "CSV without a header: Binance's klines, 12 columns, times in milliseconds".to_owned()),
        (
            zipped(&[("BTCUSDT-1h-2025-01.csv", &micros(KLINES))]),
            "zip, CSV without a header: Binance's klines, 12 columns, times in microseconds".to_owned(),
        ),
        (
            (header.to_owned() + &micros(KLINES)).into_bytes(),
            "CSV with a header, columns `open_time`, `open`, `high`, `low`, `close`, `volume`, times in microseconds"
                .to_owned(),
        ),
        (json.into(), format!("JSON arrays: {six}, times in milliseconds")),
        (gzip(texts), format!("gzip, JSON arrays: {six}, times in milliseconds")),
    ] {
        let bytes: Vec<u8> = bytes;
        let import = imported(&bytes);
        assert_eq!(import.tables[0].detected.to_string(), said);
        assert_eq!((import.series.digest(), import.interval), (digest(), HOUR), "{said}");
    }
}

#[test]
fn what_was_written_is_read_back_to_the_last_bit() {
    let market = SyntheticMarket::new(3, HOUR);
    let series = Series::new(RawBars::of("made up", market.bars(0, 500).iter()), Nanos::from_hours(1)).unwrap();
    let csv = write_csv(Vec::new(), &series.bars).unwrap();
    assert_eq!(imported(csv).series, series);
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    let key = Key::new("here", "A", HOUR).unwrap();
    let about = catalog.keep(&key, &series, &Origin::default(), Contradictions::Refused).unwrap().about;
    let import = imported(write_table(Vec::new(), &series.bars, &about).unwrap());
    assert_eq!(import.series, series);
    assert_eq!(
        import.tables[0].detected.to_string(),
        "Parquet, columns `open_time`, `open`, `high`, `low`, `close`, `volume`, times in nanoseconds"
    );
}

#[test]
fn made_up_bars_stay_made_up_on_their_way_through_a_file() {
    let market = SyntheticMarket::new(3, HOUR);
    let series = Series::new(RawBars::of("made up", market.bars(0, 50).iter()), Nanos::from_hours(1)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    let origin = Origin { sources: Vec::new(), synthetic: Some(market.label()) };
    let key = market.key(0).unwrap();
    let about = catalog.keep(&key, &series, &origin, Contradictions::Refused).unwrap().about;
    let file = || read(write_table(Vec::new(), &series.bars, &about).unwrap()).unwrap();
    let whole = import(file(), None).unwrap();
    assert_eq!(whole.synthetic, Some(market.label()));
    assert!(whole.tables[0].detected.to_string().starts_with("SYNTHETIC, Parquet"));
    let csv = read(write_csv(Vec::new(), &series.bars).unwrap()).unwrap();
    let error = import(file().into_iter().chain(csv).collect(), None).unwrap_err();
    assert!(matches!(error, ImportError::Mixed { .. }), "{error}");
}

#[test]
fn early_times_are_read_back_as_well() {
    let hours = |hour: i64| tiltyard_model::Bar {
        open_time: Nanos::from_hours(hour),
        open: 1.0,
        high: 2.0,
        low: 0.5,
        close: 1.0 / 3.0 + 0.5,
        volume: 0.1 + 0.2,
    };
    let bars: tiltyard_model::Columns = [1_000_000, 1_000_001, 1_000_002].map(hours).into_iter().collect();
    assert_eq!(imported(write_csv(Vec::new(), &bars).unwrap()).series.bars, bars);
}

#[test]
fn several_files_are_one_series() {
    let lines: Vec<&str> = PLAIN.lines().collect();
    let one = format!("{}\n{}\n", lines[0], lines[1]);
    let tables = read(zipped(&[("b.csv", PLAIN), ("a.csv", &one), ("readme.txt", "nothing")])).unwrap();
    assert_eq!(tables.iter().map(RawBars::name).collect::<Vec<_>>(), ["bars: b.csv", "bars: a.csv"]);
    let import = import(tables, Some(HOUR)).unwrap();
    assert_eq!((import.series.digest(), import.series.report.duplicate_rows), (digest(), 1));
    assert_eq!(
        read_bars_from("two.zip", &zipped(&[("a.csv", PLAIN), ("b.csv", PLAIN)])[..], ReadLimits::default())
            .unwrap_err()
            .to_string(),
        "two.zip holds 2 CSV files; unpack it and give the one that is meant"
    );
}

#[test]
fn files_that_contradict_each_other_are_refused_with_the_bars() {
    let other = PLAIN.replace("11.0,5.125", "11.5,5.125");
    let tables = read(zipped(&[("a.csv", PLAIN), ("b.csv", &other)])).unwrap();
    assert_eq!(
        import(tables, None).unwrap_err().to_string(),
        "bars: b.csv: 1 bar contradicts what is there\n  \
         2025-01-15T00:00:00Z: 10/12.5/9/11 volume 5.125, not 10/12.5/9/11.5 volume 5.125\n\
         the files before it say otherwise; leave out the one that is wrong"
    );
}

#[test]
fn the_interval_follows_from_the_data_or_has_to_be_given() {
    let first = PLAIN.lines().take(2).collect::<Vec<_>>().join("\n");
    assert_eq!(
        import(read(&first).unwrap(), None).unwrap_err().to_string(),
        "the interval of bars does not follow from its 1 bars; give it"
    );
    assert_eq!(import(read(&first).unwrap(), Some(HOUR)).unwrap().interval, HOUR);
    let days = PLAIN.replace("1736902800000", "1736985600000");
    let tables = || read(PLAIN).unwrap().into_iter().chain(read(&days).unwrap()).collect();
    let error = import(tables(), None).unwrap_err();
    assert!(matches!(error, ImportError::Intervals { .. }), "{error}");
    assert_eq!(error.to_string(), "bars has bars of 1d, bars has bars of 1h; import each on its own");
    let odd = PLAIN.replace("1736902800000", "1736899200001");
    assert!(import(read(odd).unwrap(), None).unwrap_err().to_string().ends_with("give it"));
    assert_eq!(import(Vec::new(), None), Err(ImportError::Nothing));
}

#[test]
fn mixed_units_and_wrong_rows_are_named_by_their_place() {
    let mixed = "[[1736899200000,1,1,1,1,1],[1736902800000000,1,1,1,1,1],[1,2],[1736906400000,1,null,1,[],{}]]";
    let error = import(read(mixed).unwrap(), Some(HOUR)).unwrap_err().to_string();
    for part in [
        "row 2: time `1736902800000000` is in microseconds, the rows before it are in milliseconds",
        "row 3: 2 fields where there should be 6",
        "row 4: high `null` is not a number",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn what_is_no_table_is_refused() {
    for (bytes, said) in [
        (&b"[]"[..], "is empty"),
        (b"[1,2]", "JSON, but no array of arrays"),
        (b"{\"a\":1}", "JSON, but no array of arrays"),
        (b"[[1,2,3]]", "the first row has 3 values"),
        (b"[[1736899200000,1,1,1,1,1]", "JSON, but no array of arrays"),
        (b"[[1736899200000,1,1,1,1,1]] x", "JSON, but no array of arrays"),
        (b"PAR1", "cannot be read"),
        (b"PAR1PAR1PAR1PAR1", "cannot be read"),
        (b"PK\x03\x04", "cannot be read"),
        (&zipped(&[("readme.txt", "x")]), "holds 0 CSV files"),
        (&zipped(&[]), "holds 0 CSV files"),
        (b"7,1,2,0.5,1.5,9\n8,1,2,0.5,1.5,9\n", "the first line is data"),
    ] {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.contains(said), "{said} in {error}");
    }
}

#[test]
fn a_zip_that_unpacks_to_much_is_stopped() {
    let big = "0".repeat(4 << 20);
    let limits = ReadLimits { bytes: 1 << 20, rows: 100 };
    let attempt = |files: &[(&str, &str)]| read_tables_from("bomb", &zipped(files)[..], limits);
    assert!(matches!(attempt(&[("a.csv", &big)]), Err(ReadError::TooLong { .. })));
    // Together they may be as long as one.
    let half = format!("{PLAIN}{}", " \n".repeat(400_000));
    assert!(attempt(&[("a.csv", &half)]).is_ok());
    assert!(matches!(attempt(&[("a.csv", &half), ("b.csv", &half)]), Err(ReadError::TooLong { .. })));
    let rows = format!("[{}[1]]", "[1736899200000,1,1,1,1,1],".repeat(200));
    let error = read_tables_from("many", rows.as_bytes(), limits).unwrap_err();
    assert!(matches!(error, ReadError::TooManyRows { .. }), "{error}");
}

#[test]
fn no_byte_of_any_container_makes_the_reader_panic() {
    let series = imported(PLAIN).series;
    let folder = tempfile::tempdir().unwrap();
    let key = Key::new("here", "A", HOUR).unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    let about = catalog.keep(&key, &series, &Origin::default(), Contradictions::Refused).unwrap().about;
    for whole in [
        zipped(&[("a.csv", PLAIN)]),
        write_table(Vec::new(), &series.bars, &about).unwrap(),
        b"[[1736899200000,1,1,1,1,1],[\"1736902800000\",1.5,2e0,-1,null,[]]]".to_vec(),
    ] {
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff, whole[at] ^ 1, whole[at].wrapping_add(1)] {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                if let Ok(tables) = read(&bytes) {
                    let _ = import(tables, Some(HOUR));
                }
            }
            let _ = read(&whole[..at]);
        }
    }
}

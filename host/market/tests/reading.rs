//! What files are read, and how those that are not say so.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tiltyard_market::{RawBars, ReadError, ReadLimits, Series, SeriesError, read_bars, read_bars_from};
use tiltyard_model::Nanos;

const HOUR: Nanos = Nanos::from_hours(1);
const PLAIN: &str = "timestamp,open,high,low,close,volume\n\
                     1653465600000,10.0,12.50,9.0,11.0,5.125\n\
                     1653469200000,11.0,11.5,10.75,11.0,1e-5\n";

fn read(text: impl AsRef<[u8]>) -> Result<RawBars, ReadError> {
    read_bars_from("bars.csv", text.as_ref(), ReadLimits::default())
}

fn series(text: impl AsRef<[u8]>) -> Result<Series, SeriesError> {
    Series::new(read(text).unwrap(), HOUR)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// The problems with these rows below a plain header, one line each.
fn problems(rows: &str) -> Vec<String> {
    match series(format!("timestamp,open,high,low,close,volume\n{rows}")) {
        Err(SeriesError::Rows { problems, .. }) => problems.first().iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_are_read_exactly() {
    let series = series(PLAIN).unwrap();
    assert_eq!(series.bars.open_time(), [1_653_465_600_000_000_000, 1_653_469_200_000_000_000]);
    assert_eq!((series.bars.open(), series.bars.high()), (&[10.0, 11.0][..], &[12.5, 11.5][..]));
    assert_eq!((series.bars.low(), series.bars.close()), (&[9.0, 10.75][..], &[11.0, 11.0][..]));
    assert_eq!(series.bars.volume(), [5.125, 1e-5]);
    assert_eq!(series.report.to_string(), "");
}

#[test]
fn the_same_bars_in_any_layout_have_the_same_digest() {
    let digest = series(PLAIN).unwrap().digest();
    let (first, second) = (&gzip(PLAIN), gzip(PLAIN));
    let members = gzip(&PLAIN[..50]).into_iter().chain(gzip(&PLAIN[50..])).collect::<Vec<_>>();
    assert_eq!(first, &second);
    let dates = "Volume,Datetime,DATE,Low,High,Close,Open\n\
                 5.125,x,2022-05-25 08:00:00,9,12.5,11,10\n0.00001,,2022-05-25T09:00:00Z,10.75,11.5,11,11\n";
    for text in [
        first.clone(),
        members,
        PLAIN.replace('\n', "\r\n").into_bytes(),
        format!("\u{feff}{PLAIN}").into_bytes(),
        PLAIN.trim_end().as_bytes().to_vec(),
        PLAIN.replace('\n', "\r\n\r\n\n").into_bytes(),
        PLAIN.replace(',', " , ").into_bytes(),
        PLAIN.replace("10.0", "\"10\"").replace("5.125", "\"5.125\"").into_bytes(),
        PLAIN.replace("00000,", "00,").replace("timestamp", "Open_Time").into_bytes(),
        PLAIN.replace("00000,", "00000000,").into_bytes(),
        PLAIN.replace("00000,", "00000000000,").into_bytes(),
        dates.as_bytes().to_vec(),
    ] {
        let shown = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(series(text).unwrap().digest(), digest, "{shown}");
    }
    assert_ne!(series(PLAIN.replace("11.5", "11.6")).unwrap().digest(), digest);
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    let rows = "0,1,1,1,1,1\n\n3600,1,1,1,x,1\n7200,1,1,1,y,1";
    for break_ in ["\n", "\r\n"] {
        let found = problems(&rows.replace('\n', break_));
        assert!(found[0].starts_with("line 4: close `x` is not a number"), "{found:?}");
        assert!(found[1].starts_with("line 5: close `y` is not a number"), "{found:?}");
    }
}

#[test]
fn nothing_to_read_is_said() {
    for text in ["", "\n\n", "\u{feff}", " \r\n"] {
        assert!(matches!(read(text), Err(ReadError::Empty { .. })), "{text:?}");
    }
    assert_eq!(
        series("time,open,high,low,close,volume\n").unwrap_err().to_string(),
        "bars.csv has a header but no rows; a series needs at least one"
    );
}

#[test]
fn columns_that_are_missing_are_named() {
    let error = read("timestamp,open,high,low,volume\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "bars.csv: no column `close`; found `timestamp`, `open`, `high`, `low`, `volume`; \
         rename, add or remove columns"
    );
}

#[test]
fn what_is_above_a_limit_is_not_read() {
    let limits = ReadLimits { bytes: PLAIN.len() as u64, rows: 2 };
    let attempt = |text: &[u8], limits| read_bars_from("bars.csv", text, limits);
    assert!(attempt(PLAIN.as_bytes(), limits).is_ok());
    assert!(attempt(&gzip(PLAIN), limits).is_ok());
    for text in [PLAIN.as_bytes(), &gzip(PLAIN)] {
        let error = attempt(text, ReadLimits { bytes: limits.bytes - 1, ..limits }).unwrap_err();
        assert!(matches!(error, ReadError::TooLong { .. }), "{error}");
        let error = attempt(text, ReadLimits { rows: 1, ..limits }).unwrap_err();
        assert_eq!(error.to_string(), "bars.csv has more than 1 rows; split it");
    }
}

#[test]
fn a_small_file_that_unpacks_to_much_is_stopped() {
    let zeros = gzip(&"0".repeat(8 << 20));
    let limits = ReadLimits { bytes: 1 << 20, rows: 10 };
    assert!(zeros.len() < 20_000);
    assert!(matches!(read_bars_from("bomb", &zeros[..], limits), Err(ReadError::TooLong { .. })));
}

#[test]
fn damaged_and_absent_files_are_errors_of_reading() {
    let mut cut = gzip(PLAIN);
    cut.truncate(cut.len() - 10);
    assert!(matches!(read(&cut), Err(ReadError::Io { .. })));
    let folder = tempfile::tempdir().unwrap();
    let error = read_bars(&folder.path().join("none.csv")).unwrap_err();
    assert!(matches!(&error, ReadError::Io { .. }) && error.to_string().contains("none.csv cannot be read"), "{error}");
    assert!(read_bars(folder.path()).is_err());
    let path = folder.path().join("compressed, but not by its name.csv");
    std::fs::write(&path, gzip(PLAIN)).unwrap();
    assert_eq!(Series::new(read_bars(&path).unwrap(), HOUR).unwrap().bars.len(), 2);
}

#[test]
fn rows_that_cannot_be_read_are_named_with_their_lines() {
    assert_eq!(
        problems(
            "0,1,1,1,1,1\n\
             3600,1,1,1,1\n\
             7200000000000,1,1,1,1,1\n\
             soon,1,1,1,1,1\n\
             99999999999,1,1,1,1,1\n\
             10800,1,\"1,5\",1,1,1\n\
             14400,1,\x1b[2J,1,1,\n"
        ),
        [
            "line 3: 5 fields where there should be 6; is the row cut short, or a comma too many?",
            "line 4: time `7200000000000` is in milliseconds, the rows before it are in seconds; \
             write all rows in one unit",
            "line 5: time `soon` is neither a whole number since 1970 nor a date in UTC such as 2024-01-31 12:00:00",
            "line 6: time `99999999999` is out of range; times go from 1677-09-22 to 2262-04-11",
            "line 7: high `1,5` is not a number; write it like 0.25",
            "line 8: high `\\u{1b}[2J` is not a number; write it like 0.25",
        ]
    );
}

#[test]
fn a_quote_that_is_not_closed_does_not_swallow_the_file_in_silence() {
    let header = "time,open,high,low,close,volume,note\n";
    let error = series(format!("{header}0,1,1,1,1,1,fine\n3600,1,1,1,1,1,\"oops\n7200,1,1,1,1,1,lost\n")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bars.csv has 1 problem\n  line 3: a quoted field goes on over the end of the line; close the quote"
    );
}

#[test]
fn no_byte_of_a_file_makes_the_reader_panic() {
    for replaced in 0..PLAIN.len() {
        for byte in *b"\0\n\r,\"-e9.\xff" {
            let mut text = PLAIN.as_bytes().to_vec();
            text[replaced] = byte;
            if let Ok(raw) = read(&text) {
                let _ = Series::new(raw, HOUR);
            }
            let mut packed = gzip(PLAIN);
            let at = replaced % packed.len();
            packed[at] = byte;
            if let Ok(raw) = read(&packed) {
                let _ = Series::new(raw, HOUR);
            }
        }
    }
}

#[test]
fn of_many_problems_twenty_are_told() {
    let mut rows = String::new();
    for hour in 0..30 {
        writeln!(rows, "{},1,1,1,{},1", hour * 3600, if hour % 2 == 0 { "?" } else { "-1" }).unwrap();
    }
    assert_eq!(problems(&rows).len(), 20);
    let error = series(format!("time,open,high,low,close,volume\n{rows}")).unwrap_err().to_string();
    assert!(error.starts_with("bars.csv has 30 problems\n  line 2: ") && error.ends_with("\n  and 10 more"), "{error}");
}

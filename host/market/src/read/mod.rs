//! Bars from CSV, compressed or not.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Terminator};
use flate2::read::MultiGzDecoder;
use tiltyard_model::{Bar, shown};

use crate::header::{Layout, VALUES};
use crate::stamp::parse_stamp;
use crate::{Flaw, Problems, TimeUnit};

/// The first bytes of a gzip file (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// How much is read before a reader gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Most bytes, after decompression.
    pub bytes: u64,
    /// Most rows, the header not counted.
    pub rows: u64,
}

impl Default for ReadLimits {
    /// 1 GiB and 50 million rows: 95 years of minutes.
    fn default() -> Self {
        Self { bytes: 1 << 30, rows: 50_000_000 }
    }
}

/// Bars as a file has them: readable, but not yet checked. [`Series::new`](crate::Series::new) does that.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawBars {
    /// Where they are from, for messages.
    pub(crate) name: String,
    pub(crate) rows: Vec<Row>,
    /// Rows that could not be read.
    pub(crate) problems: Problems,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// The line it is on, from 1.
    pub(crate) line: u64,
    pub(crate) bar: Bar,
}

/// Why a file is no table of bars at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system or the decompressor says no.
    #[error("{name} cannot be read: {error}")]
    Io {
        /// The file.
        name: String,
        /// What was said.
        error: io::Error,
    },
    /// Not even a header.
    #[error("{name} is empty; it needs a header, timestamp,open,high,low,close,volume, and rows")]
    Empty {
        /// The file.
        name: String,
    },
    /// Columns are missing or doubled.
    #[error("{name}: {problem}")]
    Columns {
        /// The file.
        name: String,
        /// Which, what was found, and what to do.
        problem: String,
    },
    /// Longer than is read.
    #[error("{name} has more than {limit} bytes when decompressed; split it")]
    TooLong {
        /// The file.
        name: String,
        /// [`ReadLimits::bytes`].
        limit: u64,
    },
    /// More rows than are read.
    #[error("{name} has more than {limit} rows; split it")]
    TooManyRows {
        /// The file.
        name: String,
        /// [`ReadLimits::rows`].
        limit: u64,
    },
}

/// Reads bars from a CSV file, within the default [`ReadLimits`]; see [`read_bars_from`].
///
/// # Errors
/// [`ReadError`].
pub fn read_bars(path: &Path) -> Result<RawBars, ReadError> {
    let name = shown(&path.to_string_lossy(), 300);
    match File::open(path) {
        Ok(file) => read_bars_from(&name, file, ReadLimits::default()),
        Err(error) => Err(ReadError::Io { name, error }),
    }
}

/// Reads bars from CSV, plain or gzip, whichever its first bytes say.
///
/// The header names the columns, in any order and any case: `timestamp` (or `open_time`, `time`, `date`), `open`,
/// `high`, `low`, `close`, `volume`; others are ignored. The time is when the bar opens, in UTC: whole seconds,
/// milliseconds, microseconds or nanoseconds since 1970, told apart by magnitude ([`TimeUnit`]), or a date
/// ([`parse_date`](crate::parse_date)); all rows the same way. Prices are in quote currency, volume in base currency.
///
/// Rows that cannot be read are kept as problems, for [`Series::new`](crate::Series::new) to report along with what
/// else is wrong. `name` is used in messages.
///
/// # Errors
/// [`ReadError`] if there is no table, or more of it than `limits` allow.
pub fn read_bars_from(name: &str, source: impl Read, limits: ReadLimits) -> Result<RawBars, ReadError> {
    let name = name.to_owned();
    let failed = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(error) if is_over_limit(&error) => {
            ReadError::TooLong { name: name.clone(), limit: limits.bytes }
        }
        csv::ErrorKind::Io(error) => ReadError::Io { name: name.clone(), error },
        other => ReadError::Io { name: name.clone(), error: io::Error::other(format!("{other:?}")) },
    };
    let text = text_of(source).map_err(|error| ReadError::Io { name: name.clone(), error })?;
    let bounded = Bounded { source: text, left: limits.bytes };
    // Every row ends with a line feed, so that the reader's position tells a row's line; `\r` is white space.
    let mut reader =
        ReaderBuilder::new().flexible(true).terminator(Terminator::Any(b'\n')).from_reader(bounded.chain(&b"\n"[..]));
    let header = reader.byte_headers().map_err(&failed)?;
    if header.iter().all(|field| field.trim_ascii().is_empty()) {
        return Err(ReadError::Empty { name });
    }
    let layout = Layout::find(header).map_err(|problem| ReadError::Columns { name: name.clone(), problem })?;

    let mut bars = RawBars { name: name.clone(), ..RawBars::default() };
    let mut parser = Parser { layout, unit: None };
    let mut record = ByteRecord::new();
    let mut rows = 0;
    while reader.read_byte_record(&mut record).map_err(&failed)? {
        if record.len() == 1 && record[0].trim_ascii().is_empty() {
            continue;
        }
        rows += 1;
        if rows > limits.rows {
            return Err(ReadError::TooManyRows { name, limit: limits.rows });
        }
        if record.as_slice().contains(&b'\n') {
            bars.problems.add(record.position().map_or(0, csv::Position::line), Flaw::OpenQuote);
            continue;
        }
        let line = reader.position().line() - 1;
        match parser.parse(&record) {
            Ok(bar) => bars.rows.push(Row { line, bar }),
            Err(flaw) => bars.problems.add(line, flaw),
        }
    }
    Ok(bars)
}

/// The text itself: decompressed if it is gzip, and without the mark that some programs put before UTF-8.
fn text_of<'a>(source: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let (start, rest) = split_start(source, GZIP.len())?;
    let is_gzip = start == GZIP;
    let whole = io::Cursor::new(start).chain(rest);
    let text: Box<dyn Read + 'a> =
        if is_gzip { Box::new(MultiGzDecoder::new(io::BufReader::new(whole))) } else { Box::new(whole) };
    let (start, rest) = split_start(text, BYTE_ORDER_MARK.len())?;
    let kept = if start == BYTE_ORDER_MARK { Vec::new() } else { start };
    Ok(Box::new(io::Cursor::new(kept).chain(rest)))
}

/// The first bytes, fewer only if there are no more, and the rest.
fn split_start<R: Read>(mut source: R, bytes: usize) -> io::Result<(Vec<u8>, R)> {
    let mut start = Vec::with_capacity(bytes);
    source.by_ref().take(bytes as u64).read_to_end(&mut start)?;
    Ok((start, source))
}

/// What is left of the bytes that may be read.
struct Bounded<R> {
    source: R,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("more bytes than may be read")]
struct OverLimit;

fn is_over_limit(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<OverLimit>)
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other(OverLimit))?;
        Ok(count)
    }
}

/// Makes bars of rows, and remembers what all rows have in common.
struct Parser {
    layout: Layout,
    unit: Option<TimeUnit>,
}

impl Parser {
    fn parse(&mut self, record: &ByteRecord) -> Result<Bar, Flaw> {
        if record.len() != self.layout.width {
            return Err(Flaw::Fields { found: record.len(), expected: self.layout.width });
        }
        let text = String::from_utf8_lossy(record[self.layout.time].trim_ascii());
        let (open_time, unit) = parse_stamp(&text)?;
        let before = *self.unit.get_or_insert(unit);
        if unit != before {
            return Err(Flaw::MixedTimes { text: shown(&text, 40), unit, before });
        }
        let mut values = [0.0; VALUES.len()];
        for (at, value) in values.iter_mut().enumerate() {
            let text = String::from_utf8_lossy(record[self.layout.values[at]].trim_ascii());
            *value = text.parse().map_err(|_| Flaw::Number { column: VALUES[at], text: shown(&text, 40) })?;
        }
        let [open, high, low, close, volume] = values;
        Ok(Bar { open_time, open, high, low, close, volume })
    }
}

//! Bars from files: what kind of file it is follows from what is in it, and is said.

mod arrays;
mod container;
mod detected;
mod header;
mod parquet;
mod parser;
mod stamp;
mod text;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tiltyard_model::{Bar, Nanos, shown};

use crate::{Place, Problems, foreign};
use container::Content;

pub(crate) use container::{GZIP, split_start};
pub use detected::{Container, Detected, Layout};
pub use stamp::TimeUnit;
pub(crate) use stamp::{parse_stamp, time_of_number};

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
#[derive(Debug, Clone, PartialEq)]
pub struct RawBars {
    /// Where they are from, for messages.
    pub(crate) name: String,
    pub(crate) rows: Vec<Row>,
    /// Rows that could not be read.
    pub(crate) problems: Problems,
    /// How they were written.
    pub(crate) detected: Detected,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// Where it stands in the file.
    pub(crate) place: Place,
    pub(crate) bar: Bar,
}

impl RawBars {
    /// Bars that are no file's; problems name them by their rows, from 1. `name` is used in messages.
    #[must_use]
    pub fn of(name: &str, bars: impl IntoIterator<Item = Bar>) -> Self {
        let rows = (1..).zip(bars).map(|(row, bar)| Row { place: Place::Row(row), bar }).collect();
        Self { name: name.to_owned(), rows, problems: Problems::default(), detected: Detected::bars() }
    }

    /// How the file writes them.
    #[must_use]
    pub fn detected(&self) -> &Detected {
        &self.detected
    }

    /// Where they are from: the file, and the table in it if it may have several.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The most frequent distance from one open time to the next, the shortest if several are: the interval, if all is
    /// well. `None` below two different times.
    #[must_use]
    pub fn usual_distance(&self) -> Option<Nanos> {
        let mut times: Vec<i64> = self.rows.iter().map(|row| row.bar.open_time.0).collect();
        times.sort_unstable();
        times.dedup();
        let mut distances: Vec<i64> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        distances.sort_unstable();
        distances.chunk_by(|one, other| one == other).rev().max_by_key(|run| run.len()).map(|run| Nanos(run[0]))
    }
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
    /// Columns are missing or doubled, or nothing says which is which.
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
    /// A zip with something else in it than one table.
    #[error("{name} holds {found} CSV files; {remedy}")]
    Tables {
        /// The file.
        name: String,
        /// CSV files in it.
        found: usize,
        /// What to do.
        remedy: &'static str,
    },
}

impl ReadError {
    /// What the system said while this file was read, unless it was our own limit.
    fn from_io(name: &str, limits: ReadLimits, error: io::Error) -> Self {
        let name = name.to_owned();
        if container::is_over_limit(&error) {
            return Self::TooLong { name, limit: limits.bytes };
        }
        Self::Io { name, error }
    }
}

/// Reads the bars of a file with one table, within the default [`ReadLimits`]; see [`read_tables_from`].
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

/// Reads the bars of a file with one table; see [`read_tables_from`].
///
/// # Errors
/// [`ReadError`].
pub fn read_bars_from(name: &str, source: impl Read, limits: ReadLimits) -> Result<RawBars, ReadError> {
    let mut tables = read_tables_from(name, source, limits)?;
    match tables.pop() {
        Some(table) if tables.is_empty() => Ok(table),
        _ => Err(ReadError::Tables {
            name: name.to_owned(),
            found: tables.len() + 1,
            remedy: "unpack it and give the one that is meant",
        }),
    }
}

/// Reads all tables of a file within the default [`ReadLimits`]; see [`read_tables_from`].
///
/// # Errors
/// [`ReadError`].
pub fn read_tables(path: &Path) -> Result<Vec<RawBars>, ReadError> {
    let name = shown(&path.to_string_lossy(), 300);
    match File::open(path) {
        Ok(file) => read_tables_from(&name, file, ReadLimits::default()),
        Err(error) => Err(ReadError::Io { name, error }),
    }
}

/// Reads bars from whatever the first bytes say it is; only a zip can hold more than one table.
///
/// | container | layout | columns |
/// |---|---|---|
/// | plain, gzip, zip | CSV with a header | by name, in any order and any case; others are ignored |
/// | plain, gzip, zip | CSV without a header | six: time, open, high, low, close, volume; or the twelve of Binance's klines |
/// | plain, gzip | JSON, an array of arrays | the same six (as ccxt gives them) or twelve, as numbers or texts |
/// | Parquet | whole numbers, timestamps, texts, floating point | by name |
///
/// The names are `timestamp` (or `open_time`, `time`, `date`, `ts`), `open`, `high`, `low`, `close`, `volume`. The time is
/// when the bar opens, in UTC: whole seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by magnitude
/// ([`TimeUnit`]), or a date ([`parse_date`](crate::parse_date)); all rows the same way. Prices are in quote currency,
/// volume in base currency. In a zip, files whose names end in `.csv` are read.
///
/// Rows that cannot be read are kept as problems, for [`Series::new`](crate::Series::new) to report along with what
/// else is wrong. `name` is used in messages.
///
/// # Errors
/// [`ReadError`] if there is no table, or more of it than `limits` allow.
pub fn read_tables_from(name: &str, source: impl Read, limits: ReadLimits) -> Result<Vec<RawBars>, ReadError> {
    let failed = |error| ReadError::from_io(name, limits, error);
    match container::open(source, limits.bytes).map_err(failed)? {
        Content::Text { source, container } => Ok(vec![text::read(name, source, container, limits)?]),
        Content::Parquet(bytes) => foreign::decode(
            |panic| ReadError::Io { name: name.to_owned(), error: io::Error::other(panic) },
            || Ok(vec![parquet::read(name, bytes, limits)?]),
        ),
        Content::Zip(bytes) => container::zipped_tables(name, bytes, limits, |member, source| {
            text::read(member, source, Container::Zip, limits)
        }),
    }
}

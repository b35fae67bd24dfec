use std::fmt;

use super::TimeUnit;
use crate::Synthetic;

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// What the rows are wrapped in.
    pub container: Container,
    /// How the rows are written.
    pub layout: Layout,
    /// How times are written; `None` if no row could be read.
    pub time: Option<TimeUnit>,
    /// The columns that are read, time first, as the file names them; empty if it names none.
    pub columns: Vec<String>,
    /// How the bars were made up, if the file says that they were: one that this program has exported.
    pub synthetic: Option<Synthetic>,
}

/// What the rows are wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// Nothing.
    Plain,
    /// A gzip file of one or several members.
    Gzip,
    /// A zip archive.
    Zip,
    /// The file format itself compresses.
    Own,
}

/// How the rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// CSV whose first row names the columns.
    CsvWithHeader,
    /// CSV of time, open, high, low, close, volume.
    CsvWithoutHeader,
    /// CSV with the twelve columns of Binance's klines, and no header.
    Klines,
    /// A JSON array of arrays.
    JsonArrays,
    /// Parquet.
    Parquet,
    /// Made by this program, or put together of what several files had.
    Bars,
}

impl Detected {
    /// What was never in a file.
    pub(crate) fn bars() -> Self {
        Self { container: Container::Plain, layout: Layout::Bars, time: None, columns: Vec::new(), synthetic: None }
    }
}

impl fmt::Display for Detected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.synthetic.is_some() { "SYNTHETIC, " } else { "" })?;
        f.write_str(match self.container {
            Container::Plain | Container::Own => "",
            Container::Gzip => "gzip, ",
            Container::Zip => "zip, ",
        })?;
        f.write_str(match self.layout {
            Layout::CsvWithHeader => "CSV with a header",
            Layout::CsvWithoutHeader => "CSV without a header: time, open, high, low, close, volume",
            Layout::Klines => "CSV without a header: Binance's klines, 12 columns",
            Layout::JsonArrays => "JSON arrays: time, open, high, low, close, volume",
            Layout::Parquet => "Parquet",
            Layout::Bars => "bars",
        })?;
        if !self.columns.is_empty() {
            write!(f, ", columns {}", self.columns.join(", "))?;
        }
        match self.time {
            Some(TimeUnit::Dates) => f.write_str(", times as dates"),
            Some(unit) => write!(f, ", times in {unit}"),
            None => Ok(()),
        }
    }
}

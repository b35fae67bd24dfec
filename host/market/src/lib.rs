//! Market data: files in, checked columns out.
//!
//! A reader makes [`RawBars`] of a file ([`read_tables`], whatever kind of file it is); [`Series::new`] checks them, repairs
//! what has one right answer, refuses what has none, and says what it did in a [`Report`]. Whatever else brings bars
//! makes [`RawBars`] too, so that there is one set of rules.
//!
//! All times are UTC. Reads the files it is given and nothing else: no clock, no environment, no randomness but the names of
//! temporary files.

#![forbid(unsafe_code)]

mod date;
mod foreign;
mod infer;
mod problem;
mod read;
mod report;
mod series;

pub use date::{DateError, format_time, parse_date};
pub use infer::{FINEST_DECIMALS, infer_instrument};
pub use problem::{Flaw, Place, Problem, Problems};
pub use read::{
    Container, Detected, Layout, RawBars, ReadError, ReadLimits, TimeUnit, read_bars, read_bars_from, read_tables,
    read_tables_from,
};
pub use report::{Gap, Report};
pub use series::{Series, SeriesError};

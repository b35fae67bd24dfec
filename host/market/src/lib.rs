//! Market data: files in, checked columns out.
//!
//! A reader makes [`RawBars`] of a file ([`read_bars`] for CSV, compressed or not); [`Series::new`] checks them, repairs
//! what has one right answer, refuses what has none, and says what it did in a [`Report`]. Whatever else brings bars
//! makes [`RawBars`] too, so that there is one set of rules.
//!
//! All times are UTC. Reads the files it is given and nothing else: no clock, no environment, no randomness.

#![forbid(unsafe_code)]

mod date;
mod header;
mod infer;
mod problem;
mod read;
mod report;
mod series;
mod stamp;

pub use date::{DateError, format_time, parse_date};
pub use infer::{FINEST_DECIMALS, infer_instrument};
pub use problem::{Flaw, Problem, Problems};
pub use read::{RawBars, ReadError, ReadLimits, read_bars, read_bars_from};
pub use report::{Gap, Report};
pub use series::{Series, SeriesError};
pub use stamp::TimeUnit;

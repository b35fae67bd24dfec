//! Market data: files in, checked columns out.
//!
//! A reader makes [`RawBars`] of a file ([`read_tables`], whatever kind of file it is); [`Series::new`] checks them, repairs
//! what has one right answer, refuses what has none, and says what it did in a [`Report`]. Whatever else brings bars
//! makes [`RawBars`] too, so that there is one set of rules. A [`Catalog`] keeps series and shares them; [`resample`] makes
//! longer bars of shorter ones; [`SyntheticMarket`] makes bars up; [`Instruments`] knows the rules of venues by date.
//! A [`Tape`] reads what a venue was recorded saying into exact quotes, prints and depth.
//!
//! All times are UTC. Reads the files it is given and nothing else: no clock, no environment, no randomness but the names of
//! temporary files.

#![forbid(unsafe_code)]

mod catalog;
mod date;
mod export;
mod foreign;
mod funding;
mod import;
mod infer;
mod instruments;
mod merge;
mod problem;
mod read;
mod report;
mod resample;
mod series;
mod synth;
mod tape;

pub use catalog::{About, Catalog, CatalogError, Entry, Kept, Key, KeyError, Origin, Stored, Synthetic, write_table};
pub use date::{DateError, format_time, months_before, parse_date};
pub use export::write_csv;
pub use funding::{FundingError, read_funding};
pub use import::{Import, ImportError, Imported, import};
pub use infer::{ASSUMED_FEE, FINEST_DECIMALS, Steps, infer_instrument};
pub use instruments::{DatedRules, Instruments, UnknownInstrument};
pub use merge::{Conflict, Contradiction, Contradictions};
pub use problem::{Flaw, Place, Problem, Problems};
pub use read::{
    Container, Detected, Layout, RawBars, ReadError, ReadLimits, TimeUnit, read_bars, read_bars_from, read_tables,
    read_tables_from,
};
pub use report::{Gap, Report};
pub use resample::{Partial, ResampleError, Resampled, resample};
pub use series::{Series, SeriesError};
pub use synth::SyntheticMarket;
pub use tape::{DamagedLines, FrameCounts, FrameFlaw, Tape, TapeError, TapeOptions, TapeReport};

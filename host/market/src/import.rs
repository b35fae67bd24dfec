//! Tables of one series, put together.

use tiltyard_model::{Interval, Nanos};

use crate::catalog::named_interval;
use crate::merge::{Merged, merge};
use crate::{Contradiction, Contradictions, Detected, RawBars, Report, Series, SeriesError, Synthetic};

/// What came of reading the tables of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The series.
    pub series: Series,
    /// How long a bar is.
    pub interval: Interval,
    /// How the bars were made up, if their files say that they were.
    pub synthetic: Option<Synthetic>,
    /// Each table, in the order in which they were given.
    pub tables: Vec<Imported>,
}

/// One of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The file, and the table in it if it may have several.
    pub name: String,
    /// How it is written.
    pub detected: Detected,
    /// Bars in it.
    pub bars: u64,
    /// What was repaired in it, and what it lacks.
    pub report: Report,
}

/// Why tables make no series.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// Nothing was given.
    #[error("there is nothing to import; give at least one file")]
    Nothing,
    /// The interval does not follow from the data.
    #[error("the interval of {name} does not follow from its {bars} bars{}; give it", distance.map_or(String::new(), |usual| format!(", usually {usual} apart")))]
    Interval {
        /// The table.
        name: String,
        /// Bars in it.
        bars: usize,
        /// Their usual distance, if they have one.
        distance: Option<Nanos>,
    },
    /// The tables have bars of different lengths.
    #[error("{name} has bars of {interval}, {before} has bars of {expected}; import each on its own")]
    Intervals {
        /// The table.
        name: String,
        /// Its interval.
        interval: Interval,
        /// The first table.
        before: String,
        /// Its interval.
        expected: Interval,
    },
    /// Real and made-up bars, or bars that were made up differently.
    #[error("{name} has bars that were made up, {before} has others; import each on its own")]
    Mixed {
        /// The one of the two that is made up.
        name: String,
        /// The other.
        before: String,
    },
    /// A table is no series.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// Two tables say different things.
    #[error("{name}: {contradiction}\nthe files before it say otherwise; leave out the one that is wrong")]
    Contradiction {
        /// The later of the two.
        name: String,
        /// Which bars.
        contradiction: Contradiction,
    },
}

/// Checks tables and puts them together as one series. If no interval is given, it is the usual distance between bars.
/// Bars that several tables have count as duplicate rows.
///
/// # Errors
/// [`ImportError`].
pub fn import(tables: Vec<RawBars>, interval: Option<Interval>) -> Result<Import, ImportError> {
    let mut detected: Option<(Interval, String)> = None;
    for table in &tables {
        let own = match interval {
            Some(given) => given,
            None if table.rows.is_empty() => continue,
            None => interval_of(table)?,
        };
        match &detected {
            Some((expected, before)) if *expected != own => {
                return Err(ImportError::Intervals {
                    name: table.name.clone(),
                    interval: own,
                    before: before.clone(),
                    expected: *expected,
                });
            }
            Some(_) => {}
            None => detected = Some((own, table.name.clone())),
        }
    }
    for pair in tables.windows(2) {
        let [before, table] = pair else { continue };
        if before.detected.synthetic != table.detected.synthetic {
            let (name, before) = if table.detected.synthetic.is_some() { (table, before) } else { (before, table) };
            return Err(ImportError::Mixed { name: name.name.clone(), before: before.name.clone() });
        }
    }
    let synthetic = tables.first().and_then(|table| table.detected.synthetic.clone());
    // A table without a readable row says itself what is wrong, whatever the interval.
    let interval = detected.map_or(Interval::Only(Nanos::from_hours(1)), |(interval, _)| interval);
    let Interval::Only(length) = interval else { return Err(SeriesError::Interval(Nanos(0)).into()) };
    let mut whole: Option<Series> = None;
    let mut imported = Vec::new();
    for table in tables {
        let (name, detected) = (table.name.clone(), table.detected.clone());
        let series = Series::new(table, length)?;
        imported.push(Imported {
            name: name.clone(),
            detected,
            bars: series.bars.len() as u64,
            report: series.report.clone(),
        });
        whole = Some(match whole {
            None => series,
            Some(before) => together(&name, &before, &series, length)?,
        });
    }
    Ok(Import { series: whole.ok_or(ImportError::Nothing)?, interval, synthetic, tables: imported })
}

fn interval_of(table: &RawBars) -> Result<Interval, ImportError> {
    let distance = table.usual_distance();
    distance.and_then(named_interval).ok_or_else(|| ImportError::Interval {
        name: table.name.clone(),
        bars: table.rows.len(),
        distance,
    })
}

fn together(name: &str, before: &Series, series: &Series, length: Nanos) -> Result<Series, ImportError> {
    let Merged { bars, same, .. } = merge(&before.bars, &series.bars, Contradictions::Refused)
        .map_err(|contradiction| ImportError::Contradiction { name: name.to_owned(), contradiction })?;
    let mut whole = Series::new(RawBars::of(name, bars), length)?;
    whole.report.add_repairs(&before.report);
    whole.report.add_repairs(&series.report);
    whole.report.duplicate_rows += same;
    Ok(whole)
}

//! Bars that were checked.

use tiltyard_model::{Bar, Columns, Digest, Digester, Nanos};

use crate::read::Row;
use crate::{Flaw, Gap, Problems, RawBars, Report};

const PRICES: (f64, f64) = (1e-12, 1e12);
const VOLUMES: (f64, f64) = (0.0, 1e15);
/// From so many bars on, none of which follows its predecessor after one interval, the interval is taken for wrong
/// instead of the data for full of gaps.
const TELLING: usize = 10;

/// Bars of one instrument and one interval: in order, on a grid, each possible, none twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The bars. Where some are missing, they are missing here too.
    pub bars: Columns,
    /// What was repaired, and what is missing.
    pub report: Report,
}

/// Why rows make no series.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SeriesError {
    /// An interval that bars cannot have.
    #[error("an interval of {0} is not possible; give one above 0")]
    Interval(Nanos),
    /// A header and no rows.
    #[error("{name} has a header but no rows; a series needs at least one")]
    NoRows {
        /// The file.
        name: String,
    },
    /// Rows are wrong in a way that has no one repair.
    #[error("{name} has {problems}")]
    Rows {
        /// The file.
        name: String,
        /// Which, and how.
        problems: Problems,
    },
}

impl Series {
    /// Checks bars of this interval, and repairs what has one right answer.
    ///
    /// | found | then |
    /// |---|---|
    /// | rows out of order | sorted, counted in the report |
    /// | the same row twice | dropped, counted in the report |
    /// | bars missing | reported, not filled |
    /// | no volume anywhere | reported |
    /// | two rows of one time that differ | a problem |
    /// | a price outside 10⁻¹² to 10¹², a volume outside 0 to 10¹⁵, not a number, infinite | a problem |
    /// | a high below open or close, a low above them | a problem |
    /// | a time that is no whole number of intervals after the first bar | a problem |
    /// | ten bars or more, and no two of them one interval apart | a problem |
    ///
    /// # Errors
    /// [`SeriesError::Rows`] with the first [`Problems::KEPT`] problems, those of reading included.
    pub fn new(raw: RawBars, interval: Nanos) -> Result<Self, SeriesError> {
        let RawBars { name, mut rows, mut problems, detected: _ } = raw;
        let step = u64::try_from(interval.0).ok().filter(|step| *step > 0).ok_or(SeriesError::Interval(interval))?;
        if rows.is_empty() && problems.is_empty() {
            return Err(SeriesError::NoRows { name });
        }
        rows.retain(|row| match flaw(&row.bar) {
            None => true,
            Some(flaw) => {
                problems.add(row.place, flaw);
                false
            }
        });
        let mut report = Report { out_of_order_rows: sort(&mut rows), ..Report::default() };
        report.duplicate_rows = drop_duplicates(&mut rows, &mut problems);
        check_grid(&rows, step, interval, &mut problems);
        if !problems.is_empty() {
            return Err(SeriesError::Rows { name, problems });
        }
        for pair in rows.windows(2) {
            let bars = distance(pair) / step - 1;
            if bars > 0 {
                report.add_gap(Gap { from: pair[0].bar.open_time + interval, bars });
            }
        }
        report.all_volume_zero = rows.iter().all(|row| row.bar.volume == 0.0);
        // Adding 0 makes of -0 what every other file writes.
        let bars = rows.iter().map(|row| Bar { volume: row.bar.volume + 0.0, ..row.bar }).collect();
        Ok(Self { bars, report })
    }

    /// The name of these bars: a digest of all their values, however the file was compressed, ordered or laid out.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut digester = Digester::default();
        digester.text("bars").u64(self.bars.len() as u64);
        for bar in self.bars.iter() {
            digester.nanos(bar.open_time).f64(bar.open).f64(bar.high).f64(bar.low).f64(bar.close).f64(bar.volume);
        }
        digester.finish()
    }
}

/// What is wrong with a bar on its own.
fn flaw(bar: &Bar) -> Option<Flaw> {
    let &Bar { open, high, low, close, volume, .. } = bar;
    let outside = |column, value: f64, (least, most): (f64, f64)| {
        (!(least..=most).contains(&value)).then_some(Flaw::Range { column, value, least, most })
    };
    let prices = [("open", open), ("high", high), ("low", low), ("close", close)];
    let ends = [("open", open), ("close", close)];
    prices
        .iter()
        .find_map(|&(column, value)| outside(column, value, PRICES))
        .or_else(|| outside("volume", volume, VOLUMES))
        .or_else(|| ends.iter().find(|end| high < end.1).map(|&(column, value)| Flaw::High { high, column, value }))
        .or_else(|| ends.iter().find(|end| low > end.1).map(|&(column, value)| Flaw::Low { low, column, value }))
}

/// Sorts by time, and counts the rows that came after a later one.
fn sort(rows: &mut [Row]) -> u64 {
    let mut latest = Nanos(i64::MIN);
    let mut late = 0;
    for row in rows.iter() {
        late += u64::from(row.bar.open_time < latest);
        latest = latest.max(row.bar.open_time);
    }
    if late > 0 {
        rows.sort_by_key(|row| row.bar.open_time);
    }
    late
}

/// Drops and counts rows that repeat another; rows that contradict another are problems.
fn drop_duplicates(rows: &mut Vec<Row>, problems: &mut Problems) -> u64 {
    let mut dropped = 0;
    rows.dedup_by(|later, kept| {
        let time = kept.bar.open_time;
        if later.bar.open_time != time {
            return false;
        }
        if later.bar == kept.bar {
            dropped += 1;
        } else {
            problems.add(later.place, Flaw::Conflict { time, other: kept.place });
        }
        true
    });
    dropped
}

/// Finds times that are no whole number of steps after the first, and steps that are not those of the data.
fn check_grid(rows: &[Row], step: u64, interval: Nanos, problems: &mut Problems) {
    let Some(first) = rows.first().map(|row| row.bar.open_time) else { return };
    let is_off = |row: &&Row| !row.bar.open_time.0.abs_diff(first.0).is_multiple_of(step);
    let has_off = rows.iter().any(|row| is_off(&row));
    if !has_off && (rows.len() < TELLING || rows.windows(2).any(|pair| distance(pair) == step)) {
        return;
    }
    let usual = usual_distance(rows);
    match rows.windows(2).find(|pair| distance(pair) == usual) {
        Some(pair) if usual != step => {
            let usual = Nanos(i64::try_from(usual).unwrap_or(i64::MAX));
            problems.add(pair[1].place, Flaw::Interval { time: pair[1].bar.open_time, usual, interval });
        }
        _ => rows.iter().filter(is_off).for_each(|row| {
            problems.add(row.place, Flaw::OffGrid { time: row.bar.open_time, first, interval });
        }),
    }
}

/// Nanoseconds from one row to the next.
fn distance(pair: &[Row]) -> u64 {
    pair[1].bar.open_time.0.abs_diff(pair[0].bar.open_time.0)
}

/// The most frequent distance between neighbours, the shortest if several are; 0 if there are none.
fn usual_distance(rows: &[Row]) -> u64 {
    let mut distances: Vec<u64> = rows.windows(2).map(distance).collect();
    distances.sort_unstable();
    let runs = distances.chunk_by(|one, other| one == other);
    runs.rev().max_by_key(|run| run.len()).map_or(0, |run| run[0])
}

//! Which column of a file is which.

use std::fmt::Display;

use csv::ByteRecord;
use tiltyard_model::shown;

use super::Layout;
use super::parser::VALUES;
use super::stamp::parse_stamp;

/// Names that the column of open times may have.
const TIMES: [&str; 5] = ["timestamp", "open_time", "time", "date", "ts"];
/// Most columns that a message lists.
const LISTED: usize = 24;
/// Columns of Binance's klines; the open time comes first, the close time seventh.
pub(super) const KLINES: usize = 12;
/// A number this small is a count of something, not a time: as seconds it lies before 1973.
const EARLIEST: i64 = 100_000_000;

/// Where in a row the fields of a bar are, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) time: usize,
    /// Open, high, low, close, volume.
    pub(super) values: [usize; 5],
    /// Columns in all.
    pub(super) width: usize,
}

impl Columns {
    /// Time, open, high, low, close, volume, and whatever comes after them.
    pub(super) fn by_position(width: usize) -> Self {
        Self { time: 0, values: [1, 2, 3, 4, 5], width }
    }

    /// Time and values, in this order.
    pub(super) fn in_order(&self) -> Vec<usize> {
        [self.time].into_iter().chain(self.values).collect()
    }

    /// Finds out from the first row whether it is a header, and which column is which.
    ///
    /// # Errors
    /// What is missing, doubled or ambiguous, what was found instead, and what to do.
    pub(super) fn of_first(row: &ByteRecord) -> Result<(Self, Layout), String> {
        let fields: Vec<String> = row.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect();
        let time = fields.first().and_then(|field| parse_stamp(field).ok());
        let numbers: Vec<f64> = fields.iter().skip(1).filter_map(|field| field.parse().ok()).collect();
        let is_data = time.is_some() && numbers.len() + 1 == fields.len() && fields.len() > 1;
        if !is_data {
            return Self::find(&fields).map(|columns| (columns, Layout::CsvWithHeader));
        }
        let is_recent = fields[0].parse::<i64>().map_or(true, |number| number.abs() >= EARLIEST);
        let is_bar = |numbers: &[f64]| {
            let &[open, high, low, close, ..] = numbers else { return false };
            high >= open.max(close) && low <= open.min(close)
        };
        let closes_later = || {
            let close = fields.get(6).and_then(|field| parse_stamp(field).ok());
            time.zip(close).is_some_and(|((open, unit), (close, other))| close > open && unit == other)
        };
        let layout = match fields.len() {
            6 if is_recent && is_bar(&numbers) => Layout::CsvWithoutHeader,
            KLINES if is_recent && is_bar(&numbers) && closes_later() => Layout::Klines,
            _ => {
                return Err(format!(
                    "the first line is data, and it is neither time,open,high,low,close,volume nor a kline of {KLINES} columns; \
                     found {}; put a header before it, timestamp,open,high,low,close,volume",
                    list(&fields).join(", ")
                ));
            }
        };
        Ok((Self::by_position(fields.len()), layout))
    }

    /// Finds the columns by their names, in any order and any case.
    ///
    /// # Errors
    /// All that is missing or doubled, and what was found instead.
    pub(super) fn find<T: AsRef<str> + Display>(header: &[T]) -> Result<Self, String> {
        let names: Vec<String> = header.iter().map(|name| name.as_ref().trim().to_ascii_lowercase()).collect();
        let known: Vec<String> = names.iter().map(|name| name.replace(' ', "_")).collect();
        let mut problems = Vec::new();
        let mut place = |what: &str, accepted: &[&str]| {
            let mut found = known.iter().enumerate().filter(|(_, name)| accepted.contains(&name.as_str()));
            let first = found.next();
            match (first, found.next()) {
                (None, _) => problems.push(format!("no column {what}")),
                (Some((_, one)), Some((_, other))) if one == other => problems.push(format!("two columns `{one}`")),
                (Some((_, one)), Some((_, other))) => {
                    problems.push(format!("both `{one}` and `{other}` could be the open time"));
                }
                (Some(_), None) => {}
            }
            first.map_or(0, |(at, _)| at)
        };
        let time = place("`timestamp` (or open_time, time, date, ts)", &TIMES);
        let values = VALUES.map(|name| place(&format!("`{name}`"), &[name]));
        if problems.is_empty() {
            return Ok(Self { time, values, width: names.len() });
        }
        Err(format!("{}; found {}; rename, add or remove columns", problems.join(", "), list(&names).join(", ")))
    }
}

/// A column's name as it stands in the file.
pub(super) fn name(field: &[u8]) -> String {
    String::from_utf8_lossy(field.trim_ascii()).into_owned()
}

/// Names for a message.
pub(super) fn list(names: &[String]) -> Vec<String> {
    let mut listed: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{}`", shown(name, 40))).collect();
    if names.len() > LISTED {
        listed.push(format!("and {} more", names.len() - LISTED));
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::{Columns, Layout};
    use csv::ByteRecord;

    fn first(row: &str) -> Result<(Columns, Layout), String> {
        Columns::of_first(&row.split(',').collect::<ByteRecord>())
    }

    fn find(header: &str) -> Result<Columns, String> {
        first(header).map(|(columns, _)| columns)
    }

    #[test]
    fn columns_are_found_in_any_order_and_case_among_others() {
        let columns = find("Volume,datetime,CLOSE, low ,high,Open,Open Time").unwrap();
        assert_eq!(columns, Columns { time: 6, values: [5, 4, 3, 2, 0], width: 7 });
    }

    #[test]
    fn all_that_is_missing_is_named_with_what_was_found() {
        assert_eq!(
            find("datetime,open,high,low,last").unwrap_err(),
            "no column `timestamp` (or open_time, time, date, ts), no column `close`, no column `volume`; \
             found `datetime`, `open`, `high`, `low`, `last`; rename, add or remove columns"
        );
    }

    #[test]
    fn doubled_columns_are_refused() {
        assert!(find("time,open,Open,high,low,close,volume").unwrap_err().starts_with("two columns `open`"));
        assert!(find("time,date,open,high,low,close,volume").unwrap_err().contains("both `time` and `date`"));
    }

    #[test]
    fn data_without_a_header_is_known_by_its_form() {
        let kline = "1736899200000000,96560.85,96640.00,96500.00,96600.00,131.2,1736899259999999,1.3e7,99,60.5,5.9e6,0";
        for (row, layout) in [
            ("1653465600000,1,2,0.5,1.5,9", Layout::CsvWithoutHeader),
            ("2022-05-25 08:00:00,1,2,0.5,1.5,9", Layout::CsvWithoutHeader),
            (kline, Layout::Klines),
        ] {
            assert_eq!(first(row).map(|(_, layout)| layout), Ok(layout), "{row}");
        }
    }

    #[test]
    fn data_whose_columns_could_be_something_else_needs_a_header() {
        for row in [
            "1653465600000,1,2,0.5,1.5",
            "1653465600000,1,2,0.5,1.5,9,7",
            "1653465600000,1,1.5,2,0.5,9",
            "7,1,2,0.5,1.5,9",
            "1,2,0.5,1.5,9,1653465600000",
            "1653465600000,1,2,0.5,1.5,9,1653465500000,8,7,6,5,4",
        ] {
            let error = find(row).unwrap_err();
            assert!(error.starts_with("the first line is data") && error.contains("put a header before it"), "{error}");
        }
    }

    #[test]
    fn a_long_or_hostile_header_makes_a_short_message() {
        let error = find(&"\x1b[2J".repeat(99).split_inclusive('J').collect::<Vec<_>>().join(",")).unwrap_err();
        assert!(error.len() < 1_500 && !error.contains('\x1b'), "{error}");
        assert!(error.contains("and 75 more"));
    }
}

//! Which column of a file is which.

use csv::ByteRecord;
use tiltyard_model::shown;

/// Names that the column of open times may have.
const TIMES: [&str; 4] = ["timestamp", "open_time", "time", "date"];
/// The other columns, in the order of [`Layout::values`].
pub(crate) const VALUES: [&str; 5] = ["open", "high", "low", "close", "volume"];
/// Most columns that a message lists.
const LISTED: usize = 24;

/// Where in a row the fields of a bar are, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) time: usize,
    /// Open, high, low, close, volume.
    pub(crate) values: [usize; 5],
    /// Columns in all.
    pub(crate) width: usize,
}

impl Layout {
    /// Finds the columns by their names, in any order and any case.
    ///
    /// # Errors
    /// All that is missing or doubled, and what was found instead.
    pub(crate) fn find(header: &ByteRecord) -> Result<Self, String> {
        let names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase()).collect();
        let mut problems = Vec::new();
        let mut place = |what: &str, accepted: &[&str]| {
            let mut found = names.iter().enumerate().filter(|(_, name)| accepted.contains(&name.as_str()));
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
        let time = place("`timestamp` (or open_time, time, date)", &TIMES);
        let values = VALUES.map(|name| place(&format!("`{name}`"), &[name]));
        if problems.is_empty() {
            return Ok(Self { time, values, width: names.len() });
        }
        let remedy = if names.iter().all(|name| name.parse::<f64>().is_ok()) {
            "the first line is data: put a header before it, timestamp,open,high,low,close,volume"
        } else {
            "rename, add or remove columns"
        };
        Err(format!("{}; found {}; {remedy}", problems.join(", "), list(&names)))
    }
}

fn list(names: &[String]) -> String {
    let mut listed: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{}`", shown(name, 40))).collect();
    if names.len() > LISTED {
        listed.push(format!("and {} more", names.len() - LISTED));
    }
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    use super::Layout;
    use csv::ByteRecord;

    fn find(header: &str) -> Result<Layout, String> {
        Layout::find(&header.split(',').collect::<ByteRecord>())
    }

    #[test]
    fn columns_are_found_in_any_order_and_case_among_others() {
        let layout = find("Volume,datetime,CLOSE, low ,high,Open,Open_Time").unwrap();
        assert_eq!(layout, Layout { time: 6, values: [5, 4, 3, 2, 0], width: 7 });
    }

    #[test]
    fn all_that_is_missing_is_named_with_what_was_found() {
        assert_eq!(
            find("datetime,open,high,low,last").unwrap_err(),
            "no column `timestamp` (or open_time, time, date), no column `close`, no column `volume`; \
             found `datetime`, `open`, `high`, `low`, `last`; rename, add or remove columns"
        );
    }

    #[test]
    fn doubled_columns_are_refused() {
        assert!(find("time,open,Open,high,low,close,volume").unwrap_err().starts_with("two columns `open`"));
        assert!(find("time,date,open,high,low,close,volume").unwrap_err().contains("both `time` and `date`"));
    }

    #[test]
    fn a_file_without_a_header_is_told_to_add_one() {
        assert!(find("1653465600000,1,2,0.5,1.5,9").unwrap_err().contains("the first line is data"));
    }

    #[test]
    fn a_long_or_hostile_header_makes_a_short_message() {
        let error = find(&"\x1b[2J".repeat(99).split_inclusive('J').collect::<Vec<_>>().join(",")).unwrap_err();
        assert!(error.len() < 1_500 && !error.contains('\x1b'), "{error}");
        assert!(error.contains("and 75 more"));
    }
}

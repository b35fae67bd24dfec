//! Rates of funding from a file.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use tiltyard_model::{Decimal, Nanos, shown};

use crate::Flaw;
use crate::read::parse_stamp;

/// Why a file has no rates of funding.
#[derive(Debug, thiserror::Error)]
pub enum FundingError {
    /// It cannot be read.
    #[error("reading {path}: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// It is not a table of times and rates.
    #[error("{path} begins with `{found}`; it takes CSV with the heads time,rate")]
    Heads {
        /// The file.
        path: String,
        /// Its first line.
        found: String,
    },
    /// A line with no time.
    #[error("{path}, line {line}: {flaw}")]
    Time {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// A line with no rate.
    #[error(
        "{path}, line {line}: the rate is `{found}`; it takes a fraction from -0.1 to 0.1 with at most 12 decimals"
    )]
    Rate {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// Times that do not rise.
    #[error("{path}, line {line}: the time is not after that of the line before; put the payments in order, each once")]
    Order {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
    },
}

/// Reads times and rates of funding from a CSV file with the heads `time,rate`: when a payment is made, as a number or a date (UTC),
/// and the fraction of the notional that longs pay shorts. Times go down to the second: venues stamp payments of a full hour some
/// milliseconds late.
///
/// # Errors
/// The first line that makes no sense.
pub fn read_funding(path: &Path) -> Result<Vec<(Nanos, Decimal)>, FundingError> {
    let name = || path.display().to_string();
    let unreadable = |error| FundingError::Unreadable { path: name(), error };
    let mut lines = BufReader::new(File::open(path).map_err(unreadable)?).lines();
    let heads = lines.next().transpose().map_err(unreadable)?.unwrap_or_default();
    let mut named = heads.trim_start_matches('\u{feff}').trim().split(',').map(str::trim);
    if (named.next(), named.next(), named.next()) != (Some("time"), Some("rate"), None) {
        return Err(FundingError::Heads { path: name(), found: shown(&heads, 60) });
    }
    let mut payments: Vec<(Nanos, Decimal)> = Vec::new();
    for (line, text) in (2..).zip(lines) {
        let text = text.map_err(unreadable)?;
        if text.trim().is_empty() {
            continue;
        }
        let (time, rate) = text.split_once(',').unwrap_or((&text, ""));
        let (time, _) = parse_stamp(time.trim()).map_err(|flaw| FundingError::Time { path: name(), line, flaw })?;
        let time = Nanos(time.0 - time.0.rem_euclid(1_000_000_000));
        let rate = rate.trim();
        let exact = Decimal::from_str_exact(rate)
            .or_else(|_| Decimal::from_scientific(rate))
            .ok()
            .filter(|exact| exact.normalize().scale() <= 12 && exact.abs() <= Decimal::new(1, 1));
        let exact = exact.ok_or_else(|| FundingError::Rate { path: name(), line, found: shown(rate, 40) })?;
        if payments.last().is_some_and(|(before, _)| time <= *before) {
            return Err(FundingError::Order { path: name(), line });
        }
        payments.push((time, exact.normalize()));
    }
    Ok(payments)
}

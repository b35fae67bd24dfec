//! Times as files hold them: whole numbers of some unit, or dates.

use std::fmt;

use tiltyard_model::{Nanos, shown};

use crate::{DateError, Flaw, parse_date};

/// From here on a number counts milliseconds (1973; as seconds it would be the year 5138), microseconds, nanoseconds.
const MILLIS: u64 = 100_000_000_000;
const MICROS: u64 = 1_000 * MILLIS;
const NANOS: u64 = 1_000 * MICROS;

/// How a file writes its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Whole seconds since 1970: numbers below 10¹¹.
    Seconds,
    /// Whole milliseconds since 1970: numbers from 10¹¹ (in 1973) on.
    Milliseconds,
    /// Whole microseconds since 1970: numbers from 10¹⁴ on.
    Microseconds,
    /// Whole nanoseconds since 1970: numbers from 10¹⁷ on.
    Nanoseconds,
    /// Dates in UTC, see [`parse_date`].
    Dates,
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
            Self::Dates => "dates",
        })
    }
}

/// The instant, and how it was written. The unit of a number follows from its magnitude.
pub(crate) fn parse_stamp(text: &str) -> Result<(Nanos, TimeUnit), Flaw> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return match parse_date(text) {
            Ok(time) => Ok((time, TimeUnit::Dates)),
            Err(DateError::Unreadable(text)) => Err(Flaw::Time { text }),
            Err(DateError::OutOfRange(text)) => Err(Flaw::TimeRange { text }),
        };
    }
    let out_of_range = || Flaw::TimeRange { text: shown(text, 40) };
    let number: i64 = text.parse().map_err(|_| out_of_range())?;
    let (unit, nanos) = unit_of(number);
    number.checked_mul(nanos).map(|time| (Nanos(time), unit)).ok_or_else(out_of_range)
}

/// The instant that a number counts to, in the unit that follows from its magnitude; `None` if [`Nanos`] cannot hold it.
pub(crate) fn time_of_number(number: i64) -> Option<Nanos> {
    number.checked_mul(unit_of(number).1).map(Nanos)
}

/// The unit, and its nanoseconds.
fn unit_of(number: i64) -> (TimeUnit, i64) {
    match number.unsigned_abs() {
        ..MILLIS => (TimeUnit::Seconds, 1_000_000_000),
        MILLIS..MICROS => (TimeUnit::Milliseconds, 1_000_000),
        MICROS..NANOS => (TimeUnit::Microseconds, 1_000),
        NANOS.. => (TimeUnit::Nanoseconds, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::{TimeUnit, parse_stamp};
    use crate::Flaw;
    use tiltyard_model::Nanos;

    #[test]
    fn one_instant_in_every_unit() {
        let time = Nanos::from_secs(1_653_465_600);
        for (text, unit) in [
            ("1653465600", TimeUnit::Seconds),
            ("1653465600000", TimeUnit::Milliseconds),
            ("1653465600000000", TimeUnit::Microseconds),
            ("1653465600000000000", TimeUnit::Nanoseconds),
            ("2022-05-25 08:00:00", TimeUnit::Dates),
            ("2022-05-25T08:00:00Z", TimeUnit::Dates),
        ] {
            assert_eq!(parse_stamp(text), Ok((time, unit)), "{text}");
        }
        assert_eq!(parse_stamp("-1653465600"), Ok((Nanos::from_secs(-1_653_465_600), TimeUnit::Seconds)));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in ["", "-", "1e9", "1653465600.5", "yesterday", "--1", "+1"] {
            assert!(matches!(parse_stamp(text), Err(Flaw::Time { .. })), "{text}");
        }
        for text in ["99999999999", "99999999999999999999", "2500-01-01"] {
            assert!(matches!(parse_stamp(text), Err(Flaw::TimeRange { .. })), "{text}");
        }
    }
}

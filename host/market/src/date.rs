//! Instants as people write them, in UTC.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use tiltyard_model::{Nanos, shown};

/// A text that is not an instant this program can count with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not a date, or not one in UTC.
    #[error("`{0}` is not a date in UTC; write 2024-01-31 or 2024-01-31T12:00:00Z")]
    Unreadable(String),
    /// A date that [`Nanos`] cannot hold.
    #[error("`{0}` is out of range; dates go from 1677-09-22 to 2262-04-11")]
    OutOfRange(String),
}

/// The instant of a date, with or without a time of day: `2024-01-31`, `2024-01-31 12:00:00`, `2024-01-31T12:00:00.5Z`.
///
/// Everything is UTC: a `Z` or `+00:00` at the end changes nothing, any other offset is refused. A date alone is its
/// midnight.
///
/// # Errors
/// [`DateError`] if it is no date, has an offset, or is before 1677 or after 2262.
pub fn parse_date(text: &str) -> Result<Nanos, DateError> {
    let named = || shown(text, 40);
    let unreadable = || DateError::Unreadable(named());
    let date = text.trim_ascii();
    let civil = date.strip_suffix(['Z', 'z']).or_else(|| date.strip_suffix("+00:00")).unwrap_or(date);
    // A bare date has no offset either, and `jiff` would read the offsets and annotations of a civil time and forget them.
    if !has_shape(civil) || (civil.len() <= 10 && civil.len() != date.len()) {
        return Err(unreadable());
    }
    let civil: DateTime = civil.parse().map_err(|_| unreadable())?;
    let instant = TimeZone::UTC.to_timestamp(civil).map_err(|_| DateError::OutOfRange(named()))?;
    i64::try_from(instant.as_nanosecond()).map(Nanos).map_err(|_| DateError::OutOfRange(named()))
}

/// Whether the text starts like `2024-01-31` and goes on with nothing but a time of day.
fn has_shape(text: &str) -> bool {
    let Some((date, time)) = text.as_bytes().split_at_checked(10) else { return false };
    let is_date = date.iter().enumerate().all(|(at, byte)| match at {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    is_date && time.iter().all(|byte| matches!(byte, b'0'..=b'9' | b':' | b'.' | b'T' | b't' | b' '))
}

/// The instant as `2024-01-31T12:00:00Z`, with a fraction of the second only if there is one.
#[must_use]
pub fn format_time(time: Nanos) -> String {
    Timestamp::from_nanosecond(time.0.into()).expect("64 bits of nanoseconds span 1677 to 2262, jiff more").to_string()
}

/// The instant so many calendar months (UTC) earlier; the last day of a month that is too short. Not before 1677.
#[must_use]
pub fn months_before(time: Nanos, months: u32) -> Nanos {
    let zoned = Timestamp::from_nanosecond(time.0.into())
        .expect("64 bits of nanoseconds span 1677 to 2262, jiff more")
        .to_zoned(TimeZone::UTC);
    let earlier = Span::new().try_months(months).ok().and_then(|span| zoned.checked_sub(span).ok());
    let nanos = earlier.and_then(|earlier| i64::try_from(earlier.timestamp().as_nanosecond()).ok());
    Nanos(nanos.unwrap_or(i64::MIN))
}

#[cfg(test)]
mod tests {
    use super::{DateError, format_time, months_before, parse_date};
    use tiltyard_model::Nanos;

    #[test]
    fn months_are_those_of_the_calendar() {
        for (time, months, expected) in [
            ("2026-05-24T09:00:00Z", 3, "2026-02-24T09:00:00Z"),
            ("2024-05-31T00:00:00Z", 3, "2024-02-29T00:00:00Z"),
            ("2024-01-15T12:30:00Z", 13, "2022-12-15T12:30:00Z"),
            ("2024-01-15T12:30:00Z", 0, "2024-01-15T12:30:00Z"),
        ] {
            assert_eq!(format_time(months_before(parse_date(time).unwrap(), months)), expected);
        }
        assert_eq!(months_before(Nanos(0), u32::MAX), Nanos(i64::MIN));
    }

    #[test]
    fn every_accepted_form_is_the_same_instant() {
        let noon = Nanos::from_secs(1_706_702_400);
        for text in [
            "2024-01-31T12:00:00Z",
            "2024-01-31 12:00:00",
            "2024-01-31T12:00:00",
            "2024-01-31 12:00:00+00:00",
            " 2024-01-31T12:00:00.000Z ",
        ] {
            assert_eq!(parse_date(text), Ok(noon), "{text}");
        }
        assert_eq!(parse_date("2024-01-31"), Ok(noon - Nanos::from_hours(12)));
    }

    #[test]
    fn other_offsets_and_other_things_are_refused() {
        for text in [
            "",
            "Z",
            "2024",
            "20240131",
            "2024-01-31Z",
            "2024-02-30",
            "2024-13-01",
            "2024-01-31T25:00:00Z",
            "2024-01-31T12:00:00+05:00",
            "2024-01-31T12:00:00-05:00",
            "2024-01-31T12:00:00Z[Europe/Vienna]",
            "2024-01-31T12:00:00ZZ",
            "31.01.2024",
            "1706702400",
            "２０２４-01-31",
        ] {
            assert!(matches!(parse_date(text), Err(DateError::Unreadable(_))), "{text}");
        }
    }

    #[test]
    fn what_nanoseconds_cannot_hold_is_out_of_range() {
        for text in ["1600-01-01", "2300-01-01", "9999-12-31T23:59:59.999999999Z", "0000-01-01"] {
            assert!(matches!(parse_date(text), Err(DateError::OutOfRange(_))), "{text}");
        }
    }

    #[test]
    fn every_instant_is_written_and_read_back() {
        for time in [i64::MIN, -1_000_000_000, -1, 0, 1, 1_706_702_400_000_000_000, 1_706_702_400_500_000_000, i64::MAX]
        {
            assert_eq!(parse_date(&format_time(Nanos(time))), Ok(Nanos(time)));
        }
    }

    #[test]
    fn fractions_are_shown_only_if_there_are_any() {
        assert_eq!(format_time(Nanos::from_secs(1_706_702_400)), "2024-01-31T12:00:00Z");
        assert_eq!(format_time(Nanos(1_706_702_400_500_000_000)), "2024-01-31T12:00:00.5Z");
    }
}

//! Numbers and instants as people read them. What is not a finite number is a dash.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tiltyard_model::Nanos;

/// What stands where there is no number.
pub(crate) const NONE: &str = "–";

/// A finite number, formatted; beyond 10¹⁵ with an exponent, because no reader counts digits.
fn finite(value: Option<f64>, format: impl FnOnce(f64) -> String) -> String {
    match value.filter(|value| value.is_finite()) {
        None => NONE.to_owned(),
        Some(value) if value.abs() >= 1e15 => format!("{value:.3e}"),
        Some(value) => format(value),
    }
}

/// With so many decimals, and thousands apart; never a negative zero.
fn decimals(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let sign = if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) { "" } else { sign };
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let fraction = fraction.map(|fraction| format!(".{fraction}")).unwrap_or_default();
    format!("{sign}{}{fraction}", thousands(whole))
}

/// Digits in groups of three.
fn thousands(digits: &str) -> String {
    let group = |group: &[u8]| String::from_utf8_lossy(group).into_owned();
    digits.as_bytes().rchunks(3).rev().map(group).collect::<Vec<_>>().join(",")
}

/// A fraction as a percentage: 0.0123 is `1.23 %`.
pub(crate) fn percent(value: Option<f64>) -> String {
    finite(value.map(|value| value * 100.0), |value| decimals(value, 2) + " %")
}

/// A ratio, with two decimals.
pub(crate) fn ratio(value: Option<f64>) -> String {
    finite(value, |value| decimals(value, 2))
}

/// A probability, with four decimals: what matters in it is how close to 1 it is.
pub(crate) fn probability(value: Option<f64>) -> String {
    finite(value, |value| decimals(value, 4))
}

/// An amount of money: two decimals, or as many as a small one needs.
pub(crate) fn amount(value: Option<f64>) -> String {
    finite(value, |value| if value == 0.0 || value.abs() >= 1.0 { decimals(value, 2) } else { exact(Some(value)) })
}

/// A price or a quantity, with the decimals it has, at most eight; a tiny one with an exponent.
pub(crate) fn exact(value: Option<f64>) -> String {
    finite(value, |value| {
        if value != 0.0 && value.abs() < 1e-6 {
            return format!("{value:.3e}");
        }
        let text = decimals(value, 8);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    })
}

/// A count, with thousands apart.
pub(crate) fn count(value: u64) -> String {
    thousands(&value.to_string())
}

/// An instant, UTC, to the minute, or to the second if it has one: `2024-01-31 12:00`.
pub(crate) fn time(time: Nanos) -> String {
    let instant =
        Timestamp::from_nanosecond(time.0.into()).expect("64 bits of nanoseconds span 1677 to 2262, jiff more");
    civil(instant)
}

/// The same of milliseconds since 1970, of which 64 bits span more years than there are names for.
pub(crate) fn time_of_milliseconds(time: i64) -> String {
    Timestamp::from_millisecond(time).map_or_else(|_| format!("{time} ms"), civil)
}

fn civil(instant: Timestamp) -> String {
    let shape = if instant.as_second() % 60 == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    instant.to_zoned(TimeZone::UTC).strftime(shape).to_string()
}

/// A length of time in the largest unit that it is whole in: `1 h`.
pub(crate) fn span(span: Nanos) -> String {
    let units = [(86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s")];
    let whole = units.into_iter().find(|(unit, _)| span.0 != 0 && span.0 % unit == 0);
    whole.map_or_else(|| span.to_string(), |(unit, name)| format!("{} {name}", span.0 / unit))
}

#[cfg(test)]
mod tests {
    use super::{amount, count, exact, percent, probability, ratio, span, time, time_of_milliseconds};
    use tiltyard_model::Nanos;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(percent(Some(0.012_345)), "1.23 %");
        assert_eq!(percent(Some(-12.345)), "-1,234.50 %");
        assert_eq!(ratio(Some(-0.001)), "0.00");
        assert_eq!(probability(Some(0.999_96)), "1.0000");
        assert_eq!(amount(Some(1_234_567.891)), "1,234,567.89");
        assert_eq!(amount(Some(-0.000_125)), "-0.000125");
        assert_eq!(amount(Some(0.0)), "0.00");
        assert_eq!(exact(Some(0.1 + 0.2)), "0.3");
        assert_eq!(exact(Some(30_000.0)), "30,000");
        assert_eq!(exact(Some(1.5e-9)), "1.500e-9");
        assert_eq!(count(0), "0");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn what_is_no_number_is_a_dash() {
        for format in [percent, ratio, probability, amount, exact] {
            for value in [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)] {
                assert_eq!(format(value), "–");
            }
            assert!(format(Some(1e300)).len() < 12);
        }
    }

    #[test]
    fn instants_are_utc_and_to_the_minute() {
        assert_eq!(time(Nanos::from_secs(1_706_702_400)), "2024-01-31 12:00");
        assert_eq!(time(Nanos::from_secs(1_706_702_401)), "2024-01-31 12:00:01");
        assert_eq!(time_of_milliseconds(1_706_702_400_000), "2024-01-31 12:00");
        assert_eq!(time_of_milliseconds(i64::MAX), "9223372036854775807 ms");
        assert!(time(Nanos(i64::MIN)).starts_with("1677"));
    }

    #[test]
    fn spans_have_the_largest_whole_unit() {
        let texts = [60, 3_600, 90 * 60, 86_400, 1].map(|secs| span(Nanos::from_secs(secs)));
        assert_eq!(texts, ["1 min", "1 h", "90 min", "1 d", "1 s"]);
        assert_eq!((span(Nanos(5)), span(Nanos(0))), ("5 ns".to_owned(), "0 ns".to_owned()));
    }
}

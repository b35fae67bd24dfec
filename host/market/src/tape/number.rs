//! Prices and sizes as Binance writes them: decimal numbers in quotation marks.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use tiltyard_model::{Decimal, shown};

/// Most digits before the point and behind it, zeros at the ends not counted. Sums and differences of such numbers fit the 28 digits of
/// a [`Decimal`], so that they are exact as well.
const WHOLE: usize = 15;
const DECIMALS: usize = 12;

/// A price or a size: not negative, exact, without zeros at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(pub(super) Decimal);

/// The number, if it is written with digits and at most one point, and within [`WHOLE`] and [`DECIMALS`].
fn exact(text: &str) -> Option<Decimal> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain(whole) || !is_plain(decimals) {
        return None;
    }
    let (whole, decimals) = (whole.trim_start_matches('0'), decimals.trim_end_matches('0'));
    if whole.len() > WHOLE || decimals.len() > DECIMALS {
        return None;
    }
    let digits = whole.bytes().chain(decimals.bytes());
    let number = digits.fold(0, |number: i128, digit| number * 10 + i128::from(digit - b'0'));
    Some(Decimal::from_i128_with_scale(number, decimals.len() as u32))
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quoted;
        impl Visitor<'_> for Quoted {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number in quotation marks, such as \"61837.63\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                exact(text).map(Number).ok_or_else(|| {
                    E::custom(format!(
                        "`{}` is not a number such as 61837.63: digits and a point, no sign, no exponent, at most {WHOLE} digits \
                         before the point and {DECIMALS} behind it",
                        shown(text, 60)
                    ))
                })
            }
        }
        deserializer.deserialize_str(Quoted)
    }
}

#[cfg(test)]
mod tests {
    use super::{Number, exact};
    use tiltyard_model::Decimal;

    #[test]
    fn digits_are_kept_and_zeros_at_the_ends_are_not() {
        for (text, written) in [
            ("61837.63000000", "61837.63"),
            ("0.00000000", "0"),
            ("0", "0"),
            ("000120", "120"),
            ("0.000000000001", "0.000000000001"),
            ("999999999999999.999999999999", "999999999999999.999999999999"),
            ("1.0000000000000000000000000000000000000000", "1"),
        ] {
            assert_eq!(exact(text).map(|number| number.to_string()).as_deref(), Some(written), "{text}");
        }
    }

    #[test]
    fn the_largest_numbers_are_added_and_taken_from_each_other_exactly() {
        let (largest, least) = (exact("999999999999999.999999999999").unwrap(), exact("0.000000000001").unwrap());
        assert_eq!((largest + least).to_string(), "1000000000000000.000000000000");
        assert_eq!(largest + largest - largest, largest);
        assert_eq!(largest - least + least, largest);
    }

    #[test]
    fn what_is_not_plainly_a_number_or_too_long_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "-0",
            "1e400",
            "1e2",
            "NaN",
            "inf",
            "0x10",
            "1_000",
            "1,5",
            " 1",
            "1 ",
            "1.2.3",
            "١",
            "1000000000000000",
            "0.0000000000001",
            "1234567890123456789012345678901234567890",
        ] {
            assert_eq!(exact(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_without_quotation_marks_is_refused() {
        let error = serde_json::from_str::<Number>("61837.63").unwrap_err().to_string();
        assert!(error.contains("expected a number in quotation marks, such as \"61837.63\""), "{error}");
        assert_eq!(serde_json::from_str::<Number>("\"0.50\"").unwrap().0, Decimal::new(5, 1));
    }
}

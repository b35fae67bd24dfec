//! How finely a number was written.

/// Digits after the decimal point that the written number needs: `1.250` needs 2, `100` none, `1e-5` five.
///
/// `text` is something that parses as a number; what does not counts for 0. So does zero, however it is written.
pub(crate) fn decimals(text: &str) -> u32 {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let Ok(exponent) = exponent.parse::<i32>() else { return 0 };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_zero = |byte: &u8| *byte == b'0';
    let trailing = whole.bytes().chain(fraction.bytes()).rev().take_while(is_zero).count();
    if !mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        return 0;
    }
    let needed = fraction.len() as i64 - trailing as i64 - i64::from(exponent);
    u32::try_from(needed.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::decimals;

    #[test]
    fn trailing_zeros_do_not_count() {
        for (text, expected) in
            [("1.250", 2), ("100", 0), ("100.0", 0), ("0.00001", 5), ("-0.5", 1), (".5", 1), ("5.", 0), ("+7.10", 1)]
        {
            assert_eq!(decimals(text), expected, "{text}");
        }
    }

    #[test]
    fn exponents_move_the_point() {
        for (text, expected) in
            [("1e-5", 5), ("1.5E-5", 6), ("10e-1", 0), ("100e-3", 1), ("1.2345e2", 2), ("1.5e3", 0), ("1e+2", 0)]
        {
            assert_eq!(decimals(text), expected, "{text}");
        }
    }

    #[test]
    fn zero_and_what_is_no_number_need_none() {
        for text in ["0", "0.000", "0e-9", "", "nan", "inf", "1e-99999999999999999999", "e"] {
            assert_eq!(decimals(text), 0, "{text}");
        }
    }
}

//! Exact numbers: what is owed and owned is never binary floating point.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use rust_decimal::prelude::ToPrimitive as _;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// A price in quote currency per unit of base currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Price(pub Decimal);

/// A quantity in base currency. A position's is negative when short; an order's or a fill's never is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Qty(pub Decimal);

/// An amount in settlement currency, in whole steps of 10⁻⁸ (see [`notional`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub Decimal);

/// Decimals of a cash flow.
pub const MONEY_SCALE: u32 = 8;

/// Which way a number goes that has more decimals than it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Towards negative infinity: what is received.
    Down,
    /// Towards positive infinity: what is paid.
    Up,
}

impl Price {
    /// The price times a factor, in at most 12 decimals.
    #[must_use]
    pub fn times(self, factor: Decimal, rounding: Rounding) -> Self {
        let strategy = match rounding {
            Rounding::Down => RoundingStrategy::ToNegativeInfinity,
            Rounding::Up => RoundingStrategy::ToPositiveInfinity,
        };
        Self((self.0 * factor).round_dp_with_strategy(12, strategy).normalize())
    }

    /// The nearest `f64`.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        to_f64(self.0)
    }
}

impl Qty {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The nearest `f64`.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        to_f64(self.0)
    }

    /// Whether it is 0.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Whether both are long or both are short; nothing is on no side.
    #[must_use]
    pub fn same_side(self, other: Self) -> bool {
        !self.is_zero() && !other.is_zero() && self.0.is_sign_negative() == other.0.is_sign_negative()
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Whether it is 0.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// The nearest `f64`.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        to_f64(self.0)
    }
}

macro_rules! adds {
    ($($name:ident),*) => {$(
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl Neg for $name {
            type Output = Self;
            /// There is one 0, without a sign.
            fn neg(self) -> Self {
                if self.0.is_zero() { self } else { Self(-self.0) }
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
                Self(all.map(|one| one.0).sum())
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

adds!(Price, Qty, Money);

/// The decimal that a person would read from this number: the shortest one whose nearest `f64` it is. `None` where
/// there is none of at most 28 decimals and 96 bits: NaN, infinities, and what is too large or too fine.
#[must_use]
pub fn decimal(value: f64) -> Option<Decimal> {
    if !value.is_finite() {
        return None;
    }
    // Up to 15 significant digits every decimal has an `f64` of its own, so that one that maps back is the shortest.
    for (scale, power) in POWERS.iter().enumerate() {
        let digits = (value * power).round();
        if digits.abs() >= 1e15 {
            break;
        }
        if digits / power == value {
            return Some(Decimal::new(digits as i64, scale as u32));
        }
    }
    let exact = Decimal::from_scientific(&format!("{value:e}")).ok()?;
    (to_f64(exact) == value).then(|| exact.normalize())
}

const POWERS: [f64; 13] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];

/// The nearest `f64`.
#[must_use]
pub fn to_f64(value: Decimal) -> f64 {
    let (mantissa, scale) = (value.mantissa(), value.scale() as usize);
    match POWERS.get(scale) {
        // Both are exact, so their quotient is rounded once.
        Some(power) if mantissa.unsigned_abs() < 1 << 53 => mantissa as f64 / power,
        // Rounded once as well: by the parser.
        _ => value.to_string().parse().unwrap_or_else(|_| value.to_f64().unwrap_or(f64::NAN)),
    }
}

/// The product in whole steps of 10⁻⁸, rounded once. `None` if it is too large to be exact: above some 10²⁰.
fn product(left: Decimal, right: Decimal, rounding: Rounding) -> Option<Money> {
    let (left, right) = (left.normalize(), right.normalize());
    let digits = left.mantissa().checked_mul(right.mantissa())?;
    let scale = left.scale() + right.scale();
    if scale <= MONEY_SCALE {
        return Decimal::try_from_i128_with_scale(digits, scale).ok().map(Money);
    }
    let step = 10_i128.checked_pow(scale - MONEY_SCALE)?;
    let (mut whole, rest) = (digits.div_euclid(step), digits.rem_euclid(step));
    if rounding == Rounding::Up && rest > 0 {
        whole += 1;
    }
    Decimal::try_from_i128_with_scale(whole, MONEY_SCALE).ok().map(Money)
}

/// Price × quantity. `None` if it is too large to be exact.
#[must_use]
pub fn notional(price: Price, quantity: Qty, rounding: Rounding) -> Option<Money> {
    product(price.0, quantity.0, rounding)
}

/// A share of an amount. `None` if it is too large to be exact.
#[must_use]
pub fn share(amount: Money, fraction: Decimal, rounding: Rounding) -> Option<Money> {
    product(amount.0, fraction, rounding)
}

#[cfg(test)]
mod tests {
    use super::{Money, Price, Qty, Rounding, decimal, notional, share, to_f64};
    use rust_decimal::Decimal;

    fn dec(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[test]
    fn a_number_becomes_the_decimal_a_person_reads() {
        for text in ["0", "0.1", "29701.47", "0.00000001", "123456789012.345", "-0.07", "9007199254740993.5", "1e-28"] {
            let value: f64 = text.parse().unwrap();
            let read = decimal(value).unwrap();
            assert_eq!(to_f64(read), value, "{text}");
            assert!(read.to_string().len() <= 32, "{text}: {read}");
        }
        assert_eq!(decimal(0.1).unwrap(), dec("0.1"));
        assert_eq!(decimal(0.1 + 0.2).unwrap(), dec("0.30000000000000004"));
        assert_eq!(decimal(29_404.455_3).unwrap(), dec("29404.4553"));
        assert_eq!(decimal(-0.0).unwrap(), Decimal::ZERO);
    }

    #[test]
    fn what_is_no_number_or_out_of_reach_has_no_decimal() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e30, 5e-324, f64::MIN_POSITIVE, 1.5e-28] {
            assert_eq!(decimal(value), None, "{value}");
        }
    }

    #[test]
    fn every_short_decimal_survives_the_way_there_and_back() {
        for digits in (1..=999_999).step_by(7) {
            for scale in [0, 2, 5, 8] {
                let exact = Decimal::new(digits, scale);
                assert_eq!(decimal(to_f64(exact)), Some(exact), "{exact}");
            }
        }
    }

    #[test]
    fn a_cash_flow_is_rounded_once_and_against_whoever_is_told_to_pay() {
        let (price, quantity) = (Price(dec("0.33333333")), Qty(dec("0.33333333")));
        // 0.1111111088888889
        assert_eq!(notional(price, quantity, Rounding::Down), Some(Money(dec("0.11111110"))));
        assert_eq!(notional(price, quantity, Rounding::Up), Some(Money(dec("0.11111111"))));
        assert_eq!(share(Money(dec("-0.00000001")), dec("0.1"), Rounding::Up), Some(Money(dec("0"))));
        assert_eq!(share(Money(dec("-0.00000001")), dec("0.1"), Rounding::Down), Some(Money(dec("-0.00000001"))));
    }

    /// Where a product of decimals would silently lose digits, this one is exact or nothing.
    #[test]
    fn no_digit_is_lost_silently() {
        let (price, quantity) = (dec("99999999.99999999"), dec("9999999999.99999999"));
        // (10⁸ − 10⁻⁸)(10¹⁰ − 10⁻⁸) = 10¹⁸ − 1 − 100 + 10⁻¹⁶
        assert_eq!(notional(Price(price), Qty(quantity), Rounding::Down), Some(Money(dec("999999999999999899"))));
        assert_eq!(
            notional(Price(price), Qty(quantity), Rounding::Up),
            Some(Money(dec("999999999999999899.00000001")))
        );
        let large = dec("7922816251426433759354395");
        assert_eq!(notional(Price(large), Qty(large), Rounding::Up), None);
    }
}

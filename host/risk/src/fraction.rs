use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tiltyard_model::{Decimal, Money, decimal, to_f64};

/// A limit in parts of something: 0.25 is a quarter. Exact, so that what is at a limit is within it and the next digit is not.
///
/// Read from and written as an ordinary number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fraction(Decimal);

impl Fraction {
    /// All of it.
    pub const ONE: Self = Self(Decimal::ONE);

    /// So many ten-thousandths.
    #[must_use]
    pub const fn bps(count: u32) -> Self {
        Self(Decimal::from_parts(count, 0, 0, false, 4))
    }

    /// The decimal that a person would read from this number. `None` for what is none, is below 0 or has more than 12 decimals.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        decimal(value)
            .map(|exact| exact.normalize())
            .filter(|exact| *exact >= Decimal::ZERO && exact.scale() <= 12)
            .map(Self)
    }

    /// The exact number.
    #[must_use]
    pub fn exact(self) -> Decimal {
        self.0
    }

    /// The nearest `f64`.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        to_f64(self.0)
    }

    /// This part of an amount. Amounts of less than nothing have no parts.
    #[must_use]
    pub fn of(self, amount: Money) -> Money {
        Money(self.0 * amount.0.max(Decimal::ZERO))
    }

    /// Half of it.
    #[must_use]
    pub fn halved(self) -> Self {
        Self((self.0 / Decimal::TWO).normalize())
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.to_f64())
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::new(value).ok_or_else(|| {
            serde::de::Error::custom(format!("{value} is no limit; it takes a number from 0 with at most 12 decimals"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Fraction;
    use tiltyard_model::{Decimal, Money};

    #[test]
    fn a_limit_is_the_decimal_that_was_written() {
        assert_eq!(Fraction::new(0.1).unwrap().exact(), Decimal::new(1, 1));
        assert_eq!(Fraction::bps(2_500), Fraction::new(0.25).unwrap());
        for value in [f64::NAN, f64::INFINITY, -0.1, 1e-13] {
            assert_eq!(Fraction::new(value), None, "{value}");
        }
    }

    #[test]
    fn debts_have_no_parts() {
        assert_eq!(Fraction::ONE.of(Money(Decimal::from(-5))), Money::ZERO);
        assert_eq!(Fraction::bps(2_500).of(Money(Decimal::from(100))), Money(Decimal::from(25)));
    }
}

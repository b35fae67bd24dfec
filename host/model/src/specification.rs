use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Instrument, InstrumentKind, Margin, Money, Price, Qty, decimal};

/// The rules of an instrument as exact numbers: what its venue publishes as the contract's specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Specification {
    /// Smallest step of a price.
    pub tick: Price,
    /// Smallest step of a quantity.
    pub lot: Qty,
    /// Least quantity × price of an order.
    pub min_notional: Money,
    /// Fee of an order that rested, as a fraction of notional; negative for a rebate.
    pub maker_fee: Decimal,
    /// Fee of an order that traded on arrival, as a fraction of notional.
    pub taker_fee: Decimal,
    /// Largest notional ÷ margin, at least 1.
    pub max_leverage: Decimal,
    /// Maintenance margin and liquidation.
    #[serde(default)]
    pub margin: Margin,
}

/// An instrument whose rules make no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{symbol}: {field} is {value}; it must be {must}")]
pub struct SpecificationError {
    /// The instrument.
    pub symbol: String,
    /// Which of its rules.
    pub field: &'static str,
    /// What it says.
    pub value: f64,
    /// What it may say.
    pub must: &'static str,
}

impl Specification {
    /// Largest price or quantity of anything, so that sums of products stay exact.
    pub const LARGEST: f64 = 1e12;

    /// The exact rules of an instrument.
    ///
    /// # Errors
    /// The first rule that makes no sense.
    pub fn new(instrument: &Instrument) -> Result<Self, SpecificationError> {
        let exact = |field, value: f64, holds: bool, must| {
            decimal(value).filter(|exact| holds && exact.scale() <= 12).ok_or_else(|| SpecificationError {
                symbol: instrument.symbol.clone(),
                field,
                value,
                must,
            })
        };
        let step = |field, value: f64| {
            exact(field, value, (1e-12..=1e6).contains(&value), "from 1e-12 to 1e6, with at most 12 decimals")
        };
        let fee = |field, value: f64| {
            exact(
                field,
                value,
                (-0.01..=0.1).contains(&value),
                "a fraction from -0.01 to 0.1, with at most 12 decimals",
            )
        };
        let Instrument { tick, lot, min_notional, maker_fee, taker_fee, max_leverage, .. } = *instrument;
        let leverages = if instrument.kind == InstrumentKind::SpotMargin {
            "more than 1 and at most 1000: without leverage nothing is lent"
        } else {
            "from 1 to 1000"
        };
        let lends = instrument.kind != InstrumentKind::SpotMargin || max_leverage > 1.0;
        let max_leverage =
            exact("max_leverage", max_leverage, lends && (1.0..=1e3).contains(&max_leverage), leverages)?;
        Ok(Self {
            tick: Price(step("tick", tick)?),
            lot: Qty(step("lot", lot)?),
            min_notional: Money(exact(
                "min_notional",
                min_notional,
                (0.0..=1e9).contains(&min_notional),
                "from 0 to 1e9, with at most 12 decimals",
            )?),
            maker_fee: fee("maker_fee", maker_fee)?,
            taker_fee: fee("taker_fee", taker_fee)?,
            max_leverage,
            margin: Margin::new(instrument, max_leverage)?,
        })
    }

    /// The same rules at a leverage that is chosen, as far as the venue allows it: margin is notional ÷ leverage, and a position is no
    /// larger than the tiers that allow the leverage. What maintenance takes stays as it is.
    #[must_use]
    pub fn at_leverage(mut self, leverage: Decimal) -> Self {
        self.max_leverage = self.max_leverage.min(leverage).max(Decimal::ONE);
        self.margin.most_notional = self.margin.most_at(self.max_leverage);
        self
    }

    /// The largest multiple of a lot that is no more than this quantity; the sign stays.
    #[must_use]
    pub fn whole_lots(&self, quantity: Qty) -> Qty {
        Qty((quantity.0 - quantity.0 % self.lot.0).normalize())
    }

    /// The nearest multiple of a tick that is no more (`up` false) or no less (`up` true) than this price.
    #[must_use]
    pub fn whole_ticks(&self, price: Price, up: bool) -> Price {
        let rest = price.0 % self.tick.0;
        let floor = price.0 - rest;
        Price(if up && !rest.is_zero() { floor + self.tick.0 } else { floor }.normalize())
    }

    /// The quantity that a request means: on the lot if it is within 10⁻⁹ (relative) of one, otherwise rounded down.
    /// `None` if it is not a quantity at all: NaN, not more than 0, above [`Specification::LARGEST`], or beyond what
    /// a decimal can hold. What is less than a lot becomes 0.
    #[must_use]
    pub fn quantity(&self, requested: f64) -> Option<Qty> {
        let exact = positive(requested)?;
        let floor = self.whole_lots(Qty(exact)).0;
        Some(Qty(near(exact, floor, self.lot.0).unwrap_or(floor)))
    }

    /// The price that a request means: on the tick if it is within 10⁻⁹ (relative) of one, otherwise rounded down or
    /// up. `None` if it is not a price at all, or less than a tick.
    #[must_use]
    pub fn price(&self, requested: f64, up: bool) -> Option<Price> {
        let exact = positive(requested)?;
        let floor = self.whole_ticks(Price(exact), false).0;
        let price = match near(exact, floor, self.tick.0) {
            Some(near) => near,
            None if up => floor + self.tick.0,
            None => floor,
        };
        (!price.is_zero()).then_some(Price(price))
    }
}

fn positive(value: f64) -> Option<Decimal> {
    // Finer than twelve decimals no tick or lot is; what rounds to nothing there is beyond precision.
    let exact = (value > 0.0 && value <= Specification::LARGEST).then(|| decimal(value)).flatten()?;
    (value >= 1e-12).then_some(exact)
}

/// The multiple of `step` at or just above `floor` that `exact` is within 10⁻⁹ of.
fn near(exact: Decimal, floor: Decimal, step: Decimal) -> Option<Decimal> {
    let tolerance = exact * Decimal::new(1, 9);
    let above = floor + step;
    if exact - floor <= tolerance && !floor.is_zero() {
        Some(floor)
    } else if above - exact <= tolerance {
        Some(above)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Specification;
    use crate::{Instrument, InstrumentKind};

    fn instrument() -> Instrument {
        Instrument {
            symbol: "T".to_owned(),
            venue: "test".to_owned(),
            kind: InstrumentKind::Spot,
            base: "T".to_owned(),
            quote: "USD".to_owned(),
            tick: 0.05,
            lot: 0.001,
            min_notional: 5.0,
            maker_fee: -0.0001,
            taker_fee: 0.0005,
            max_leverage: 1.0,
            margin: crate::MarginRules::default(),
        }
    }

    fn quantity(requested: f64) -> Option<String> {
        Specification::new(&instrument()).unwrap().quantity(requested).map(|qty| qty.0.normalize().to_string())
    }

    fn price(requested: f64, up: bool) -> Option<String> {
        Specification::new(&instrument()).unwrap().price(requested, up).map(|price| price.0.normalize().to_string())
    }

    #[test]
    fn a_quantity_goes_down_to_the_lot_unless_it_is_on_one_but_for_noise() {
        assert_eq!(quantity(1.2349).as_deref(), Some("1.234"));
        assert_eq!(quantity(0.1 + 0.2).as_deref(), Some("0.3"));
        assert_eq!(quantity(0.3 - 1e-16).as_deref(), Some("0.3"));
        assert_eq!(quantity(0.000_9).as_deref(), Some("0"));
    }

    #[test]
    fn a_price_goes_passively_to_the_tick() {
        assert_eq!(price(100.07, false).as_deref(), Some("100.05"));
        assert_eq!(price(100.07, true).as_deref(), Some("100.1"));
        assert_eq!(price(100.050_000_000_01, true).as_deref(), Some("100.05"));
        assert_eq!(price(0.01, false), None);
    }

    #[test]
    fn what_is_no_number_to_trade_with_is_nothing() {
        for value in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, -f64::INFINITY, 5e-324, 1e-13, 1e13, f64::MAX] {
            assert_eq!(quantity(value), None, "{value}");
            assert_eq!(price(value, true), None, "{value}");
        }
    }

    #[test]
    fn rules_that_make_no_sense_are_named() {
        let broken = Instrument { lot: 0.0, ..instrument() };
        assert_eq!(
            Specification::new(&broken).unwrap_err().to_string(),
            "T: lot is 0; it must be from 1e-12 to 1e6, with at most 12 decimals"
        );
        assert!(Specification::new(&Instrument { tick: f64::NAN, ..instrument() }).is_err());
        assert!(Specification::new(&Instrument { taker_fee: 0.2, ..instrument() }).is_err());
        assert!(Specification::new(&Instrument { max_leverage: 0.5, ..instrument() }).is_err());
    }
}

//! What a venue asks of a leveraged position: maintenance margin by tiers, and the price at which nothing of it is left.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use crate::{Instrument, InstrumentKind, Money, Price, Qty, Rounding, SpecificationError, decimal, notional, share};

/// The margin rules of a perpetual or of spot on margin, as its venue publishes them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarginRules {
    /// Tiers by rising notional. Without any, the rate of maintenance is half of the initial one, 1 ÷ (2 × `max_leverage`), for
    /// positions of any size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<MarginTier>,
    /// What a liquidation costs on top of the taker's fee, as a fraction of the notional that is closed.
    #[serde(default)]
    pub liquidation_fee: f64,
    /// What borrowing costs on spot that is traded on margin.
    #[serde(default, skip_serializing_if = "BorrowRates::is_default")]
    pub borrowing: BorrowRates,
}

/// Interest of a day on what is borrowed, as a fraction of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BorrowRates {
    /// On base currency, which is borrowed to sell it short.
    pub base: f64,
    /// On quote currency, which is borrowed to buy more than there is cash for.
    pub quote: f64,
}

impl BorrowRates {
    /// Whether nothing is charged.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl MarginRules {
    /// Whether nothing is said, as of spot.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A tier of positions: the larger they are, the more margin they need.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarginTier {
    /// The largest notional that belongs to it, in quote currency; no end if absent, which only the last may leave out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<f64>,
    /// Maintenance margin of what lies in the tier, as a fraction of notional.
    pub maintenance: f64,
    /// Largest notional ÷ margin of positions of this size.
    pub max_leverage: f64,
}

/// The exact margin rules of an instrument.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Margin {
    tiers: Vec<Tier>,
    /// What a liquidation costs on top of the taker's fee, as a fraction of notional.
    pub liquidation_fee: Decimal,
    /// Interest of a day on borrowed base currency, as a fraction.
    #[serde(default)]
    pub borrow_base: Decimal,
    /// Interest of a day on borrowed quote currency, as a fraction.
    #[serde(default)]
    pub borrow_quote: Decimal,
    /// The largest notional of a position at the leverage that is used; any if absent.
    pub most_notional: Option<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Tier {
    up_to: Option<Money>,
    rate: Decimal,
    /// What the rate takes too much of the part of a position that lies in lower tiers.
    amount: Money,
    max_leverage: Decimal,
}

impl Margin {
    /// The exact rules. Without tiers there is one, whose rate is half of the initial one, rounded up in the 12th decimal.
    ///
    /// The maintenance amount of a tier follows from those before it, so that margin does not leap from one to the next:
    /// floor of the tier × (its rate − the rate before) + the amount before (Binance, "Leverage and Margin of USDⓈ-M Futures").
    pub(crate) fn new(instrument: &Instrument, max_leverage: Decimal) -> Result<Self, SpecificationError> {
        let error = |field, value, must| SpecificationError { symbol: instrument.symbol.clone(), field, value, must };
        let exact = |field, value: f64, holds: bool, must| {
            decimal(value).filter(|exact| holds && exact.scale() <= 12).ok_or_else(|| error(field, value, must))
        };
        let rules = &instrument.margin;
        let fee = rules.liquidation_fee;
        let fee_range = "a fraction from 0 to 0.1, with at most 12 decimals";
        let liquidation_fee = exact("liquidation_fee", fee, (0.0..=0.1).contains(&fee), fee_range)?;
        let interest = |field, rate: f64| {
            if rate != 0.0 && instrument.kind != InstrumentKind::SpotMargin {
                return Err(error(field, rate, "0 of all but spot on margin, where alone something is borrowed"));
            }
            exact(
                field,
                rate,
                (0.0..=0.1).contains(&rate),
                "a fraction of a day from 0 to 0.1, with at most 12 decimals",
            )
        };
        let borrow_base = interest("borrow_base", rules.borrowing.base)?;
        let borrow_quote = interest("borrow_quote", rules.borrowing.quote)?;
        let mut tiers: Vec<Tier> = Vec::new();
        for (at, tier) in rules.tiers.iter().enumerate() {
            let last = tiers.last();
            let (rate, leverage) = (tier.maintenance, tier.max_leverage);
            let rates = "a fraction above 0 and below 1 ÷ max_leverage of the tier, and above the rate before";
            let rate = exact("maintenance", rate, rate > 0.0 && rate * leverage < 1.0, rates)?;
            let leverages = "from 1 to 1000, the first no less than max_leverage of the instrument, the others below the one before";
            let leverage = exact("tier max_leverage", leverage, (1.0..=1e3).contains(&leverage), leverages)?;
            let ends = "above the one before and at most 1e12, absent only in the last tier";
            if tier.up_to.is_none() && at + 1 < rules.tiers.len() {
                return Err(error("up_to", f64::NAN, ends));
            }
            let end = |end: f64| exact("up_to", end, end > 0.0 && end <= 1e12, ends).map(Money);
            let up_to = tier.up_to.map(end).transpose()?;
            let mut amount = Money::ZERO;
            if let Some(Tier { up_to: Some(floor), rate: below, amount: before, max_leverage: most }) = last {
                if rate <= *below {
                    return Err(error("maintenance", tier.maintenance, rates));
                }
                if leverage >= *most {
                    return Err(error("tier max_leverage", tier.max_leverage, leverages));
                }
                if up_to.is_some_and(|up_to| up_to <= *floor) {
                    return Err(error("up_to", tier.up_to.unwrap_or(f64::NAN), ends));
                }
                // Rounded against the position: it is taken off.
                let more = share(*floor, rate - below, Rounding::Down);
                amount = *before + more.ok_or_else(|| error("up_to", floor.to_f64(), ends))?;
            } else if leverage < max_leverage {
                return Err(error("tier max_leverage", tier.max_leverage, leverages));
            }
            tiers.push(Tier { up_to, rate, amount, max_leverage: leverage });
        }
        if tiers.is_empty() {
            let half = (Decimal::ONE / (Decimal::TWO * max_leverage))
                .round_dp_with_strategy(12, RoundingStrategy::ToPositiveInfinity);
            tiers.push(Tier { up_to: None, rate: half, amount: Money::ZERO, max_leverage });
        }
        let margin = Self { tiers, liquidation_fee, borrow_base, borrow_quote, most_notional: None };
        Ok(Self { most_notional: margin.most_at(max_leverage), ..margin })
    }

    /// The largest notional of a position at this leverage: the end of the last tier that allows it.
    pub(crate) fn most_at(&self, leverage: Decimal) -> Option<Money> {
        self.tiers.iter().rfind(|tier| tier.max_leverage >= leverage).map_or(Some(Money::ZERO), |tier| tier.up_to)
    }

    /// The maintenance margin of a position that is worth this much at the mark, rounded up: rate × notional − amount of its
    /// tier. Beyond the last tier its rate goes on.
    ///
    /// Rates rise and the parts fit together, so that the margin is the largest that any tier asks for.
    #[must_use]
    pub fn maintenance(&self, value: Money) -> Money {
        let notional = Money(value.0.abs());
        // What cannot be said exactly needs all of it.
        let asked = self
            .tiers
            .iter()
            .map(|tier| share(notional, tier.rate, Rounding::Up).map_or(notional, |asked| asked - tier.amount));
        asked.max().unwrap_or(Money::ZERO)
    }

    /// The mark at which the margin balance of a position is its maintenance margin, in at most 12 decimals, rounded towards the
    /// market; `None` if there is none above 0.
    ///
    /// `cost` is what the position was bought for, below 0 for what a short one brought; `wallet` what stands for it: its own
    /// margin if isolated; if cross all cash, with the profit of the other positions and without their maintenance margin. With
    /// P the position, negative when short, and for each tier its rate and amount,
    ///
    /// ```text
    /// wallet + P × price − cost = |P| × price × rate − amount   ⇒   price = (cost − wallet − amount) ÷ (P − |P| × rate)
    /// ```
    ///
    /// which is Binance's formula ("How to Calculate Liquidation Price of USDⓈ-M Futures Contracts": LP = (WB − TMM + UPNL + cum −
    /// side × P × EP) ÷ (P × MMR − side × P)), taken for the tier that the position has at that price.
    #[must_use]
    pub fn liquidation_price(&self, position: Qty, cost: Money, wallet: Money) -> Option<Price> {
        let prices = self.tiers.iter().filter_map(|tier| {
            let each = position.0 - position.0.abs() * tier.rate;
            (cost - wallet - tier.amount).0.checked_div(each)
        });
        // The margin is the largest of all tiers, so that the first of their prices that the market comes to counts.
        towards_market(position, if position.0.is_sign_negative() { prices.min() } else { prices.max() })
    }

    /// The price at which closing a position leaves nothing of what stands for it: (cost − wallet) ÷ position, rounded towards the
    /// market; `None` if there is none above 0.
    #[must_use]
    pub fn bankruptcy_price(position: Qty, cost: Money, wallet: Money) -> Option<Price> {
        let price = towards_market(position, (cost - wallet).0.checked_div(position.0))?;
        // A quotient has 28 digits: what it seems to bring may be a trifle too little.
        let (short, step) = (position.0.is_sign_negative(), Decimal::new(1, 12));
        let leaves =
            |price: Price| notional(price, position, Rounding::Down).is_none_or(|value| value >= cost - wallet);
        let nearer = Price(if short { (price.0 - step).max(step) } else { price.0 + step });
        Some(if leaves(price) { price } else { nearer })
    }
}

fn towards_market(position: Qty, price: Option<Decimal>) -> Option<Price> {
    let short = position.0.is_sign_negative();
    let strategy = if short { RoundingStrategy::ToNegativeInfinity } else { RoundingStrategy::ToPositiveInfinity };
    let rounded = price?.round_dp_with_strategy(12, strategy);
    // A short position that nothing stands for is beyond its price at every price.
    let rounded = if short { rounded.max(Decimal::new(1, 12)) } else { rounded };
    (rounded > Decimal::ZERO).then(|| Price(rounded.normalize()))
}

#[cfg(test)]
mod tests;

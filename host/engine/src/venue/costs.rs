use serde::{Deserialize, Serialize};
use tiltyard_model::{Decimal, Nanos, Price, Qty, Random, Rounding, Side, decimal};

/// What taking liquidity costs beside the fee, as fractions of the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// Half of the spread between bid and ask.
    pub half_spread: Decimal,
    /// Slippage: what the price moves until the order is there.
    pub slippage: Decimal,
    /// Impact of an order as large as the bar's volume; smaller ones move the price by the square root of their share
    /// (the square-root law, e.g. Almgren et al., "Direct Estimation of Equity Market Impact", 2005). 0 for none.
    pub impact: Decimal,
}

impl Default for Costs {
    /// 5 basis points of slippage, no spread and no impact.
    fn default() -> Self {
        Self { half_spread: Decimal::ZERO, slippage: Decimal::new(5, 4), impact: Decimal::ZERO }
    }
}

impl Costs {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self { half_spread: Decimal::ZERO, slippage: Decimal::ZERO, impact: Decimal::ZERO }
    }

    /// Twice as much of everything, for a stress run.
    #[must_use]
    pub fn doubled(self) -> Self {
        let Self { half_spread, slippage, impact } = self;
        Self { half_spread: half_spread + half_spread, slippage: slippage + slippage, impact: impact + impact }
    }

    /// Spread and slippage together.
    #[must_use]
    pub fn taken(&self) -> Decimal {
        self.half_spread + self.slippage
    }

    /// What a taker gets when the market is at `price`: worse by spread, slippage and the impact of this quantity on a
    /// bar of this volume. In at most 12 decimals, rounded against the taker.
    #[must_use]
    pub fn apply(&self, price: Price, side: Side, quantity: Qty, volume: f64) -> Price {
        let impact = if self.impact.is_zero() {
            Decimal::ZERO
        } else {
            // Where nothing traded, any order is the whole of it.
            let share = if volume > 0.0 { (quantity.to_f64() / volume).min(1.0).sqrt() } else { 1.0 };
            // A square root has no exact decimal; 12 digits of it are far below a tick.
            self.impact * decimal(share).unwrap_or(Decimal::ONE).round_dp(12)
        };
        let cost = self.taken() + impact;
        match side {
            Side::Buy => price.times(Decimal::ONE + cost, Rounding::Up),
            Side::Sell => price.times((Decimal::ONE - cost).max(Decimal::ZERO), Rounding::Down),
        }
    }
}

/// How long an order takes to its venue. On bars it rounds up to the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// At least this.
    pub fixed: Nanos,
    /// At most this much more, drawn evenly from the run's seed.
    pub jitter: Nanos,
}

impl Latency {
    pub(super) fn draw(&self, random: &mut Random) -> Nanos {
        match u64::try_from(self.jitter.0) {
            Ok(jitter) if jitter > 0 => self.fixed + Nanos((random.next_u64() % (jitter + 1)) as i64),
            _ => self.fixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Costs;
    use tiltyard_model::{Decimal, Price, Qty, Side};

    fn dec(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[test]
    fn costs_go_against_the_taker() {
        let costs = Costs { half_spread: dec("0.0001"), ..Costs::default() };
        let price = |side| costs.apply(Price(dec("100")), side, Qty(dec("1")), 10.0);
        assert_eq!((price(Side::Buy), price(Side::Sell)), (Price(dec("100.06")), Price(dec("99.94"))));
    }

    #[test]
    fn impact_grows_with_the_square_root_of_the_share() {
        let costs = Costs { impact: dec("0.01"), ..Costs::none() };
        let price = |quantity| costs.apply(Price(dec("100")), Side::Buy, Qty(dec(quantity)), 100.0);
        assert_eq!(price("1"), Price(dec("100.1")));
        assert_eq!(price("4"), Price(dec("100.2")));
        assert_eq!(price("400"), Price(dec("101")), "no more than the whole bar");
        assert_eq!(
            costs.apply(Price(dec("100")), Side::Sell, Qty(dec("1")), 0.0),
            Price(dec("99")),
            "no volume at all"
        );
    }
}

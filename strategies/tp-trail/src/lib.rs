//! Buys with the trend and takes its profit with a stop that trails at a multiple of the average true range once the position
//! is that far ahead.

use tiltyard_sdk::prelude::*;

params! {
    /// The trend, and how far behind the best price profit is taken.
    pub struct Params {
        /// Bars in the fast average.
        fast: u32 = 24 in 2..=200 step 1, window;
        /// Bars in the slow average; more than in the fast one.
        slow: u32 = 96 in 3..=500 step 1, window;
        /// Multiple of the average true range that the take-profit trails at; 1.0, 1.5 and 2.0 are the usual variants.
        trail: f64 = 1.5 in 0.25..=10.0 step 0.25, risk;
        /// Multiple of the average true range below the entry at which a loss is taken.
        stop: f64 = 2.0 in 0.25..=10.0 step 0.25, risk;
        /// Fraction of equity that a position is worth.
        invested: f64 = 0.95 in 0.01..=0.95 step 0.01, risk;
    }
}

/// Bars of the average true range.
const ATR: u32 = 14;

/// The strategy.
#[derive(Debug)]
pub struct TpTrail {
    params: Params,
    lot: f64,
    fast: Ema,
    slow: Ema,
    range: Atr,
    /// The last average true range, once there is one.
    atr: Option<f64>,
    was_above: bool,
}

impl TpTrail {
    /// Takes a bar in; true if the fast average has just come above the slow one.
    fn crosses(&mut self, bar: &Bar) -> bool {
        self.atr = self.range.update(bar);
        let (Some(fast), Some(slow)) = (self.fast.update(bar.close), self.slow.update(bar.close)) else { return false };
        let above = fast > slow;
        let crosses = above && !self.was_above;
        self.was_above = above;
        crosses
    }

    fn enter(&self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar, atr: f64) {
        let quantity = sizing::whole_lots(desk.equity(), self.params.invested, bar.close, self.lot);
        let stop = bar.close - self.params.stop * atr;
        if quantity <= 0.0 || stop <= 0.0 {
            return;
        }
        let request = OrderRequest {
            stop_loss: Some(StopLoss::Fixed(stop)),
            tag: "entry".to_owned(),
            ..OrderRequest::market(instrument, Side::Buy, quantity)
        };
        if let Err(violations) = desk.submit(&request) {
            desk.log(Level::Warn, &format!("no entry: {violations:?}"));
        }
    }
}

impl Strategy for TpTrail {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "tp-trail",
        version: env!("CARGO_PKG_VERSION"),
        description: "Buys when the trend turns up and takes profit with a stop that trails at a multiple of ATR.",
        warm_up_bars: 2_000,
        hypothesis: "Trends overshoot: letting a profit run until it gives back a multiple of the usual range earns more than \
                     taking it at a fixed price.",
        falsified_by: "Over many entries the trailed exit earns no more than the same entry with a fixed take-profit.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        let params = start.params.clone();
        if params.fast >= params.slow {
            let problem = format!("{} must be less than slow, {}", params.fast, params.slow);
            return Err(InitError::Parameter { name: "fast", problem });
        }
        let (instrument, _) = start.only_instrument()?;
        Ok(Self {
            lot: instrument.lot,
            fast: Ema::new(params.fast),
            slow: Ema::new(params.slow),
            range: Atr::new(ATR),
            atr: None,
            // A trend that began before the first bar was missed.
            was_above: true,
            params,
        })
    }

    fn warm_up(&mut self, _: InstrumentIndex, bars: &Columns) {
        for bar in bars.iter() {
            self.crosses(&bar);
        }
    }

    fn on_bar(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar) {
        let crosses = self.crosses(bar);
        let flat = desk.position(instrument).is_none_or(|position| position.quantity == 0.0);
        if let (true, true, Some(atr)) = (crosses, flat, self.atr) {
            self.enter(desk, instrument, bar, atr);
        }
    }

    fn on_fill(&mut self, desk: &mut impl Desk, fill: &Fill) {
        // Each part of an entry gets a take-profit of its own, which wakes when it is as far ahead as it will trail behind.
        let (Side::Buy, Some(atr)) = (fill.side, self.atr) else { return };
        let distance = self.params.trail * atr;
        let request = OrderRequest {
            order_type: OrderType::TrailingStop(Trailing {
                trail: Trail::Distance(distance),
                activation: Some(fill.price + distance),
            }),
            reduce_only: true,
            // Parts of one entry may be alike in everything else.
            tag: format!("take-profit {}", fill.time),
            ..OrderRequest::market(fill.instrument, Side::Sell, fill.quantity)
        };
        if let Err(violations) = desk.submit(&request) {
            desk.log(Level::Warn, &format!("no take-profit: {violations:?}"));
        }
    }
}

register!(strategy: TpTrail);

#[cfg(test)]
mod tests {
    use super::TpTrail;
    use tiltyard_sdk::Value;
    use tiltyard_sdk_testing::{Market, Played, Trial};

    /// Falls, rises to 130 and comes back to 110; every bar reaches half a point to both sides.
    fn hill() -> Market {
        let price = |at: i32| {
            f64::from(if at < 30 {
                120 - at
            } else if at < 70 {
                60 + at
            } else {
                199 - at
            })
        };
        let bar = |at: i32| {
            let (open, close) = (price(at), price(at + 1));
            [open, open.max(close) + 0.5, open.min(close) - 0.5, close, 1e9]
        };
        Market::bars(&(0..90).map(bar).collect::<Vec<_>>())
    }

    fn play(trail: f64) -> Played {
        let small = [("fast", Value::Integer(3)), ("slow", Value::Integer(10)), ("trail", Value::Real(trail))];
        let trial = small.into_iter().fold(Trial::new(hill()), |trial, (name, value)| trial.param(name, value));
        trial.strategy::<TpTrail>().unwrap()
    }

    #[test]
    fn profit_is_taken_after_the_top_and_later_the_wider_it_trails() {
        let exits: Vec<f64> = [1.0, 2.0]
            .map(|trail| {
                let played = play(trail);
                assert_eq!(played.trades.len(), 1, "{:?} {:?}", played.trades, played.refusals);
                assert_eq!(played.trades[0].exit_reason, "trailing_stop");
                assert!(played.trades[0].net > 0.0);
                played.trades[0].exit_price
            })
            .to_vec();
        assert!(exits[0] > exits[1] && exits[1] > 120.0, "{exits:?}");
    }

    #[test]
    fn a_trend_that_fails_is_left_at_the_stop() {
        let price = |at: i32| {
            f64::from(if at < 30 {
                120 - at
            } else if at < 40 {
                60 + at
            } else {
                139 - at
            })
        };
        let bar = |at: i32| {
            let (open, close) = (price(at), price(at + 1));
            [open, open.max(close) + 0.5, open.min(close) - 0.5, close, 1e9]
        };
        let market = Market::bars(&(0..70).map(bar).collect::<Vec<_>>());
        let trial = Trial::new(market).param("fast", Value::Integer(3)).param("slow", Value::Integer(10));
        let played = trial.param("trail", Value::Real(10.0)).strategy::<TpTrail>().unwrap();
        assert_eq!(played.trades.len(), 1);
        assert_eq!((&*played.trades[0].exit_reason, played.trades[0].net < 0.0), ("stop_loss", true));
    }
}

//! Buys what has fallen too fast, with a limit order below the market, and sells when the fall is made up for.

use tiltyard_sdk::prelude::*;

params! {
    /// When a fall is too fast, and how patiently it is bought.
    pub struct Params {
        /// Bars of the relative strength index.
        window: u32 = 14 in 2..=100 step 1, window;
        /// The index below which a fall is too fast.
        oversold: f64 = 30.0 in 5.0..=45.0 step 1.0, threshold;
        /// The index above which it is made up for; more than `oversold`.
        recovered: f64 = 55.0 in 30.0..=90.0 step 1.0, threshold;
        /// Percent below the close at which to buy.
        discount: f64 = 0.2 in 0.0..=5.0 step 0.1, threshold;
        /// Bars that the limit order waits.
        patience: u32 = 10 in 1..=200 step 1, window;
        /// Percent below the entry at which a loss is taken.
        stop: f64 = 5.0 in 0.5..=20.0 step 0.5, risk;
        /// Fraction of equity that a position is worth.
        invested: f64 = 0.95 in 0.01..=0.95 step 0.01, risk;
    }
}

/// The strategy.
#[derive(Debug)]
pub struct RsiReversion {
    params: Params,
    lot: f64,
    interval: i64,
    rsi: Rsi,
    before: Option<f64>,
}

impl RsiReversion {
    /// Takes a close in: the index before it and with it.
    fn update(&mut self, close: f64) -> Option<(f64, f64)> {
        let now = self.rsi.update(close)?;
        Some((self.before.replace(now)?, now))
    }

    fn enter(&self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar) {
        let price = bar.close * (1.0 - self.params.discount / 100.0);
        let quantity = sizing::whole_lots(desk.equity(), self.params.invested, price, self.lot);
        if quantity <= 0.0 {
            return;
        }
        let closed = bar.open_time + self.interval;
        let request = OrderRequest {
            time_in_force: TimeInForce::GoodTillDate(closed + i64::from(self.params.patience) * self.interval),
            stop_loss: Some(StopLoss::Fixed(price * (1.0 - self.params.stop / 100.0))),
            tag: "dip".to_owned(),
            ..OrderRequest::limit(instrument, Side::Buy, quantity, price)
        };
        if let Err(violations) = desk.submit(&request) {
            desk.log(Level::Warn, &format!("no entry: {violations:?}"));
        }
    }
}

impl Strategy for RsiReversion {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "rsi-reversion",
        version: env!("CARGO_PKG_VERSION"),
        description: "Buys fast falls with a limit order and sells the recovery.",
        warm_up_bars: 1_500,
        hypothesis: "Fast falls are made by those who must sell; whoever waits below the market with cash is paid for it.",
        falsified_by: "After costs the entries earn no more than entries at random times with the same exits.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        let params = start.params.clone();
        if params.recovered <= params.oversold {
            let problem = format!("{} must be more than oversold, {}", params.recovered, params.oversold);
            return Err(InitError::Parameter { name: "recovered", problem });
        }
        let (instrument, interval) = start.only_instrument()?;
        Ok(Self { lot: instrument.lot, interval, rsi: Rsi::new(params.window), before: None, params })
    }

    fn warm_up(&mut self, _: InstrumentIndex, bars: &Columns) {
        for bar in bars.iter() {
            self.update(bar.close);
        }
    }

    fn on_bar(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar) {
        let Some((before, now)) = self.update(bar.close) else { return };
        let held = desk.position(instrument).is_some_and(|position| position.quantity > 0.0);
        if held && now > self.params.recovered {
            if let Err(violations) = desk.close(instrument) {
                desk.log(Level::Warn, &format!("not closed: {violations:?}"));
            }
        } else if !held && before >= self.params.oversold && now < self.params.oversold && desk.open_orders().is_empty()
        {
            self.enter(desk, instrument, bar);
        }
    }
}

register!(strategy: RsiReversion);

#[cfg(test)]
mod tests {
    use super::RsiReversion;
    use tiltyard_sdk::{Side, Value};
    use tiltyard_sdk_testing::{Market, Played, Trial};

    /// Calm around 100, a fall to 88, and back up to 100.
    fn dip() -> Market {
        let calm = (0..30).map(|at| 100.0 + f64::from(at % 2));
        let fall = (1..=6).map(|at| 100.0 - 2.0 * f64::from(at));
        let rise = (1..=12).map(|at| 88.0 + f64::from(at));
        Market::closes(&calm.chain(fall).chain(rise).collect::<Vec<_>>())
    }

    fn play(parameters: &[(&str, Value)]) -> Played {
        let trial = Trial::new(dip());
        let trial = parameters.iter().fold(trial, |trial, (name, value)| trial.param(name, value.clone()));
        trial.strategy::<RsiReversion>().unwrap()
    }

    #[test]
    fn buys_below_the_market_and_sells_the_recovery() {
        let played = play(&[("stop", Value::Real(20.0))]);
        let [trade] = &played.trades[..] else { panic!("{:?} {:?}", played.trades, played.refusals) };
        assert_eq!((trade.side, &*trade.exit_reason), (Side::Buy, "close"));
        assert!(trade.entry_price < 100.0 && trade.exit_price > trade.entry_price, "{trade:?}");
    }

    #[test]
    fn a_fall_that_goes_on_ends_at_the_stop() {
        let played = play(&[("stop", Value::Real(2.0))]);
        assert_eq!(played.trades[0].exit_reason, "stop_loss");
    }

    #[test]
    fn an_order_that_nobody_comes_for_expires() {
        let played = play(&[("discount", Value::Real(5.0)), ("patience", Value::Integer(1))]);
        assert!(played.fills.is_empty() && played.refusals.is_empty());
    }
}

//! Quotes both sides of the market around its middle, and stops adding to a side once enough is held.

use tiltyard_sdk::prelude::*;

params! {
    /// How wide, how much, and how nervously it quotes.
    pub struct Params {
        /// Distance of each quote from the middle, in basis points; never inside the best bid and ask.
        distance: f64 = 0.5 in 0.0..=50.0 step 0.1, threshold;
        /// Basis points that the middle moves before both quotes move with it.
        patience: f64 = 0.3 in 0.0..=50.0 step 0.1, threshold;
        /// Fraction of equity that a quote is worth.
        size: f64 = 0.05 in 0.001..=0.5 step 0.001, risk;
        /// Fraction of equity that may be held, long or short, before the side that adds to it is no longer quoted.
        inventory: f64 = 0.2 in 0.001..=0.9 step 0.001, risk;
    }
}

/// The strategy.
#[derive(Debug)]
pub struct MarketMaker {
    params: Params,
    tick: f64,
    lot: f64,
    min_notional: f64,
    may_be_short: bool,
    /// The middle that the quotes stand around; 0 before the first.
    middle: f64,
    bid: Option<OrderId>,
    ask: Option<OrderId>,
}

impl MarketMaker {
    fn order(&mut self, side: Side) -> &mut Option<OrderId> {
        match side {
            Side::Buy => &mut self.bid,
            Side::Sell => &mut self.ask,
        }
    }

    /// The price of a quote, on the tick.
    fn price(&self, side: Side, middle: f64, quote: &Quote) -> f64 {
        let distance = middle * self.params.distance / 10_000.0;
        match side {
            Side::Buy => (((middle - distance) / self.tick).floor() * self.tick).min(quote.bid),
            Side::Sell => (((middle + distance) / self.tick).ceil() * self.tick).max(quote.ask),
        }
    }

    /// How much to quote on a side; 0 for nothing.
    fn quantity(&self, desk: &impl Desk, instrument: InstrumentIndex, side: Side, price: f64) -> f64 {
        let equity = desk.equity();
        let quantity = sizing::whole_lots(equity, self.params.size, price, self.lot);
        let held = desk.position(instrument).map_or(0.0, |position| position.quantity);
        let towards = if side == Side::Buy { held } else { -held };
        let quantity = match side {
            Side::Sell if !self.may_be_short => quantity.min(held),
            _ if (towards + quantity) * price > equity * self.params.inventory => 0.0,
            _ => quantity,
        };
        if quantity * price < self.min_notional { 0.0 } else { quantity }
    }

    fn requote(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, side: Side, quote: &Quote, moved: bool) {
        let middle = self.middle;
        if let Some(order) = *self.order(side) {
            if !moved {
                return;
            }
            // One that has just ended cannot be cancelled any more; its update is on the way.
            let _ = desk.cancel(order);
            *self.order(side) = None;
        }
        let price = self.price(side, middle, quote);
        let quantity = self.quantity(desk, instrument, side, price);
        if quantity <= 0.0 {
            return;
        }
        let request = OrderRequest { post_only: true, ..OrderRequest::limit(instrument, side, quantity, price) };
        match desk.submit(&request) {
            Ok(accepted) => *self.order(side) = Some(accepted.order),
            Err(violations) => desk.log(Level::Warn, &format!("no quote: {violations:?}")),
        }
    }
}

impl Strategy for MarketMaker {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "market-maker",
        version: env!("CARGO_PKG_VERSION"),
        description: "Quotes both sides around the middle, up to an inventory.",
        schedule: Schedule::Continuous,
        market_events: &MarketEvents::ALL,
        hypothesis: "Those who are in a hurry pay half the spread to those who wait.",
        falsified_by: "After fees and with a place in the queue, what is earned by waiting is lost to those who know more.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        let (instrument, _) = start.only_instrument()?;
        Ok(Self {
            params: start.params.clone(),
            tick: instrument.tick,
            lot: instrument.lot,
            min_notional: instrument.min_notional,
            may_be_short: instrument.kind == InstrumentKind::Perpetual || instrument.max_leverage > 1.0,
            middle: 0.0,
            bid: None,
            ask: None,
        })
    }

    fn on_bar(&mut self, _: &mut impl Desk, _: InstrumentIndex, _: &Bar) {}

    fn on_quote(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, quote: &Quote) {
        let middle = (quote.bid + quote.ask) / 2.0;
        let moved = (middle - self.middle).abs() > self.middle * self.params.patience / 10_000.0;
        if moved {
            self.middle = middle;
        }
        for side in [Side::Buy, Side::Sell] {
            self.requote(desk, instrument, side, quote, moved);
        }
    }

    fn on_order(&mut self, _: &mut impl Desk, update: &OrderUpdate) {
        let is_over = matches!(
            update.status,
            OrderStatus::Filled
                | OrderStatus::Cancelled
                | OrderStatus::Expired
                | OrderStatus::Rejected
                | OrderStatus::Liquidated
        );
        for order in [&mut self.bid, &mut self.ask] {
            if is_over && *order == Some(update.order) {
                *order = None;
            }
        }
    }
}

register!(tape: MarketMaker);

#[cfg(test)]
mod tests {
    use super::MarketMaker;
    use tiltyard_sdk::{Liquidity, Side, Value};
    use tiltyard_sdk_testing::{Played, Tape};

    /// A book of 100.00 to 100.10 with ten on each side.
    fn calm() -> Tape {
        let book = Tape::new().book(0, &[(100.0, 10.0), (99.0, 50.0)], &[(100.1, 10.0), (101.0, 50.0)]);
        book.quote(1, (100.0, 10.0), (100.1, 10.0)).quote(2, (100.0, 10.0), (100.1, 10.0))
    }

    fn play(tape: &Tape, parameters: &[(&str, Value)]) -> Played {
        let played = tape.play::<MarketMaker>(10_000, parameters).unwrap();
        assert!(played.refusals.is_empty(), "{:?}", played.refusals);
        played
    }

    #[test]
    fn earns_the_spread_when_both_sides_trade() {
        let tape = calm().sold(3, 100.0, 15.0).quote(4, (100.0, 8.0), (100.1, 10.0)).bought(5, 100.1, 15.0);
        let played = play(&tape, &[]);
        let fills: Vec<_> =
            played.fills.iter().map(|fill| (fill.side, fill.price, fill.quantity, fill.liquidity)).collect();
        // The bid is worth a twentieth of the equity, and so is the ask.
        assert_eq!(fills[0], (Side::Buy, 100.0, 5.0, Liquidity::Maker));
        assert_eq!((fills[1].0, fills[1].1, fills[1].3), (Side::Sell, 100.1, Liquidity::Maker));
        assert!(played.trades[0].net > 0.0);
    }

    #[test]
    fn waits_behind_those_who_were_there() {
        assert!(play(&calm().sold(3, 100.0, 10.0), &[]).fills.is_empty());
    }

    #[test]
    fn moves_with_the_middle_and_never_takes() {
        let tape = calm().quote(3, (99.0, 5.0), (100.1, 5.0)).quote(4, (99.0, 5.0), (100.1, 5.0)).sold(5, 98.0, 50.0);
        let played = play(&tape, &[]);
        let [fill] = &played.fills[..] else { panic!("{:?}", played.fills) };
        assert_eq!((fill.side, fill.price, fill.liquidity), (Side::Buy, 99.0, Liquidity::Maker));
    }

    #[test]
    fn holds_no_more_than_its_inventory() {
        let falls = (0..40).fold(calm(), |tape, at| {
            let (ms, price) = (10 + 10 * at, 99.9 - 0.1 * f64::from(at as i32));
            tape.quote(ms, (price, 1.0), (price + 0.1, 1.0)).quote(ms + 1, (price, 1.0), (price + 0.1, 1.0)).sold(
                ms + 2,
                price - 0.1,
                99.0,
            )
        });
        let played = play(&falls, &[("inventory", Value::Real(0.15))]);
        assert!(played.positions[0] > 10.0, "{:?}", played.positions);
        assert!(played.positions[0] * 100.0 <= 10_000.0 * 0.15 * 1.05, "{:?}", played.positions);
    }
}

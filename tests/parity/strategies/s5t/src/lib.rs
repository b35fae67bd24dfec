//! S5t: S1 with a stop-loss 2 % below the highest close since the signal, on the tick, moved up at every close.

use parity_common::{Cross, Crosses, Grid};
use tiltyard_sdk::OrderOrigin;
use tiltyard_sdk::prelude::*;

params! {
    /// It has none.
    pub struct Params {}
}

/// The strategy.
#[derive(Debug)]
pub struct S5t {
    grid: Grid,
    crosses: Crosses,
    /// The highest close from the signal on, in ticks.
    highest: i64,
}

/// Where the stop stands below the highest close, in ticks.
fn stop(highest: i64) -> i64 {
    highest * 98 / 100
}

impl S5t {
    fn trail(&mut self, desk: &mut impl Desk, close: i64) {
        let before = stop(self.highest);
        self.highest = self.highest.max(close);
        let now = stop(self.highest);
        if now > before {
            let stops = desk.open_orders().into_iter().filter(|open| open.origin == OrderOrigin::StopLoss);
            for order in stops {
                let trigger = Some(self.grid.price(now));
                let change = Replacement { quantity: None, limit: None, trigger, trail: None };
                let _ = desk.replace(order.order, change);
            }
        }
    }
}

impl Strategy for S5t {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "parity-s5t",
        version: env!("CARGO_PKG_VERSION"),
        description: "S1, with a stop-loss that follows the highest close.",
        hypothesis: "It trades as other engines do.",
        falsified_by: "A trade differs.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        let (instrument, _) = start.only_instrument()?;
        Ok(Self { grid: Grid { tick: instrument.tick }, crosses: Crosses::default(), highest: 0 })
    }

    fn on_bar(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar) {
        let close = self.grid.ticks(bar.close);
        let long = desk.position(instrument).is_some_and(|position| position.quantity > 0.0);
        match self.crosses.update(close) {
            Some(Cross::Up) if !long => {
                self.highest = close;
                let _ = desk.submit(&OrderRequest {
                    stop_loss: Some(StopLoss::Fixed(self.grid.price(stop(close)))),
                    ..OrderRequest::market(instrument, Side::Buy, 1.0)
                });
            }
            Some(Cross::Down) if long => {
                let _ = desk.close(instrument);
            }
            _ if long => self.trail(desk, close),
            _ => {}
        }
    }
}

register!(strategy: S5t);

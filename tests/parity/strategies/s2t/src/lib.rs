//! S2t: S1 with a stop-loss 1 % below and a take-profit 2 % above the close of the signal, on the tick.

use parity_common::{Cross, Crosses, Grid};
use tiltyard_sdk::prelude::*;

params! {
    /// It has none.
    pub struct Params {}
}

/// The strategy.
#[derive(Debug)]
pub struct S2t {
    grid: Grid,
    crosses: Crosses,
}

impl Strategy for S2t {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "parity-s2t",
        version: env!("CARGO_PKG_VERSION"),
        description: "S1, with a stop-loss and a take-profit.",
        hypothesis: "It trades as other engines do.",
        falsified_by: "A trade differs.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        let (instrument, _) = start.only_instrument()?;
        Ok(Self { grid: Grid { tick: instrument.tick }, crosses: Crosses::default() })
    }

    fn on_bar(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar) {
        let close = self.grid.ticks(bar.close);
        let long = desk.position(instrument).is_some_and(|position| position.quantity > 0.0);
        match self.crosses.update(close) {
            Some(Cross::Up) if !long => {
                let (stop, target) = (close * 99 / 100, (close * 102 + 99) / 100);
                let _ = desk.submit(&OrderRequest {
                    stop_loss: Some(StopLoss::Fixed(self.grid.price(stop))),
                    take_profit: Some(self.grid.price(target)),
                    ..OrderRequest::market(instrument, Side::Buy, 1.0)
                });
            }
            Some(Cross::Down) if long => {
                let _ = desk.close(instrument);
            }
            _ => {}
        }
    }
}

register!(strategy: S2t);

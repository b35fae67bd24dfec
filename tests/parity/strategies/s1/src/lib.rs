//! S1: averages of 10 and 50 closes cross, long only, in every instrument that there is.

use parity_common::{Cross, Crosses, Grid};
use tiltyard_sdk::prelude::*;

params! {
    /// It has none.
    pub struct Params {}
}

/// The strategy.
#[derive(Debug)]
pub struct S1 {
    markets: Vec<(Grid, Crosses)>,
}

impl Strategy for S1 {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "parity-s1",
        version: env!("CARGO_PKG_VERSION"),
        description: "Buys a unit when the average of 10 closes comes above that of 50 and sells it when it falls below.",
        hypothesis: "It trades as other engines do.",
        falsified_by: "A trade differs.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        let market = |instrument: &Instrument| (Grid { tick: instrument.tick }, Crosses::default());
        Ok(Self { markets: start.instruments.iter().map(market).collect() })
    }

    fn on_bar(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar) {
        let Some((grid, crosses)) = self.markets.get_mut(instrument as usize) else { return };
        let long = desk.position(instrument).is_some_and(|position| position.quantity > 0.0);
        match crosses.update(grid.ticks(bar.close)) {
            Some(Cross::Up) if !long => {
                let _ = desk.submit(&OrderRequest::market(instrument, Side::Buy, 1.0));
            }
            Some(Cross::Down) if long => {
                let _ = desk.close(instrument);
            }
            _ => {}
        }
    }
}

register!(strategy: S1);
